"""Discriminators whose encoder knows no labels: they join the image as channels (arXiv 1411.1784), or are ignored."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.layers.projection import require_labels
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.wrappers import WrapperConfig
from ggdr.networks.wrappers.discriminator import WrapperDiscriminator


class UnlabelledWrapper(WrapperDiscriminator):
    """An encoder that was built for no labels, and for `planes` channels beside the image's."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs, planes: int):
        super().__init__(config, spec, extra, spec._replace(labels=0, channels=spec.channels + planes))

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """image [N, C, H, W] in [-1, 1] and labels [N, L] to what the encoder says of what it is shown of them."""
        return self.encoder(self.shown(image, labels), resolutions=resolutions)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """What the encoder sees of image [N, C, H, W] and labels [N, L]: [N, C + planes, H, W]."""
        raise NotImplementedError


class ConcatDiscriminator(UnlabelledWrapper):
    """Each label is a plane beside the image's channels."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, planes=spec.labels)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Image and planes [N, C + L, H, W]; UserError if labels are missing."""
        if not self.spec.labels:
            return image
        planes = require_labels(labels, self.spec.labels).to(image.dtype)[:, :, None, None]
        return torch.cat([image, planes.expand(-1, -1, *image.shape[2:])], dim=1)


class UnconditionalDiscriminator(UnlabelledWrapper):
    """The image alone."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, planes=0)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """The image."""
        return image
