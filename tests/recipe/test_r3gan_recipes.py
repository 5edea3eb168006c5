"""R3GAN's recipes: every number of the table of its published program, its networks' sizes, and a step of each."""

from __future__ import annotations

import ast
from typing import NamedTuple

import pytest
import torch
from data_sources import folder, noise
from places import ROOT

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import value_at
from ggdr.train import main


class Row(NamedTuple):
    """A row of the table, and what follows of it."""

    size: int
    widths: tuple[int, ...]
    groups: tuple[int, ...]
    batch: int
    labels: int
    half_life_kimg: float
    gamma: tuple[float, float]
    p: float
    kimg: float
    bf16_stages: int
    fid: str
    millions: tuple[str, str]


TABLE = {
    "cifar10": Row(32, (768,) * 4, (96,) * 4, 512, 10, 5e3, (0.05, 0.005), 0.55, 2e4, 3, "1.96", ("20.78", "21.28")),
    "ffhq64": Row(
        64, (768,) * 4 + (384,), (96,) * 4 + (48,), 256, 0, 500, (2, 0.2), 0.3, 2e4, 4, "1.95", ("22.43", "22.38")
    ),
    "ffhq256": Row(
        256, (768,) * 4 + (384, 192, 96), (96,) * 4 + (48, 24, 12), 256, 0, 500, (150, 15), 0.3, 2e4, 4, "2.75",
        ("23.06", "23.01"),
    ),
    "imagenet32": Row(
        32, (1536,) * 4, (96,) * 4, 4096, 1000, 5e4, (0.5, 0.05), 0.5, 2e5, 3, "1.27", ("82.91", "86.55")
    ),
    "imagenet64": Row(64, (1536,) * 5, (96,) * 5, 4096, 1000, 5e4, (1, 0.1), 0.4, 2e5, 4, "2.09", ("103.57", "107.21")),
}  # fmt: skip
every_row = pytest.mark.parametrize("name", TABLE)
SMALL = "--batch-size 4 --num-workers 0 --generator.blocks 1 --discriminator.blocks 1".split()


def recipe_of(name: str) -> Recipe:
    return load_recipe(ROOT / "recipes" / f"r3gan_{name}.py")


def spec_of(name: str) -> ImageSpec:
    return ImageSpec(TABLE[name].size, TABLE[name].size, 3, TABLE[name].labels)


def course(value, kimg: float) -> tuple[float, ...]:
    """A schedule at its start, in its middle, at its end and long after."""
    return tuple(value_at(value, at) for at in (0.0, kimg / 2, kimg, 10 * kimg))


def between(start: float, end: float):
    """What half a cosine is there."""
    return pytest.approx((start, (start + end) / 2, end, end))


@every_row
def test_five_numbers_move_as_published(name):
    recipe, row = recipe_of(name), TABLE[name]
    for optimizer in (recipe.g_optimizer, recipe.d_optimizer):
        assert course(optimizer.lr, row.kimg) == between(2e-4, 5e-5)
        assert course(optimizer.beta2, row.kimg) == between(0.9, 0.99)
        assert (optimizer.beta1, optimizer.eps, optimizer.clip_norm, optimizer.clip_value) == (0.0, 1e-8, None, None)
    for term in ("r1", "r2"):
        assert course(recipe.regularizers[term].weight, row.kimg) == between(*row.gamma)
        assert recipe.regularizers[term].every == 1
    assert course(recipe.ema_kimg, row.kimg) == between(0, row.half_life_kimg) and recipe.ema_rampup is None
    assert course(recipe.augment.fixed_p, row.kimg) == between(0, row.p)


@every_row
def test_what_stands_still_is_as_published(name):
    recipe, row = recipe_of(name), TABLE[name]
    assert (recipe.batch_size, recipe.n_critic, recipe.total_kimg) == (row.batch, 1, row.kimg)
    assert recipe.augment.pipeline == ("blit", "geometry", "colour", "cutout")
    assert recipe.augment.strengths == (1.0, 1.0, 0.5, 1.0)
    assert recipe.loss.name == "relativistic" and {*recipe.regularizers} == {"r1", "r2"}
    assert recipe.game.fresh_reals and recipe.data.mirror and (recipe.data.size, recipe.data.channels) == (row.size, 3)
    assert bool(recipe.data.labels) == bool(row.labels)
    assert (recipe.precision, recipe.bf16_stages) == ("bf16", row.bf16_stages)
    assert recipe.generator.z_dim == 64


@every_row
def test_networks_have_the_published_sizes_to_the_digit(name):
    recipe, row = recipe_of(name), TABLE[name]
    sizes = fit(recipe, {"real": spec_of(name)}).parameters
    assert tuple(f"{sizes[network] / 1e6:.2f}" for network in ("generator", "discriminator")) == row.millions
    with torch.device("meta"):
        for part in (recipe.generator, recipe.discriminator):
            network = part.build(spec_of(name))
            stages = [network.get_submodule(f"b{4 * 2**level}") for level in range(len(row.widths))]
            assert [len(stage) for stage in stages] == [2] * len(stages)
            assert tuple(stage[0].conv2.out_channels for stage in stages) == row.widths
            assert tuple(stage[1].conv1.groups for stage in stages) == row.groups


@every_row
def test_the_target_and_its_source_stand_in_the_recipe(name):
    file = ROOT / "recipes" / f"r3gan_{name}.py"
    text, about = ast.get_docstring(ast.parse(file.read_text())) or "", recipe_of(name).about
    first, last = TABLE[name].gamma
    for words in ("2501.05441", "Target: FID", "--data.source", f"falls from {first:g} to {last:g}", "ifferences from"):
        assert words in text, words
    assert [*about.figures.values()] == [TABLE[name].fid] and TABLE[name].fid in text
    assert (about.paper, about.metric) == ("2501.05441", "FID") and "model card" in about.table
    card = (ROOT / "model_cards" / f"r3gan_{name}.md").read_text()
    assert f"| {TABLE[name].fid} |" in card


@every_row
def test_dry_run_takes_a_step_on_images_that_were_made_up(name, tmp_path, capsys):
    row = TABLE[name]
    images = {f"{number % 2}/{number}.png": noise(number, row.size, row.size) for number in range(8)}
    widths = ["8"] * len(row.widths)
    shrunk = [*SMALL, "--generator.widths", *widths, "--discriminator.widths", *widths]
    data = ["--data.source", folder(tmp_path / "images", images), *["--data.labels", "folders"] * bool(row.labels)]
    assert (
        main([str(ROOT / "recipes" / f"r3gan_{name}.py"), "--out", str(tmp_path / "run"), "--dry-run", *data, *shrunk])
        == 0
    )
    said = capsys.readouterr().out
    assert "time per kimg" in said and "fresh_reals: a step reads 8 reals, and counts 4 of them" in said
    assert "g_optimizer.lr: cosine from 0.0002 to 5e-05 over" in said


def test_widths_for_another_size_are_refused_with_the_number_to_give():
    with pytest.raises(UserError, match="widths are given for 7 stages; images of 64 x 64 px have 5"):
        fit(recipe_of("ffhq256"), {"real": ImageSpec(64, 64, 3)})
