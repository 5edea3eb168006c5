"""Spectral normalization: weights divided by their largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization

from ggdr.ops.precision import without_autocast

WARM_UP = 15
"""power iterations before the first pass; ours, since the paper's one a pass starts from random vectors"""


class Spectral(nn.Module):
    """A weight divided by its largest singular value, by one power iteration a pass in training (alg. 1).

    torch has one, which computes in autocast's precision and takes seconds to build large networks on the meta device;
    its state has the same names.
    """

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        matrix = weight.detach().flatten(1)
        for name, length in zip(("_u", "_v"), matrix.shape, strict=True):
            self.register_buffer(name, F.normalize(torch.randn(length), dim=0))
        if not weight.is_meta:
            self.approach(matrix, WARM_UP)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight [K, ...], normalised."""
        matrix = weight.flatten(1)
        with without_autocast(weight):
            if self.training:
                self.approach(matrix.detach(), 1)
            # copies, since later passes change the vectors before this one's gradient is taken
            return weight / torch.dot(self._u.clone(), torch.mv(matrix, self._v.clone()))

    @torch.no_grad()
    def approach(self, matrix: Tensor, times: int) -> None:
        """Turn both vectors towards the matrix's [K, D] first singular ones."""
        for _ in range(times):
            self._v.copy_(F.normalize(torch.mv(matrix.T, self._u), dim=0))
            self._u.copy_(F.normalize(torch.mv(matrix, self._v), dim=0))


def spectral(network: nn.Module, but: Collection[nn.Module] = ()) -> None:
    """Normalise all weights of convolutions and linear layers, `but` those of these.

    To be called once, when weights are initialised, and are not all zero.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear) and module not in but:
            register_parametrization(module, "weight", Spectral(module.weight))
