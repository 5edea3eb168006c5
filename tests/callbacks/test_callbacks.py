"""Callbacks: called in order, at their intervals, with a state that survives; of one's own, by a file and two flags."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny
import torch

from ggdr.augment.none import NoAugmentation
from ggdr.callbacks.built_in import built_in
from ggdr.losses.wasserstein import Wasserstein, WeightClipping
from ggdr.play.callback import Callback
from ggdr.registry import callbacks
from ggdr.train import main, train_loop, train_step
from ggdr.training.trainer import Trainer

MINE = '''"""One of a user's own."""
from dataclasses import dataclass
from ggdr.play.callback import Callback
from ggdr.registry import callbacks


@callbacks.register("mine")
@dataclass(kw_only=True)
class Mine(Callback):
    """Log the step, times a factor."""

    factor: float = 2.0
    """what the step is multiplied by"""

    def on_interval(self, trainer):
        trainer.log({"mine/step": self.factor * trainer.run.step})
'''


@dataclass(kw_only=True)
class Counts(Callback):
    """Counts what it is called for, and keeps the number of steps."""

    name = "counts"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.called: list[str] = []
        self.steps = torch.zeros([])

    def prepare(self, trainer):
        self.called.append("prepare" if not (trainer.run.out / "recipe.json").exists() else "prepare late")

    def start(self, trainer):
        self.called.append(f"start {trainer.run.step} {trainer.resumed} {int(self.steps)}")

    def after_update(self, turn, networks):
        self.called.append(f"{turn} {len(networks)}")

    def after_step(self, trainer, stats):
        self.steps = self.steps + 1
        assert stats["grad/g"] > 0 and stats["images"] == 8
        self.called.append("step")

    def on_interval(self, trainer):
        self.called.append(f"interval {trainer.run.images_seen}")

    def rolled_back(self, trainer):
        self.called.append(f"back {trainer.run.step} {int(self.steps)}")

    def end(self, trainer):
        self.called.append(f"end {trainer.run.done}")

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def trained(out: Path, **changes) -> Counts:
    """The callback of a run of the tiny recipe."""
    recipe = replace(tiny.recipe, callbacks={"counts": Counts(every_kimg=0.016)}, **changes)
    with Trainer(tiny.tiny_run(recipe, out)) as trainer:
        train_loop(trainer)
    return trainer.callbacks["counts"]


def test_each_is_called_in_order_and_at_its_interval(tmp_path):
    called = trained(tmp_path, total_kimg=0.024).called
    assert called[:2] == ["prepare", "start 0 False 0"] and called[-1] == "end True"
    steps = " ".join(called[2:-1]).split("step")
    assert steps[0].split(" ") == ["g", "1", "g", "1", "d", "1", "d", "1", ""]  # G, G lazy, D, D lazy
    assert called.count("step") == 3 and called.count("interval 16") == 1
    assert called.index("interval 16") == [i for i, what in enumerate(called) if what == "step"][1] + 1
    assert not [what for what in called if what.startswith("interval") and what != "interval 16"]


def test_their_state_survives_in_checkpoints(tmp_path):
    trained(tmp_path, total_kimg=0.024)
    assert (tmp_path / "checkpoints" / "00000003" / "callbacks.safetensors").is_file()
    again = trained(tmp_path, total_kimg=0.04)
    assert again.called[:2] == ["prepare late", "start 3 True 3"] and int(again.steps) == 5


def test_a_run_may_go_on_with_another_callback_and_says_so(tmp_path, capsys):
    trained(tmp_path, total_kimg=0.024)
    with Trainer(tiny.tiny_run(replace(tiny.recipe, total_kimg=0.032), tmp_path)) as trainer:
        train_loop(trainer)
    assert "changed: callbacks.counts.type was counts, is not there" in capsys.readouterr().out
    assert trainer.run.step == 4


def test_a_state_that_nobody_takes_back_is_refused():
    with pytest.raises(ValueError, match="callback 'log' keeps no state, and the checkpoint has p of it"):
        callbacks.find("log")().load_state_dict({"p": torch.zeros([])})


def test_built_in_ones_come_in_the_order_log_samples_checkpoint_push_metrics():
    recipe = replace(tiny.recipe, hub_id="org/name", log_kimg=1.0, sample_kimg=2.0, checkpoint_kimg=3.0, hub_kimg=4.0)
    recipe = replace(recipe, metric_kimg=5.0, sample_images=7, hub_private=True, hub_licence="mit", keep_best="swd")
    found = built_in(recipe)
    assert [*found] == ["log", "samples", "checkpoint", "push", "metrics"]
    assert [callback.every_kimg for callback in found.values()] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found["samples"].images == 7 and found["metrics"].keep_best == "swd"
    assert vars(found["push"]) == {"every_kimg": 4.0, "repo_id": "org/name", "private": True, "licence": "mit"}


def test_a_name_that_every_run_has_is_refused_with_another(tmp_path):
    with pytest.raises(ValueError, match=r"called 'log', as one that every run has; .* --callbacks.my_log counts"):
        tiny.tiny_run(replace(tiny.recipe, callbacks={"log": Counts()}), tmp_path)


def test_an_interval_below_zero_is_refused():
    with pytest.raises(ValueError, match="every_kimg is -1; give 0 or more"):
        Counts(every_kimg=-1)


def test_a_push_to_nowhere_is_refused_before_the_first_step(tmp_path):
    recipe = replace(tiny.recipe, callbacks={"other": callbacks.find("push")()})
    with pytest.raises(ValueError, match="'push' has no repository to push to"):
        Trainer(tiny.tiny_run(recipe, tmp_path)).prepare()


def test_a_file_and_a_flag_add_one(tmp_path):
    (tmp_path / "my_callback.py").write_text(MINE)
    flags = ["--use", str(tmp_path / "my_callback.py"), "--callbacks.mine", "mine", "--callbacks.mine.every-kimg"]
    out = tmp_path / "run"
    assert main([tiny.__file__, *flags, "0.032", "--callbacks.mine.factor", "3", "--out", str(out)]) == 0
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["mine/step"]) for row in rows if "mine/step" in row] == [(4, 12.0), (8, 24.0)]
    saved = json.loads((out / "recipe.json").read_text())["callbacks"]
    assert saved == {"mine": {"type": "mine", "every_kimg": 0.032, "factor": 3.0}}


def test_the_wasserstein_loss_brings_its_clipping_and_zero_leaves_it_out(tmp_path):
    plain = replace(tiny.recipe, discriminator=tiny.RESNET, regularizers={}, augment=NoAugmentation())
    run = tiny.tiny_run(replace(plain, loss=Wasserstein(clip=0.02)), tmp_path)
    assert run.callbacks["wasserstein.clip"] == WeightClipping(limit=0.02)
    train_step(run, next(run.reals()))
    layer = run.networks["discriminator"].b16.conv0
    assert (layer.weight * layer.weight_gain).abs().max().item() == pytest.approx(0.02)
    assert not Wasserstein(clip=0.0).callbacks()
