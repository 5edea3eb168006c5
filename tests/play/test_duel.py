"""What a duel hands to whom, and what statistics read of it, held against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from ggdr.augment.ada import ADA
from ggdr.losses.least_squares import LeastSquares
from ggdr.losses.relativistic import Relativistic
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput
from ggdr.play.duel import Duel, StepContext
from ggdr.play.stats import Stats
from ggdr.registry import Capability

LABELS = torch.eye(4)
REALS = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2)


class Labelled:
    """A generator whose image is filled with the class it was asked for."""

    z_dim = 3

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def __call__(self, z: Tensor, labels: Tensor, *, resolutions=()) -> GeneratorOutput:
        self.asked.append(labels)
        return GeneratorOutput(labels.argmax(1).float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2))


class Agrees:
    """A discriminator whose logit is 1 where the image shows the class of its label, else -1."""

    def __call__(self, image: Tensor, labels: Tensor, *, resolutions=()) -> DiscriminatorOutput:
        return DiscriminatorOutput(torch.where(image[:, 0, 0, 0] == labels.argmax(1), 1.0, -1.0))


def duel(turn: str = "d", reals: Tensor = REALS) -> Duel:
    """A duel on four reals, each of a class of its own: image n is filled with n."""
    return Duel(Labelled(), Agrees(), reals, LABELS, StepContext(turn))


def judged(real: list[float], fake: list[float]) -> Duel:
    """A duel of D's turn whose logits are these."""
    made = Duel(Labelled(), Agrees(), REALS, LABELS, StepContext("d"))
    vars(made).update(on_real=DiscriminatorOutput(torch.tensor(real)), on_fake=DiscriminatorOutput(torch.tensor(fake)))
    return made


@pytest.mark.parametrize("turn", ["g", "d"])
def test_each_real_is_judged_under_its_own_label(turn):
    assert duel(turn).on_real.logits.tolist() == [1.0] * 4
    mislabelled = duel(turn, REALS.roll(1, 0))
    assert mislabelled.on_real.logits.tolist() == [-1.0] * 4


@pytest.mark.parametrize("turn", ["g", "d"])
def test_each_fake_is_made_and_judged_under_the_label_of_the_real_it_meets(turn):
    made = duel(turn)
    assert made.on_fake.logits.tolist() == [1.0] * 4
    (asked,) = made.G.asked
    assert torch.equal(asked, LABELS)


class Learning(Labelled):
    """The same, its images as bright as a weight, which takes gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.ones([], requires_grad=True)

    def __call__(self, z: Tensor, labels: Tensor, *, resolutions=()) -> GeneratorOutput:
        return GeneratorOutput(super().__call__(z, labels).image * self.weight)


@pytest.mark.parametrize("turn", ["g", "d"])
@pytest.mark.parametrize("requires", [Capability.REAL_GRAD, Capability.FAKE_GRAD, None])
def test_images_take_gradient_where_a_term_asks_for_it_and_fakes_are_cut_off_on_ds_turn_alone(turn, requires):
    made = Duel(Learning(), Agrees(), REALS, LABELS, StepContext(turn, frozenset({requires})))
    assert made.real.requires_grad == (requires == Capability.REAL_GRAD) and made.real.is_leaf
    cut = turn == "d"  # whoever made a fake learns nothing from it then
    assert made.fake.image.is_leaf == cut
    assert made.fake.image.requires_grad == (not cut or requires == Capability.FAKE_GRAD)
    assert made.fake is made.fake


def test_a_scene_of_which_nothing_is_said_is_that_of_the_first_step():
    assert StepContext("g") == StepContext("g", frozenset(), (), 0.0, None, nullcontext)


def test_fewer_images_go_with_the_first_labels():
    made = duel()
    assert made.sample(2).image[:, 0, 0, 0].tolist() == [0.0, 1.0]
    assert made.judge(REALS[:3]).logits.tolist() == [1.0] * 3


def test_statistics_tell_the_mean_of_the_logits_apart_from_the_mean_of_their_signs():
    stats = Stats()
    stats.watch([judged([9.0, -1.0, -1.0, -1.0], [-6.0, 1.0, 1.0, 1.0])])
    seen = {name: value.item() for name, value in stats.reduce(1).items()}
    assert seen["logits/real"] == 1.5 and seen["signs/real"] == -0.5
    assert seen["logits/fake"] == -0.75 and seen["signs/fake"] == 0.5


def test_signs_are_of_the_distance_to_the_logit_at_which_d_is_undecided():
    stats = Stats(LeastSquares().undecided)
    stats.watch([judged([9.0, 0.4, 0.4, 0.6], [-6.0, 0.1, 0.2, 0.9])])
    seen = {name: value.item() for name, value in stats.reduce(1).items()}
    assert seen["signs/real"] == 0 and seen["signs/fake"] == -0.5


def test_statistics_are_of_what_ds_turn_has_shown_and_run_nothing_themselves():
    stats, of_g, idle, half = Stats(), duel("g"), duel("d"), duel("d")
    assert len(of_g.on_real.logits) == len(of_g.on_fake.logits) == len(half.on_real.logits)
    stats.watch([of_g, idle])
    assert not stats.seen and not idle.G.asked
    stats.watch([half])
    assert stats.seen.keys() == {"logits/real", "signs/real"} and not half.G.asked
    assert len(half.fake.image) == 4
    stats.watch([half])
    assert {"spread/real", "spread/fake"} <= stats.seen.keys()


def test_where_only_differences_of_logits_count_signs_are_not_logged():
    stats = Stats(Relativistic().undecided)
    stats.watch([judged([9.0, 1.0], [-6.0, 2.0])])
    assert {"logits/real", "logits/fake"} == {key for key in stats.reduce(1) if not key.startswith("spread")}


def test_ada_steers_by_the_signs_of_the_logits_not_by_their_size():
    """One confident real among four: the mean logit is far above the target of r_t, the mean sign below (eq. 1)."""
    augment = ADA(speed_kimg=0.1, interval=1, target=0.0)
    augment.begin(torch.device("cpu"))
    augment.state["p"] = torch.tensor(0.5)
    stats = Stats()
    stats.watch([judged([9.0, -1.0, -1.0, -1.0], [0.0] * 4)])
    augment.learn(stats.reduce(1) | {"images": torch.tensor(4.0)})
    assert augment.state["r_t"].item() == -0.5
    assert augment.state["p"].item() == pytest.approx(0.5 - 4 / 100)


def test_relativistic_loss_pairs_each_fake_with_the_real_at_its_place():
    """RpGAN: the mean of softplus over pairs; held against batch means it would be softplus(-1) for D."""
    pairs = judged([3.0, -1.0, 2.0, 0.0], [1.0, 2.0, -3.0, 0.0])
    softplus = [math.log1p(math.exp(x)) for x in (-2.0, 3.0, -5.0, 0.0)]
    assert Relativistic().d_loss(pairs).item() == pytest.approx(sum(softplus) / 4, rel=1e-6)
    softplus = [math.log1p(math.exp(x)) for x in (2.0, -3.0, 5.0, 0.0)]
    assert Relativistic().g_loss(pairs).item() == pytest.approx(sum(softplus) / 4, rel=1e-6)


class AgreesTwice(Agrees):
    """A judge that gives a further logit, of another size, ten times the first."""

    def __call__(self, image: Tensor, labels: Tensor, *, resolutions=()) -> DiscriminatorOutput:
        said = super().__call__(image, labels, resolutions=resolutions)
        return said._replace(more_logits=(10 * said.logits[:, None].repeat(1, 3),))


def test_a_loss_is_summed_over_all_logits_and_d_judges_once():
    once, twice = duel(), duel()
    twice.D = AgreesTwice()
    loss = LeastSquares()
    further = dataclasses.replace(once)
    for name in ("on_real", "on_fake"):
        said = vars(Duel)[name].func(once)
        vars(further)[name] = said._replace(logits=10 * said.logits)
    expected = loss.d_loss(once) + loss.d_loss(further)
    assert torch.equal(loss.loss(twice), expected)
    assert [each.judgement for each in twice.judgements()] == [0, 1] and not twice.notes
    alone = duel("g")
    alone.D = AgreesTwice()
    loss.loss(alone)
    assert "on_real" not in vars(alone), "nothing runs that the loss does not read"
