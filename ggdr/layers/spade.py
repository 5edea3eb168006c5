"""Spatially adaptive normalization: a map scales and shifts what is normalized at each place (arXiv 1903.07291)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d, InstanceNorm2d
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last

Norm = Literal["batch", "instance"]


class SPADE(nn.Module):
    """Normalization without weights, whose scale and shift at each place are read from a map (Park et al. 2019, eq. 1).

    That map, the condition, goes through one layer first; two more say the scale, as what is added to 1, and the
    shift (fig. 10 of the paper).
    """

    def __init__(self, channels: int, conditions: int, hidden: int, norm: Norm):
        """Build the layer; `conditions`: channels of the condition, `hidden`: of the layer that reads it."""
        super().__init__()
        self.norm: nn.Module = BatchNorm2d(channels, affine=False) if norm == "batch" else InstanceNorm2d()
        self.shared = nn.Conv2d(conditions, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalize x [N, channels, h, w], then scale and shift each place by condition [N, conditions, h, w]."""
        hidden = F.relu(channels_last(self.shared(condition)))
        scale, shift = (layer(hidden).to(x.dtype) for layer in (self.scale, self.shift))
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class SPADEBlock(nn.Module):
    """Residual block: spatially adaptive normalization, leaky ReLU and convolution, twice (Park et al. 2019, fig. 4).

    Where the number of channels changes, the shortcut is normalized so too, and a 1x1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, conditions: int, hidden: int, norm: Norm):
        """Build the block; `conditions` and `hidden` are those of its normalizations."""
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm0, self.norm1 = (SPADE(each, conditions, hidden, norm) for each in (in_channels, middle))
        self.conv0 = nn.Conv2d(in_channels, middle, 3, padding=1)
        self.conv1 = nn.Conv2d(middle, out_channels, 3, padding=1)
        self.norm_skip: nn.Module | None = None
        self.skip: nn.Conv2d | None = None
        if in_channels != out_channels:
            self.norm_skip = SPADE(in_channels, conditions, hidden, norm)
            self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    @property
    def convolutions(self) -> list[nn.Conv2d]:
        """Return the convolutions of its maps, without those that read the condition."""
        return [self.conv0, self.conv1, *([] if self.skip is None else [self.skip])]

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, in_channels, h, w] under condition [N, conditions, h, w] to [N, out_channels, h, w]."""
        y = channels_last(self.conv0(F.leaky_relu(self.norm0(x, condition), SLOPE)))
        y = channels_last(self.conv1(F.leaky_relu(self.norm1(y, condition), SLOPE)))
        if self.norm_skip is None or self.skip is None:
            return x + y
        return channels_last(self.skip(self.norm_skip(x, condition))) + y
