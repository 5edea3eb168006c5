"""The contrastive discriminator of ContraD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.checks import above_zero
from ggdr.duel import Duel
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import Brief, Head
from ggdr.ops.contrast import nt_xent, one_class
from ggdr.ops.views import view
from ggdr.registry import losses
from ggdr.term import Loss


@losses.register("contrad", paper="2103.09742")
@dataclass(kw_only=True)
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
    """of the contrasts: lower, more weight to the nearest"""
    width: int = 128
    """numbers of a code that is contrasted"""
    hidden: int = 512
    """width of each head's layer between"""
    flip: bool = True
    """mirror every other view; not for images that have a side, such as digits"""
    needs: ClassVar = frozenset({"heads"})

    def __post_init__(self) -> None:
        above_zero(self, "temperature", "width", "hidden")

    def heads(self, brief: Brief) -> dict[str, Head]:
        code = Head(self.width, self.hidden)
        return {"contrast": code, "contrast_fake": code, "logit": Head(1, self.hidden, detached=True)}

    def d_loss(self, duel: Duel) -> Tensor:
        first, second, fake = (self.seen(duel, image) for image in (duel.real, duel.real, duel.fake.image))
        real = {name: torch.cat([first[name], second[name]]) for name in first}
        contrast = nt_xent(first["contrast"], second["contrast"], self.temperature)
        apart = one_class(fake["contrast_fake"], real["contrast_fake"], self.temperature)
        judged = F.softplus(-real["logit"]).mean() + F.softplus(fake["logit"]).mean()
        duel.notes |= {"scores/real": real["logit"].detach().mean(), "scores/fake": fake["logit"].detach().mean()}
        return contrast + self.fake_weight * apart + self.logit_weight * judged

    def g_loss(self, duel: Duel) -> Tensor:
        return F.softplus(-self.seen(duel, duel.fake.image)["logit"]).mean()

    def seen(self, duel: Duel, image: Tensor) -> dict[str, Tensor]:
        """What D's heads say of a view of image [N, C, H, W]."""
        return duel.judge(view(image, self.flip)).answers
