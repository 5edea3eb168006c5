"""Recipes of SPADE and OASIS: the papers' numbers, the networks' sizes, and a step of each on generated images."""

from __future__ import annotations

import ast
import re
import shlex
from typing import NamedTuple

import pytest
from data_sources import folder
from domain_layouts import colours, label_maps, numbers, png
from places import ROOT

from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import Schedule, value_at
from ggdr.train import main


class Row(NamedTuple):
    """What the papers say of a run."""

    paper: str
    kimg: float
    batch: int
    size: int | tuple[int, int]
    classes: int
    terms: dict[str, float]
    figures: tuple[str, ...]
    generator: str
    """millions of weights"""


SPADE = {"paired_feature_matching": 10.0, "perceptual": 10.0}
TABLE = {
    "ade20k_spade": Row("1903.07291", 200 * 20.21, 32, 256, 150, SPADE, ("33.9", "38.5", "79.9"), "99.29"),
    "cityscapes_spade": Row("1903.07291", 200 * 2.975, 32, (256, 512), 34, SPADE, ("71.8", "62.3", "81.9"), "101.12"),
    "ade20k_oasis": Row("2012.04781", 200 * 20.21, 32, 256, 150, {"labelmix": 10.0}, ("28.3", "48.8"), "74.29"),
    "cityscapes_oasis": Row("2012.04781", 595.0, 20, (256, 512), 34, {"labelmix": 5.0}, ("47.7", "69.3"), "71.08"),
    "coco_stuff_oasis": Row("2012.04781", 100 * 113.287, 32, 256, 182, {"labelmix": 10.0}, ("17.0", "44.1"), "75.17"),
}
every_row = pytest.mark.parametrize("name", TABLE)
OPENMOJI = ("openmoji_spade", "openmoji_oasis")
SMALL = "--data.size 32 --batch-size 2 --num-workers 0 --generator.channels 2 --generator.hidden 4".split()
RANDOM = ["--regularizers.perceptual.extractor.random"]
"""weights of VGG that nobody has to fetch"""


def recipe_of(name: str) -> Recipe:
    return load_recipe(ROOT / "recipes" / f"{name}.py")


def docstring_of(name: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / "recipes" / f"{name}.py").read_text())) or ""


def rates(optimizer, kimg: float) -> list[float]:
    """The learning rate at the beginning, and after half, three quarters and all of a run."""
    lr = optimizer.lr.resolve(kimg) if isinstance(optimizer.lr, Schedule) else optimizer.lr
    return [value_at(lr, share * kimg) for share in (0.0, 0.5, 0.75, 1.0)]


@every_row
def test_optimizers_batches_and_weights_are_the_papers(name):
    recipe, row, spade = recipe_of(name), TABLE[name], name.endswith("spade")
    course = [1, 1, 0.5, 0] if spade else [1, 1, 1, 1]
    for optimizer, lr in ((recipe.g_optimizer, 1e-4), (recipe.d_optimizer, 4e-4)):
        assert rates(optimizer, row.kimg) == pytest.approx([lr * share for share in course])
        assert (optimizer.name, optimizer.beta1, optimizer.beta2) == ("adam", 0.0, 0.9 if spade else 0.999)
    assert (recipe.batch_size, recipe.n_critic, recipe.total_kimg) == (row.batch, 1, pytest.approx(row.kimg))
    assert {key: term.weight for key, term in recipe.regularizers.items()} == row.terms
    assert (recipe.loss.name, recipe.loss.weight) == ("hinge" if spade else "segmentation", 1.0)
    assert recipe.game.conditional == spade and not recipe.game.encoder.encodes
    if spade:
        assert (recipe.discriminator.scales, recipe.discriminator.spectral, recipe.ema_kimg) == (2, True, 0.0)
    else:
        assert 0.5 ** (row.batch / 1000 / recipe.ema_kimg) == pytest.approx(0.9999, abs=1e-7)
        assert recipe.ema_rampup is None


@every_row
def test_label_maps_are_read_as_the_set_has_them(name):
    data, row = recipe_of(name).data, TABLE[name]
    assert (data.size, data.maps.of, data.maps.classes, data.flip) == (row.size, "a", row.classes, True)
    edges = bool(data.maps.instances.files)
    assert (data.maps.mapping == "shift") == name.startswith("ade20k") and edges == (name == "cityscapes_spade")
    assert data.maps.ignore == ((255, -1, 0) if name == "cityscapes_oasis" else (255, -1))


@every_row
def test_networks_have_the_sizes_noted(name):
    recipe, row = recipe_of(name), TABLE[name]
    height, width = row.size if isinstance(row.size, tuple) else (row.size, row.size)
    edges = bool(recipe.data.maps.instances.files)
    maps = ImageSpec(height, width, row.classes + edges, classes=row.classes)
    sizes = fit(recipe, {"labels": maps, "photos": ImageSpec(height, width)}).parameters
    assert f"{sizes['generator'] / 1e6:.2f}" == row.generator


@every_row
def test_target_data_and_differences_stand_in_the_docstring(name):
    text, row, about = docstring_of(name), TABLE[name], recipe_of(name).about
    needed = (row.paper, "\nTarget: ", "from memory", "\nData: ", "source", "\nDifferences from the paper:")
    assert not [words for words in needed if words not in text]
    assert tuple(about.figures.values()) == row.figures and all(figure in text for figure in row.figures)
    assert (about.paper, about.sources) == (row.paper, ("",)) and "from memory" in about.note
    assert f"--about.name {about.name}" in text


def layout(name: str, root) -> list[str]:
    """Flags of generated images in the layout of a recipe's set."""
    if name.startswith("cityscapes"):
        return ["--data.source", label_maps(root, size=32)]
    if name.startswith("ade20k"):
        splits = ("training", "validation")
        files = {f"annotations/{s}/ADE_{n}.png": png(numbers(n, 5, 32, 32)) for s in splits for n in range(4)}
        files |= {f"images/{s}/ADE_{n}.png": png(colours(n, 32, 32)) for s in splits for n in range(4)}
        return ["--data.source", folder(root / "ADEChallengeData2016", files)]
    maps = folder(root / "stuffthingmaps", {f"{n}.png": png(numbers(n, 5, 32, 32)) for n in range(6)})
    images = folder(root / "train2017", {f"{n}.png": png(colours(n, 32, 32)) for n in range(6)})
    return ["--data.a.source", maps, "--data.b.source", images, "--data.hold-out", "2"]


def dry_run(name: str, tmp_path, *flags: str) -> None:
    """One step of a recipe on generated images of its set's layout."""
    words = [str(ROOT / "recipes" / f"{name}.py"), "--out", str(tmp_path / "run"), "--dry-run"]
    random = RANDOM if name.endswith("spade") else []
    assert main([*words, *SMALL, *random, *layout(name, tmp_path / "set"), *flags]) == 0


@every_row
def test_dry_run_takes_a_step_on_the_layout_of_the_set(name, tmp_path, capsys):
    judge = [] if name.endswith("spade") else ["--discriminator.channel-max", "4"]
    dry_run(name, tmp_path, "--discriminator.channels", "4", *judge)
    said = capsys.readouterr().out
    assert "time per kimg" in said and all(term in said for term in TABLE[name].terms)


@every_row
def test_ggdr_is_the_line_that_the_docstring_gives(name, tmp_path, capsys):
    (line,) = re.findall(r"^With GGDR, type also\n((?: +--.*\n)+)", docstring_of(name), re.MULTILINE)
    dry_run(name, tmp_path, *shlex.split(line), "--regularizers.ggdr.resolutions", "8")
    said = capsys.readouterr().out
    assert "time per kimg" in said and "ggdr" in said.partition("phases of a step")[2].partition("\n")[0]


@pytest.mark.parametrize("name", ["ade20k_spade", "openmoji_spade"])
def test_styles_are_the_lines_that_the_docstring_gives(name, tmp_path):
    (lines,) = re.findall(r"tyles.*\n((?: +--.*\n?)+)", docstring_of(name))
    from ggdr.flags.recipe import parse

    recipe = parse([str(ROOT / "recipes" / f"{name}.py"), *shlex.split(lines)], "ggdr train").recipe
    maps = ImageSpec(32, 32, 30, classes=30)
    sizes = fit(recipe, {"map": maps, "colour": ImageSpec(32, 32)}).parameters
    assert sizes["encoder"] > 0 and recipe.game.encoder.stochastic and recipe.regularizers["kl"].weight == 0.05


@pytest.mark.parametrize("name", OPENMOJI)
def test_on_openmoji_parts_fit_and_what_is_made_is_segmented(name):
    recipe = recipe_of(name)
    maps = ImageSpec(32, 32, 30, classes=30)
    sizes = fit(recipe, {"map": maps, "colour": ImageSpec(32, 32)}).parameters
    assert sizes["generator"] < 4e6 and (recipe.data.task, recipe.data.size) == ("label_map", 32)
    assert "mean_iou" in recipe.metrics and recipe.data.held_out() is not None
