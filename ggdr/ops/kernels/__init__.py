"""Fused kernels for CUDA, written in Triton, and the choice between them and the plain paths of `ggdr.ops`.

A kernel is tried on a tiny tensor when it is first requested. If it fails there, or at any later launch, the plain path
takes over for the rest of the process, and a warning says so once; `describe_kernels` tells it too.
`GGDR_KERNELS=plain` selects the plain paths, `GGDR_KERNELS=triton` takes the kernels wherever they run, on the CPU too
if `TRITON_INTERPRET=1` is set. That they are right has been checked by Triton's interpreter; how fast they are on a GPU
has not been measured.
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
"""Names of the kernels, each a module of this package that has `probe(device)` and `run(x, ...)`."""
CHOICES = ("plain", "triton")


def choose(name: str, x: Tensor) -> Callable[..., Tensor] | None:
    """Return the function of kernel `name` that takes x, or None where the plain path must be taken.

    It is None for what the compiler traces, so that it can fuse, and under torch.func's transforms. UserError if
    GGDR_KERNELS is none of the choices.
    """
    import torch

    if torch.compiler.is_compiling():
        return None
    if not is_eligible(x.device) or torch._C._are_functorch_transforms_active():
        return None
    plain_tensor = type(x) in (torch.Tensor, torch.nn.Parameter) and x.numel() > 0
    if not plain_tensor or x.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return None
    return None if kernel_state(name, x.device).failure else import_module(f"{__name__}.{name}").run


def describe_kernels(device: torch.device) -> str:
    """Describe what computes the operations on a device: "kernels: triton", or "kernels: plain" and why.

    Kernels that have not been tried yet are tried first.
    """
    if not is_eligible(device):
        return "kernels: plain"
    failures = {name: failure for name in NAMES if (failure := kernel_state(name, device).failure)}
    if not failures:
        return "kernels: triton"
    reasons = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    return f"kernels: plain ({reasons})" if len(failures) == len(NAMES) else f"kernels: triton, but plain for {reasons}"


def is_eligible(device: torch.device) -> bool:
    """Whether kernels are tried on this device: by default on CUDA alone; GGDR_KERNELS overrides that."""
    asked = os.environ.get("GGDR_KERNELS", "")
    if asked not in ("", *CHOICES):
        raise UserError(
            f"GGDR_KERNELS is {asked!r}; it can be {' or '.join(CHOICES)}. Unset it to have Triton's kernels on CUDA."
        )
    return asked == "triton" or (not asked and device.type == "cuda")


class KernelState:
    """Whether one kernel is used in this process: until it first fails, and then never again."""

    def __init__(self, name: str) -> None:
        self.name, self.failure = name, ""

    def attempt(self, launch: Callable[[], Result], plain: Callable[[], Result]) -> Result:
        """Return what `launch` returns, or `plain` once that has failed for any reason but lack of memory."""
        import torch

        if self.failure:
            return plain()
        try:
            return launch()
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a missing compiler, a shape, a type: none of them may end a run
            self.failure = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            warn_fallback(self.name, self.failure)
        return plain()


def warn_fallback(name: str, failure: str) -> None:
    """Warn that a kernel is not used from here on: results are the same, but a run is slower than it could be."""
    warnings.warn(
        f"the fused kernel {name!r} does not work here ({failure}); PyTorch's own operators, which are slower, take its"
        " place. GGDR_KERNELS=plain takes them from the start.",
        stacklevel=2,
    )


def kernel_state(name: str, device: torch.device) -> KernelState:
    """Return the state of kernel `name` on devices of this type; the first call tries it."""
    return _probe_once(name, device.type)


@cache
def _probe_once(name: str, device_type: str) -> KernelState:
    """Import the kernel and run it on a tiny tensor; the state remembers whether that worked."""
    fresh = KernelState(name)
    fresh.attempt(lambda: import_module(f"{__name__}.{name}").probe(device_type), lambda: None)
    return fresh


def check_close(ours: Tensor, plain: Tensor) -> None:
    """Raise ArithmeticError unless a kernel's result is that of the plain path, to 1e-4 of the largest value."""
    if not (ours - plain).abs().max() <= 1e-4 * plain.abs().max():
        raise ArithmeticError("a tiny tensor comes out different from what the plain path makes of it.")
