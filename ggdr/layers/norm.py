"""Batch normalization whose running statistics move once a step, equally on every process (arXiv 1502.03167)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.statistics import RunningMean, replace_nonfinite
from ggdr.ops.moments import centre
from ggdr.ops.precision import without_autocast

EPSILON = 1e-5
"""Added to variances."""


class BatchNorm2d(nn.Module):
    """Batch normalization: by the batch in training, by running statistics in evaluation.

    A forward pass only records the batch's statistics: pass the mean of `measure` to `after_step` once a step.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1, affine: bool = True, batch_at_test: bool = False):
        """Build the layer; `momentum`: weight of a step in the running statistics. `affine`: whether it scales and
        shifts. `batch_at_test`: in evaluation it normalizes by what it is shown, each sample by itself: a batch of
        one."""
        super().__init__()
        self.momentum, self.batch_at_test = momentum, batch_at_test
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.seen = RunningMean()

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each channel of x [N, C, H, W] to zero mean and unit variance, then scale and shift it."""
        if not self.training:
            if self.batch_at_test:
                return self.normalize_alone(x)
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)
        # At a momentum of 1 the running statistics are the batch's, in float32 and without a pass for them alone.
        mean, var = (torch.zeros_like(old) for old in (self.running_mean, self.running_var))
        y = F.batch_norm(x, mean, var, self.weight, self.bias, training=True, momentum=1.0)
        self.seen.add(torch.stack([mean, var]))
        return y

    def normalize_alone(self, x: Tensor) -> Tensor:
        """Normalize each sample of x [N, C, H, W] by its statistics, then scale and shift it: what a batch of one
        does, so that a sample's image never depends on what is made beside it."""
        x = normalize_each(x)
        if self.weight is None or self.bias is None:
            return x
        scale, shift = (each.to(x.dtype)[:, None, None] for each in (self.weight, self.bias))
        return torch.addcmul(shift, x, scale)

    def measure(self) -> Tensor | None:
        """Return mean and variance [2, C] of a batch, averaged over the passes since the last call; None without
        one."""
        return self.seen.take()

    def after_step(self, moments: Tensor) -> None:
        """Move the running statistics towards the step's moments [2, C]."""
        self.running_mean.lerp_(replace_nonfinite(moments[0], self.running_mean), self.momentum)
        self.running_var.lerp_(replace_nonfinite(moments[1], self.running_var), self.momentum)


class ConditionalBatchNorm2d(BatchNorm2d):
    """Batch normalization whose scale and shift are linear in a code, such as a label (arXiv 1707.00683)."""

    def __init__(self, channels: int, code: int, momentum: float = 0.1):
        """Build the layer; `code`: width of the code; 0: scale and shift are the same for all samples."""
        super().__init__(channels, momentum, affine=not code)
        self.scale = nn.Linear(code, channels, bias=False) if code else None
        self.shift = nn.Linear(code, channels, bias=False) if code else None

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """Normalize x [N, C, H, W], multiply by 1 + scale(code) and add shift(code); code [N, D]."""
        return modulate(super().forward(x), self.scale, self.shift, code)

    def input_matrices(self) -> list[Tensor]:
        """Return the matrices [C, D] by which scale and shift depend on the code."""
        return [layer.weight for layer in (self.scale, self.shift) if layer is not None]


class InstanceNorm2d(nn.Module):
    """Instance normalization: each channel of each sample by its own mean and variance (arXiv 1607.08022).

    Unlike torch's it keeps channels last, and takes maps of a single pixel, of which it makes zeros.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x [N, C, H, W] to zero mean and unit variance over H and W; the dtype stays."""
        return normalize_each(x)


class ConditionalInstanceNorm2d(InstanceNorm2d):
    """Instance normalization whose scale and shift are linear in a code (arXiv 1610.07629, 1802.10151)."""

    def __init__(self, channels: int, code: int):
        """Build the layer; `code`: width of the code; 0: it neither scales nor shifts."""
        super().__init__()
        self.scale = nn.Linear(code, channels, bias=False) if code else None
        self.shift = nn.Linear(code, channels, bias=False) if code else None

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """Normalize x [N, C, H, W], multiply by 1 + scale(code) and add shift(code); code [N, D]."""
        return modulate(super().forward(x), self.scale, self.shift, code)


def modulate(x: Tensor, scale: nn.Linear | None, shift: nn.Linear | None, code: Tensor | None) -> Tensor:
    """Return x [N, C, H, W] times 1 + scale(code) plus shift(code), in its dtype; x itself without layers or code."""
    if scale is None or shift is None or code is None:
        return x
    gain, offset = (layer(code).to(x.dtype)[:, :, None, None] for layer in (scale, shift))
    return torch.addcmul(offset, x, 1 + gain)


def normalize_each(x: Tensor) -> Tensor:
    """Return each channel of each sample of x [N, C, H, W] with zero mean and unit variance; the dtype stays."""
    less, left, var = centre(x, (2, 3))
    gain = (var + EPSILON).rsqrt()
    return less * gain.to(x.dtype) - (left * gain).to(x.dtype)


class LayerNorm(nn.GroupNorm):
    """Layer normalization over channels and positions, scaled by channel (arXiv 1607.06450); the dtype stays."""

    def __init__(self, channels: int):
        super().__init__(1, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each sample of x [N, C, H, W] to zero mean and unit variance, then scale and shift it by
        channel."""
        with without_autocast(x):  # which would make float32 maps of it on CUDA
            return F.group_norm(x, 1, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


def batch_norms(network: nn.Module) -> Iterator[tuple[str, BatchNorm2d]]:
    """Yield the layers of a network that keep running statistics, with their names."""
    return ((name, module) for name, module in network.named_modules() if isinstance(module, BatchNorm2d))


def moments(network: nn.Module) -> dict[str, Tensor]:
    """Return each layer's statistics since the last call, if it ran in training: `moments/b4.norm` [2, C] ..."""
    measured = {f"moments/{name}": norm.measure() for name, norm in batch_norms(network)}
    return {key: found for key, found in measured.items() if found is not None}


def update_statistics(network: nn.Module, stats: Mapping[str, Tensor]) -> None:
    """Move each layer's running statistics towards the step's."""
    for name, norm in batch_norms(network):
        if (key := f"moments/{name}") in stats:
            norm.after_step(stats[key])
