"""Runs whose rate, beta2, gamma, running mean and p all move: by their schedules, through a break, and in the log."""

from __future__ import annotations

import dataclasses
import json

import pytest
import tiny
import torch
from tiny_runs import files, rows, same, trained, weights

from ggdr.augment.none import NoAugmentation
from ggdr.train import train_step
from ggdr.visualization.plots import all_panels, read_lines, select_lines

SCHEDULED = tiny.scheduled(tiny.recipe)
MOVING = {"r1", "r1_approximate", "r2_approximate"}
CHANGES = {
    name: vars(SCHEDULED)[name]
    for name in ("g_optimizer", "d_optimizer", "regularizers", "augment", "ema_kimg", "ema_rampup")
}


def test_every_number_is_what_its_schedule_says_at_each_step(tmp_path):
    run = tiny.tiny_run(SCHEDULED, tmp_path)
    reals, recipe = run.reals(), run.recipe
    for step in range(8):
        kimg = step * 0.008
        mean = next(iter(run.ema.mean.values())).synthesis.b8.conv1.weight.clone()
        stats = train_step(run, next(reals))
        group = run.players["g"].optimizer.param_groups[0]
        assert group["lr"] == pytest.approx(recipe.g_optimizer.lr.at(kimg) * 2 / 3)
        assert group["betas"][1] == pytest.approx(recipe.g_optimizer.beta2.at(kimg) ** (2 / 3))
        assert run.augment.state["p"].item() == pytest.approx(recipe.augment.fixed_p.at(kimg))
        half_life = recipe.ema_kimg.at(kimg) * 1000
        decay = 0.5 ** (8 / max(half_life, 1e-8))
        live = run.networks["generator"].synthesis.b8.conv1.weight
        after = next(iter(run.ema.mean.values())).synthesis.b8.conv1.weight
        torch.testing.assert_close(after, decay * mean + (1 - decay) * live)
        assert stats["images"] == 8
    assert 0 < run.augment.state["p"].item() < 0.3 and run.augment.active


def test_the_weight_of_a_term_scales_its_gradient_by_its_schedule(tmp_path):
    """D's gradient is of R1 alone in its lazy phase: at step 4 of 8 the weight is half way from 2 to 0.2."""
    norms = {}
    for name, weight in (("moving", SCHEDULED.regularizers["r1"].weight), ("still", 1.1)):
        terms = {"r1": dataclasses.replace(SCHEDULED.regularizers["r1"], weight=weight)}
        run = tiny.tiny_run(dataclasses.replace(tiny.recipe, regularizers=terms, augment=NoAugmentation()), tmp_path)
        run.images_seen, run.step = 32, 4
        norms[name] = float(train_step(run, next(run.reals()))["grad/d"])
    assert norms["moving"] == pytest.approx(norms["still"], rel=1e-5)


def test_a_run_that_is_broken_in_the_middle_of_all_its_schedules_ends_where_an_unbroken_one_ends(tmp_path):
    whole = trained(tmp_path / "whole", **CHANGES)
    trained(tmp_path / "broken", **CHANGES, total_kimg=0.032)
    broken = trained(tmp_path / "broken", **CHANGES)
    same(weights(whole), weights(broken))
    assert files(tmp_path / "whole") == files(tmp_path / "broken")
    assert rows(tmp_path / "whole") == rows(tmp_path / "broken")


def test_what_moves_is_logged_and_drawn_and_what_stands_still_is_not(tmp_path):
    run = trained(tmp_path, **CHANGES)
    log = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    moving = {"lr/g", "beta2/g", "lr/d", "weight/r1", "ema_kimg", "fixed_p/augment"}
    assert all(moving <= row.keys() for row in log) and "beta2/d" not in log[0]
    recipe = run.recipe
    for row in log:
        assert row["lr/g"] == pytest.approx(recipe.g_optimizer.lr.at(row["kimg"]))
        for name in MOVING:
            assert row[f"weight/{name}"] == pytest.approx(recipe.regularizers[name].weight.at(row["kimg"]))
    lines = read_lines(tmp_path / "metrics.jsonl")
    drawn = {panel.title: set(select_lines(panel, lines)) for panel in all_panels(lines)}
    assert drawn["Scheduled: learning rates"] == {"g", "d"} and drawn["Scheduled: weights of terms"] == MOVING
    plain = trained(tmp_path / "plain", total_kimg=0.008)
    assert not plain.scheduled() and "lr/g" not in (tmp_path / "plain" / "metrics.jsonl").read_text()
