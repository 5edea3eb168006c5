"""Recipes of MUNIT: every number of the paper, the networks' sizes, and a step on generated images."""

from __future__ import annotations

import ast
import re
import shlex

import pytest
from domain_layouts import column_table
from places import ROOT

from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import value_at
from ggdr.train import main

PAPER = ROOT / "recipes" / "edges2shoes_munit.py"
SMALL = "--data.size 32 --num-workers 0 --generator.channels 4 --generator.blocks 1 --generator.mlp-channels 8".split()
TERMS = {"identity": 10.0, "content_reconstruction": 1.0, "style_reconstruction": 1.0}


def test_every_number_is_the_papers():
    recipe = load_recipe(PAPER)
    assert {name: term.weight for name, term in recipe.regularizers.items()} == TERMS
    assert [*recipe.regularizers] == [term.name for term in recipe.regularizers.values()]
    assert (recipe.loss.name, recipe.loss.weight, recipe.batch_size, recipe.ema_kimg) == ("least_squares", 2.0, 1, 0.0)
    for optimizer in (recipe.g_optimizer, recipe.d_optimizer):
        rate = optimizer.lr.resolve(recipe.total_kimg)
        course = [value_at(rate, kimg) for kimg in (0.0, 99.9, 100.0, 199.9, 200.0, 999.9)]
        assert course == pytest.approx([1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 1e-4 / 512])
        assert (optimizer.name, optimizer.beta1, optimizer.beta2, optimizer.weight_decay) == ("adam", 0.5, 0.999, 1e-4)
    data, judge, maker = recipe.data, recipe.discriminator, recipe.generator
    assert (data.size, data.load_size, data.flip, data.channels) == (256, None, True, 3)
    assert (judge.scales, judge.norm, judge.halvings, judge.unstrided, judge.spectral) == (3, "none", 4, 0, False)
    assert (maker.z_dim, maker.channels, maker.blocks, maker.halvings, maker.style_halvings) == (8, 64, 4, 2, 4)


def test_networks_have_the_sizes_that_the_docstring_gives():
    photo = ImageSpec(256, 256)
    sizes = {
        name: f"{count / 1e6:.1f}"
        for name, count in fit(load_recipe(PAPER), {"a": photo, "b": photo}).parameters.items()
    }
    assert sizes == {
        "generator_a": "15.0", "generator_b": "15.0", "discriminator_a": "8.3", "discriminator_b": "8.3",
    }  # fmt: skip
    text = ast.get_docstring(ast.parse(PAPER.read_text()))
    assert "15.0 M weights" in text and "discriminator 8.3 M" in text


def test_target_memory_and_differences_stand_in_the_docstring():
    text, about = ast.get_docstring(ast.parse(PAPER.read_text())), load_recipe(PAPER).about
    for words in (
        "1804.04732",
        "256 x 256 px",
        "\nTarget: ",
        "from memory",
        "\nData: ",
        "\nDifferences from the paper",
    ):
        assert words in text
    assert about.figures == {"edges to shoes": "0.109"} and "0.109" in text and "from memory" in about.note
    assert about.sources == ("huggan/edges2shoes",) and about.paper == "1804.04732"


def dry_run(recipe, tmp_path, *flags: str) -> None:
    table = column_table(tmp_path / "edges2shoes.parquet", 6, pairs=True, size=32)
    words = [str(recipe), "--out", str(tmp_path / "run"), "--dry-run", *SMALL, "--data.source", table]
    assert main([*words, *flags]) == 0


def test_dry_run_takes_a_step_on_the_columns_of_the_published_set(tmp_path, capsys):
    dry_run(PAPER, tmp_path, "--discriminator.channels", "4", "--discriminator.scales", "2", "--data.hold-out", "1")
    said = capsys.readouterr().out
    assert "time per kimg" in said and all(term in said for term in TERMS)
    assert "g_optimizer.lr: steps from 0.0001 times 0.5 at 100, 200, 300" in said


def test_ggdr_is_the_line_that_the_docstring_gives(tmp_path, capsys):
    text = ast.get_docstring(ast.parse(PAPER.read_text()))
    (line,) = re.findall(r"^With GGDR, type also\n((?: +--.*\n)+)", text, re.MULTILINE)
    smaller = "--discriminator.encoder.channels 4 --discriminator.encoder.scales 2 --data.hold-out 1".split()
    dry_run(PAPER, tmp_path, *shlex.split(line.replace("\\\n", " ")), *smaller)
    said = capsys.readouterr().out
    assert "time per kimg" in said and "ggdr" in said.partition("phases of a step")[2].partition("\n")[0]


def test_on_openmoji_lines_are_gray_colours_are_not_and_rates_fall_over_the_second_half():
    recipe = load_recipe(ROOT / "recipes" / "openmoji_munit.py")
    assert (recipe.data.task, recipe.data.size, recipe.batch_size) == ("unpaired", 32, 4)
    assert {name: term.weight for name, term in recipe.regularizers.items()}.items() >= TERMS.items()
    rate, kimg = recipe.g_optimizer.lr.resolve(recipe.total_kimg), recipe.total_kimg
    assert [value_at(rate, share * kimg) / 4e-4 for share in (0.0, 0.5, 0.75, 1.0)] == pytest.approx([1, 1, 0.5, 0])
    specs = {"lines": ImageSpec(32, 32, 1), "colour": ImageSpec(32, 32, 3)}
    assert [*fit(recipe, specs).domains] == ["lines", "colour"]
