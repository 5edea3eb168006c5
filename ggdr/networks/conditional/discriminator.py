"""Discriminators whose encoder knows no labels: they join the image as channels (arXiv 1411.1784), or are ignored."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr import network
from ggdr.layers.projection import needed
from ggdr.networks.base import Brief
from ggdr.networks.conditional import Around


class Wrapped(network.Discriminator):
    """An encoder that was built for no labels, and for `extra` channels beside the image's."""

    def __init__(self, config: Around, brief: Brief, extra: int):
        super().__init__(config, brief)
        self.encoder = config.encoder.build(brief._replace(labels=0, channels=brief.channels + extra))
        self.map_channels = self.encoder.map_channels

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """The encoder's logits and maps."""
        return self.encoder.pyramid(self.shown(image, labels))

    def core(self) -> network.Network:
        """The encoder's."""
        return self.encoder.core()

    def stages(self) -> list[nn.Module]:
        """The encoder's."""
        return self.encoder.stages()

    def clip(self, limit: float) -> None:
        """Clamp the encoder's weights."""
        self.encoder.clip(limit)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """What the encoder sees of image [N, C, H, W] and labels [N, L]: [N, C + extra, H, W]."""
        raise NotImplementedError


class ConcatDiscriminator(Wrapped):
    """Each label is a plane beside the image's channels."""

    def __init__(self, config: Around, brief: Brief):
        super().__init__(config, brief, extra=brief.labels)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Image and planes [N, C + L, H, W]; ValueError if labels are missing."""
        if not self.brief.labels:
            return image
        planes = needed(labels, self.brief.labels).to(image.dtype)[:, :, None, None]
        return torch.cat([image, planes.expand(-1, -1, *image.shape[2:])], dim=1)


class BlindDiscriminator(Wrapped):
    """The image alone."""

    def __init__(self, config: Around, brief: Brief):
        super().__init__(config, brief, extra=0)

    def shown(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """The image."""
        return image
