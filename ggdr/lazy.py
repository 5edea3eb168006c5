"""Torch, imported at first use, so that settings are read without the seconds it takes; packages that may be absent."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ggdr.errors import UserError

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

    class Tensor:
        """Stands for torch.Tensor in annotations: who reads the types of settings, as --help does, imports no torch."""

    torch, F = Lazy("torch"), Lazy("torch.nn.functional")

__all__ = ["F", "MissingPackage", "Tensor", "available", "optional", "torch"]


class MissingPackage(UserError, ImportError):
    """A package that only an extra brings is not installed; the sentence says how to install it."""


@contextmanager
def optional(extra: str, what: str) -> Iterator[None]:
    """Import packages of an extra of pyproject.toml in this block; MissingPackage if one is not installed.

    `what`: the beginning of the sentence, such as "an .mp4 takes".
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackage(sentence(extra, what, str(error.name).partition(".")[0])) from error


def available(extra: str, what: str, *packages: str) -> None:
    """MissingPackage, as by `optional`, unless these packages are installed; none of them is imported."""
    if missing := [package for package in packages if find_spec(package) is None]:
        raise MissingPackage(sentence(extra, what, *missing))


def sentence(extra: str, what: str, *packages: str) -> str:
    """What is missing, and how to install it."""
    return f"{what} {', '.join(packages).replace('_', '-')}; type: pip install 'ggdr[{extra}]'."
