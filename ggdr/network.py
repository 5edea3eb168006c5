"""The two base classes of networks: what they take, hand over, and how they are saved."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.equalized import clip_weights
from ggdr.networks.base import Brief, DiscriminatorConfig, GeneratorConfig, Sample, Verdict


class Network(nn.Module):
    """A network that knows the settings and the brief it was built from."""

    def __init__(self, config: GeneratorConfig | DiscriminatorConfig, brief: Brief):
        super().__init__()
        self.config, self.brief = config, brief


class Generator(Network):
    """Noise to images. A subclass sets `z_dim` and, if its config gives "g_features", `feature_channels`."""

    z_dim: int
    """width of the latent code"""
    feature_channels: dict[int, int] = {}
    """side (height in pixels) -> channels of the feature maps it can hand over"""

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] (None: unconditional) to images, and the feature maps of `sides`."""
        raise NotImplementedError

    def measure(self) -> dict[str, Tensor]:
        """Means of what it saw since the last call, for `after_step`; averaged over all micro-batches and processes."""
        return {}

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Take in the step's means (its own from `measure` among them), the same on every process."""


class Discriminator(Network):
    """Images to logits. One whose config gives "pyramid" writes `pyramid` and sets `map_channels`."""

    map_channels: dict[int, int] = {}
    """side (height in pixels) -> channels of its encoder's maps, smallest side to half of the image"""

    def forward(self, image: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Verdict:
        """image [N, C, H, W] in [-1, 1] to logits; `sides`: the feature maps its decoder is to draw, if it has one."""
        raise NotImplementedError

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Logits, and the encoder's maps: side r -> [N, map_channels[r], r, r * W / H]."""
        raise NotImplementedError

    def clip(self, limit: float) -> None:
        """Clamp the weights that make its logits to +-limit, as its layers use them (Wasserstein GAN)."""
        clip_weights(self, limit)
