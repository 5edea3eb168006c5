"""A discriminator around another, its encoder: what they all hand on."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.networks.base import ExtraOutputs, ImageSpec, Reconstruction
from ggdr.networks.base.module import Discriminator, Network
from ggdr.networks.wrappers import WrapperConfig


class WrapperDiscriminator(Discriminator):
    """An encoder, and around it what a subclass adds in `forward`."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs, inner: ImageSpec):
        """`inner`: what the encoder is built for. UserError if the encoder gives no pyramid."""
        config.check()
        super().__init__(config, spec, extra)
        self.encoder = config.encoder.build(inner, extra)
        self.map_channels = self.encoder.map_channels

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Its logits, and the encoder's maps."""
        said = self(image, labels)
        return said.logits, said.maps

    def reconstruct(self, maps: dict[int, Tensor], image: Tensor) -> dict[str, Reconstruction]:
        """The encoder's pictures."""
        return self.encoder.reconstruct(maps, image)

    def set_kimg(self, kimg: float) -> None:
        """Tell the encoder how far the run is."""
        self.encoder.set_kimg(kimg)

    def grow(self, level: float) -> None:
        """Let the encoder play at a level."""
        self.encoder.grow(level)

    def unwrap(self) -> Network:
        """The encoder's."""
        return self.encoder.unwrap()

    def stages(self) -> list[nn.Module]:
        """The encoder's."""
        return self.encoder.stages()

    def clip(self, limit: float) -> None:
        """Clamp the encoder's weights: nothing else has a part in the logits."""
        self.encoder.clip(limit)
