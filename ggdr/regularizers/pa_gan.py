"""The progression of PA-GAN: D's task grows harder, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.lazy import Tensor, torch
from ggdr.play.term import Regularizer, Turn
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("pa_gan", paper="1901.10422")
@dataclass(kw_only=True)
class PAGAN(Regularizer):
    """Progressive augmentation: how many random bits the discriminator `pa_gan` is given (Zhang & Khoreva 2019).

    It adds nothing to the loss, whatever its weight. Each bit, once it sets in, is 1 with a probability that rises in
    a straight line from 0 to 1/2.
    """

    start_kimg: float = 0.0
    """when the first bit sets in, kimg"""
    interval_kimg: float = 500.0
    """time from one bit to the next, kimg"""
    ramp_kimg: float = 250.0
    """time in which a bit's probability rises to 1/2, kimg, not above the interval"""
    requires: ClassVar = frozenset({Capability.RANDOM_BITS})

    # Unlike the paper: a schedule, ours; there the next bit sets in when the kernel distance of fakes stops falling.

    def __post_init__(self) -> None:
        not_negative(self, "start_kimg")
        above_zero(self, "interval_kimg", "ramp_kimg")
        if self.ramp_kimg > self.interval_kimg:
            raise UserError(
                f"ramp_kimg is {self.ramp_kimg}, above interval_kimg, {self.interval_kimg}: a bit would set in before"
                " the last one is there; give a shorter ramp."
            )

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if a logit of the other sign is not the exchanged target under the loss."""
        if not recipe.loss.symmetric:
            raise UserError(
                f"regularizer {self.name!r} lets real and fake change places by turning the sign of D's logit, which"
                f" loss {recipe.loss.name!r} does not take for that: take --loss non_saturating, or drop it,"
                f" {recipe.flag(self)} none."
            )

    def start(self, device: torch.device) -> None:
        self.images = torch.zeros([], device=device)

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        self.images = self.images + stats["images"]

    def after_update(self, turn: Turn, networks: Sequence[Any]) -> None:
        if turn == "d":
            for network in networks:
                network.set_random_bits(self.level())

    def level(self) -> Tensor:
        """Bits so far, a scalar: the whole ones and a share of the one that is setting in."""
        gone = (self.images / 1000 - self.start_kimg).clamp(min=0) / self.interval_kimg
        whole = gone.floor()
        return whole + ((gone - whole) * (self.interval_kimg / self.ramp_kimg)).clamp(max=1)
