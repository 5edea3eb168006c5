"""Sheets of feature maps: planted structure is found, every source is shown that there is, and what is not is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch
from PIL import Image

from ggdr.cli import guarded
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.sampling import draw
from ggdr.saving.model import save_model
from ggdr.verbs.features import main
from ggdr.visualization.maps import (
    colorize,
    cosine_similarity,
    fit_basis,
    fit_clusters,
    gather,
    match_clusters,
    resolutions_of,
    sample_vectors,
    segment,
)
from ggdr.visualization.sheets import palette

STYLE, JUDGE = StyleGAN2GeneratorConfig.tiny(), UNetDiscriminatorConfig.tiny()


def planted(regions, noise=0.02, seed=0):
    """Maps [S, 6, h, w] that point to one of a few directions, as `regions` [S, h, w] says, nearly."""
    dice = torch.Generator().manual_seed(seed)
    directions = torch.linalg.qr(torch.randn(6, 6, generator=dice)).Q[: int(regions.max()) + 1]
    maps = directions[regions].permute(0, 3, 1, 2)
    return torch.nn.functional.normalize(maps + noise * torch.randn(maps.shape, generator=dice), dim=1)


def halves(count=3, resolution=8):
    """Regions [S, h, w]: 0 above, 1 below a line that differs by image."""
    lines = torch.arange(count)[:, None, None] + 2
    return (torch.arange(resolution)[:, None] >= lines).expand(count, resolution, resolution).long()


def rows(maps):
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def pair(judge=JUDGE, generator=STYLE, spec=None):
    """A generator and a discriminator whose decoder draws sides 4 and 8."""
    torch.manual_seed(0)
    spec = spec or ImageSpec(16, 16, 1)
    g = generator.build(spec).eval()
    targets = {resolution: g.feature_channels[resolution] for resolution in (4, 8)}
    return g, judge and judge.build(spec, ExtraOutputs(targets)).eval()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a checkpoint, whose decoder draws side 8 alone."""
    run = tiny.tiny_run(tiny.recipe, tmp_path_factory.mktemp("run"))
    run.save()
    return run.out


@pytest.mark.parametrize("seed", range(3))
def test_two_flat_regions_are_segmented_exactly_and_the_larger_comes_first(seed):
    regions = halves()
    maps = planted(regions, seed=seed)
    segments = segment(maps, fit_clusters(rows(maps), 2, seed))
    assert torch.equal(segments, 1 - regions)  # the lower region is the larger


def test_clusters_are_shared_by_images():
    regions = torch.stack([torch.zeros(4, 4), torch.ones(4, 4), torch.zeros(4, 4)]).long()
    maps = planted(regions)
    assert torch.equal(segment(maps, fit_clusters(rows(maps), 2, 0)), regions)


@pytest.mark.filterwarnings("error")
def test_there_are_no_more_clusters_than_distinct_vectors():
    regions = halves()
    maps = planted(regions, noise=0.0)
    assert len(fit_clusters(rows(maps), 5, 0)) == 2
    assert len(fit_clusters(torch.zeros(10, 3), 5, 0)) == 1


def test_clusters_are_renamed_to_agree_with_others():
    like = torch.tensor([[[0, 0, 0, 1, 1, 2, 3, 3]]])
    segments = torch.tensor([[[3, 3, 0, 2, 2, 0, 1, 1]]])
    assert match_clusters(segments, like, 4).tolist() == [[[0, 0, 2, 1, 1, 2, 3, 3]]]


def test_components_show_what_varies_and_only_that():
    spread = torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.0]))
    maps = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    maps = torch.einsum("nchw,cd->ndhw", maps, spread)
    basis = fit_basis(rows(maps))
    assert torch.allclose(basis.axes.abs(), torch.eye(4)[:3], atol=0.15)
    colors = colorize(maps, basis)
    assert colors.shape == (4, 8, 8, 3) and 0 <= colors.min() and colors.max() <= 1
    assert (colors.flatten(0, 2).std(dim=0) > 0.1).all()


def test_what_does_not_vary_is_gray():
    flat = torch.ones(2, 2, 4, 4)
    assert torch.equal(colorize(flat, fit_basis(rows(flat))), torch.full((2, 4, 4, 3), 0.5))


def test_similarity_is_one_for_equal_maps_minus_one_for_opposite_and_each_place_has_its_own():
    maps = planted(halves())
    assert torch.allclose(cosine_similarity(maps, maps), torch.ones(3, 8, 8))
    assert torch.allclose(cosine_similarity(maps, 3 * maps), torch.ones(3, 8, 8))
    assert torch.allclose(cosine_similarity(maps, -maps), -torch.ones(3, 8, 8))
    other = maps.clone()
    other[1, :, 2, 5] = 0
    assert (cosine_similarity(maps, other) < 0.5).nonzero().tolist() == [[1, 2, 5]]


@pytest.mark.parametrize("clusters", [2, 8, 9, 30])
def test_every_cluster_has_a_color_of_its_own(clusters):
    colors = palette(clusters)
    assert colors.shape == (clusters, 3) and 0 <= colors.min() and colors.max() <= 1
    assert torch.cdist(colors, colors).add(torch.eye(clusters)).min() > 0.02


def test_places_are_drawn_once_each_and_all_where_there_are_few():
    maps = torch.arange(32.0).view(2, 1, 4, 4)
    few = sample_vectors(maps, 8, torch.Generator().manual_seed(0)).flatten().tolist()
    assert len(set(few)) == 8
    every = sample_vectors(maps, 99, torch.Generator().manual_seed(0)).flatten().tolist()
    assert sorted(every) == list(range(32))


JUDGES = {
    "unet": (JUDGE, {"encoder": (4, 8), "decoder": (4, 8)}),
    "unet on dcgan": (
        UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny()),
        {"encoder": (4, 8), "decoder": (4, 8)},
    ),
    "plain": (tiny.RESNET, {"encoder": (4, 8)}),
    "none": (None, {}),
}


@pytest.mark.parametrize(("judge", "resolutions"), JUDGES.values(), ids=JUDGES)
@pytest.mark.parametrize("generator", [STYLE, DCGANGeneratorConfig.tiny()], ids=["stylegan2", "dcgan"])
@pytest.mark.parametrize("labels", [0, 3])
def test_maps_are_those_of_the_images_that_are_shown(judge, resolutions, generator, labels):
    g, d = pair(judge, generator, ImageSpec(16, 32, 1, labels))
    found = resolutions_of(g, d, ())
    assert found == {"generator": tuple(g.feature_channels), **resolutions}
    gathered = gather(g, d, found, shown=3, pooled=20, seed=5)
    classes = torch.eye(labels)[torch.arange(3) % labels] if labels else None
    images = torch.cat(list(draw(g, range(5, 8), classes)))
    assert torch.equal(gathered.images, images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8))
    for source, there in found.items():
        for resolution in there:
            maps = gathered.maps[resolution][source]
            assert maps.shown.shape[2:] == (resolution, 2 * resolution) and len(maps.shown) == 3
            lengths = maps.shown.norm(dim=1)
            assert torch.allclose(lengths, (lengths > 0.5).float(), atol=1e-4)  # after ReLU a vector may be zero
            assert len(maps.rows) == 20 * resolution * 2 * resolution and maps.rows.shape[1] == maps.shown.shape[1]
    if d is not None:
        wanted = d.pyramid(images, classes)[1]
        # batch statistics: the same maps only where batch-mates are the same
        if "dcgan" not in (d.config.name, getattr(d.config, "encoder", d.config).name):
            assert torch.allclose(
                cosine_similarity(gathered.maps[8]["encoder"].shown, wanted[8]), torch.ones(3, 8, 16), atol=1e-4
            )


def test_a_decoder_that_draws_the_generators_maps_is_found_alike():
    g, d = pair()

    class Mirror(torch.nn.Module):
        def forward(self, maps, resolutions):
            return {resolution: 2 * true[resolution] for resolution in resolutions}

    d.decoder = Mirror()
    gathered = gather(g, None, {"generator": (8,)}, shown=4, pooled=4, seed=0)
    true = {8: gathered.maps[8]["generator"].shown}
    both = gather(g, d, {"generator": (8,), "decoder": (8,)}, shown=4, pooled=4, seed=0)
    assert torch.allclose(
        cosine_similarity(both.maps[8]["decoder"].shown, both.maps[8]["generator"].shown), torch.ones(4, 8, 8)
    )


def test_sheets_of_a_run_are_written_and_told(run, tmp_path, capsys):
    assert main([str(run), "--out", str(tmp_path), "--samples", "3", "--pooled", "4", "--clusters", "3"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "generator 'stylegan2', discriminator 'unet'"
    assert [line.split(":")[:2] for line in told[1:]] == [
        ["resolution 4", " generator, encoder"],
        ["resolution 8", told[2].split(":")[1]],
        ["resolution 16", " generator"],
    ]
    assert told[2].startswith("resolution 8: generator, encoder, decoder, cosine similarity ")
    heights = {}
    for resolution in (4, 8, 16):
        file = tmp_path / f"resolution-{resolution:03}.png"
        assert told[1 + (4, 8, 16).index(resolution)].endswith(str(file))
        heights[resolution] = Image.open(file).size[1]
    assert heights[8] > heights[4] > heights[16]  # eight rows, five, three


def test_the_same_seed_draws_the_same_sheet_and_another_one_another(run, tmp_path):
    def sheet(name, seed):
        main(
            [
                str(run),
                "--resolutions",
                "8",
                "--samples",
                "2",
                "--pooled",
                "4",
                "--out",
                str(tmp_path / name),
                "--seed",
                seed,
            ]
        )
        return (tmp_path / name / "resolution-008.png").read_bytes()

    first = sheet("a", "0")
    assert sheet("b", "0") == first != sheet("c", "1")


def test_a_generator_alone_is_drawn_and_said_to_be_alone(tmp_path, capsys):
    save_model(pair()[0], tmp_path / "model")
    assert main([str(tmp_path / "model"), "--samples", "2", "--pooled", "2", "--resolutions", "8"]) == 0
    out = capsys.readouterr().out
    assert "no discriminator here: only its own maps" in out and "resolution 8: generator: " in out
    assert (tmp_path / "model" / "features" / "resolution-008.png").is_file()


@pytest.mark.parametrize(
    ("judge", "resolutions", "told"),
    [(JUDGE, "16", "draws resolutions 4, 8 only"), (tiny.RESNET, "8", "has no decoder for any resolution")],
    ids=["other side", "no decoder"],
)
def test_why_there_is_no_similarity_is_said(judge, resolutions, told, tmp_path, capsys):
    for name, network in zip(("generator", "discriminator"), pair(judge), strict=True):
        save_model(network, tmp_path / name)
    main([str(tmp_path), "--samples", "2", "--pooled", "2", "--resolutions", resolutions])
    assert f"no decoder's maps, no similarity: this discriminator {told}" in capsys.readouterr().out


def test_a_side_that_is_not_there_is_refused_with_those_that_are(run):
    with pytest.raises(
        ValueError, match=r"no feature maps of resolution 7, 64; the generator has those of 4, 8, 16 px"
    ):
        main([str(run), "--resolutions", "8", "64", "7"])


def test_a_generator_that_hands_over_no_maps_is_refused():
    class Mute(StyleGAN2GeneratorConfig):
        name, provides = "mute", frozenset()

    g, d = pair(generator=replace(Mute.tiny(), mapping_layers=1))
    with pytest.raises(ValueError, match="generator 'mute' hands over no feature maps"):
        resolutions_of(g, d, ())


@pytest.mark.parametrize(("flag", "value"), [("samples", "0"), ("clusters", "0"), ("pooled", "-1"), ("seed", "-1")])
def test_numbers_that_cannot_be_are_refused(run, flag, value, capsys):
    with pytest.raises(SystemExit):
        guarded(main, [str(run), f"--{flag}", value])
    assert f"{flag} is {value}; give" in capsys.readouterr().err
