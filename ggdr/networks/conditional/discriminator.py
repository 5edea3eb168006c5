"""Discriminators whose encoder takes no labels: they join the image as channels (arXiv 1411.1784), or are ignored."""

from __future__ import annotations

from torch import Tensor

from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.wrappers import WrapperConfig
from ggdr.networks.wrappers.discriminator import WrapperDiscriminator


class UnlabelledWrapper(WrapperDiscriminator):
    """A wrapper whose encoder is built without labels, and with `extra` channels beside the image's."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs, planes: int):
        super().__init__(config, spec, extra, spec._replace(labels=0, channels=spec.channels + planes))

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Return the encoder's output for image [N, C, H, W] in [-1, 1] and labels [N, L]."""
        return self.encoder(self.encoder_input(image, labels), resolutions=resolutions)

    def encoder_input(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Return the encoder's input for image [N, C, H, W] and labels [N, L]: [N, C + extra, H, W]."""
        raise NotImplementedError


class ConcatDiscriminator(UnlabelledWrapper):
    """A wrapper that appends each label as a plane to the image's channels."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, planes=spec.labels)

    def encoder_input(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Concatenate image and label planes to [N, C + L, H, W]; UserError if labels are missing."""
        return with_label_planes(image, labels, self.spec.labels)


class UnconditionalDiscriminator(UnlabelledWrapper):
    """A wrapper that shows its encoder the image alone."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, planes=0)

    def encoder_input(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Return the image without its labels."""
        return image
