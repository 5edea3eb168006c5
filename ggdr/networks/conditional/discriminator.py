"""Discriminators whose encoder knows no labels: they join the image as channels (arXiv 1411.1784), or are ignored."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.layers.projection import needed
from ggdr.networks.around import Around
from ggdr.networks.around.discriminator import Discriminator
from ggdr.networks.base import Brief, Verdict


class Unlabelled(Discriminator):
    """An encoder that was built for no labels, and for `extra` channels beside the image's."""

    def __init__(self, config: Around, brief: Brief, extra: int):
        super().__init__(config, brief, brief._replace(labels=0, channels=brief.channels + extra))

    def forward(self, image: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Verdict:
        """image [N, C, H, W] in [-1, 1] and labels [N, L] to what the encoder says of what it is shown of them."""
        return self.encoder(self.shown(image, labels), sides=sides)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """What the encoder sees of image [N, C, H, W] and labels [N, L]: [N, C + extra, H, W]."""
        raise NotImplementedError


class ConcatDiscriminator(Unlabelled):
    """Each label is a plane beside the image's channels."""

    def __init__(self, config: Around, brief: Brief):
        super().__init__(config, brief, extra=brief.labels)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Image and planes [N, C + L, H, W]; ValueError if labels are missing."""
        if not self.brief.labels:
            return image
        planes = needed(labels, self.brief.labels).to(image.dtype)[:, :, None, None]
        return torch.cat([image, planes.expand(-1, -1, *image.shape[2:])], dim=1)


class BlindDiscriminator(Unlabelled):
    """The image alone."""

    def __init__(self, config: Around, brief: Brief):
        super().__init__(config, brief, extra=0)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """The image."""
        return image
