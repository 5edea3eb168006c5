"""Directions and projection: what they promise, on real small generators."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved
from torch.nn import functional as F

from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.latent.codes import Codes, codes_of_seeds, draw_codes, load_codes, save_codes
from ggdr.latent.directions import find_directions
from ggdr.latent.projection import Search, noise_autocorrelation, project, standardize
from ggdr.latent.targets import targets_of
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.pipeline import Pipeline
from ggdr.sampling.grid import to_uint8

SMALL = StyleGAN2GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=2, channel_max=8)
KINDS = {
    "style": (SMALL, ImageSpec(16, 16, 1)),
    "labels": (SMALL, ImageSpec(16, 16, 3, 3)),
    "z": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 16)),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_method = pytest.mark.parametrize("method", ["sefa", "pca"])


def fresh(kind: str):
    """One as it is initialised, the same each time."""
    torch.manual_seed(0)
    config, spec = KINDS[kind]
    return config.build(spec).eval()


@functools.cache
def generator(kind: str):
    """One whose weights are away from their start, and whose images differ."""
    network = moved(fresh(kind)).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if kind == "z" and "conv" in name:
                parameter.mul_(3.0)
            if name.endswith("noise_strength"):  # images are to come from codes first
                parameter.mul_(0.1)
    return network


def images(kind: str, codes: Codes) -> torch.Tensor:
    return torch.cat(list(draw_codes(generator(kind), codes)))


def own(kind: str, count: int = 2) -> tuple[Codes, torch.Tensor]:
    """Codes and images of a generator's own, and labels where it has some."""
    labels = torch.eye(3)[[2] * count] if kind == "labels" else None
    codes = codes_of_seeds(generator(kind), range(5, 5 + count), labels)
    return codes, images(kind, codes).clamp(-1, 1)


@functools.cache
def found(space: str):
    """A projection of a generator's own images."""
    kind = "z" if space == "z" else "style"
    return project(generator(kind), own(kind, 4)[1], Search(space=space, steps=150))


@every_kind
@every_method
def test_directions_are_of_unit_length_sorted_and_the_same_each_time(kind, method):
    one, other = (find_directions(generator(kind), method, 4) for _ in range(2))
    assert one.vectors.shape == (4, 8) and all(map(torch.equal, one[:3], other[:3]))
    assert (one.strengths.diff() <= 0).all() and 0 < one.strengths.sum() <= 1 and (one.spreads > 0).all()
    gram = one.vectors @ one.vectors.T
    regressed = (kind, method) == ("z", "pca")
    torch.testing.assert_close(gram.diagonal() if regressed else gram, torch.ones(4) if regressed else torch.eye(4))


@pytest.mark.parametrize("kind", ["style", "z"])
def test_sefa_finds_a_planted_direction_and_in_its_layers_alone(kind):
    network = fresh(kind)
    planted = F.normalize(torch.randn(8, generator=torch.Generator().manual_seed(3)), dim=0)
    with torch.no_grad():
        if kind == "style":
            network.synthesis.b8.conv1.affine.weight.add_(50 * torch.randn(8, 1) * planted)
        else:
            network.b4.conv.weight.add_(
                50 * planted[:, None, None, None] * torch.randn(1, *network.b4.conv.weight.shape[1:])
            )
    assert abs(float(find_directions(network, "sefa", 1).vectors[0] @ planted)) > 0.99
    if kind == "style":  # code 2 drives that layer
        assert abs(float(find_directions(network, "sefa", 1, layers=[2]).vectors[0] @ planted)) > 0.99
        assert abs(float(find_directions(network, "sefa", 1, layers=[0, 1, 3, 4, 5]).vectors[0] @ planted)) < 0.95


def test_pca_finds_where_styles_vary_most():
    network = fresh("style")
    with torch.no_grad():
        network.mapping.fc1.weight[3] *= 20
    directions = find_directions(network, "pca", 2)
    assert abs(float(directions.vectors[0, 3])) > 0.95 and directions.strengths[0] > 0.9
    styles = network.styles(torch.randn(4000, 8))[:, 0].detach()
    assert float((styles @ directions.vectors[0]).std() / directions.spreads[0]) == pytest.approx(1, abs=0.1)


def test_regressed_directions_move_the_first_maps_as_the_components_do():
    """In a generator whose first maps are all but linear in z, the first direction is the most stretched one."""
    network = fresh("z")
    with torch.no_grad():
        network.b4.conv.weight[5] *= 30
    assert abs(float(find_directions(network, "pca", 2).vectors[0, 5])) > 0.95


@every_kind
@every_method
def test_an_amount_of_0_is_the_image_itself_and_others_move_it(kind, method):
    codes, plain = own(kind)
    edited = images(kind, find_directions(generator(kind), method, 2).move(codes, 1, [-2, 0, 2]))
    torch.testing.assert_close(edited[1::3].clamp(-1, 1), plain, rtol=1e-4, atol=1e-4)
    assert all((edited[place] - plain[place // 3]).abs().max() > 1e-3 for place in (0, 2, 3, 5))


def test_layers_say_which_style_codes_are_moved():
    codes, _ = own("style")
    moved_codes = find_directions(generator("style"), "pca", 1, layers=[1, 2]).move(codes, 0, [1.0])
    changed = (moved_codes.points - codes.points).abs().amax(dim=(0, 2)) > 0
    assert changed.tolist() == [False, True, True, False, False, False]


@pytest.mark.parametrize(("space", "factor"), [("w", 5), ("w+", 20), ("z", 100)])
def test_a_generators_own_images_are_found_again(space, factor):
    result = found(space)
    assert result.distance.sum() < result.start.sum() / factor
    assert (result.distance < result.start / 2).all()
    kind = "z" if space == "z" else "style"
    torch.testing.assert_close(images(kind, result.codes), result.images, rtol=1e-3, atol=1e-3)
    if space == "w":
        assert torch.equal(result.codes.points[:, 0], result.codes.points[:, 5])


def test_more_freedom_comes_at_least_as_near():
    assert found("w+").distance.sum() <= found("w").distance.sum()


def test_the_prior_keeps_latent_codes_likely():
    free, tame = (
        project(generator("z"), own("z")[1], Search(steps=60, prior=prior)).codes.points.square().mean()
        for prior in (0.0, 30.0)
    )
    assert tame < free and tame < 0.5


@pytest.mark.parametrize("kind", ["style", "labels"])
def test_neither_batch_mates_nor_their_order_nor_the_state_of_torch_matter(kind):
    labels, targets = (torch.eye(3)[[0, 2]] if kind == "labels" else None), own(kind)[1]
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    search = Search(steps=12)
    together = project(generator(kind), targets, search, labels=labels)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(8)
    part = None if labels is None else labels[1:]
    alone = project(generator(kind), targets[1:], search, labels=part)
    again = project(generator(kind), targets, search, labels=labels)
    assert torch.equal(again.codes.points, together.codes.points)
    torch.testing.assert_close(alone.codes.points[0], together.codes.points[1], rtol=1e-2, atol=1e-2)
    one_by_one = project(generator(kind), targets, search, labels=labels, batch_size=1)
    torch.testing.assert_close(one_by_one.images, together.images, rtol=1e-2, atol=1e-2)
    other = project(generator(kind), targets, Search(steps=12, seed=1), labels=labels)
    assert not torch.equal(other.codes.points, together.codes.points)


def test_nothing_of_the_generator_changes():
    network = generator("style")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    project(network, own("style")[1], Search(steps=3))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def test_noise_maps_stay_noise():
    for noise in found("w").codes.noise.values():
        assert noise.mean(dim=(1, 2, 3)).abs().max() < 1e-4
        torch.testing.assert_close(noise.square().mean(dim=(1, 2, 3)), torch.ones(4), rtol=1e-3, atol=1e-3)
    assert set(found("w").codes.noise) == set(generator("style").noise_maps())


def test_the_regulariser_of_noise_sees_likeness_at_every_scale_and_pushes_it_down():
    dice = torch.Generator().manual_seed(0)
    white = standardize(torch.randn(1, 1, 32, 32, generator=dice))
    fine = standardize(F.avg_pool2d(F.pad(white, (1, 1, 1, 1), mode="circular"), 3, 1))
    blurred = F.interpolate(torch.randn(1, 1, 8, 8, generator=dice), scale_factor=4, mode="bilinear")
    coarse = standardize(white + blurred)
    assert float(noise_autocorrelation(white)) < 0.1 < float(noise_autocorrelation(fine))
    assert float(noise_autocorrelation(white)) < float(noise_autocorrelation(coarse))
    noise = fine.clone().requires_grad_()
    noise_autocorrelation(noise).sum().backward()
    assert noise.grad.abs().max() > 0
    assert noise_autocorrelation(noise.detach() - noise.grad) < noise_autocorrelation(fine)


def test_a_checkerboard_has_the_likeness_that_the_formula_says():
    """Neighbours are opposite: (-1)^2 on both axes; averaged over 2 x 2 nothing is left."""
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(8, 8)[None, None]
    assert float(noise_autocorrelation(board)) == pytest.approx(2.0)


def test_features_of_a_network_are_followed_too():
    result = project(generator("style"), own("style")[1], Search(extractor=Digits(), steps=25, pixels=0.0))
    assert (result.distance < 0.7 * result.start).all()


def test_the_rates_rise_and_fall_as_published():
    search = Search()
    assert search.learning_rate_at(0) < 0.01 and search.learning_rate_at(49) == search.learning_rate_at(
        700
    ) == pytest.approx(0.1)
    assert search.learning_rate_at(875) == pytest.approx(0.05, abs=1e-3) and search.learning_rate_at(999) < 1e-4
    assert search.jitter_at(0) == 0.05 and search.jitter_at(375) == pytest.approx(0.0125) and search.jitter_at(750) == 0


@every_kind
def test_codes_on_disk_make_the_same_images(kind, tmp_path):
    network = generator(kind)
    labels = torch.eye(3)[[1]] if kind == "labels" else None
    result = project(network, own(kind, 1)[1], Search(steps=3), labels=labels)
    save_codes(result.codes, network, tmp_path / "a.safetensors")
    assert torch.equal(images(kind, load_codes(tmp_path / "a.safetensors", network)), images(kind, result.codes))


def test_codes_of_another_generator_are_refused(tmp_path):
    save_codes(own("z")[0], generator("z"), tmp_path / "z.safetensors")
    save_codes(own("style")[0], generator("style"), tmp_path / "w.safetensors")
    larger = SMALL.build(ImageSpec(32, 32)).eval()
    for file, network, what in (
        ("z", generator("style"), "holds no codes 'ws'"),
        ("w", larger, "of another generator"),
        ("none", larger, "there is no file"),
    ):
        with pytest.raises(ValueError, match=what):
            load_codes(tmp_path / f"{file}.safetensors", network)


def test_pictures_of_any_kind_and_size_become_targets():
    spec = ImageSpec(16, 32, 3)
    array = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    picture = Image.fromarray(array)
    chosen = targets_of(picture, spec)
    assert chosen.shape == (1, 3, 16, 32) and chosen.min() >= -1 and chosen.max() <= 1
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    for same in ([picture], array, array[None], array / 255.0, tensor, tensor[None] / 255):
        assert torch.equal(targets_of(same, spec), chosen)
    assert targets_of([picture, picture.convert("L")], spec).shape[0] == 2
    exact = torch.randint(0, 256, (2, 1, 16, 16), dtype=torch.uint8)
    assert torch.equal(to_uint8(targets_of(exact, ImageSpec(16, 16, 1))), exact)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: targets_of([], ImageSpec(16, 16)), "there is no image to look for"),
        (lambda: targets_of("photo.png", ImageSpec(16, 16)), "str is no image; give PIL images"),
        (lambda: targets_of(np.full((8, 8), 7.0), ImageSpec(16, 16)), "values that are no colours"),
        (lambda: targets_of(torch.zeros(5, 8, 8), ImageSpec(16, 16)), r"\[5, 8, 8\] is no image"),
        (lambda: targets_of(torch.zeros(1, 8, 8), ImageSpec(16, 16, 5)), "images of 5 channels, which no picture has"),
        (lambda: Search(extractor=Inception()), "'inception' does not pass on"),
        (lambda: Search(steps=-1), "steps is -1"),
        (lambda: project(generator("z"), own("z")[1], Search(space="w")), "has no style codes; give space 'z'"),
        (lambda: project(generator("style"), own("style")[1], Search(space="z")), "give space 'w' or 'w\\+'"),
        (lambda: project(generator("labels"), own("labels")[1]), "trained with labels; give labels"),
        (lambda: find_directions(generator("style"), "ica"), "method is 'ica'; give 'sefa' or 'pca'"),
        (lambda: find_directions(generator("style"), layers=[6]), "no style code 6; give layers of 0 to 5"),
        (
            lambda: find_directions(generator("z"), layers=[0]),
            "has no style codes, its latent code enters at one place",
        ),
        (lambda: find_directions(generator("z"), "pca", 0), "0 directions are none"),
        (lambda: find_directions(generator("z")).move(own("z")[0], 9, [1]), "there is no direction 9"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(wrong, what):
    with pytest.raises(ValueError, match=what) as caught:
        wrong()
    assert "\n" not in str(caught.value)


def test_a_pipeline_edits_and_projects():
    pipe = Pipeline(generator("style"))
    pipe.set_progress_bar_config(disable=True)
    plain = pipe(seeds=[5], output_type="pt").images
    edited = pipe.edit(pipe.directions("pca", 2), direction=1, amounts=[0, 1], seeds=5, output_type="pt")
    torch.testing.assert_close(edited.images[:1], plain, rtol=1e-4, atol=1e-4)
    nearest = pipe.project(plain, Search(steps=40, space="w+"))
    assert nearest.images[0].size == (16, 16) and nearest.codes.points.shape == (1, 6, 8)
    again = pipe.edit(codes=nearest.codes, amounts=[0], output_type="pil").images[0]
    assert np.abs(np.asarray(again, int) - np.asarray(nearest.images[0], int)).max() <= 1
    with pytest.raises(ValueError, match="from seeds or from codes; give one of the two"):
        pipe.edit()
    with pytest.raises(ValueError, match="output_type is 'jpg'"):
        pipe.project(plain, output_type="jpg")
