"""Self-attention between the positions of feature maps (SAGAN, Zhang et al. 2019, arXiv 1805.08318, sec. 3)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ggdr.ops.precision import without_autocast

CHANNEL_REDUCTION = 8
"""Number of the maps' channels for each channel of queries, keys and values, as in the paper."""


class SelfAttention(nn.Module):
    """Self-attention: adds to each position a mixture of all others, whose weight gamma starts at zero (eq. 1 to 3)."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(channels // CHANNEL_REDUCTION, 1)
        self.query = nn.Conv2d(channels, inner, 1, bias=False)
        self.key = nn.Conv2d(channels, inner, 1, bias=False)
        self.value = nn.Conv2d(channels, inner, 1, bias=False)
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros([]))

    def forward(self, x: Tensor) -> Tensor:
        """Attend over x [N, C, H, W], and return the same shape; memory grows with the square of H * W."""
        query, key, value = (
            flatten_pixels(layer(x)) for layer in (self.query, self.key, self.value)
        )  # [N, H * W, C / 8]
        # written out, since torch's fused attention cannot be differentiated twice
        with without_autocast(x):  # it would make float32 of the products, which softmax computes in anyway
            share = torch.bmm(query, key.transpose(1, 2)).softmax(dim=2)  # [N, H * W, H * W], rows sum to 1
        mixed = torch.bmm(share, value).unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
        return x + self.gamma * self.out(mixed)


def flatten_pixels(x: Tensor) -> Tensor:
    """Reshape x [N, C, H, W] to [N, H * W, C], which is its order in memory where channels are last."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def nearest_resolution(wanted: int, resolutions: Iterable[int]) -> int:
    """Return the resolution of the network's maps nearest to the wanted one, pixels; 0 if none is wanted."""
    return min(resolutions, key=lambda resolution: abs(resolution - wanted)) if wanted else 0
