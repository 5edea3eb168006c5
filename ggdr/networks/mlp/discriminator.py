"""The discriminator of vectors: fully connected layers and leaky ReLUs (arXiv 1511.05644, 1802.10151)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.projection import patch_logits, with_label_planes
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.unet.heads import Heads
from ggdr.ops.activation import SLOPE


class MLPDiscriminator(Discriminator):
    """Maps vectors, images of 1 x 1 px, to logits; maps stay [N, K, 1, 1] between its layers."""

    def __init__(self, config: MLPDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        self.planes = spec.labels if config.labels == "concat" else 0
        self.layers = nn.ModuleList([DenseLayer(spec.channels + self.planes, config, (spec.height, spec.width))])
        self.layers.extend(DenseLayer(config.channels, config) for _ in range(config.layers - 1))
        self.out = nn.Conv2d(config.channels, 1, 1)
        projected = spec.labels if config.labels == "projection" else 0
        self.embed = nn.Linear(projected, config.channels, bias=False) if projected else None
        self.heads = Heads(config.channels, extra.heads, equalized=False)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map vectors [N, C, 1, 1] and labels [N, L] to logits [N, 1] float32, and what its heads say."""
        x = self.last_layer(image, labels)
        logits = patch_logits(self.out, self.embed, x, labels)
        return DiscriminatorOutput(logits, head_outputs=self.heads(x.flatten(1)))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, 1] float32, and no maps."""
        return self(image, labels).logits, {}

    def last_layer(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Return what the hidden layers make of vectors [N, C, 1, 1] and labels [N, L]: [N, channels, 1, 1]."""
        x = with_label_planes(image, labels, self.planes)
        for layer in self.layers:
            x = layer(x)
        return x

    def stages(self) -> list[nn.Module]:
        """Return the hidden layers, from the code on, and the layer of the logit."""
        return [*self.layers, self.out]


class DenseLayer(nn.Module):
    """A fully connected layer, as a convolution that sees all pixels at once; normalization and a leaky ReLU."""

    def __init__(self, in_channels: int, config: MLPDiscriminatorConfig, size: tuple[int, int] = (1, 1)):
        """Build the layer; `size`: height and width of what it reads, pixels."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, config.channels, size, bias=config.norm == "none")
        # no running statistics, as in DCGAN's
        self.norm = nn.BatchNorm2d(config.channels, track_running_stats=False) if config.norm == "batch" else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, channels, 1, 1]; UserError if one vector is to be its own batch's mean."""
        x = self.conv(x)
        if self.norm is not None and len(x) == 1:
            raise UserError(
                "discriminator 'mlp' normalizes over a batch, and is shown one vector at a time: set --micro-batch-size"
                " to 2 or more, or its norm to none."
            )
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
