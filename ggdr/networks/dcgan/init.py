"""Initial weights of DCGAN's networks (arXiv 1511.06434, sec. 4)."""

from __future__ import annotations

from ggdr.lazy import torch


def initialise(network: torch.nn.Module) -> None:
    """Draw weights from N(0, 0.02), biases 0; normalization layers scale by N(1, 0.02), as the authors' code does."""
    for name, parameter in network.named_parameters():
        scales = name.endswith("norm.weight")
        torch.nn.init.normal_(parameter, 1.0 if scales else 0.0, 0.0 if name.endswith("bias") else 0.02)
