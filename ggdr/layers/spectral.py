"""Spectral normalization: layers of slope one (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def spectral(module: nn.Module) -> None:
    """Divide a layer's weight by its largest singular value; for `Module.apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        spectral_norm(module)
