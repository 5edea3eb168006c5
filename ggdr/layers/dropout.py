"""Dropout that may stay on in evaluation, where it is pix2pix's only noise (arXiv 1611.07004, sec. 3.2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014)."""

    def __init__(self, p: float, at_test: bool):
        """Build the layer; `p`: chance that a number becomes 0. `at_test`: in evaluation too."""
        super().__init__()
        self.p, self.at_test = p, at_test

    def forward(self, x: Tensor) -> Tensor:
        """Drop numbers of x, of any shape, and scale up the others."""
        return F.dropout(x, self.p, self.training or self.at_test)


def drops_at_test(network: nn.Module) -> bool:
    """Whether some dropout of the network stays on in evaluation, so that it makes other images each time."""
    return any(isinstance(module, Dropout) and module.at_test and module.p > 0 for module in network.modules())


def without_dropout(network: nn.Module) -> None:
    """Let no dropout of the network stay on in evaluation."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.at_test = False
