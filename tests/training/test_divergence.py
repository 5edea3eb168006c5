"""A run that diverges says so, keeps its last good checkpoint, and goes back to it, slower, if it may."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import tiny
import torch

from ggdr.augment.none import NoAugmentation
from ggdr.losses.began import BEGAN
from ggdr.losses.ebgan import EBGAN
from ggdr.losses.wasserstein import Wasserstein
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.play.callback import Callback
from ggdr.recipe import Recipe
from ggdr.saving import checkpoint
from ggdr.train import train_loop, train_step
from ggdr.training.health import Health
from ggdr.training.recovery import Recovery
from ggdr.training.run import Run
from ggdr.training.trainer import Trainer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Steep(tiny.R1):
    """D's logits of reals, exponentially: with large steps of D it overflows, with small ones it does not."""

    def d_loss(self, duel):
        return (30 * duel.on_real.logits.abs()).exp().mean()


def diverging(**changes) -> Recipe:
    """A recipe that overflows in its third step at this learning rate, and never does at a third of it."""
    steep = {"steep": Steep(weight=1e-6, every=1)}
    rates = {"g_optimizer": Adam(lr=0.1), "d_optimizer": Adam(lr=0.1)}
    recipe = dataclasses.replace(tiny.recipe, regularizers=steep, discriminator=tiny.RESNET, nonfinite_limit=3, **rates)
    return dataclasses.replace(recipe, checkpoint_kimg=0.008, rollback_lr=0.3, total_kimg=0.096, **changes)


def trained(recipe: Recipe, out: Path) -> Run:
    run = tiny.tiny_run(recipe, out)
    with Trainer(run) as trainer:
        train_loop(trainer)
    return run


def test_a_run_that_diverges_goes_back_and_ends_well(tmp_path, capsys):
    run = trained(diverging(rollbacks=2), tmp_path)
    said = capsys.readouterr().out
    assert said.count("Health: D's gradients were not finite") == 2  # before and after the first rollback
    assert said.count("gradients of D were not finite and were skipped: back to") == 2
    assert "both players at 0.09 of their learning rates" in said and "done: 0.096 kimg" in said
    assert run.rollbacks == 2 and all(p.isfinite().all() for p in run.players["d"].parameters)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 13))  # what was before the rollback is not told twice
    assert all(row["nonfinite/d"] == 0 for row in rows)
    again = tiny.tiny_run(diverging(rollbacks=2), tmp_path)
    again.load(checkpoint.latest(tmp_path))
    assert (again.rollbacks, again.players["d"].lr_scale, again.players["g"].lr_scale) == (2, 0.09, 0.09)


def test_without_rollbacks_it_ends_and_the_last_good_checkpoint_is_kept(tmp_path):
    with pytest.raises(
        ValueError, match=r"last 3 gradients of D .* skipped; the last good checkpoint is .*0000000\d\. "
    ):
        trained(diverging(keep_checkpoints=1), tmp_path)
    progress = {path: checkpoint.read_json(path, "progress.json") for path in checkpoint.all_checkpoints(tmp_path)}
    unhealthy = [at["unhealthy"] for at in progress.values()]
    assert unhealthy == [[], ["gradients of D are not finite"]], "one good one beside the newest"


def test_a_rollback_in_vain_goes_further_back_and_ends_when_none_is_left(tmp_path, capsys):
    with pytest.raises(ValueError, match=r"after 3 rollbacks; .* more --rollbacks than 3"):
        trained(dataclasses.replace(diverging(rollbacks=3, keep_checkpoints=9), rollback_lr=1.0), tmp_path)
    went = [line.partition("back to ")[2].partition(",")[0] for line in capsys.readouterr().out.splitlines()]
    steps = [int(Path(path).name) for path in went if path]
    assert len(steps) == 3 and steps[1] < steps[0]


@dataclasses.dataclass(kw_only=True)
class Hears(Callback):
    """Notes where the run goes back to."""

    def rolled_back(self, trainer):
        trainer.say(f"heard of step {trainer.run.step}")


def test_callbacks_hear_that_a_run_has_gone_back(tmp_path, capsys):
    trained(diverging(rollbacks=2, callbacks={"hears": Hears()}), tmp_path)
    heard = [int(line.rsplit(" ", 1)[1]) for line in capsys.readouterr().out.splitlines() if "heard of" in line]
    assert len(heard) == 2 and all((tmp_path / "metrics.jsonl").read_text().count(f'"step": {step},') for step in heard)


def test_speed_after_a_rollback_is_that_of_the_recipe_times_its_factor(tmp_path):
    run = tiny.tiny_run(diverging(), tmp_path)
    run.slow_down(2)
    before = run.players["d"].settings.at(0.0, run.players["d"].lazy)["lr"]
    run.players["d"].set_hyperparameters(kimg=0.0)
    assert run.players["d"].optimizer.param_groups[0]["lr"] == pytest.approx(0.09 * before)


@pytest.mark.parametrize(("spread", "unhealthy"), [(0.4, False), (0.0, True)])
def test_images_that_are_all_the_same_are_a_collapse_told_once(spread, unhealthy):
    health = Health()
    rows = [{"kimg": float(kimg), "spread/real": 0.4, "spread/fake": spread} for kimg in range(0, 100, 5)]
    told = [text for row in rows for text in health.advice(row)]
    assert [("G has collapsed" in text) for text in told] == [True] * unhealthy
    assert health.unhealthy == ["G has collapsed to one image"] * unhealthy


@pytest.mark.parametrize(("loss", "unhealthy"), [(BEGAN(), False), (EBGAN(), True)])
def test_fakes_above_reals_are_a_collapse_of_d_only_where_the_loss_ranks_reals_above(loss, unhealthy, tmp_path):
    """At BEGAN's equilibrium fakes have half of the reals' error: it is no reason to go back, or to call it ill."""
    judge = AutoencoderDiscriminatorConfig.tiny()
    plain = {"regularizers": {}, "augment": NoAugmentation(), "rollbacks": 2}
    recipe = dataclasses.replace(tiny.recipe, loss=loss, discriminator=judge, total_kimg=1000.0, **plain)
    run = tiny.tiny_run(recipe, tmp_path)
    recovery, told = Recovery(run), []
    for _ in range(20):
        run.images_seen += 5000
        told += recovery.judge({"logits/real": -0.4, "logits/fake": -0.2}, {})
    assert [("ranks reals above fakes" in text) for text in told] == [True] * unhealthy
    assert bool(recovery.unhealthy()) == bool(recovery.diverged) == unhealthy
    run.save(), recovery.roll_back()
    assert recovery.health.ranks == unhealthy and not recovery.unhealthy()


def test_signs_are_no_sign_of_a_d_that_is_ahead_where_only_differences_count(tmp_path):
    critic = {"regularizers": {}, "augment": NoAugmentation(), "loss": Wasserstein()}
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, **critic), tmp_path)
    stats = train_step(run, next(run.reals()))
    assert "logits/real" in stats and not any(key.startswith("signs/") for key in stats)


def test_the_spread_of_images_is_that_of_pixels_over_the_batch():
    from ggdr.play.stats import spread

    images = torch.randn(8, 3, 5, 7)
    assert spread(images) == pytest.approx(images.numpy().std(axis=0).mean(), rel=1e-5)
    assert spread(images[:1]) == 0


@pytest.mark.parametrize("given", [0.0, 1.5, -1.0])
def test_a_factor_that_slows_nothing_down_is_refused(given):
    with pytest.raises(ValueError, match="rollback_lr is .*; give a number above 0, at most 1"):
        dataclasses.replace(tiny.recipe, rollback_lr=given)
