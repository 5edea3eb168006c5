"""The CutMix consistency of U-Net GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, not_negative
from ggdr.lazy import Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.regularizers.per_pixel import pixel_logits
from ggdr.schedules.intervals import ramp

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("cutmix", paper="2002.12655")
@dataclass(frozen=True, kw_only=True)
class CutMix(Regularizer):
    """CutMix consistency: pixels of a real patched with a fake are judged as in both (Schönfeld et al. 2020, eq. 8).

    Each image joins by chance. It goes with `per_pixel`, from which D learns to judge pixels, and without augmentations
    that move them: these are drawn again at each judgement.
    """

    weight: float = 1.0
    """lambda"""
    p: float = 0.5
    """probability that an image is mixed, 0 to 1"""
    ramp_kimg: float = 0.0
    """how long the probability takes from 0 to `p`, kimg"""
    requires: ClassVar = frozenset({Capability.PIXEL_LOGITS})

    def __post_init__(self) -> None:
        not_negative(self, "p", "ramp_kimg")
        if self.p > 1:
            raise UserError(f"p is {self.p}; give a probability from 0 to 1.")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError beside an augmentation that moves pixels, or without a term by which D learns to judge them."""
        if recipe.augment.moves:
            raise UserError(
                f"regularizer {self.name!r} compares D's logit of each pixel with that of the same place, and"
                f" augmentation {recipe.augment.name!r} moves pixels by chance: take one that does not (such as"
                f" --augment diffaug --augment.policy colour cutout), or drop it: {recipe.flag(self)} none."
            )
        if not any(Capability.PIXEL_LOSS in term.provides for term in recipe.regularizers.values()):
            raise UserError(
                f"regularizer {self.name!r} reads D's logit of each pixel, which no loss trains: add"
                f" --regularizers.per_pixel per_pixel, or drop it: {recipe.flag(self)} none."
            )

    def d_loss(self, duel: Duel) -> Tensor:
        real, fake = duel.real, duel.fake.image
        mask = patches(real)
        mixed = torch.where(mask, real, fake).detach()
        wanted = torch.where(mask, pixel_logits(duel.on_real).sigmoid(), pixel_logits(duel.on_fake).sigmoid())
        off = (pixel_logits(duel.judge(mixed)).sigmoid() - wanted).square().mean(dim=(1, 2, 3))
        chance = self.p * ramp(duel.context.kimg, 0.0, self.ramp_kimg)
        return (off * (torch.rand_like(off) < chance)).mean()


def patches(image: Tensor) -> Tensor:
    """Masks [N, 1, H, W] for image [N, C, H, W], true where it stays, false in a rectangle of its shape.

    The rectangle's centre is uniform over the image, its area before it is cut off at the border a share of the
    image's that is uniform in [0, 1]: CutMix (arXiv 1905.04899, eq. 2).
    """
    n, _, height, width = image.shape
    share, y, x = torch.rand(3, n, 1, 1, 1, device=image.device).unbind(0)
    half = share.sqrt() / 2
    rows, columns = (((torch.arange(size, device=image.device) + 0.5) / size) for size in (height, width))
    inside = ((rows[:, None] - y).abs() < half) & ((columns - x).abs() < half)
    return ~inside
