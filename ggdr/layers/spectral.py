"""Spectral normalization: weights divided by their largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import ParametrizationList, register_parametrization

from ggdr.ops.precision import without_autocast

WARM_UP = 15
"""power iterations on weights that are new; ours, since the paper's one at a time starts from random vectors"""


class Spectral(nn.Module):
    """A weight divided by its largest singular value, which a power iteration follows (alg. 1).

    It takes one step after each update (`follow`), so that all passes of an update, its micro-batches and processes
    share one norm; or, with `each_pass`, one step in each pass in training, as torch's own does. That one computes in
    autocast's precision and takes seconds to build large networks on the meta device; its state has the same names.
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
            self.approach(matrix, WARM_UP)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight [K, ...], normalised."""
        matrix = weight.flatten(1)
        with without_autocast(weight):
            u, v = self._u, self._v
            if self.each_pass and self.training:
                self.approach(matrix.detach(), 1)
                u, v = u.clone(), v.clone()  # later passes change the vectors before this one's gradient is taken
            return weight / torch.dot(u, torch.mv(matrix, v))

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


def normalised(network: nn.Module) -> Iterator[tuple[Spectral, Tensor]]:
    """Each layer's normalization, and the weight as it is kept, of those that have one."""
    for module in network.modules():
        if isinstance(module, ParametrizationList):
            yield from ((part, module.original) for part in module if isinstance(part, Spectral))


def follow(network: nn.Module, times: int = 1) -> None:
    """Take steps of the power iteration after weights have changed, except in layers that take one in each pass."""
    for norm, weight in normalised(network):
        if not norm.each_pass:
            norm.approach(weight.detach().flatten(1), times)


def in_each_pass(network: nn.Module) -> None:
    """Let the power iteration take its step in each pass in training, as torch's spectral normalization does."""
    for norm, _ in normalised(network):
        norm.each_pass = True
