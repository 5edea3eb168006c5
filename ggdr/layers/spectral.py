"""Spectral normalization: weights divided by their largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import ParametrizationList, register_parametrization

from ggdr.ops.precision import without_autocast

WARM_UP = 15
"""Number of power iterations on new weights; ours, since the paper's one per step starts from random vectors."""


class SpectralNorm(nn.Module):
    """A parametrization that divides a weight by its largest singular value, tracked by power iteration (alg. 1).

    It takes one iteration after each update (`update_spectral_norms`), so that all passes of an update, its
    micro-batches and processes share one norm; or, with `each_pass`, one in each pass in training, as torch's own does.
    Torch's computes in autocast's precision and takes seconds to build large networks on the meta device; the state has
    the same names.
    """

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        self.each_pass = False
        matrix = weight.detach().flatten(1)
        for name, length in zip(("_u", "_v"), matrix.shape, strict=True):
            self.register_buffer(name, F.normalize(torch.randn(length), dim=0))
        if not weight.is_meta:
            self.iterate(matrix, WARM_UP)

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight [K, ...], normalized."""
        matrix = weight.flatten(1)
        with without_autocast(weight):
            u, v = self._u, self._v
            if self.each_pass and self.training:
                self.iterate(matrix.detach(), 1)
                u, v = u.clone(), v.clone()  # later passes change the vectors before this one's gradient is taken
            return weight / torch.dot(u, torch.mv(matrix, v))

    @torch.no_grad()
    def iterate(self, matrix: Tensor, times: int) -> None:
        """Turn both vectors towards the first singular vectors of matrix [K, D], by this many power iterations."""
        for _ in range(times):
            self._v.copy_(F.normalize(torch.mv(matrix.T, self._u), dim=0))
            self._u.copy_(F.normalize(torch.mv(matrix, self._v), dim=0))


def apply_spectral_norm(network: nn.Module, exclude: Collection[nn.Module] = ()) -> None:
    """Normalize all weights of convolutions and linear layers, except those of the modules in `exclude`.

    Call it once, when weights are initialized, and are not all zero.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear) and module not in exclude:
            register_parametrization(module, "weight", SpectralNorm(module.weight))


def spectral_norms(network: nn.Module) -> Iterator[tuple[SpectralNorm, Tensor]]:
    """Yield each layer's spectral normalization with its unnormalized weight."""
    for module in network.modules():
        if isinstance(module, ParametrizationList):
            yield from ((part, module.original) for part in module if isinstance(part, SpectralNorm))


def update_spectral_norms(network: nn.Module, times: int = 1) -> None:
    """Iterate after weights have changed, except in layers that iterate in each pass."""
    for norm, weight in spectral_norms(network):
        if not norm.each_pass:
            norm.iterate(weight.detach().flatten(1), times)


def iterate_each_pass(network: nn.Module) -> None:
    """Let the power iteration run in each training pass, as torch's spectral normalization does."""
    for norm, _ in spectral_norms(network):
        norm.each_pass = True
