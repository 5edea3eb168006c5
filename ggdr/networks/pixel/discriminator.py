"""The PixelGAN discriminator: three 1x1 convolutions (arXiv 1611.07004, app. 6.1.2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import InstanceNorm2d
from ggdr.layers.projection import patch_logits
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.pixel import PixelDiscriminatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last


class PixelDiscriminator(Discriminator):
    """Maps images to logits of their pixels."""

    def __init__(self, config: PixelDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        width = 2 * config.channels
        self.conv0 = nn.Conv2d(spec.channels, config.channels, 1)
        self.conv1 = nn.Conv2d(config.channels, width, 1, bias=config.norm != "batch")
        self.norm: nn.Module | None = None
        if config.norm == "batch":  # no running statistics, as in DCGAN's
            self.norm = nn.BatchNorm2d(width, track_running_stats=False)
        elif config.norm == "instance":
            self.norm = InstanceNorm2d()
        self.out = nn.Conv2d(width, 1, 1, bias=config.norm != "batch")
        self.embed = nn.Linear(spec.labels, width, bias=False) if spec.labels else None
        initialise(self)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N, H * W], which `pixel_logits` has as a map;
        it draws no `resolutions`."""
        logits, _ = self.pyramid(image, labels)
        return DiscriminatorOutput(logits, pixel_logits=logits.view(-1, 1, *image.shape[2:]))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, H * W] float32, and no maps."""
        x = F.leaky_relu(self.conv0(channels_last(image)), SLOPE)
        x = self.conv1(x)
        x = F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
        return patch_logits(self.out, self.embed, x, labels), {}

    def stages(self) -> list[nn.Module]:
        """Return its three convolutions."""
        return [self.conv0, self.conv1, self.out]
