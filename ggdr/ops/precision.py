"""What must stay in full precision while the rest runs under autocast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

AUTOCASTS = ("cpu", "cuda", "mps", "xpu")
"""Devices that have autocast; `torch.amp.is_autocast_available` would break the graphs of torch 2.9's compiler."""

# torch is imported inside: settings may import this file, and the compiler cannot see through the lazy one


def at_least_float32_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype for statistics of x: float32, or x's own if it has more digits."""
    import torch

    return torch.promote_types(x.dtype, torch.float32)


def at_least_float32(x: Tensor) -> Tensor:
    """Convert x to float32 if its dtype has fewer digits; else return it as it is."""
    return x.to(at_least_float32_dtype(x))


def compute_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype in which convolutions of x are computed, autocast included."""
    import torch

    kind = x.device.type
    cast = kind in AUTOCASTS and torch.is_autocast_enabled(kind)
    return torch.get_autocast_dtype(kind) if cast else x.dtype


def computes_in_float16(x: Tensor) -> bool:
    """Whether convolutions of x are computed in float16, whose largest number is 65,504."""
    import torch

    return compute_dtype(x) == torch.float16


def without_autocast(x: Tensor) -> AbstractContextManager:
    """Return a context in which operations keep the precision of their operands; it is free where autocast is off."""
    import torch

    kind = x.device.type
    if kind not in AUTOCASTS or not torch.is_autocast_enabled(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Run the block with all bits of float32 in convolutions and matrix products on CUDA."""
    before = tf32_enabled()
    allow_tf32(False, False)
    try:
        yield
    finally:
        allow_tf32(*before)


def tf32_enabled() -> tuple[bool, bool]:
    """Whether convolutions, and whether matrix products, of float32 on CUDA may round to 10 bits of mantissa (TF32)."""
    import torch

    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


def allow_tf32(convolutions: bool, products: bool) -> None:
    """Let float32 convolutions and matrix products on CUDA round to TF32, or not."""
    import torch

    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = convolutions, products
