"""GLeaD: the generator sets the discriminator a task, to give it what it can rebuild an image from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorOutput, Head, ImageSpec
from ggdr.networks.size import pyramid_of
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("glead", paper="2212.03752")
@dataclass(frozen=True, kw_only=True)
class GLeaD(Regularizer):
    """Generator-leading task: of D's maps and style code of an image, G, standing still, rebuilds it (Bai et al. 2023).

    D's decoder draws the maps, a head writes the code, and G's layers above these maps make an image of them; D lowers
    the squared error of pixels, of reals and of fakes, against the image as D saw it, augmented. It goes with GGDR.
    """

    # Unlike the paper: pixels alone, no perceptual distance, whose network must be fetched. The weight is ours.

    weight: float = 10.0
    """factor of the two mean squared errors"""
    resolutions: tuple[int, ...] = ()
    """heights (pixels) of the maps that D hands over, each rebuilt from alone; none: about 32, or a quarter"""
    requires: ClassVar = frozenset(
        {Capability.D_FEATURES, Capability.REAL_FEATURES, Capability.HEADS, Capability.FORWARD_FROM}
    )

    def feature_resolutions(self) -> tuple[int, ...]:
        return self.resolutions

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """Choose a side if none is given."""
        if self.resolutions:
            return self, ""
        chosen = (pyramid_of(spec.height, spec.width).nearest(min(32, spec.height // 4)),)
        return replace(
            self, resolutions=chosen
        ), f"resolutions {chosen}, nearest to 32 px or to a quarter of a small image"

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"style": Head(generator.w_dim)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.error(duel, duel.on_real) + self.error(duel, duel.on_fake)

    def error(self, duel: Duel, output: DiscriminatorOutput) -> Tensor:
        """Mean squared error of the images rebuilt from what D says."""
        assert output.image is not None
        seen, style = output.image.detach(), output.head_outputs["style"]
        rebuilt = [duel.forward_from(output.features[resolution], resolution, style) for resolution in self.resolutions]
        return torch.stack([(image - seen).square().mean() for image in rebuilt]).mean()
