"""`ggdr video --codes` and films from class to class: what they pass, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from tiny import moved

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, codes_of_seeds, images_of, load_all, save_codes
from ggdr.latent.walks import walk_codes
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.pipeline import Pipeline
from ggdr.sampling.grid import to_uint8
from ggdr.saving.model import load_model, save_model
from ggdr.verbs.video import main as video

NAMES = ("cat", "dog", "horse")
FAST = ["--seconds", "0.2", "--fps", "10", "--scale", "8"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_model(moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16))), folder / "style")
    save_model(moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 3, NAMES))), folder / "zoo")
    save_model(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 2))), folder / "plain")
    ranges = ImageSpec(16, 16, 3, 2, ("age", "smile"), ((0.0, 90.0), (0.0, 1.0)))
    save_model(moved(DCGANGeneratorConfig.tiny().build(ranges)), folder / "numbers")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames(file) -> list[np.ndarray]:
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def shows(frame: np.ndarray, image) -> bool:
    """Whether a frame of a film is an image [C, 16, 16], as far as compression lets it."""
    large = to_uint8(image).permute(1, 2, 0).numpy().repeat(8, 0).repeat(8, 1).astype(int)
    return np.abs(frame - large).mean() < 12


def noisy(generator, seeds) -> Codes:
    """Codes as `ggdr project` finds them, each with noise maps that are its own."""
    codes, draw = codes_of_seeds(generator, seeds), torch.Generator().manual_seed(1)
    maps = generator.noise_maps().items()
    return codes._replace(
        noise={name: torch.randn(len(seeds), 1, *value.shape, generator=draw) for name, value in maps}
    )


def test_a_film_passes_the_images_of_codes_in_files_with_their_noise(models, capsys):
    generator = load_model(models / "style")
    one, two = noisy(generator, [1, 2]), codes_of_seeds(generator, [3])
    save_codes(one, generator, Path("one.safetensors"))
    save_codes(two, generator, Path("two.safetensors"))
    flags = [str(models / "style"), "--codes", "one.safetensors", "two.safetensors", *FAST, "--batch-size", "2"]
    assert video([*flags, "--no-loop", "--out", "a.mp4"]) == 0
    assert "a.mp4: 5 frames" in capsys.readouterr().out
    found = frames("a.mp4")
    with torch.no_grad():
        images = torch.cat([images_of(generator, one), images_of(generator, two)])
    assert [shows(found[2 * place], images[place]) for place in range(3)] == [True] * 3
    assert not shows(found[0], images[1])
    joined = load_all([Path("one.safetensors"), Path("two.safetensors")], generator)
    with torch.no_grad():
        torch.testing.assert_close(images_of(generator, joined), images)
    out = Pipeline(generator).interpolate(codes=one, steps=3, output_type="pt")
    torch.testing.assert_close(out.images[3], images[1].add(1).div(2).clamp(0, 1))
    assert len(out.images) == 6


def test_noise_on_the_way_is_as_strong_as_noise_is_and_batches_do_not_matter(models):
    generator = load_model(models / "style")
    keys = noisy(generator, [1, 2, 3])
    (whole,) = walk_codes(generator, keys, 4)
    parts = [*walk_codes(generator, keys, 4, batch_size=5)]
    assert [len(part.points) for part in parts] == [5, 5, 2]
    torch.testing.assert_close(torch.cat([part.points for part in parts]), whole.points)
    for name, value in whole.noise.items():
        torch.testing.assert_close(torch.cat([part.noise[name] for part in parts]), value)
        torch.testing.assert_close(value[4], keys.noise[name][1])
        lengths = value.flatten(1).norm(dim=1)
        assert lengths.min() >= 0.999 * keys.noise[name].flatten(1).norm(dim=1).min()


def test_several_walks_through_codes_are_side_by_side_and_labels_of_codes_go_along(models, capsys):
    generator = load_model(models / "plain")
    codes = codes_of_seeds(generator, [1, 2, 3, 4], torch.eye(2)[[0, 1, 1, 0]])
    save_codes(codes, generator, Path("four.safetensors"))
    assert video([str(models / "plain"), "--codes", "four.safetensors", "--walks", "2", *FAST, "--out", "a.mp4"]) == 0
    found = frames("a.mp4")
    assert len(found) == 4
    with torch.no_grad():
        images = images_of(generator, codes)
    for moment, places in ((0, (0, 1)), (2, (2, 3))):
        left, right = found[moment][:, :128], found[moment][:, -128:]
        assert shows(left, images[places[0]]) and shows(right, images[places[1]])


@pytest.mark.parametrize("seeds", [[], ["--seeds", "0"]])
def test_one_seed_goes_from_class_to_class_by_name(models, seeds):
    assert video([str(models / "zoo"), "--labels", "dog", "cat", "horse", *seeds, *FAST, "--out", "a.mp4"]) == 0
    found, pipe = frames("a.mp4"), Pipeline(load_model(models / "zoo"))
    images = pipe(seeds=[0, 0, 0], labels=["dog", "cat", "horse"], output_type="pt").images
    assert len(found) == 6 and [shows(found[2 * place], images[place] * 2 - 1) for place in range(3)] == [True] * 3


def test_a_film_goes_between_vectors_of_continuous_labels(models):
    flags = [str(models / "numbers"), "--labels", "20,0.5", "70,1", *FAST, "--no-loop", "--out", "a.mp4"]
    assert video(flags) == 0
    images = Pipeline(load_model(models / "numbers"))(seeds=[0, 0], labels=[[20.0, 0.5], [70.0, 1.0]], output_type="pt")
    assert [shows(frames("a.mp4")[2 * place], images.images[place] * 2 - 1) for place in (0, 1)] == [True, True]


def test_walks_that_cannot_be_are_refused(models):
    generator = load_model(models / "style")
    save_codes(codes_of_seeds(generator, [1]), generator, Path("one.safetensors"))
    codes = ["--codes", "one.safetensors"]
    for model, flags, why in (
        ("style", codes, "1 codes cannot be dealt to 1 walks; each takes as many, two at least"),
        ("style", [*codes, "--seeds", "3"], "--codes says all of the images, .* leave --seeds out"),
        ("style", [*codes, "--truncation-psi", "0"], "leave --truncation-psi out"),
        ("zoo", [*codes, "--labels", "cat"], "leave --labels out"),
        ("style", [*codes, "--curve", "slerp"], "leave --curve out"),
        ("style", ["--seeds", "3"], "1 seeds cannot be dealt to 1 walks"),
        ("plain", codes, "holds no codes 'z'"),
        ("zoo", ["--labels", "cat", "dog", "--seeds", "0-2"], "are 2 labels; give one, or 3, one for each image"),
    ):
        with pytest.raises(UserError, match=why):
            video([str(models / model), *flags, "--out", "a.mp4"])
        assert not Path("a.mp4").exists()
    with pytest.raises(UserError, match="past seeds or through codes; give one of the two"):
        Pipeline(generator).interpolate()
    with pytest.raises(UserError, match="past 2 codes or more in 1 step or more each; given 1 and 4"):
        Pipeline(generator).interpolate(codes=codes_of_seeds(generator, [1]), steps=4)
