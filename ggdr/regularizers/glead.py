"""GLeaD: the generator sets the discriminator a task, to give it what it can rebuild an image from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.duel import Duel
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import Brief, Head, Verdict
from ggdr.networks.size import ladder
from ggdr.registry import regularizers
from ggdr.term import Regularizer


@regularizers.register("glead", paper="2212.03752")
@dataclass(kw_only=True)
class GLeaD(Regularizer):
    """Generator-leading task: of D's maps and style code of an image, G, standing still, rebuilds it (Bai et al. 2023).

    D's decoder draws the maps, a head writes the code, and G's layers above these maps make an image of them; D lowers
    the squared error of pixels, of reals and of fakes, against the image as D saw it, augmented. It goes with GGDR.
    """

    # Unlike the paper: pixels alone, no perceptual distance, whose network must be fetched. The weight is ours.

    weight: float = 10.0
    """factor of the two mean squared errors"""
    sides: tuple[int, ...] = ()
    """heights (pixels) of the maps that D hands over, each rebuilt from alone; none: about 32, or a quarter"""
    needs: ClassVar = frozenset({"d_features", "real_features", "heads", "g_continues"})

    def reads(self) -> tuple[int, ...]:
        return self.sides

    def fit(self, brief: Brief, batch: int) -> str:
        """Choose a side if none is given."""
        if self.sides:
            return ""
        self.sides = (ladder(brief.height, brief.width).nearest(min(32, brief.height // 4)),)
        return f"sides {self.sides}, nearest to 32 px or to a quarter of a small image"

    def heads(self, brief: Brief) -> dict[str, Head]:
        return {"style": Head(brief.w_dim)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.error(duel, duel.on_real) + self.error(duel, duel.on_fake)

    def error(self, duel: Duel, verdict: Verdict) -> Tensor:
        """Mean squared error of the images rebuilt from what D says."""
        assert verdict.image is not None
        seen, style = verdict.image.detach(), verdict.answers["style"]
        rebuilt = [duel.continued(verdict.features[side], side, style) for side in self.sides]
        return torch.stack([(image - seen).square().mean() for image in rebuilt]).mean()
