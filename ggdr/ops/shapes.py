"""Shapes without values: modules built on the meta device, without the seconds of torch's first operators there.

Torch computes there what modules do in their constructors, such as `torch.randn(8, 8) / 2`, by operators in Python,
whose first use imports sympy and torch's compiler: that takes longer than the import of torch itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DRAWN = {torch.randn, torch.rand}
"""what makes tensors of a size, and draws their values"""
BY_NUMBER = {Tensor.div, Tensor.__truediv__, Tensor.mul, Tensor.__mul__, Tensor.__rmul__}
"""what makes of a floating tensor and a number a tensor of the same shape and type"""


class ShapesOnly(TorchFunctionMode):
    """Within it, those operators make tensors without values."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in DRAWN and (made := torch.empty(*args, **(kwargs or {}))).is_meta:
            return made
        if func in BY_NUMBER and not kwargs and args[0].is_meta and args[0].is_floating_point():
            if isinstance(args[1], int | float):
                return torch.empty(args[0].shape, dtype=args[0].dtype)
        return func(*args, **(kwargs or {}))


@contextmanager
def shapes_only() -> Iterator[None]:
    """Within it, modules are built on the meta device: their tensors have shapes and take no memory."""
    with torch.device("meta"), ShapesOnly():
        yield
