"""The contrastive discriminator of ContraD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import Head, ImageSpec
from ggdr.ops.contrast import nt_xent, supervised_contrastive
from ggdr.ops.views import simclr_view
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import Capability, losses

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator
    from ggdr.recipe import Recipe


@losses.register("contrad", paper="2103.09742")
@dataclass(frozen=True, kw_only=True)
class ContraD(Loss):
    """Contrastive discriminator: D learns to represent; a head that cannot change it judges (Jeong & Shin 2021).

    Reals: SimCLR's loss of two views. Fakes: all are one class against the reals' views. On what D thus sees, without
    a gradient into it, a head learns the non-saturating loss, and G plays against that head. D's own logit learns
    nothing and means nothing; `scores/real` and `scores/fake` tell the head's. Contrasts are within the micro-batch;
    views stand in for an augmentation: leave the recipe's out.
    """

    fake_weight: float = 1.0
    """lambda_con, of the fakes' contrastive loss"""
    logit_weight: float = 1.0
    """lambda_dis, of the head's loss"""
    temperature: float = 0.1
    """temperature of the contrasts: lower, more weight to the nearest"""
    width: int = 128
    """numbers of a code that is contrasted"""
    hidden: int = 512
    """width of each head's layer between"""
    flip: bool = True
    """mirror every other view; not for images that have a side, such as digits"""
    requires: ClassVar = frozenset({Capability.HEADS})
    undecided: ClassVar = None
    ranks: ClassVar = False
    least: ClassVar = 2

    def __post_init__(self) -> None:
        above_zero(self, "temperature", "width", "hidden")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError beside an augmentation, or a term that reads the logit which learns nothing here."""
        if recipe.augment.acts:
            raise UserError(
                f"loss 'contrad' shows D views of images, which stand in for an augmentation; {recipe.augment.name!r}"
                " would change them once more: drop it, --augment none, or take another loss, --loss non_saturating."
            )
        for term in recipe.regularizers.values():
            if term.reads_logits:
                raise UserError(
                    f"regularizer {term.name!r} reads D's own logit, which learns nothing under loss 'contrad', whose"
                    f" heads judge: drop it, {recipe.flag(term)} none, or take another loss, --loss non_saturating."
                )

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        code = Head(self.width, self.hidden)
        return {"contrast": code, "contrast_fake": code, "logit": Head(1, self.hidden, detached=True)}

    def d_loss(self, duel: Duel) -> Tensor:
        first, second, fake = (self.seen(duel, image) for image in (duel.real, duel.real, duel.fake.image))
        real = {name: torch.cat([first[name], second[name]]) for name in first}
        contrast = nt_xent(first["contrast"], second["contrast"], self.temperature)
        apart = supervised_contrastive(fake["contrast_fake"], real["contrast_fake"], self.temperature)
        judged = F.softplus(-real["logit"]).mean() + F.softplus(fake["logit"]).mean()
        duel.notes |= {"scores/real": real["logit"].detach().mean(), "scores/fake": fake["logit"].detach().mean()}
        return contrast + self.fake_weight * apart + self.logit_weight * judged

    def g_loss(self, duel: Duel) -> Tensor:
        return F.softplus(-self.seen(duel, duel.fake.image)["logit"]).mean()

    def seen(self, duel: Duel, image: Tensor) -> dict[str, Tensor]:
        """What D's heads say of a view of image [N, C, H, W]."""
        return duel.judge(simclr_view(image, self.flip)).head_outputs
