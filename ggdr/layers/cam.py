"""Class activation maps: what a linear classifier of pooled maps looks at (arXiv 1512.04150, 1907.10830 sec. 2.1.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.spectral import apply_spectral_norm
from ggdr.ops.activation import SLOPE
from ggdr.ops.precision import at_least_float32, without_autocast


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
            pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
            logits = self.judge(at_least_float32(pooled))
        weights = self.judge.get_parameter("parametrizations.weight.original").flatten()[:, None, None]
        seen = self.conv(torch.cat([x, x], dim=1) * weights.to(x.dtype))
        return F.leaky_relu(x + self.share.to(x.dtype) * seen, SLOPE), logits
