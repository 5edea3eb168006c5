"""Recipes of pix2pixHD, SRGAN and ESRGAN: the papers' numbers, the networks' sizes, and a step of each stage."""

from __future__ import annotations

import ast
import re
import shlex
from typing import NamedTuple

import numpy as np
import pytest
from data_sources import folder
from domain_layouts import label_maps, png
from places import ROOT

from ggdr.flags.recipe import parse
from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import Schedule, value_at
from ggdr.train import main


class Row(NamedTuple):
    """What the papers and their programs say of a run."""

    paper: str
    kimg: float
    batch: int
    betas: tuple[float, float]
    rates: dict[float, float]
    """kimg -> learning rate from there on"""
    loss: tuple[str, float]
    terms: dict[str, float]
    figures: tuple[str, ...]
    millions: dict[str, str]


STEP = 16 / 1000
"""kimg of a step of super-resolution"""
TABLE = {
    "cityscapes_pix2pixhd": Row(
        "1711.11585", 200 * 2.975, 1, (0.5, 0.999), {0: 2e-4, 297.5: 2e-4, 446.25: 1e-4, 595: 0},
        ("least_squares", 2.0), {"paired_feature_matching": 10.0, "perceptual": 10.0}, ("83.78", "0.6389"),
        {"generator": "182.54", "discriminator": "8.40"},
    ),
    "div2k_srresnet": Row(
        "1609.04802", 1e6 * STEP, 16, (0.9, 0.999), {0: 1e-4, 15999: 1e-4},
        ("none", 1.0), {"l2": 1.0}, ("28.49 / 0.8184",), {"generator": "1.55"},
    ),
    "div2k_srgan": Row(
        "1609.04802", 2e5 * STEP, 16, (0.9, 0.999), {0: 1e-4, 1599: 1e-4, 1600: 1e-5, 3199: 1e-5},
        ("non_saturating", 1.0), {"perceptual": 1000 / 12.75**2}, ("26.02 / 0.7397 / 3.72",),
        {"generator": "1.55", "discriminator": "23.56"},
    ),
    "div2k_psnr_rrdb": Row(
        "1809.00219", 1e6 * STEP, 16, (0.9, 0.99), {0: 2e-4, 3199: 2e-4, 3200: 1e-4, 6400: 5e-5, 12800: 1.25e-5},
        ("none", 1.0), {"l1": 1.0}, ("28.99",), {"generator": "16.70"},
    ),
    "div2k_esrgan": Row(
        "1809.00219", 4e5 * STEP, 16, (0.9, 0.99), {0: 1e-4, 799: 1e-4, 800: 5e-5, 1600: 2.5e-5, 3200: 1.25e-5},
        ("relativistic_average", 1.0), {"l1": 1.0, "perceptual": 200.0}, ("2.04 / 15.15",),
        {"generator": "16.70", "discriminator": "38.24"},
    ),
}  # fmt: skip
every_row = pytest.mark.parametrize("name", TABLE)
RANDOM = ["--regularizers.perceptual.extractor.random"]
"""weights of VGG that nobody has to fetch"""
TINY = {
    "cityscapes_pix2pixhd": "--data.size 32 --generator.channels 4 --generator.blocks 1 --generator.halvings 2",
    "div2k_srresnet": "--data.size 32 --generator.channels 4 --generator.blocks 1 --batch-size 2",
    "div2k_psnr_rrdb": "--data.size 32 --generator.channels 4 --generator.growth 2 --generator.blocks 1 --batch-size 2",
}
TINY |= {"div2k_srgan": TINY["div2k_srresnet"], "div2k_esrgan": TINY["div2k_psnr_rrdb"]}


def recipe_of(name: str) -> Recipe:
    return load_recipe(ROOT / "recipes" / f"{name}.py")


def docstring_of(name: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / "recipes" / f"{name}.py").read_text())) or ""


@every_row
def test_optimizers_batches_and_weights_are_the_papers(name):
    recipe, row = recipe_of(name), TABLE[name]
    judged = row.loss[0] != "none"
    for optimizer in (recipe.g_optimizer, recipe.d_optimizer)[: 1 + judged]:
        lr = optimizer.lr.resolve(recipe.total_kimg) if isinstance(optimizer.lr, Schedule) else optimizer.lr
        assert {kimg: value_at(lr, kimg) for kimg in row.rates} == pytest.approx(row.rates)
        assert (optimizer.beta1, optimizer.beta2, optimizer.weight_decay) == (*row.betas, 0.0)
    assert (recipe.batch_size, recipe.n_critic, recipe.total_kimg) == (row.batch, 1, pytest.approx(row.kimg))
    assert (recipe.loss.name, recipe.loss.weight) == row.loss
    assert {key: term.weight for key, term in recipe.regularizers.items()} == pytest.approx(row.terms)
    assert (recipe.discriminator.name == "none") == (not judged)
    assert recipe.game.conditional == (name == "cityscapes_pix2pixhd")


def test_what_vgg_compares_is_the_papers():
    perceptual = {
        name: recipe_of(name).regularizers["perceptual"] for name in TABLE if "perceptual" in TABLE[name].terms
    }
    said = {
        name.partition("_")[2]: (term.layers[-1], term.distance, len(term.layers)) for name, term in perceptual.items()
    }
    assert said == {"pix2pixhd": ("relu5_1", "l1", 5), "srgan": ("relu5_4", "l2", 1), "esrgan": ("conv5_4", "l1", 1)}


def test_images_are_read_and_averaged_as_the_papers_do():
    parts = {name: recipe_of(name).data for name in TABLE if name.startswith("div2k")}
    assert {data.factor for data in parts.values()} == {4} and {data.filter for data in parts.values()} == {"bicubic"}
    assert [data.size for data in parts.values()] == [96, 96, 128, 128]
    assert [(data.flip, data.rotate) for data in parts.values()] == [(True, False)] * 2 + [(True, True)] * 2
    recipe = recipe_of("div2k_esrgan")
    assert 0.5 ** (STEP / recipe.ema_kimg) == pytest.approx(0.999, abs=1e-5) and recipe.ema_rampup is None
    assert {recipe_of(name).ema_kimg for name in TABLE} == {0.0, recipe.ema_kimg}
    streets = recipe_of("cityscapes_pix2pixhd")
    assert streets.data.size == (512, 1024) and streets.data.flip and streets.discriminator.scales == 3


@every_row
def test_networks_have_the_papers_sizes(name):
    recipe = recipe_of(name)
    domains = {"small": ImageSpec(24, 24), "large": ImageSpec(96, 96)}
    if name == "cityscapes_pix2pixhd":
        domains = {"labels": ImageSpec(512, 1024, 35, classes=34), "photos": ImageSpec(512, 1024)}
    elif recipe.data.size == 128:
        domains = {"small": ImageSpec(32, 32), "large": ImageSpec(128, 128)}
    sizes = fit(recipe, domains).parameters
    assert {network: f"{count / 1e6:.2f}" for network, count in sizes.items()} == TABLE[name].millions


@every_row
def test_target_data_and_differences_stand_in_the_docstring(name):
    text, row, about = docstring_of(name), TABLE[name], recipe_of(name).about
    needed = (row.paper, "\nTarget: ", "from memory", "\nData: ", "--data.source", "\nDifferences from the paper:")
    assert not [words for words in needed if words not in text]
    assert tuple(about.figures.values()) == row.figures and all(figure in text for figure in row.figures)
    assert (about.paper, about.sources) == (row.paper, ("",)) and "from memory" in about.note
    assert f"--about.name {about.name}" in text


def pictures(root) -> str:
    """Noise in three sizes."""
    draws = np.random.default_rng(0)
    sizes = ((40, 56), (36, 48), (64, 40))
    return folder(root, {f"{n}.png": png(draws.integers(0, 256, (*sizes[n % 3], 3), np.uint8)) for n in range(6)})


def dry_run(name: str, tmp_path, *flags: str) -> None:
    """One step of a recipe on generated images of its set's layout."""
    images = ["--data.hold-out", "2"] if name.startswith("div2k") else []
    make = pictures if images else lambda root: label_maps(root, size=32)
    words = [str(ROOT / "recipes" / f"{name}.py"), "--out", str(tmp_path / "run"), "--dry-run", "--num-workers", "0"]
    source = ["--data.source", make(tmp_path / "set"), *images]
    assert main([*words, *TINY[name].split(), *source, *flags]) == 0


@every_row
def test_dry_run_takes_a_step_on_the_layout_of_the_set(name, tmp_path, capsys):
    row = TABLE[name]
    judge = ["--discriminator.channels", "4"] if row.loss[0] != "none" else []
    dry_run(name, tmp_path, *judge, *(RANDOM if "perceptual" in row.terms else []))
    said = capsys.readouterr().out
    assert "time per kimg" in said and all(term in said for term in row.terms)


@pytest.mark.parametrize("name", ["cityscapes_pix2pixhd", "div2k_srgan", "div2k_esrgan"])
def test_ggdr_is_the_line_that_the_docstring_gives(name, tmp_path, capsys):
    (line,) = re.findall(r"^With GGDR, type also\n +(--.*)$", docstring_of(name), re.MULTILINE)
    line = re.sub(r"(ggdr.resolutions) \d+", r"\1 8", line)
    dry_run(name, tmp_path, *shlex.split(line), "--discriminator.encoder.channels", "4", *RANDOM)
    said = capsys.readouterr().out
    assert "time per kimg" in said and "ggdr" in said.partition("phases of a step")[2].partition("\n")[0]


def test_the_second_stage_is_the_command_that_the_docstring_gives(tmp_path, capsys):
    """From the saved global generator: an enhancer learns, and all else rests."""
    from ggdr.networks.pix2pixhd import Pix2PixHDTranslatorConfig
    from ggdr.saving.model import save_new

    (line,) = re.findall(
        r"^ +(--data.size .* --init-from) runs/global$", docstring_of("cityscapes_pix2pixhd"), re.MULTILINE
    )
    words = shlex.split(line.replace("--data.size 1024 2048", "--data.size 32"))
    small = Pix2PixHDTranslatorConfig(channels=4, blocks=1, halvings=2)
    save_new(tmp_path / "global", {"generator": small.build(ImageSpec(16, 16), ImageSpec(16, 16, 35, classes=34))}, {})
    dry_run(
        "cityscapes_pix2pixhd", tmp_path, *words, str(tmp_path / "global"), "--discriminator.channels", "4", *RANDOM
    )
    said = capsys.readouterr().out
    assert "--generator.freeze-global-kimg" in words and "enhancers.0" in said


@pytest.mark.parametrize("name", ["openmoji_pix2pixhd", "openmoji_srgan", "openmoji_esrgan"])
def test_each_stage_on_openmoji_is_a_command_that_fits(name):
    """The flags are read, the parts fit the images of OpenMoji, and rates fall to zero over the second half."""
    commands = re.findall(rf"^ +ggdr train (recipes/{name}.py --.*)$", docstring_of(name), re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        recipe = parse([str(ROOT / command.split()[0]), *shlex.split(command)[1:]], "ggdr train").recipe
        size = recipe.data.size
        domains = {"map": ImageSpec(size, size, 30, classes=30), "colour": ImageSpec(size, size)}
        if recipe.data.task == "super_resolution":
            domains = {"small": ImageSpec(size // 4, size // 4), "colour": ImageSpec(size, size)}
        assert fit(recipe, domains).parameters["generator"] < 1.5e6
        kimg = recipe.total_kimg
        lr = recipe.g_optimizer.lr.resolve(kimg)
        assert [value_at(lr, share * kimg) for share in (0.5, 1.0)] == pytest.approx([2e-4, 0.0])
    first, second = (shlex.split(command) for command in commands)
    assert second[second.index("--init-from") + 1] == first[first.index("--out") + 1]
