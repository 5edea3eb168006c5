"""Spectral normalization: weights divided by their largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def spectral(network: nn.Module, but: Collection[nn.Module] = ()) -> None:
    """Divide all convolutions' and linear layers' weights, `but` these', by their largest singular value (alg. 1).

    Each pass in training estimates it anew. To be called once, when weights are initialised, and are not all zero.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear) and module not in but:
            spectral_norm(module)
