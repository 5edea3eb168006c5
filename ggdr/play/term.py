"""A Term: one summand of the objective. Losses and regularizers are both terms, in two folders and two registries."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, Head, ImageSpec
from ggdr.registry import Capability, Part, listed, losses, regularizers
from ggdr.schedules.base import Scheduled

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator
    from ggdr.play.callback import Callback
    from ggdr.play.duel import Duel
    from ggdr.recipe import Recipe

Turn = Literal["g", "d", "e"]
"""whose weights learn: the generators', the discriminators', or those of further networks, such as encoders'"""
TURNS: tuple[Turn, ...] = ("g", "d", "e")


State = dict[str, Tensor]
"""What a part has learned so far, by name: saved with each checkpoint, and drawn in the log where it is a scalar"""


class Adaptive(Part):
    """A part that may learn from the step's statistics: its fields are settings and stay, its `state` moves.

    Its life: a recipe writes its settings; `resolve` fills in what they leave open, once the images are known; `begin`
    makes the state that `start` declares; each step `learn` takes in what `after_step` makes of it.
    """

    least: ClassVar[int] = 1
    """images of a micro-batch that it takes at least, since it reads them together"""
    if TYPE_CHECKING:  # who reads a part's annotations, as the command line does, would import torch for this one
        state: State
        """state of a run, from `begin` on; recipes and settings know nothing of it"""

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """Settings without anything left open (a None, an empty tuple), and what was chosen and why, or "".

        UserError if it cannot be for such images.
        """
        return self, ""

    def check_signs(self, recipe: Recipe, instead: str) -> None:
        """UserError, ending in what to do `instead`, if the signs of D's logits do not tell how much D overfits."""
        why = ""
        if recipe.loss.undecided is None:
            why = f"loss {recipe.loss.name!r} has no logit at which D is undecided"
        elif Capability.ENERGY in recipe.discriminator.provides:
            why = f"no logit of discriminator {recipe.discriminator.name!r} is above 0"
        elif not recipe.loss.trains_logits_of(recipe.discriminator):
            why = f"loss {recipe.loss.name!r} does not train those of discriminator {recipe.discriminator.name!r}"
        if why:
            raise UserError(
                f"{self.registry.kind} {self.name!r} follows the signs of D's logits, which say nothing here: {why};"
                f" {instead}."
            )

    def start(self, device: torch.device) -> State:
        """The state that a run begins with, on `device`; most parts have none."""
        return {}

    def begin(self, device: torch.device) -> None:
        """Take the state that a run begins with."""
        object.__setattr__(self, "state", self.start(device))  # the settings are frozen, and are not touched

    def before_step(self, kimg: float) -> None:
        """Take up what has a schedule and is part of the state, before a step after `kimg` thousand reals."""

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        """What of the state is new after a step, from its means over the whole batch and all processes, on the device.

        Keys: `images` (reals shown this step); of D's turn, where judged: `logits/real`, `logits/fake`,
        `signs/real`, `signs/fake` (where the loss has a logit at which D is undecided: the mean sign of their distance
        to it), and how images of a batch differ, `spread/real`, `spread/fake`;
        `loss/TURN/NAME` of every term that ran; whatever was left in `duel.notes`.
        """
        return {}

    def learn(self, stats: Mapping[str, Tensor]) -> None:
        """Take in a step: the state becomes what `after_step` says, where that is finite.

        One step whose gradients overflow is skipped by the optimizer; a mean that had taken it in would stay NaN.
        """
        for key, new in self.after_step(stats).items():
            self.state[key] = torch.where(new.isfinite(), new, self.state[key])

    def state_dict(self) -> State:
        """The state, to be saved."""
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` gave; ValueError if the names differ."""
        if state.keys() != self.state.keys():
            raise ValueError(f"{self.name!r} has the state {sorted(self.state)}; given {sorted(state)}.")
        self.state.update({key: value.to(self.state[key].device) for key, value in state.items()})


@dataclass(frozen=True, kw_only=True)
class Term(Adaptive):
    """One summand of the objective: write `d_loss`, `g_loss` or both; it joins the turns whose method it writes.

    In a game of several duels it takes part in those that provide, with their networks, what it `requires`.
    """

    weight: Scheduled = 1.0
    """factor of this term in its player's loss"""
    every: int = 1
    """run at each N-th step, N times as strong (lazy regularization)"""
    float32: ClassVar[bool] = False
    """its phase runs without autocast: it differentiates a gradient"""
    reads_logits: ClassVar[bool] = False
    """it reads D's own logits, and means nothing where the loss does not train them"""

    @property
    def turns(self) -> list[Turn]:
        """The turns it joins."""
        return [turn for turn in TURNS if getattr(type(self), f"{turn}_loss") is not getattr(Term, f"{turn}_loss")]

    def feature_resolutions(self) -> tuple[int, ...]:
        """Sides of the feature maps it reads, pixels."""
        return ()

    def among(self, generator: Generator) -> Self:
        """Settings whose open choice of feature maps falls on some that a generator has; itself, if none is open.

        `generator`: the one it plays with, on the meta device. What else is open stays so, for `resolve`.
        """
        return self

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        """What it asks of the discriminator beside its logit, by the name under which it is told.

        `generator`: the one it plays with, on the meta device: its widths count, its weights do not.
        """
        return {}

    def check_networks(self, discriminators: Sequence[Any]) -> None:
        """UserError if it cannot work on one of these, which are built on the meta device, before the run begins."""

    def g_loss(self, duel: Duel) -> Tensor:
        """Scalar for the generator to lower."""
        raise NotImplementedError

    def d_loss(self, duel: Duel) -> Tensor:
        """Scalar for the discriminator to lower."""
        raise NotImplementedError

    def e_loss(self, duel: Duel) -> Tensor:
        """Scalar to lower for what learns on a third turn, in games that have one: encoders, most often."""
        raise NotImplementedError

    def callbacks(self) -> dict[str, Callback]:
        """What it needs done while the run trains, beside its loss, by any name: WGAN clips its critic's weights."""
        return {}

    def total(self, duels: Sequence[Duel]) -> Tensor:
        """Scalar, before `weight`: the sum of its losses in the duels that provide what it requires."""
        if not (its := [duel for duel in duels if self.requires <= duel.offers]):
            raise UserError(
                f"no duel provides {listed(self.requires)}, which {self.registry.kind} {self.name!r} requires."
            )
        return reduce(operator.add, map(self.loss, its))

    def loss(self, duel: Duel) -> Tensor:
        """Scalar of the duel's turn, before `weight`."""
        loss = {"g": self.g_loss, "d": self.d_loss, "e": self.e_loss}[duel.turn](duel)
        if not isinstance(loss, torch.Tensor):
            raise UserError(
                f"{self.registry.kind} {self.name!r} gave {loss!r} on {duel.turn}'s turn: give a scalar tensor, as"
                " .mean() makes it, not a number of Python's."
            )
        if loss.ndim:
            raise UserError(
                f"{self.registry.kind} {self.name!r} gave a loss of shape {list(loss.shape)}: give its mean."
            )
        return loss


@dataclass(frozen=True, kw_only=True)
class Loss(Term):
    """The adversarial loss of both players, and what other parts may take the logits to mean under it."""

    registry = losses
    adversarial: ClassVar[bool] = True
    """whether there is one; False: it stands for none, beside a discriminator that stands for nobody"""
    undecided: ClassVar[float | None] = 0.0
    """the logit at which D takes an image neither for real nor for fake; None: only differences of logits count"""
    ranks: ClassVar[bool] = True
    """whether a healthy D gives reals the higher logits, on average"""
    logistic: ClassVar[bool] = False
    """whether what D pays for an image is softplus(-logit) as a real and softplus(logit) as a fake"""
    symmetric: ClassVar[bool] = False
    """whether it asks of -logit for a fake what it asks of logit for a real"""

    def trains_logits_of(self, discriminator: DiscriminatorConfig) -> bool:
        """Whether a discriminator's own logits learn from it."""
        return True

    def loss(self, duel: Duel) -> Tensor:
        """Scalar of the duel's turn, before `weight`: summed over all the logits that D gives of an image."""
        return reduce(operator.add, [super(Loss, self).loss(judgement) for judgement in duel.judgements()])


@dataclass(frozen=True, kw_only=True)
class Regularizer(Term):
    """A term beside the adversarial loss."""

    registry = regularizers
