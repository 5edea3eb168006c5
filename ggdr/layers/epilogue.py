"""The end of the discriminators of Progressive GAN and its successors: last maps to one logit (arXiv 1710.10196)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.layers.minibatch import minibatch_stddev
from ggdr.ops.precision import at_least_float32, without_autocast


class Epilogue(nn.Module):
    """Maps the base resolution to one logit, or to its product with the label's embedding (arXiv 1802.05637)."""

    def __init__(
        self,
        width: int,
        size: tuple[int, int],
        labels: int,
        *,
        in_channels: int | None = None,
        group: int | None = None,
        extra: int = 1,
        clamp: float | None = None,
        fromrgb: nn.Module | None = None,
    ):
        """Build layers of `width` channels for maps of `size` (height, width), pixels.

        `in_channels`: channels of the maps; None: `width`. `group`, `extra`: see `minibatch_stddev`; 0 extra for none.
        `clamp`: bound of the convolution's result. `fromrgb`: takes in an image of `size` beside the maps.
        """
        super().__init__()
        self.fromrgb = fromrgb
        self.group, self.extra = group, extra
        self.conv = EqualizedConv2d((in_channels or width) + extra, width, 3, activation="lrelu", clamp=clamp)
        self.fc = EqualizedLinear(width * size[0] * size[1], width, activation="lrelu")
        self.out = EqualizedLinear(width, width if labels else 1)

    def forward(self, x: Tensor, condition: Tensor | None, image: Tensor | None = None) -> Tensor:
        """Return logits [N] float32 of x [N, C, h, w] and condition [N, C] (None: no labels), with `image` if it has
        `fromrgb`."""
        code = self.code(x, image)
        with without_autocast(code):
            logits = self.out(code)
        if condition is None:
            return logits.squeeze(1)
        return (logits * condition).sum(dim=1) / math.sqrt(condition.shape[1])

    def code(self, x: Tensor, image: Tensor | None = None) -> Tensor:
        """Return what the last layer reads, [N, width] float32."""
        x = x if self.fromrgb is None else x + self.fromrgb(image)
        with without_autocast(x):  # logits differ by less than low precision has digits for
            x = at_least_float32(x)
            x = minibatch_stddev(x, self.group, self.extra) if self.extra else x
            return self.fc(self.conv(x).flatten(1))

    def direction(self, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what a code is multiplied by and what is added: [width] and [], or [N, width] and [N] with labels."""
        with without_autocast(self.out.weight):
            matrix, bias = self.out.matrix(), self.out.bias * self.out.bias_gain
            if condition is None:
                return matrix[0], bias[0]
            condition = condition / math.sqrt(condition.shape[1])
            return condition @ matrix, condition @ bias
