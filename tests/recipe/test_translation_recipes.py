"""Recipes of pix2pix, CycleGAN, NICE-GAN, U-GAT-IT and CUT: the papers' numbers, the sizes, and a step of each."""

from __future__ import annotations

import ast
import re
import shlex
from typing import NamedTuple

import pytest
from domain_layouts import side_by_side, two_folders
from places import ROOT

from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import Schedule, value_at
from ggdr.train import main


class Row(NamedTuple):
    """What the papers and their programs say of a run."""

    paper: str
    source: str
    kimg: float
    batch: int
    lr: float
    falls: bool
    """whether the rate falls to zero over the second half"""
    weight_decay: float
    loss: tuple[str, float]
    terms: dict[str, float]
    jitter: tuple[int | None, bool]
    """side of the loaded image, and whether it is mirrored at random"""
    norm: str | None
    turns: tuple[str, ...]
    figures: tuple[str, ...]
    data_words: tuple[str, ...]
    """what stands in the docstring about the images"""
    falls_from: float = 0.5
    """the share of the run after which the rate falls, if it does"""


CYCLE = {"cycle": 10.0, "identity": 5.0}
SQUARES = ("least_squares", 2.0)
"""halved on both turns, so that twice as much is what the programs have on G's"""
TABLE = {
    "facades_pix2pix": Row(
        "1611.07004", "huggan/facades", 200 * 0.4, 1, 2e-4, True, 0.0, ("non_saturating", 1.0), {"l1": 100.0},
        (286, True), "batch", ("d", "g"), ("119.135", "124.9773"), ("400 pairs",),
    ),
    "edges2shoes_pix2pix": Row(
        "1611.07004", "huggan/edges2shoes", 747.0, 4, 2e-4, False, 0.0, ("non_saturating", 1.0), {"l1": 100.0},
        (None, False), "batch", ("d", "g"), ("75.774", "84.3750"), ("49,825 shoes",),
    ),
    "horse2zebra_cyclegan": Row(
        "1703.10593", "huggan/horse2zebra", 200 * 1.334, 1, 2e-4, True, 0.0, SQUARES, CYCLE,
        (286, True), "instance", ("g", "d"), ("62.111 / 138.646", "64.5225 / 141.1571", "77.202 / 137.050"),
        ("1,067 horses", "1,334 zebras"),
    ),
    "summer2winter_cyclegan": Row(
        "1703.10593", "huggan/summer2winter_yosemite", 200 * 1.231, 1, 2e-4, True, 0.0, SQUARES, CYCLE,
        (286, True), "instance", ("g", "d"), ("77.342 / 72.631", "83.7177 / 72.8025", "76.773 / 74.239"),
        ("1,231 photographs of summer", "962 of winter"),
    ),
    "cat2dog_nice": Row(
        "2003.00273", "", 100.0, 1, 1e-4, True, 1e-4, SQUARES, {"cycle": 10.0, "identity": 10.0},
        (286, True), None, ("d", "g"), ("44.67 / 1.20", "48.79 / 1.58"), ("trainA, trainB, testA, testB",),
    ),
    "summer2winter_nice": Row(
        "2003.00273", "huggan/summer2winter_yosemite", 100.0, 1, 1e-4, True, 1e-4, SQUARES,
        {"cycle": 10.0, "identity": 10.0}, (286, True), None, ("d", "g"), ("76.44 / 1.22", "76.03 / 0.67"),
        ("summer2winter_cyclegan",),
    ),
    "selfie2anime_ugatit": Row(
        "1907.10830", "", 1000.0, 1, 1e-4, True, 1e-4, SQUARES, {"cycle": 10.0, "identity": 10.0, "cam": 1000.0},
        (286, True), None, ("d", "g"), ("11.61 +- 0.57", "11.52"), ("trainA, trainB, testA, testB", "3,400 of each"),
    ),
    "horse2zebra_cut": Row(
        "2007.15651", "huggan/horse2zebra", 400 * 1.334, 1, 2e-4, True, 0.0, SQUARES,
        {"nce": 0.5, "nce_identity": 0.5}, (286, True), "instance", ("d", "g"), ("45.5",),
        ("1,067 horses", "1,334 zebras"),
    ),
    "horse2zebra_fastcut": Row(
        "2007.15651", "huggan/horse2zebra", 200 * 1.334, 1, 2e-4, True, 0.0, SQUARES, {"nce": 10.0},
        (286, True), "instance", ("d", "g"), ("73.4",), ("1,067 horses", "1,334 zebras"), 0.75,
    ),
}  # fmt: skip
EACH_PASS = ("2003.00273", "1907.10830")
"""papers whose programs iterate spectral norms in each pass"""
FROM_MEMORY = (*EACH_PASS, "2007.15651")
"""papers whose tables were not at hand"""
every_row = pytest.mark.parametrize("name", TABLE)
SMALL = "--data.size 32 --num-workers 0 --generator.channels 4".split()


def recipe_of(name: str) -> Recipe:
    return load_recipe(ROOT / "recipes" / f"{name}.py")


def docstring_of(name: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / "recipes" / f"{name}.py").read_text())) or ""


@every_row
def test_optimizers_have_the_papers_numbers(name):
    recipe, row = recipe_of(name), TABLE[name]
    for optimizer in (recipe.g_optimizer, recipe.d_optimizer):
        lr = optimizer.lr.resolve(recipe.total_kimg) if isinstance(optimizer.lr, Schedule) else optimizer.lr
        course = [value_at(lr, share * row.kimg) for share in (0.0, 0.5, 0.75, 1.0)]
        left = [min(1, (1 - share) / (1 - row.falls_from)) if row.falls else 1 for share in (0.0, 0.5, 0.75, 1.0)]
        assert course == pytest.approx([row.lr * share for share in left])
        assert (optimizer.name, optimizer.beta1, optimizer.beta2, optimizer.eps) == ("adam", 0.5, 0.999, 1e-8)
        assert (optimizer.weight_decay, optimizer.clip_norm, optimizer.clip_value) == (row.weight_decay, None, None)


@every_row
def test_what_stands_still_is_the_papers(name):
    recipe, row = recipe_of(name), TABLE[name]
    assert (recipe.batch_size, recipe.n_critic, recipe.ema_kimg) == (row.batch, 1, 0.0)
    assert recipe.total_kimg == pytest.approx(row.kimg)
    assert (recipe.loss.name, recipe.loss.weight) == row.loss
    assert {key: term.weight for key, term in recipe.regularizers.items()} == row.terms
    assert [*recipe.regularizers] == [term.name for term in recipe.regularizers.values()]
    assert (recipe.data.size, recipe.data.channels) == (256, 3)
    assert (recipe.data.load_size, recipe.data.flip) == row.jitter
    assert recipe.data.source == row.source and recipe.game.turns == row.turns
    assert (recipe.augment.name, recipe.precision) == ("none", "fp32")
    assert recipe.power_iteration == ("pass" if row.paper in EACH_PASS else "update")
    if row.norm:
        assert (recipe.discriminator.norm, recipe.discriminator.spectral) == (row.norm, False)


def test_cyclegan_shows_d_a_pool_of_50_and_others_none():
    assert [recipe_of(name).game.pool for name in TABLE if not name.endswith(("pix2pix", "cut"))] == [50, 50, 0, 0, 0]


def test_cut_compares_256_places_of_five_maps_and_fastcut_mirrors():
    cut, fast = recipe_of("horse2zebra_cut"), recipe_of("horse2zebra_fastcut")
    for recipe in (cut, fast):
        assert all((term.patches, term.temperature) == (256, 0.07) for term in recipe.regularizers.values())
        assert recipe.game.projector.channels == 256
        for network in (recipe.generator, recipe.discriminator):
            assert network.antialias and network.init == "xavier"
    assert fast.game.flip_equivariance and not cut.game.flip_equivariance


def test_pairs_are_read_as_pix2pix_reads_them():
    facades, shoes = recipe_of("facades_pix2pix"), recipe_of("edges2shoes_pix2pix")
    assert (facades.data.direction, facades.data.hold_out) == ("b_to_a", 606 - 400), "label maps are the right halves"
    assert shoes.data.direction == "a_to_b" and facades.game.conditional and shoes.game.conditional
    assert facades.generator.dropout == 0.5 and facades.generator.dropout_at_test


SIZES = {
    "pix2pix": {"generator": "54.41", "discriminator": "2.77"},
    "cyclegan": {
        "generator_ab": "11.38", "generator_ba": "11.38", "discriminator_a": "2.76", "discriminator_b": "2.76",
    },
    "nice": {
        "generator_ab": "8.10", "generator_ba": "8.10", "discriminator_a": "46.87", "discriminator_b": "46.87",
    },
    "cut": {"generator": "11.38", "discriminator": "2.76", "projector": "0.56"},
    "fastcut": {"generator": "11.38", "discriminator": "2.76", "projector": "0.56"},
    "ugatit": {
        "generator_ab": "278.96", "generator_ba": "278.96", "discriminator_a": "56.42", "discriminator_b": "56.42",
    },
}  # fmt: skip
"""millions of weights at 256 px"""


@every_row
def test_networks_have_the_published_sizes(name):
    spec = ImageSpec(256, 256, 3)
    sizes = fit(recipe_of(name), {"a": spec, "b": spec}).parameters
    assert {network: f"{count / 1e6:.2f}" for network, count in sizes.items()} == SIZES[name.rpartition("_")[2]]


@every_row
def test_target_data_weights_and_differences_stand_in_the_docstring(name):
    text, row, about = docstring_of(name), TABLE[name], recipe_of(name).about
    needed = (row.paper, "256 x 256 px", "\nTarget: ", "\nData: ", "--data.source", "\nDifferences from")
    assert not [words for words in (*needed, *row.data_words) if words not in text]
    assert tuple(about.figures.values()) == row.figures and about.paper == row.paper
    assert all(figure in text for figure in row.figures)
    who = "from memory" if row.paper in FROM_MEMORY else "mmagic"
    assert who in text and who in f"{about.table} {about.note}", "who measured it"
    card = (ROOT / "model_cards" / f"{name}.md").read_text()
    assert all(f"| {figure} |" in card for figure in row.figures)


@every_row
def test_figures_are_those_of_the_recipe_s_set_alone(name):
    row = TABLE[name]
    assert recipe_of(name).about.sources == (row.source,)


def layout(name: str, root) -> list[str]:
    """Flags of generated images in the layout of a recipe's published set."""
    if name.endswith("pix2pix"):
        return ["--data.source", side_by_side(root, 4, 32), "--data.hold-out", "0"]
    return ["--data.source", two_folders(root, (5, 3), 32)]


def dry_run(name: str, tmp_path, *flags: str) -> None:
    jitter = ["--data.load-size", "36"] if TABLE[name].jitter[0] else []
    words = [str(ROOT / "recipes" / f"{name}.py"), "--out", str(tmp_path / "run"), "--dry-run", *SMALL, *jitter]
    blocks = [] if name.endswith("pix2pix") else ["--generator.blocks", "1"]
    assert main([*words, *blocks, *layout(name, tmp_path / "set"), *flags]) == 0


@every_row
def test_dry_run_takes_a_step_on_the_layout_of_the_published_set(name, tmp_path, capsys):
    dry_run(name, tmp_path, "--discriminator.channels", "4")
    said = capsys.readouterr().out
    assert "time per kimg" in said and all(term in said for term in TABLE[name].terms)
    assert ("g_optimizer.lr: linear from" in said) == TABLE[name].falls


@every_row
def test_ggdr_is_the_line_that_the_docstring_gives(name, tmp_path, capsys):
    (line,) = re.findall(r"^With GGDR, type also\n +(--.*)$", docstring_of(name), re.MULTILINE)
    dry_run(name, tmp_path, *shlex.split(line), "--discriminator.encoder.channels", "4")
    said = capsys.readouterr().out
    assert "time per kimg" in said and "ggdr" in said.partition("phases of a step")[2].partition("\n")[0]
