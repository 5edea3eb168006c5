"""Class activation maps: what a linear classifier of pooled maps looks at (arXiv 1512.04150, 1907.10830 sec. 2.1.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized

from ggdr.layers.spectral import apply_spectral_norm
from ggdr.ops.activation import SLOPE
from ggdr.ops.precision import at_least_float32, without_autocast


class Attention(nn.Module):
    """Weighs maps by the weights of two classifiers, of their means and of their maxima, and mixes both (U-GAT-IT).

    The weights are bare where they weigh, also where those that judge are spectrally normalized.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.of_mean = nn.Linear(channels, 1, bias=False)
        self.of_maximum = nn.Linear(channels, 1, bias=False)
        self.conv = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps of the shape of x [N, C, H, W], and the logits of both classifiers [N, 2] float32."""
        with without_autocast(x):
            mean, maximum = pooled(x)
            logits = torch.cat([self.of_mean(mean), self.of_maximum(maximum)], dim=1)
        weights = torch.cat([bare_weight(self.of_mean), bare_weight(self.of_maximum)], dim=1)
        return self.conv(weighed(x, weights)), logits


class ResidualAttention(nn.Module):
    """Weighs maps by a classifier's weights, and adds what it makes of them by a share that starts at zero.

    The classifier sees the mean and the maximum of each map; its weight is spectrally normalized where it judges, and
    bare where it weighs, as in the published NICE-GAN (Chen et al. 2020, arXiv 2003.00273, sec. 3.3).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.judge = nn.Linear(2 * channels, 1, bias=False)
        self.conv = nn.Conv2d(2 * channels, channels, 1)
        self.share = nn.Parameter(torch.zeros(1))
        apply_spectral_norm(self, exclude=[self.conv])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps of the shape of x [N, C, H, W], after a leaky ReLU, and the classifier's logits [N, 1]."""
        with without_autocast(x):
            logits = self.judge(torch.cat(pooled(x), dim=1))
        seen = self.conv(weighed(x, bare_weight(self.judge)))
        return F.leaky_relu(x + self.share.to(x.dtype) * seen, SLOPE), logits


def pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the maximum of each map of x [N, C, H, W]: [N, C] each, float32."""
    return at_least_float32(x.mean(dim=(2, 3))), at_least_float32(x.amax(dim=(2, 3)))


def weighed(x: Tensor, weights: Tensor) -> Tensor:
    """Return maps x [N, C, H, W] twice, times a classifier's weights [1, 2 C]: [N, 2 C, H, W]."""
    return torch.cat([x, x], dim=1) * weights.flatten()[:, None, None].to(x.dtype)


def bare_weight(layer: nn.Linear) -> Tensor:
    """Return a layer's weight as it is before spectral normalization."""
    return layer.get_parameter("parametrizations.weight.original") if is_parametrized(layer, "weight") else layer.weight
