"""Adaptive pseudo augmentation: G deceives D on purpose, as often as D overfits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer, State
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("apa", paper="2111.06849")
@dataclass(frozen=True, kw_only=True)
class APA(Regularizer):
    """Adaptive pseudo augmentation: with probability p a fake is shown to D as a real (Jiang et al. 2021).

    In closed form: what it adds to D's loss on average, where the loss is `non_saturating` (or `minimax`). The paper
    draws which reals are exchanged. p follows, as in ADA (arXiv 2006.06676), the mean sign of D's logits of all that D
    is shown as real, which the share p of fakes is part of.
    """

    target: float = 0.6
    """mean sign of D's logits on what it is shown as real to steer for, in [-1, 1]"""
    speed_kimg: float = 500.0
    """thousands of reals in which p can climb from 0 to 1"""
    p_max: float = 0.9
    """upper bound of p, below 1, where D would see no real; the bound is ours"""

    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True

    def __post_init__(self) -> None:
        if not 0 <= self.p_max < 1 or self.speed_kimg <= 0:
            raise UserError(f"set p_max ({self.p_max}) from 0 to below 1, speed_kimg ({self.speed_kimg}) above 0.")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the loss is not the one that is spelt out here, or D's logits have no sign."""
        if not recipe.loss.logistic:
            raise UserError(
                f"regularizer {self.name!r} shows fakes as reals to the logistic loss, not to {recipe.loss.name!r}:"
                f" take --loss non_saturating, or drop it, {recipe.flag(self)} none."
            )
        self.check_signs(recipe, f"drop it, {recipe.flag(self)} none, or take another discriminator")

    def start(self, device: torch.device) -> State:
        return {"p": torch.zeros([], device=device)}

    def d_loss(self, duel: Duel) -> Tensor:
        duel.notes["apa/p"] = self.state["p"]
        return self.state["p"] * (F.softplus(-duel.on_fake.logits).mean() - F.softplus(-duel.on_real.logits).mean())

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        # Unlike the paper: at each step, by a step's worth, not at every fourth.
        if "signs/real" not in stats or "signs/fake" not in stats:
            return {}
        p = self.state["p"]
        shown = stats["signs/real"].lerp(stats["signs/fake"], p)
        step = (shown - self.target).sign() * stats["images"] / (1000 * self.speed_kimg)
        return {"p": (p + step).clamp(0, self.p_max)}
