"""Unconditional pipelines of diffusers (DDPM, DDIM, score SDE) that make images to measure."""

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
from ggdr.lazy import optional
from ggdr.saving.pretrained import INDEX
from ggdr.seeding import word

REQUIRED = frozenset({"batch_size", "generator", "output_type"})
"""arguments that a pipeline must take to make images without a prompt or a class"""
TRIAL_STEPS = 10
"""denoising steps of the image that shows what size they have; some schedulers refuse fewer than four"""
LIBRARIES = ("diffusers", "transformers", None)
"""libraries that parts of a pipeline may come from; None: a part that is left out"""
WEIGHTS = (".safetensors", ".bin")
"""endings of files that hold weights"""


class UnconditionalPipeline:
    """Makes images by an unconditional pipeline of diffusers, each from a random stream of its seed."""

    def __init__(self, folder: Path, steps: int | None, device: torch.device):
        """Load the pipeline in a folder; UserError if it cannot be read, takes no `steps`, or makes no image.

        `steps`: denoising steps of each image; None: the pipeline's default.
        """
        self.folder, self.name = folder, class_name(folder)
        accepted = parameters(self.name, folder)
        if steps is not None and "num_inference_steps" not in accepted:
            raise UserError(f"{self.name} takes no number of steps; leave --steps out.")
        self.steps = steps or default_steps(accepted)
        self.paced = "num_inference_steps" in accepted
        self.pipe = load(folder).to(device)
        self.pipe.set_progress_bar_config(disable=True)
        self.shape = self.trial_shape()

    def trial_shape(self) -> tuple[int, int, int]:
        """Make an image in few steps, and return its channels, height and width; UserError if none can be made."""
        try:
            channels, height, width = self.run([0], min(TRIAL_STEPS, self.steps)).shape[1:]
        except Exception as error:  # what a scheduler or a network raises depends on what does not fit
            raise UserError(
                f"the {self.name} in {self.folder} makes no image in {self.steps} steps: {reason(error)}; try other"
                " --steps, or measure a folder of the images it made."
            ) from error
        return channels, height, width

    def sample(self, seeds: Sequence[int]) -> Tensor:
        """Make an image for each seed, [N, C, H, W] uint8 on the host."""
        return self.run(seeds, self.steps)

    def run(self, seeds: Sequence[int], steps: int) -> Tensor:
        """Make an image for each seed by `steps` denoising steps, [N, C, H, W] uint8 on the host."""
        pace = {"num_inference_steps": steps} if self.paced else {}
        streams = [torch.Generator().manual_seed(word(seed)) for seed in seeds]
        found = self.pipe(batch_size=len(seeds), generator=streams, output_type="np", **pace).images
        return torch.from_numpy(found).permute(0, 3, 1, 2).mul(255).round().clamp(0, 255).to(torch.uint8)

    def describe(self) -> dict[str, Any]:
        """Return what a record says of the pipeline: class, steps and the hash of its weights."""
        return {"class": self.name, "steps": self.steps, "weights": hash_of(self.folder)}


def library() -> Any:
    """Return the module diffusers; MissingPackage if it is not installed."""
    with optional("diffusers", "a pipeline of diffusers needs"):
        import diffusers
    return diffusers


def class_name(folder: Path) -> str:
    """Return the class that the index of a pipeline names; UserError if the index cannot be read."""
    index = read_index(folder)
    if not isinstance(index.get("_class_name"), str):
        raise UserError(f"{folder / INDEX} does not name the pipeline's class as `_class_name`.")
    return index["_class_name"]


def read_index(folder: Path) -> dict[str, Any]:
    """Read the index of a pipeline, model_index.json; UserError if it cannot be read."""
    try:
        return read_object(folder / INDEX)
    except (OSError, UserError) as error:
        raise UserError(
            f"{folder / INDEX} cannot be read: {one_line(error)}; save or download the pipeline again."
        ) from error


def parameters(name: str, folder: Path) -> dict[str, inspect.Parameter]:
    """Return the parameters of a pipeline's call; UserError if diffusers lacks the class, or it is conditional."""
    diffusers = library()
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
    if needed or not accepted.keys() >= REQUIRED:
        why = (
            f"needs {', '.join(needed)}" if needed else f"does not take {', '.join(sorted(REQUIRED - accepted.keys()))}"
        )
        raise UserError(
            f"{folder} holds a {name}, which {why}; only unconditional pipelines can be measured, others by a folder"
            " of the images they made."
        )
    return accepted


def default_steps(accepted: dict[str, inspect.Parameter]) -> int:
    """Return the pipeline's default number of denoising steps; 1 if it has none."""
    steps = accepted.get("num_inference_steps")
    return steps.default if steps is not None and isinstance(steps.default, int) else 1


def check_parts(folder: Path) -> None:
    """Raise UserError if a pipeline holds code or parts of other libraries, which some versions would run."""
    index = read_index(folder)
    named = {name: entry for name, entry in index.items() if not name.startswith("_") and isinstance(entry, list)}
    own = [name for name, entry in named.items() if not entry or entry[0] not in LIBRARIES]
    if own or any(folder.rglob("*.py")):
        raise UserError(
            f"the pipeline in {folder} holds its own code{f' for {own[0]!r}' if own else ''}, which is not run;"
            " measure a folder of the images it made."
        )


def load(folder: Path) -> Any:
    """Load the pipeline in a folder, float32, without running its code; UserError if it cannot be read."""
    diffusers = library()
    check_parts(folder)
    diffusers.utils.logging.disable_progress_bar()
    try:
        return diffusers.DiffusionPipeline.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # what a broken folder raises depends on the library and on what is broken
        raise UserError(
            f"the pipeline in {folder} cannot be read: {reason(error)}; save or download it again."
        ) from error


def fetch(name: str, revision: str | None) -> Path:
    """Download a pipeline of the Hub, once, and return its folder; UserError if that fails."""
    pipeline = library().DiffusionPipeline
    try:
        return Path(pipeline.download(name, revision=revision, trust_remote_code=False))
    except Exception as error:  # what a failing network raises depends on the client's version
        raise UserError(
            f"the pipeline {name!r} cannot be downloaded: {reason(error)}; try again, or give a folder."
        ) from error


def reason(error: Exception) -> str:
    """Return what an error says, in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def hash_of(folder: Path) -> str:
    """Return the first 16 hex digits of a sha256 over the names and hashes of the weight files in a folder."""
    whole = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.suffix in WEIGHTS):
        with file.open("rb") as stream:
            whole.update(str(file.relative_to(folder)).encode() + hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]
