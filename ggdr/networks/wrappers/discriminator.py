"""The base of discriminators that wrap another one, their encoder: what they all pass on."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec, Reconstruction
from ggdr.networks.base.module import Discriminator, Network
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability


class WrapperDiscriminator(Discriminator):
    """An encoder, to which a subclass adds something in `forward`."""

    def __init__(self, config: WrapperConfig, spec: ImageSpec, extra: ExtraOutputs, inner: ImageSpec):
        """Build the encoder for `inner`; UserError if it provides no pyramid."""
        config.check()
        super().__init__(config, spec, extra)
        self.encoder = config.encoder.build(inner, extra)
        self.map_channels = self.encoder.map_channels
        if Capability.ENCODE in config.provides:
            self.code_spec, self.size_divisor = self.encoder.code_spec, self.encoder.size_divisor

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return this network's logits, and the encoder's maps."""
        said = self(image, labels)
        return said.logits, said.maps

    def encode(self, images: Tensor) -> Tensor:
        """Return the encoder's codes."""
        return self.encoder.encode(images)

    def reconstruct(self, maps: dict[int, Tensor], image: Tensor) -> dict[str, Reconstruction]:
        """Return the encoder's reconstructions."""
        return self.encoder.reconstruct(maps, image)

    def class_logits(self, said: DiscriminatorOutput) -> Tensor:
        """Return the encoder's logits of pixels."""
        return self.encoder.class_logits(said)

    def answers(self, said: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what the encoder's heads say of each token."""
        return self.encoder.answers(said)

    def set_kimg(self, kimg: float) -> None:
        """Tell the encoder how far the run is."""
        self.encoder.set_kimg(kimg)

    def resting(self, kimg: float) -> list[nn.Parameter]:
        """Return the encoder's weights that learn nothing at this time."""
        return self.encoder.resting(kimg)

    def grow(self, level: float) -> None:
        """Let the encoder grow to a level."""
        self.encoder.grow(level)

    def unwrap(self) -> Network:
        """Return the network inside of the encoder."""
        return self.encoder.unwrap()

    def stages(self) -> list[nn.Module]:
        """Return the encoder's stages."""
        return self.encoder.stages()

    def clip(self, limit: float) -> None:
        """Clamp the encoder's weights: nothing else contributes to the logits."""
        self.encoder.clip(limit)
