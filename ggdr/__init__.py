"""Train GANs from a recipe, guided by what the generator knows."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from ggdr.evaluation import evaluate
    from ggdr.networks.base.module import Discriminator, Generator, Translator
    from ggdr.pipeline import Pipeline
    from ggdr.pipeline.translation import TranslationPipeline
    from ggdr.train import train
    from ggdr.transfer.blend import blend

__version__ = "0.2.0"
__all__ = [
    "Discriminator",
    "GANPipeline",
    "Generator",
    "Pipeline",
    "TranslationPipeline",
    "Translator",
    "blend",
    "evaluate",
    "from_pretrained",
    "train",
]
HOMES = {
    "Discriminator": "ggdr.networks.base.module",
    "GANPipeline": "ggdr.pipeline.diffusion",
    "Generator": "ggdr.networks.base.module",
    "Pipeline": "ggdr.pipeline",
    "TranslationPipeline": "ggdr.pipeline.translation",
    "Translator": "ggdr.networks.base.module",
    "blend": "ggdr.transfer.blend",
    "evaluate": "ggdr.evaluation",
    "train": "ggdr.train",
}
"""name -> its module, imported at first use"""

if "ipykernel" in sys.modules:
    with warnings.catch_warnings():  # in a notebook without ipywidgets bars are text, of which tqdm warns once
        warnings.simplefilter("ignore")
        importlib.import_module("tqdm.auto")


def from_pretrained(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    torch_dtype: torch.dtype | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Any:
    """A saved GAN, used as pipelines of diffusers are: `ggdr.from_pretrained("runs/digits")(seeds=[0, 1]).images`.

    A `ggdr.Pipeline`; of a model that makes images of images a `ggdr.TranslationPipeline`:
    `ggdr.from_pretrained("runs/horses")("horse.jpg", to="zebra").images`.

    For a class of diffusers: `ggdr.GANPipeline.from_pretrained`, or diffusers' own (see `ggdr.GANPipeline`).

    `name_or_path`: a folder (of a run, a checkpoint, a model) or a Hub repository "org/name", of which only JSON and
    safetensors are read. `torch_dtype`: what it computes in, None for float32. `revision`: branch, tag or commit.
    `token`: of an account that may read it. `local_files_only`: do not ask the Hub. UserError without such a model.
    """
    # By name: whoever only asks for the version or trains does not wait for torch.
    open_pipeline = importlib.import_module("ggdr.pipeline.opening").open_pipeline
    return open_pipeline(
        name_or_path, revision=revision, torch_dtype=torch_dtype, token=token, local_files_only=local_files_only
    )


def __getattr__(name: str) -> Any:
    """What HOMES says, by name as above: `ggdr.Generator.from_pretrained("org/name")`."""
    if name not in HOMES:
        raise AttributeError(f"module 'ggdr' has no attribute {name!r}")
    module = importlib.import_module(HOMES[name])
    return module if name == "train" else getattr(module, name)  # `ggdr.train` can be called, and is a module as well


def __dir__() -> list[str]:
    """Names for tab completion, those that are imported at first use among them."""
    return sorted({*globals(), *__all__})
