"""A discriminator around another, its encoder: what they all hand on."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr import network
from ggdr.networks.around import Around
from ggdr.networks.base import Brief, Redrawn


class Discriminator(network.Discriminator):
    """An encoder, and around it what a subclass adds in `forward`."""

    def __init__(self, config: Around, brief: Brief, inner: Brief):
        """`inner`: what the encoder is built for. ValueError if the encoder gives no pyramid."""
        config.check()
        super().__init__(config, brief)
        self.encoder = config.encoder.build(inner)
        self.map_channels = self.encoder.map_channels

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Its logits, and the encoder's maps."""
        said = self(image, labels)
        return said.logits, said.maps

    def redraw(self, maps: dict[int, Tensor], image: Tensor) -> dict[str, Redrawn]:
        """The encoder's pictures."""
        return self.encoder.redraw(maps, image)

    def reach(self, level: Tensor) -> None:
        """Let the encoder draw this many bits."""
        self.encoder.reach(level)

    def grow(self, level: float) -> None:
        """Let the encoder play at a level."""
        self.encoder.grow(level)

    def core(self) -> network.Network:
        """The encoder's."""
        return self.encoder.core()

    def stages(self) -> list[nn.Module]:
        """The encoder's."""
        return self.encoder.stages()

    def clip(self, limit: float) -> None:
        """Clamp the encoder's weights: nothing else has a part in the logits."""
        self.encoder.clip(limit)
