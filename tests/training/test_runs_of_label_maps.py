"""Runs whose reals have label maps: what learns, in which precision, and what a run goes on with."""

from __future__ import annotations

import ast
import dataclasses
import shlex

import mapped
import pytest
import tiny
import torch
from places import ROOT

import ggdr
from ggdr.augment.none import NoAugmentation
from ggdr.errors import UserError
from ggdr.flags.recipe import Command, parse
from ggdr.networks.base import ImageSpec
from ggdr.optimizers.adam import Adam
from ggdr.recipe.fitting import fit
from ggdr.regularizers.semantic import Semantic
from ggdr.saving.checkpoint import latest, load_tensors
from ggdr.train import start, train_step
from ggdr.training.launch import make_accelerator


@pytest.mark.parametrize("name", mapped.PARTS)
def test_a_run_that_goes_on_is_the_unbroken_one(name, tmp_path):
    recipe = mapped.recipe(name)
    ggdr.train(recipe, tmp_path / "whole")
    ggdr.train(dataclasses.replace(recipe, total_kimg=0.032), tmp_path / "parts")
    ggdr.train(recipe, tmp_path / "parts")
    one, two = (load_tensors(latest(tmp_path / each), "discriminator") for each in ("whole", "parts"))
    assert all(torch.equal(one[key], two[key]) for key in one) and one.keys() == two.keys()
    log = (tmp_path / "whole" / "metrics.jsonl").read_text()
    assert "loss/d/" + {"semantic": "semantic", "oasis": "segmentation"}[name] in log


@pytest.mark.parametrize("name", mapped.PARTS)
def test_in_bf16_what_d_tells_of_pixels_is_float32_all_the_same(name, tmp_path):
    class Bfloat16(tiny.OneProcess):
        autocast = staticmethod(lambda: torch.autocast("cpu", torch.bfloat16))

    from ggdr.training.run import Run

    run = Run(dataclasses.replace(mapped.recipe(name), precision="bf16"), tmp_path, Bfloat16())
    for phase in run.phases:
        if phase.turn == "d" and phase.every == 1:
            batch = next(run.reals())[0]
            (duel,) = run.recipe.game.duels(run.networks, batch, run.context(phase, batch))
    assert duel.on_real.class_logits.dtype == duel.on_fake.class_logits.dtype == torch.float32
    stats = train_step(run, next(run.reals()))
    assert all(value.isfinite().all() for value in stats.values())


@pytest.mark.parametrize("balanced", [True, False])
def test_classes_are_weighed_by_the_whole_batch_however_it_is_cut(balanced, tmp_path):
    """The first micro-batch has a class that the second has not, and pixels that are ignored."""
    told = []
    for size in (8, 4, 2):
        alone = {"regularizers": {"semantic": Semantic(balanced=balanced)}, "augment": NoAugmentation()}
        run = tiny.tiny_run(
            dataclasses.replace(mapped.recipe("semantic"), **alone, micro_batch_size=size), tmp_path / str(size)
        )
        batch = next(run.reals())[0]
        batch["map"].images[4:, 0] = 0
        stats = train_step(run, [batch])
        told.append(stats["loss/d/semantic"].item())
    assert told == pytest.approx([told[0]] * 3, rel=1e-5)


def test_d_comes_to_know_the_classes_of_its_reals(tmp_path):
    alone = {"regularizers": {"semantic": Semantic()}, "augment": NoAugmentation(), "d_optimizer": Adam(lr=0.02)}
    recipe = dataclasses.replace(mapped.recipe("semantic"), **alone, batch_size=16, micro_batch_size=16)
    run = tiny.tiny_run(recipe, tmp_path)
    reals = run.reals()
    losses = [train_step(run, next(reals))["loss/d/semantic"].item() for _ in range(60)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


@pytest.mark.parametrize("name", mapped.PARTS)
def test_a_dry_run_tries_it(name, tmp_path, capsys):
    assert start(Command(mapped.recipe(name), tmp_path / "out", dry_run=True), make_accelerator("fp32"))
    assert "time per kimg" in capsys.readouterr().out


def test_the_experiments_arms_differ_in_what_d_is_asked():
    """The commands of the recipe's page, on emoji of 30 classes."""
    file = ROOT / "recipes" / "openmoji_semantic.py"
    page = ast.get_docstring(ast.parse(file.read_text())) or ""
    commands = [shlex.split(line)[3:] for line in page.splitlines() if line.strip().startswith("ggdr train")]
    domains = {"map": ImageSpec(32, 32, 30, classes=30), "colour": ImageSpec(32, 32, 3)}
    arms = [fit(parse([str(file), "--out", "x", *flags], "ggdr train").recipe, domains) for flags in commands]
    assert [arm.extra.class_logits for arm in arms] == [31, 0, 0]
    assert [[*arm.extra.target_channels] for arm in arms] == [[], [8], []]
    assert len({str(arm.recipe.generator) + str(arm.recipe.discriminator) for arm in arms}) == 1


def test_maps_of_other_images_are_refused(tmp_path):
    strangers = dataclasses.replace(mapped.recipe("semantic"), data=mapped.MappedNoise(paired=False))
    with pytest.raises(UserError, match="regularizer 'semantic' learns from pairs.*drop it: --regularizers.semantic n"):
        tiny.tiny_run(strangers, tmp_path)
    tiny.tiny_run(dataclasses.replace(strangers, regularizers={}), tmp_path)  # nobody reads them


def test_images_of_noise_are_shown_and_measured_as_ever(tmp_path):
    run = tiny.tiny_run(mapped.recipe("semantic"), tmp_path)
    (view,) = run.views().values()
    assert view.target == "image" and view.source is None and not view.paired
    assert view.make(run.seen_by(view, range(3)), 0).shape == (3, 3, 16, 16)
