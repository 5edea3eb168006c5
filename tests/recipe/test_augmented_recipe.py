"""Recipes of Augmented CycleGAN: every number of the published program, the networks' shapes, and a step of each."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex

import pytest
from domain_layouts import column_table, two_folders
from places import ROOT

from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.schedules.base import value_at
from ggdr.train import main

PAPER = ROOT / "recipes" / "edges2shoes_augmented.py"
SMALL = "--num-workers 0 --generator.channels 4 --generator.blocks 1 --discriminator.channels 4 --batch-size 4".split()


def test_rates_fall_over_the_second_half_and_the_judges_is_a_fifth():
    recipe = load_recipe(PAPER)
    for optimizer, lr in ((recipe.g_optimizer, 2e-4), (recipe.d_optimizer, 4e-5)):
        course = [value_at(optimizer.lr.resolve(recipe.total_kimg), share * 2491.0) for share in (0, 0.5, 0.75, 1)]
        assert course == pytest.approx([lr, lr, lr / 2, 0])
        assert (optimizer.name, optimizer.beta1, optimizer.beta2, optimizer.clip_norm) == ("adam", 0.5, 0.999, 500.0)
    assert recipe.total_kimg == pytest.approx(50 * 49.825, abs=1)
    assert (recipe.batch_size, recipe.n_critic, recipe.ema_kimg, recipe.game.pool) == (32, 1, 0.0, 0)


def test_weights_are_the_programs_beside_squares_that_are_not_halved_on_gs_turn():
    recipe = load_recipe(PAPER)
    assert (recipe.loss.name, recipe.loss.weight) == ("least_squares", 2.0)
    weights = {name: term.weight for name, term in recipe.regularizers.items()}
    assert weights == {"cycle": 1.0, "style_reconstruction": 0.025}


def test_the_small_recipe_has_cyclegans_weight_of_a_cycle_and_munits_of_a_code():
    small, cyclegan = (load_recipe(ROOT / "recipes" / f"openmoji_{name}.py") for name in ("augmented", "cyclegan"))
    assert small.regularizers["cycle"] == cyclegan.regularizers["cycle"] and small.loss == cyclegan.loss
    assert small.regularizers["style_reconstruction"].weight == StyleReconstruction().weight * 0.5
    assert (small.data, small.discriminator) == (cyclegan.data, cyclegan.discriminator)
    assert dataclasses.replace(small.generator, z_dim=0) == cyclegan.generator


def test_networks_have_the_programs_layers():
    recipe, spec = load_recipe(PAPER), ImageSpec(64, 64, 3)
    fitted = fit(recipe, {"edges": spec, "shoes": spec})
    networks = recipe.game.build_networks(recipe.generator, recipe.discriminator, fitted.domains, fitted.extra)
    there, encoder, judge = (networks[name] for name in ("generator_ab", "encoder_b", "discriminator_z"))
    assert (there.z_dim, [layer.conv.out_channels for layer in there.down]) == (16, [32, 64, 128])
    assert [layer.conv.out_channels for layer in encoder.layers] == [32, 64, 128, 256]
    assert (encoder.conv.out_channels, encoder.config.code_dim, encoder.spec.channels) == (256, 16, 6)
    assert [layer.conv.out_channels for layer in judge.layers] == [64, 64, 64]
    assert all(layer.norm is not None for layer in judge.layers)
    strides = [layer.conv.stride[0] for layer in networks["discriminator_b"].scales[0].layers]
    assert strides == [2, 2, 1]


def test_data_weights_and_differences_stand_in_the_docstring():
    text, about = ast.get_docstring(ast.parse(PAPER.read_text())) or "", load_recipe(PAPER).about
    needed = ("1802.10151", "64 x 64 px", "\nData: ", "--data.source", "49,825 shoes", "\nDifferences from", "a fifth")
    assert not [words for words in needed if words not in text]
    assert (about.paper, about.figures, about.count) == ("1802.10151", {}, 49825) and "not at hand" in about.note


@pytest.mark.parametrize("layout", ["folders", "columns"])
def test_dry_run_takes_a_step_on_the_layout_of_the_published_set(layout, tmp_path, capsys):
    source = two_folders(tmp_path, (5, 3), 64) if layout == "folders" else column_table(tmp_path / "s.parquet", 6)
    words = [str(PAPER), "--out", str(tmp_path / "run"), "--dry-run", *SMALL, "--data.source", source]
    assert main([*words, "--data.size", "16"]) == 0
    said = capsys.readouterr().out
    assert "time per kimg" in said and "cycle, style_reconstruction" in said and "discriminator_z" in said


def test_ggdr_is_the_line_that_the_docstring_gives(tmp_path, capsys):
    text = ast.get_docstring(ast.parse(PAPER.read_text())) or ""
    (line,) = re.findall(r"^With GGDR, type also\n +(--.*)$", text, re.MULTILINE)
    words = [str(PAPER), "--out", str(tmp_path / "run"), "--dry-run", *SMALL[:6], "--batch-size", "4"]
    data = ["--data.source", two_folders(tmp_path, (5, 3), 64), "--data.size", "16"]
    assert main([*words, *data, *shlex.split(line), "--discriminator.encoder.channels", "4"]) == 0
    said = capsys.readouterr().out
    assert "ggdr" in said.partition("phases of a step")[2].partition("\n")[0]
