"""Initial weights of BigGAN's networks (arXiv 1809.11096, sec. 3)."""

from __future__ import annotations

from torch import nn


def orthogonal(network: nn.Module) -> None:
    """Initialize weights orthogonally (Saxe et al. 2014, arXiv 1312.6120), biases at zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
