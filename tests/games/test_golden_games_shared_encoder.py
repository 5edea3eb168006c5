"""Parity of whole training steps with the published NICE-GAN's: two of them, through the run's own training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import several
import tiny
from golden_games import below
from golden_nice import check_final, images, judge_and_translator, renamed, settings
from torch import Tensor

from ggdr.data.base import DataSet, Images
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.base import ImageSpec
from ggdr.optimizers.adam import Adam
from ggdr.play.term import Regularizer
from ggdr.play.view import Reals
from ggdr.recipe import Recipe
from ggdr.registry import Capability
from ggdr.train import train_step

NAMES = {"discriminator_a": "A", "discriminator_b": "B", "generator_ab": "A2B", "generator_ba": "B2A"}


class GivenImages(Images):
    spec = ImageSpec(settings()["size"], settings()["size"])
    domains = {"a": spec, "b": spec}


@dataclass(frozen=True, kw_only=True)
class GivenData(DataSet):
    """Two domains of the golden images' size; the images themselves are handed to the step."""

    def open(self):
        return GivenImages()


class Recode(Regularizer):
    """The distance of a real and what is made of its own code."""

    name = "recode"
    requires: ClassVar = frozenset({Capability.IDENTITY})

    def g_loss(self, duel: Any) -> Tensor:
        return (duel.on_target.image - duel.real).abs().mean()


def test_golden_nice_two_training_steps_of_the_game(tmp_path):
    case, (judge, translator) = settings(), judge_and_translator()
    adam = Adam(lr=case["lr"], beta1=case["betas"][0], beta2=case["betas"][1], weight_decay=case["weight_decay"])
    recipe = Recipe(
        data=GivenData(),
        generator=translator,
        discriminator=judge,
        game=SharedEncoderGame(),
        loss=LeastSquares(weight=2.0),  # whose halves the published program does not take
        regularizers={"cycle": several.SmallCycle(weight=case["cycle"]), "recode": Recode(weight=case["recon"])},
        g_optimizer=adam,
        d_optimizer=adam,
        batch_size=case["batch"],
        power_iteration="pass",
        trackers={},
    )
    run = tiny.tiny_run(recipe, tmp_path)
    networks = run.networks.named()
    for name, golden in NAMES.items():
        networks[name].load_state_dict(renamed(below("nice", f"init/{golden}/")))
    for step in range(case["steps"]):
        a, b = images(step)
        stats = train_step(run, [{"a": Reals(a), "b": Reals(b)}] * 2)
        found = below("nice", f"step{step}/")
        assert 2 * float(stats["loss/d/least_squares"]) == pytest.approx(float(found["loss_D"]), rel=1e-5)
        assert float(stats["loss/g/cycle"]) == pytest.approx(float(found["cycle"]), rel=1e-5)
        assert float(stats["loss/g/recode"]) == pytest.approx(float(found["recon"]), rel=1e-5)
        g = 2 * stats["loss/g/least_squares"] + case["cycle"] * stats["loss/g/cycle"]
        g = g + case["recon"] * stats["loss/g/recode"]
        assert float(g) == pytest.approx(float(found["loss_G"]), rel=1e-5)
    for name, golden in NAMES.items():
        if last := renamed(below("nice", f"final/{golden}/")):
            check_final(networks[name], renamed(below("nice", f"init/{golden}/")), last)
