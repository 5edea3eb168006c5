"""Torch, imported at first use: a part's settings can be listed, set and read without the three seconds it takes."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import Tensor
else:

    class Lazy:
        """A module that is imported when one of its attributes is first read."""

        def __init__(self, module: str):
            self._module = module

        def __getattr__(self, attribute: str):
            return getattr(importlib.import_module(self._module), attribute)

    torch, F, Tensor = Lazy("torch"), Lazy("torch.nn.functional"), "torch.Tensor"

__all__ = ["F", "Tensor", "torch"]
