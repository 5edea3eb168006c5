"""What must stay in full precision while the rest runs under autocast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

AUTOCASTS = ("cpu", "cuda", "mps", "xpu")
"""devices that have autocast; `torch.amp.is_autocast_available` would break the graphs of torch 2.9's compiler"""

# torch is imported inside: settings may import this file, and the compiler cannot see through the lazy one


def float32_or_more(x: Tensor) -> torch.dtype:
    """What statistics of x are computed in: float32, or x's type if that has more digits."""
    import torch

    return torch.promote_types(x.dtype, torch.float32)


def at_least_float32(x: Tensor) -> Tensor:
    """x, in float32 if it was in less."""
    return x.to(float32_or_more(x))


def computed_in(x: Tensor) -> torch.dtype:
    """What convolutions of x are computed in."""
    import torch

    kind = x.device.type
    cast = kind in AUTOCASTS and torch.is_autocast_enabled(kind)
    return torch.get_autocast_dtype(kind) if cast else x.dtype


def in_float16(x: Tensor) -> bool:
    """Whether convolutions of x are computed in float16, whose largest number is 65,504."""
    import torch

    return computed_in(x) == torch.float16


def without_autocast(x: Tensor) -> AbstractContextManager:
    """Context in which operations keep the precision of their operands; costs nothing where autocast is off."""
    import torch

    kind = x.device.type
    if kind not in AUTOCASTS or not torch.is_autocast_enabled(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Context in which convolutions and products on CUDA keep all bits of float32."""
    before = tf32()
    allow_tf32(False, False)
    try:
        yield
    finally:
        allow_tf32(*before)


def tf32() -> tuple[bool, bool]:
    """Whether convolutions, and whether products, of float32 on CUDA may keep 10 bits of its 23 (TF32)."""
    import torch

    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


def allow_tf32(convolutions: bool, products: bool) -> None:
    """Let convolutions and products keep fewer bits, or not."""
    import torch

    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = convolutions, products
