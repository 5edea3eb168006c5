"""Normalization that mixes a sample's statistics of each channel with those of all its channels (arXiv 1907.10830)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ggdr.layers.norm import EPSILON
from ggdr.ops.moments import centre
from ggdr.ops.precision import at_least_float32_dtype, without_autocast

Shares = Literal["clipped", "softmax"]
"""How the two shares are kept positive and of sum 1: U-GAT-IT's one number, or NICE-GAN's softmax."""
STRONG, WEAK = 3.2, 1.0
"""First logits of the two shares: their softmax is 0.9 and 0.1."""


class MixedNorm(nn.Module):
    """A mixture of instance and layer normalization, by learned shares of each channel; a subclass scales and shifts.

    Variances are unbiased. The shares are rho and 1 - rho, where `clip_shares` keeps rho in [0, 1] after an update, as
    in U-GAT-IT, or a softmax over two numbers, which needs no clipping, as in NICE-GAN (Chen et al. 2020, arXiv
    2003.00273).
    """

    def __init__(self, channels: int, shares: Shares, *, first: tuple[float, ...]):
        """Build the layer; `first`: what the shares are at first: rho, or the two numbers."""
        super().__init__()
        self.clipped = shares == "clipped"
        self.shares = nn.Parameter(torch.tensor(first).repeat(channels, 1))

    def of_instance_and_layer(self) -> tuple[Tensor, Tensor]:
        """Return the shares of instance and of layer normalization, [C] each."""
        if self.clipped:
            return self.shares[:, 0], 1 - self.shares[:, 0]
        instance, layer = self.shares.softmax(dim=1).T
        return instance, layer

    def mix(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return scale * mixture(x) + shift, in the dtype of x [N, C, H, W]; scale and shift [N or 1, C, 1, 1]."""
        instance, layer = (each[None, :, None, None] for each in self.of_instance_and_layer())
        less, left, var = centre(x, (2, 3))
        with without_autocast(x):
            pixels = x.shape[2] * x.shape[3]
            mean = x.sum(dim=(2, 3), keepdim=True, dtype=at_least_float32_dtype(x)) / pixels
            middle = mean.mean(dim=1, keepdim=True)
            # of all channels: what lies within them, and between their means
            spread = (var + (mean - middle).square()).mean(dim=1, keepdim=True)
            own = instance * inverse_deviation(var, pixels)
            all_channels = layer * inverse_deviation(spread, pixels * x.shape[1])
            gain = scale * (own + all_channels)
            offset = shift + scale * all_channels * (mean - middle) - gain * left
            return less * gain.to(x.dtype) + offset.to(x.dtype)


class AdaLIN(MixedNorm):
    """Adaptive layer-instance normalization: scale and shift come from outside (Kim et al. 2020, eq. 1)."""

    def __init__(self, channels: int, shares: Shares):
        """Build the layer, nine tenths of which are instance normalization at first."""
        super().__init__(channels, shares, first=(0.9,) if shares == "clipped" else (STRONG, WEAK))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalize x [N, C, H, W] by its shares, then scale and shift its channels by [N, C]."""
        return self.mix(x, scale[:, :, None, None].float(), shift[:, :, None, None].float())


class InstanceLayerNorm2d(MixedNorm):
    """Layer-instance normalization with a scale and shift of each channel, mostly of the layer (Kim et al. 2020)."""

    def __init__(self, channels: int, shares: Shares):
        """Build the layer, which is layer normalization at first, or nine tenths of it by a softmax."""
        super().__init__(channels, shares, first=(0.0,) if shares == "clipped" else (WEAK, STRONG))
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x [N, C, H, W] by its shares, then scale and shift its channels."""
        return self.mix(x, self.weight[:, None, None], self.bias[:, None, None])


@torch.no_grad()
def clip_shares(network: nn.Module) -> None:
    """Bring shares that are kept so back into [0, 1], after an update of a network (Kim et al. 2020, eq. 2)."""
    for module in network.modules():
        if isinstance(module, MixedNorm) and module.clipped:
            module.shares.clamp_(0, 1)


def inverse_deviation(variance: Tensor, count: int) -> Tensor:
    """Return one over the standard deviation, without bias, of a biased variance over `count` numbers."""
    return (variance * (count / max(count - 1, 1)) + EPSILON).rsqrt()
