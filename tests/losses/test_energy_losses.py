"""EBGAN's and BEGAN's losses, and the term that keeps EBGAN's fakes apart: their papers' equations."""

from __future__ import annotations

import pytest
import torch

from ggdr.losses.began import BEGAN
from ggdr.losses.ebgan import EBGAN
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.pulling_away import PullingAway


def verdicts(term, turn: str, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Duel:
    """A duel in which D said just that."""
    duel = Duel(None, None, torch.zeros(1), None, StepContext(turn, term.requires))  # type: ignore[arg-type]
    vars(duel).update(on_real=real, on_fake=fake)
    return duel


def test_ebgan_leaves_fakes_alone_whose_energy_is_above_the_margin():
    loss, fakes = EBGAN(margin=1.0), torch.tensor([-0.25, -3.0], requires_grad=True)
    duel = verdicts(loss, "d", DiscriminatorOutput(torch.tensor([-0.5, -0.5])), DiscriminatorOutput(fakes))
    value = loss.loss(duel)
    assert value.item() == pytest.approx(0.5 + 0.75 / 2)
    assert torch.autograd.grad(value, fakes)[0].tolist() == [0.5, 0.0]


def test_pulling_away_is_the_mean_squared_cosine_of_different_fakes():
    codes = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]).view(4, 2, 1, 1)
    term = PullingAway()
    fake = DiscriminatorOutput(torch.zeros(4), maps={1: codes, 2: torch.randn(4, 2, 2, 2)})
    squares = [1, 0, 0.5, 0, 0.5, 0.5]  # pairs 12 13 14 23 24 34; the cosine of 45 degrees squared is a half
    assert term.loss(verdicts(term, "g", fake, fake)).item() == pytest.approx(2 * sum(squares) / 12)


def test_began_steers_the_ratio_of_errors_and_keeps_k_from_0_to_1():
    loss = BEGAN(gamma=0.5, lambda_k=0.1)
    loss.begin(torch.device("cpu"))
    real, fake = DiscriminatorOutput(torch.tensor([-1.0, -3.0])), DiscriminatorOutput(torch.tensor([-0.5, -0.5]))
    loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-0.5)})
    assert loss.state["k"].item() == pytest.approx(0.1 * (0.5 * 2 - 0.5))
    duel = verdicts(loss, "d", real, fake)
    assert loss.loss(duel).item() == pytest.approx(2.0 - 0.05 * 0.5)
    assert duel.notes["convergence"].item() == pytest.approx(2.0 + abs(0.5 * 2 - 0.5))
    for _ in range(100):
        loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-0.5)})
    assert loss.state["k"] == 1
    for _ in range(100):
        loss.learn({"logits/real": torch.tensor(-2.0), "logits/fake": torch.tensor(-9.0)})
    assert loss.state["k"] == 0
