"""Pipelines of diffusers that are not our own, as makers of images: DDPM, DDIM, score SDE and their like."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ggdr.documents import one_line, read_object
from ggdr.errors import UserError
from ggdr.saving.pretrained import INDEX
from ggdr.seeding import word

ASKED = frozenset({"batch_size", "generator", "output_type"})
"""what a pipeline must take to make images without being told of what"""
TRIAL_STEPS = 10
"""denoising steps of the image that shows what size they have; some schedulers refuse fewer than four"""
LIBRARIES = ("diffusers", "transformers", None)
"""where parts of a pipeline may come from; None: a part that is left out"""
WEIGHTS = (".safetensors", ".bin")


class Pipeline:
    """An unconditional pipeline; image i is made from the random streams of its own seed."""

    def __init__(self, folder: Path, steps: int | None, device: torch.device):
        """`steps`: denoising steps, None: as many as the pipeline's default. UserError if it cannot be used so."""
        self.folder, self.name = folder, class_at(folder)
        accepted = parameters(self.name, folder)
        if steps is not None and "num_inference_steps" not in accepted:
            raise UserError(f"{self.name} takes no number of steps; leave --steps out.")
        self.steps = steps or default_steps(accepted)
        self.paced = "num_inference_steps" in accepted
        self.pipe = opened(folder).to(device)
        self.pipe.set_progress_bar_config(disable=True)
        self.shape = self.tried()

    def tried(self) -> tuple[int, int, int]:
        """Channels, height and width of an image, made in few steps; UserError if none can be made."""
        try:
            channels, height, width = self.made([0], min(TRIAL_STEPS, self.steps)).shape[1:]
        except Exception as error:  # what a scheduler or a network raises depends on what does not fit
            raise UserError(
                f"the {self.name} in {self.folder} makes no image in {self.steps} steps: {reason(error)}; try other"
                " --steps, or measure a folder of the images it made."
            ) from error
        return channels, height, width

    def images(self, seeds: Sequence[int]) -> Tensor:
        """An image for each seed, [N, C, H, W] uint8 on the host."""
        return self.made(seeds, self.steps)

    def made(self, seeds: Sequence[int], steps: int) -> Tensor:
        """Images by `steps` steps each."""
        pace = {"num_inference_steps": steps} if self.paced else {}
        streams = [torch.Generator().manual_seed(word(seed)) for seed in seeds]
        found = self.pipe(batch_size=len(seeds), generator=streams, output_type="np", **pace).images
        return torch.from_numpy(found).permute(0, 3, 1, 2).mul(255).round().clamp(0, 255).to(torch.uint8)

    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        return {"class": self.name, "steps": self.steps, "weights": hash_of(self.folder)}


def class_at(folder: Path) -> str:
    """The class that the index of a pipeline names; UserError if there is none that can be read."""
    index = index_at(folder)
    if not isinstance(index.get("_class_name"), str):
        raise UserError(f"{folder / INDEX} does not name the pipeline's class as `_class_name`.")
    return index["_class_name"]


def index_at(folder: Path) -> dict[str, Any]:
    """The index of a pipeline; UserError if there is none that can be read."""
    try:
        return read_object(folder / INDEX)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder / INDEX} cannot be read: {one_line(error)}; save or download the pipeline again."
        ) from error


def parameters(name: str, folder: Path) -> dict[str, inspect.Parameter]:
    """What the call of a pipeline of diffusers takes; UserError if it is none, or makes no images on its own."""
    import diffusers

    try:
        kind = getattr(diffusers, name)
    except AttributeError as error:
        version = diffusers.__version__
        raise UserError(
            f"{folder} holds a {name}, which diffusers {version} does not have; install another."
        ) from error
    accepted = dict(list(inspect.signature(kind.__call__).parameters.items())[1:])
    known = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    needed = [key for key, how in accepted.items() if how.default is how.empty and how.kind not in known]
    if needed or not accepted.keys() >= ASKED:
        why = f"needs {', '.join(needed)}" if needed else f"does not take {', '.join(sorted(ASKED - accepted.keys()))}"
        raise UserError(
            f"{folder} holds a {name}, which {why}; only unconditional pipelines can be measured, others by a folder"
            " of the images they made."
        )
    return accepted


def default_steps(accepted: dict[str, inspect.Parameter]) -> int:
    """The pipeline's own number of steps; 1 if it has none."""
    steps = accepted.get("num_inference_steps")
    return steps.default if steps is not None and isinstance(steps.default, int) else 1


def check_parts(folder: Path) -> None:
    """UserError if a pipeline asks for parts that are not of its libraries; some versions run what lies beside."""
    index = index_at(folder)
    named = {name: entry for name, entry in index.items() if not name.startswith("_") and isinstance(entry, list)}
    own = [name for name, entry in named.items() if not entry or entry[0] not in LIBRARIES]
    if own or any(folder.rglob("*.py")):
        raise UserError(
            f"the pipeline in {folder} holds code of its own{f' for {own[0]!r}' if own else ''}, which is not run;"
            " measure a folder of the images it made."
        )


def opened(folder: Path) -> Any:
    """The pipeline in a folder, float32; UserError if it cannot be read. No code of the folder is run."""
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging

    check_parts(folder)
    logging.disable_progress_bar()
    try:
        return DiffusionPipeline.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # what a broken folder raises depends on the library and on what is broken
        raise UserError(
            f"the pipeline in {folder} cannot be read: {reason(error)}; save or download it again."
        ) from error


def fetched(name: str, revision: str | None) -> Path:
    """The folder where a pipeline of the Hub is kept, downloaded once; UserError if it cannot be had."""
    from diffusers import DiffusionPipeline

    try:
        return Path(DiffusionPipeline.download(name, revision=revision, trust_remote_code=False))
    except Exception as error:  # what a failing network raises depends on the client's version
        raise UserError(
            f"the pipeline {name!r} cannot be downloaded: {reason(error)}; try again, or give a folder."
        ) from error


def reason(error: Exception) -> str:
    """What an error says, in a line that is not too long."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def hash_of(folder: Path) -> str:
    """sha256 over the weight files in a folder, by name, the first 16 hex digits."""
    whole = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.suffix in WEIGHTS):
        with file.open("rb") as stream:
            whole.update(str(file.relative_to(folder)).encode() + hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]
