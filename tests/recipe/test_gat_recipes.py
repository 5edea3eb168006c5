"""GAT's recipes: the numbers of its published program, its sizes, and a step of each with everything that may join."""

from __future__ import annotations

import ast
import json

import pytest
from data_sources import folder, noise
from places import ROOT

from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.train import main

SIZES = {"s": (12, 384, 6, 4e-4), "b": (12, 768, 12, 2e-4), "l": (24, 1024, 16, 1.5e-4), "xl": (28, 1152, 16, 4e-4 / 3)}
every_size = pytest.mark.parametrize("size", SIZES)
LATENTS = ImageSpec(32, 32, 4, 1000)
SMALL = "--generator.depth 4 --generator.width 16 --generator.attention-heads 2 --batch-size 4".split()
SMALL += [f"--discriminator.encoder.encoder.{each}" for each in ("depth=4", "width=16", "attention-heads=2")]
ARMS = {
    "none": [],
    "repa": "--regularizers.repa repa --regularizers.repa.extractor digits --regularizers.repa.hidden 8".split(),
    "ggdr": "--regularizers.ggdr ggdr".split(),
}
ARMS["both"] = ARMS["repa"] + ARMS["ggdr"]


def recipe_of(size: str):
    return load_recipe(ROOT / "recipes" / f"gat_imagenet256_{size}.py")


@every_size
def test_settings_are_as_published(size):
    recipe, (depth, width, heads, rate) = recipe_of(size), SIZES[size]
    judge = recipe.discriminator.encoder.encoder
    for part in (recipe.generator, judge):
        assert (part.depth, part.width, part.attention_heads, part.patch) == (depth, width, heads, 2)
        assert part.checkpointing
    assert (recipe.generator.z_dim, recipe.generator.label_dim, recipe.generator.image_heads) == (64, 64, 4)
    assert judge.label_dim == 2048 and recipe.discriminator.encoder.levels == (0.885, 0.76, 0.51, 0.01)
    for optimizer in (recipe.g_optimizer, recipe.d_optimizer):
        assert optimizer.lr == pytest.approx(rate) and optimizer.name == "adamw"
        assert (optimizer.beta1, optimizer.beta2, optimizer.eps, optimizer.weight_decay) == (0, 0.99, 1e-8, 0)
        assert optimizer.clip_norm == 1.0
    terms = recipe.regularizers
    assert {name: (term.weight, term.every, term.share) for name, term in terms.items()} == {
        "r1_approximate": (0.1, 1, 1.0),
        "r2_approximate": (0.1, 1, 1.0),
    }
    assert (recipe.batch_size, recipe.n_critic, recipe.precision, recipe.loss.name) == (512, 1, "bf16", "relativistic")
    assert recipe.total_kimg == pytest.approx(60 * 1281.167, abs=1) and not recipe.game.fresh_reals
    assert (recipe.augment.colour_share, recipe.augment.mirror_share) == (0.5, 0.4)
    assert 0.5 ** (512 / (1000 * recipe.ema_kimg)) == pytest.approx(0.999, abs=1e-6) and recipe.ema_rampup is None


@every_size
def test_networks_fit_latents(size):
    sizes = fit(recipe_of(size), {"real": LATENTS}).parameters
    millions = {"s": 29.3, "b": 116.6, "l": 408.5, "xl": 601.9}[size]
    assert sizes["generator"] / 1e6 == pytest.approx(millions, abs=0.07)


@every_size
def test_the_target_stands_where_there_is_one(size):
    text = ast.get_docstring(ast.parse((ROOT / "recipes" / f"gat_imagenet256_{size}.py").read_text())) or ""
    about = recipe_of(size).about
    assert "2509.24935" in text and "Target: FID" in text and "ifferences from" in text
    assert [*about.figures.values()] == (["2.18"] if size == "xl" else [])
    assert about.name == "ImageNet" and bool(about.paper) == (size == "xl")


@pytest.mark.parametrize("size", ["s", "xl"])
def test_dry_run_takes_a_step_on_pictures_of_four_channels(size, tmp_path, capsys):
    images = {f"{number % 2}/{number}.png": noise(number, 32, 32) for number in range(8)}
    data = ["--data.source", folder(tmp_path / "images", images)]
    recipe = str(ROOT / "recipes" / f"gat_imagenet256_{size}.py")
    assert main([recipe, "--out", str(tmp_path / "run"), "--dry-run", "--num-workers", "0", *data, *SMALL]) == 0
    assert "time per kimg" in capsys.readouterr().out


@pytest.mark.parametrize("arm", ARMS)
def test_emoji_take_steps_without_and_with_a_teacher_of_tokens(arm, tmp_path):
    steps = ["--total-kimg", "0.008", "--log-kimg", "0.004", "--trackers.tensorboard", "none", "--metrics.swd", "none"]
    recipe, out = str(ROOT / "recipes" / "gat_openmoji.py"), tmp_path / "run"
    assert main([recipe, "--out", str(out), "--data.subset", "16", *SMALL, *steps, *ARMS[arm]]) == 0
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    losses = {key.removeprefix("loss/d/") for key in rows[-1] if key.startswith("loss/d/")}
    asked = {"none": set(), "repa": {"repa"}, "ggdr": {"ggdr"}, "both": {"repa", "ggdr"}}[arm]
    assert losses == {"relativistic", "r1_approximate", "r2_approximate"} | asked
    assert rows[-1]["nonfinite/d"] == rows[-1]["nonfinite/g"] == 0.0
