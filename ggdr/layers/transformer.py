"""The layers of a transformer: root-mean-square normalization, attention with rotary places, SwiGLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ggdr.layers.tokens import rotary_angles, rotate
from ggdr.ops.precision import at_least_float32_dtype, without_autocast

EPS = 1e-6
SLOW = 0.01
"""learning rate of a `SlowLinear` relative to the optimizer's"""


def rms_norm(x: Tensor) -> Tensor:
    """Scale each vector of x [..., C] to unit mean square (Zhang & Sennrich 2019, arXiv 1910.07467)."""
    with without_autocast(x):
        square = x.square().mean(dim=-1, keepdim=True, dtype=at_least_float32_dtype(x))
        return x * (square + EPS).rsqrt().to(x.dtype)


class RMSNorm(nn.Module):
    """Root-mean-square normalization with a learned factor for each channel, which starts at 1."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each vector of x [..., width]."""
        x = rms_norm(x)
        return x * self.weight.to(x.dtype)


class Rotary(nn.Module):
    """Cosines and sines of the angles by which the queries and keys of each place turn."""

    cos: Tensor
    sin: Tensor

    def __init__(self, rows: int, columns: int, width: int):
        """Build them for `rows` x `columns` places and heads of `width` channels, a multiple of 4."""
        super().__init__()
        angles = rotary_angles(rows, columns, width)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Turn x [N, heads, T, width]; what comes before the places, such as a class token, stays."""
        with without_autocast(x):
            return rotate(x, self.cos, self.sin).to(x.dtype)


class Attention(nn.Module):
    """Self-attention of tokens, whose queries and keys are normalized and turned by their places."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm, self.k_norm = RMSNorm(width // heads), RMSNorm(width // heads)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, rotary: Rotary, twice: bool = False) -> Tensor:
        """Mix tokens x [N, T, width]; `twice`: in a way that can be differentiated twice."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = rotary(self.q_norm(q)), rotary(self.k_norm(k))
        mixed = attend(q, k, v) if twice else F.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2))


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend as torch's fused operator does, written out: that one has no second derivative."""
    share = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return share.softmax(dim=-1).to(v.dtype) @ v


class SwiGLU(nn.Module):
    """A feed-forward layer with a gate: out(SiLU(a) * b), a and b linear (Shazeer 2020, arXiv 2002.05202, eq. 6)."""

    def __init__(self, width: int, inside: int):
        super().__init__()
        self.enter = nn.Linear(width, 2 * inside)
        self.out = nn.Linear(inside, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [N, T, width] to the same shape."""
        gate, value = self.enter(x).chunk(2, dim=2)
        return self.out(F.silu(gate) * value)


class SlowLinear(nn.Linear):
    """A linear layer that learns a hundredth as fast as others: its weights are kept a hundred times as large.

    They begin as Glorot & Bengio 2010 draw them, uniformly, times a hundred; biases at zero. Always in float32.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        nn.init.xavier_uniform_(self.weight, gain=1 / SLOW)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, in_features] to [N, out_features]."""
        with without_autocast(x):
            return F.linear(x * SLOW, self.weight, self.bias * SLOW)


def swiglu_width(width: int) -> int:
    """Return the channels inside of a SwiGLU that has as many weights as a plain layer of 4 x `width`."""
    return int(2 / 3 * 4 * width)


def xavier(module: nn.Module) -> None:
    """Draw the weights of each linear layer as Glorot & Bengio 2010 do, uniformly; biases become zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def run_block(block: nn.Module, x: Tensor, *others: object, recompute: bool) -> Tensor:
    """Return block(x, *others); `recompute`: keep nothing of what it computes, and compute it again for gradients.

    The second is gradient checkpointing (Chen et al. 2016, arXiv 1604.06174), of a block that draws nothing.
    """
    if not (recompute and torch.is_grad_enabled()):
        return block(x, *others)
    return checkpoint(block, x, *others, use_reentrant=False, preserve_rng_state=False)
