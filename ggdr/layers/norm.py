"""Batch normalization whose running statistics move once a step, alike on every process (arXiv 1502.03167)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.running import RunningMean, finite


class BatchNorm2d(nn.Module):
    """Normalises by the batch in training, by running statistics in evaluation.

    A forward pass only records the batch's statistics: hand the mean of `measure` to `after_step` once a step.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1):
        """`momentum`: share of the step's statistics in the running ones."""
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.seen = RunningMean()

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W], each channel of zero mean and unit variance, then scaled and shifted."""
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)
        with torch.no_grad():
            var, mean = torch.var_mean(x.float(), dim=(0, 2, 3))
            self.seen.add(torch.stack([mean, var]))
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True)

    def measure(self) -> Tensor | None:
        """A batch's mean and variance [2, C], averaged over the passes since the last call; None without one."""
        return self.seen.take()

    def after_step(self, moments: Tensor) -> None:
        """Move the running statistics towards the step's moments [2, C]."""
        self.running_mean.lerp_(finite(moments[0], self.running_mean), self.momentum)
        self.running_var.lerp_(finite(moments[1], self.running_var), self.momentum)


def measured(network: nn.Module) -> dict[str, Tensor]:
    """Batch statistics of each such layer since the last call, where it ran in training: `moments/b4.norm` [2, C]."""
    seen = {f"moments/{name}": norm.measure() for name, norm in norms(network)}
    return {key: moments for key, moments in seen.items() if moments is not None}


def follow(network: nn.Module, stats: dict[str, Tensor]) -> None:
    """Move the running statistics of each such layer towards the step's, as `measured` called them."""
    for name, norm in norms(network):
        if (key := f"moments/{name}") in stats:
            norm.after_step(stats[key])


def norms(network: nn.Module) -> list[tuple[str, BatchNorm2d]]:
    """The layers of a network that keep statistics, by name."""
    return [(name, module) for name, module in network.named_modules() if isinstance(module, BatchNorm2d)]
