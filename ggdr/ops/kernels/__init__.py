"""Fused kernels for CUDA, written in Triton, and the choice between them and the plain paths of `ggdr.ops`.

A kernel is tried on a tiny tensor when it is first asked for. If it fails there, or at any later launch, the plain path
takes over for the rest of the process, and a warning says so once; `in_use` tells it too. `GGDR_KERNELS=plain` keeps to
the plain paths, `GGDR_KERNELS=triton` takes the kernels wherever they run, on the CPU too if `TRITON_INTERPRET=1` is
set.
That they are right has been checked by Triton's interpreter; how fast they are on a GPU has not been measured.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from ggdr.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# torch and triton are imported inside: settings may import what imports this, and triton is not everywhere

Result = TypeVar("Result")
NAMES = ("bias_act", "fir", "warp")
"""the kernels, each the module of this package that has `probe(device)` and `run(x, ...)`"""
CHOICES = ("plain", "triton")


def choose(name: str, x: Tensor) -> Callable[..., Tensor] | None:
    """The function of kernel `name` that takes x, or None where the plain path is to be taken.

    It is None for what the compiler traces, so that it can fuse, and under torch.func's transforms.
    UserError if GGDR_KERNELS is none of the choices.
    """
    import torch

    if torch.compiler.is_compiling():
        return None
    if not eligible(x.device) or torch._C._are_functorch_transforms_active():
        return None
    plain_tensor = type(x) in (torch.Tensor, torch.nn.Parameter) and x.numel() > 0
    if not plain_tensor or x.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return None
    return None if state(name, x.device).failure else import_module(f"{__name__}.{name}").run


def in_use(device: torch.device) -> str:
    """What computes the operations on a device, for a line at the start: "kernels: triton", or plain and why.

    It tries the kernels that have not been tried.
    """
    if not eligible(device):
        return "kernels: plain"
    failures = {name: failure for name in NAMES if (failure := state(name, device).failure)}
    if not failures:
        return "kernels: triton"
    reasons = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    return f"kernels: plain ({reasons})" if len(failures) == len(NAMES) else f"kernels: triton, but plain for {reasons}"


def eligible(device: torch.device) -> bool:
    """Whether kernels are to be tried on a device: on CUDA unless plain paths are asked for, elsewhere if asked for."""
    asked = os.environ.get("GGDR_KERNELS", "")
    if asked not in ("", *CHOICES):
        raise UserError(
            f"GGDR_KERNELS is {asked!r}; it can be {' or '.join(CHOICES)}. Unset it to have Triton's kernels on CUDA."
        )
    return asked == "triton" or (not asked and device.type == "cuda")


class State:
    """Whether one kernel is in use in this process: until it first fails, and then never again."""

    def __init__(self, name: str) -> None:
        self.name, self.failure = name, ""

    def attempt(self, launch: Callable[[], Result], plain: Callable[[], Result]) -> Result:
        """What `launch` returns, or `plain` once that has failed for any reason but want of memory."""
        import torch

        if self.failure:
            return plain()
        try:
            return launch()
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a missing compiler, a shape, a type: none of them may end a run
            self.failure = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            gives_way(self.name, self.failure)
        return plain()


def gives_way(name: str, failure: str) -> None:
    """Warn that a kernel is not used from here on: results are the same, but a run is slower than it could be."""
    warnings.warn(
        f"the fused kernel {name!r} does not work here ({failure}); PyTorch's own operators, which are slower, take its"
        " place. GGDR_KERNELS=plain takes them from the start.",
        stacklevel=2,
    )


def state(name: str, device: torch.device) -> State:
    """The state of kernel `name` on devices of this type, tried at the first call."""
    return _tried(name, device.type)


@cache
def _tried(name: str, device_type: str) -> State:
    """A state that knows whether the kernel can be imported and does well on a tiny tensor."""
    fresh = State(name)
    fresh.attempt(lambda: import_module(f"{__name__}.{name}").probe(device_type), lambda: None)
    return fresh


def agree(ours: Tensor, plain: Tensor) -> None:
    """ArithmeticError unless a kernel's result is that of the plain path: 1e-4 of the largest value."""
    if not (ours - plain).abs().max() <= 1e-4 * plain.abs().max():
        raise ArithmeticError("a tiny tensor comes out different from what the plain path makes of it.")
