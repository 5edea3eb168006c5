"""What may change when a run goes on, what may not, and what a person is told and can type."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import tiny
from places import ROOT, TINY

from ggdr.changes import MayChange, may_change
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.recipe.files import load_recipe
from ggdr.saving import checkpoint
from ggdr.train import main

LSUN = load_recipe(ROOT / "recipes" / "lsun_cat.py")


@pytest.mark.parametrize(
    "setting",
    "total_kimg log_kimg sample_kimg checkpoint_kimg metric_kimg keep_checkpoints num_workers init_from sample_images"
    " nonfinite_limit g_optimizer.lr d_optimizer.clip_value metrics.swd.images metrics.new.type trackers.wandb.project"
    " data.cache_mb".split(),
)
def test_length_intervals_rates_and_what_watches_a_run_may_change(setting):
    assert may_change(LSUN, setting.split("."))


@pytest.mark.parametrize(
    "setting",
    "data.type data.source data.mirror generator.channel_max discriminator.encoder.channel_max loss.type batch n_critic"
    " micro_batch precision seed ema_kimg freeze_d regularizers.r1.weight regularizers.new.type augment.target"
    " g_optimizer.beta1 game.type nothing nothing.at.all".split(),
)
def test_what_a_run_learns_from_may_not_change(setting):
    assert not may_change(LSUN, setting.split("."))


@dataclasses.dataclass
class Own:
    """A part of someone's own."""

    strength: float = 1.0
    threads: MayChange[int] = 1


def test_settings_of_ones_own_are_marked_where_they_are_declared_or_fixed():
    assert not may_change(Own(), ["strength"]) and may_change(Own(), ["threads"])


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """The folder of a run that has saved before its first step."""
    out = tmp_path_factory.mktemp("saved")
    tiny.tiny_run(tiny.recipe, out).save()
    return out


def resumed(out: Path, *, allow_changes: bool = False, **changes) -> list[str]:
    """What a run with another recipe says of the change as it goes on."""
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, **changes), out)
    return run.load(checkpoint.latest(out), allow_changes)


def test_what_may_change_is_told(saved):
    adam = dataclasses.replace(tiny.recipe.g_optimizer, lr=0.001)
    changes = {"total_kimg": 9.0, "g_optimizer": adam, "metrics": {"swd": SlicedWasserstein()}}
    assert resumed(saved, **changes) == [
        "g_optimizer.lr was 0.0025, is 0.001",
        "total_kimg was 0.064, is 9.0",
        "metrics.swd.type was not there, is swd",
    ]


def test_what_may_not_is_refused_by_name_with_three_ways_out(saved):
    with pytest.raises(ValueError) as refused:
        resumed(saved, seed=1, total_kimg=9.0, regularizers={})
    said = str(refused.value)
    assert "was made by another recipe: regularizers.r1.type was r1, is not there; " in said and "\n" not in said
    assert f"; seed was 0, is 1; choose another --out (--init-from {saved} starts it from these weights)" in said
    assert said.endswith("or add --allow-changes to go on all the same.") and "total_kimg" not in said


def test_it_goes_on_all_the_same_if_that_is_asked_for_and_the_weights_fit(saved):
    assert resumed(saved, seed=1, allow_changes=True) == ["seed was 0, is 1"]
    wider = dataclasses.replace(tiny.STYLEGAN2, channel_max=16)
    with pytest.raises(ValueError, match="generator.channel_max was 8, is 16; choose another --out"):
        resumed(saved, generator=wider, allow_changes=True)


def test_settings_that_are_newer_than_a_run_are_no_change(saved, tmp_path):
    out = shutil.copytree(saved, tmp_path / "run")
    file = checkpoint.latest(out) / "recipe.json"
    older = json.loads(file.read_text())
    del older["freeze_d"], older["game"], older["g_optimizer"]["clip_value"]
    file.write_text(json.dumps(older))
    assert resumed(out) == []


def test_the_flag_reaches_the_run(saved, capsys):
    flags = ["--out", str(saved), "--total-kimg", "0.008", "--seed", "3"]
    with pytest.raises(ValueError, match="seed was 0, is 3"):
        main([TINY, *flags])
    assert main([TINY, *flags, "--allow-changes"]) == 0
    assert "changed: seed was 0, is 3" in capsys.readouterr().out
