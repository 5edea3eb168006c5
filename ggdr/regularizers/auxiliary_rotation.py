"""The self-supervision of SS-GAN: D also tells by how much an image was turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator
    from ggdr.recipe import Recipe


@regularizers.register("auxiliary_rotation", paper="1811.11212")
@dataclass(frozen=True, kw_only=True)
class AuxiliaryRotation(Regularizer):
    """Self-supervision by rotation: a head of D tells quarter turns; G is to make them tellable (Chen et al. 2019).

    Each image is turned once, by 0, 90, 180 or 270 degrees, all as likely: the paper's losses are the mean over all
    four, which this is on average.
    """

    alpha: float = 0.2
    """factor on G's turn, of the fakes' cross-entropy"""
    beta: float = 1.0
    """factor on D's turn, of the reals' cross-entropy"""
    requires: ClassVar = frozenset({Capability.HEADS})

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if the images are not square."""
        if spec.height != spec.width:
            raise UserError(
                f"auxiliary_rotation turns images by 90 degrees, which takes square ones; these have {spec.height} x"
                f" {spec.width} px: crop them by --data.size {min(spec.height, spec.width)}, or drop it:"
                " --regularizers.auxiliary_rotation none."
            )
        return self, ""

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError beside an augmentation that turns images once more."""
        if recipe.augment.turns:
            raise UserError(
                f"regularizer {self.name!r} has D tell by how much an image was turned, and augmentation"
                f" {recipe.augment.name!r} turns or mirrors it again: leave those transforms out (--augment.pipeline"
                f" integer_shift scale colour), or drop one of them: --augment none, or {recipe.flag(self)} none."
            )

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"rotation": Head(4)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.beta * self.confusion(duel, duel.real)

    def g_loss(self, duel: Duel) -> Tensor:
        return self.alpha * self.confusion(duel, duel.fake.image)

    def confusion(self, duel: Duel, image: Tensor) -> Tensor:
        """Cross-entropy of D's head on image [N, C, H, H], each turned by chance."""
        turns = torch.randint(4, (len(image),), device=image.device)
        return F.cross_entropy(duel.judge(turned(image, turns)).head_outputs["rotation"], turns)


def turned(image: Tensor, turns: Tensor) -> Tensor:
    """image [N, C, H, H], each turned left by its number [N] of quarter turns, 0 to 3."""
    every = torch.stack([image.rot90(k, (2, 3)) for k in range(4)])
    return every[turns, torch.arange(len(image), device=image.device)]
