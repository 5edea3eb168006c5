"""Initial weights of SNGAN's networks."""

from __future__ import annotations

from torch import nn

from ggdr.layers.norm import ConditionalBatchNorm2d


def glorot(network: nn.Module) -> None:
    """Initialize weights uniformly by Glorot & Bengio (2010), biases and the labels' part in normalization at zero.

    The paper does not say; ours.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, ConditionalBatchNorm2d):
            for weight in module.input_matrices():
                nn.init.zeros_(weight)
