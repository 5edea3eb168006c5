"""Mutual information between codes and images: D tells the code that a fake was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("mutual_information", paper="1606.03657")
@dataclass(frozen=True, kw_only=True)
class MutualInformation(Regularizer):
    """InfoGAN: a head of D tells the categories and uniform numbers of a fake's code (Chen et al. 2016, eq. 5 and 6).

    Both players want it right: the head, Q, which shares all but its last layers with D, learns on D's turn. What it
    lowers is minus a bound of the mutual information: cross entropy of categories, half the squared error of uniform
    numbers (a Gaussian of variance 1). The codes are those of generator `from_prior`.
    """

    uniform_weight: float = 0.1
    """factor of uniform numbers beside categories; the paper's lambda of continuous codes is below 1 (sec. 6)"""
    hidden: int = 128
    """width of the head's layer between D's maps and its answer, as in the paper (appendix C.1); 0: none"""
    requires: ClassVar = frozenset({Capability.HEADS, Capability.PRIOR})

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        prior = generator.prior()
        if not prior.explained:
            raise UserError(
                f"regularizer {self.name!r} tells categories and uniform numbers of codes, and prior {prior.name!r} has"
                " none: take --generator.prior structured."
            )
        return {"codes": Head(prior.explained, hidden=self.hidden)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.surprise(duel)

    def g_loss(self, duel: Duel) -> Tensor:
        return self.surprise(duel)

    def surprise(self, duel: Duel) -> Tensor:
        """Minus the log likelihood of the fakes' codes by what the head says of them, but for constants."""
        prior = duel.G.prior()
        said = prior.parts(duel.on_fake.head_outputs["codes"])
        true = prior.parts(duel.G.codes(duel.z, duel.labels))
        told = [F.cross_entropy(each, code) for each, code in zip(said.categories, true.categories, strict=True)]
        if true.uniform.shape[1]:
            told.append(self.uniform_weight * (said.uniform - true.uniform).square().sum(dim=1).mean() / 2)
        return torch.stack(told).sum()
