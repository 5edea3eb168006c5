"""ggdr: train GANs from a recipe, guided by what the generator knows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from ggdr.networks.base.module import Discriminator, Generator
    from ggdr.pipeline import GANPipeline

__version__ = "0.1.0"
__all__ = ["Discriminator", "Generator", "from_pretrained"]


def from_pretrained(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    torch_dtype: torch.dtype | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> GANPipeline:
    """A saved GAN, used as a pipeline of diffusers: `ggdr.from_pretrained("runs/digits")(seeds=[0, 1]).images`.

    It is loaded by this function, not by diffusers' own, which finds no pipeline of another package by its name.

    `name_or_path`: a folder (of a run, a checkpoint, a model) or a Hub repository "org/name", of which only JSON and
    safetensors are read. `torch_dtype`: what it computes in, None for float32. `revision`: branch, tag or commit.
    `token`: of an account that may read it. `local_files_only`: do not ask the Hub. UserError without such a model.
    """
    # By name: whoever only asks for the version or trains does not wait for torch and diffusers.
    pipeline: type[GANPipeline] = importlib.import_module("ggdr.pipeline").GANPipeline
    return pipeline.from_pretrained(
        name_or_path, revision=revision, torch_dtype=torch_dtype, token=token, local_files_only=local_files_only
    )


def __getattr__(name: str) -> Any:
    """`ggdr.Generator` and `ggdr.Discriminator`, by name as above: `ggdr.Generator.from_pretrained("org/name")`."""
    if name in ("Discriminator", "Generator"):
        return getattr(importlib.import_module("ggdr.networks.base.module"), name)
    raise AttributeError(f"module 'ggdr' has no attribute {name!r}")
