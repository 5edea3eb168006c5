"""A saved generator as a pipeline of diffusers: from a folder or the Hub, images by seed, saved and pushed again."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import diffusers
import numpy as np
import PIL.Image
import torch
from diffusers.utils import BaseOutput
from torch import Tensor

from ggdr.grid import to_pil, to_uint8
from ggdr.model import save_model
from ggdr.network import Discriminator, Generator
from ggdr.pretrained import INDEX, Hub, index_of, load_pair
from ggdr.sampling import AT_ONCE, View, draw, label_rows, whole

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)
OUTPUTS = ("pil", "np", "pt")


@dataclass
class GANOutput(BaseOutput):
    """What a pipeline hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """as `output_type` asks"""
    seeds: list[int]
    """of each image, to make it again"""


class GANPipeline(diffusers.DiffusionPipeline):
    """A generator, and the discriminator it played against if that is there; both in eval mode."""

    _optional_components = ["discriminator"]
    generator: Generator
    discriminator: Discriminator | None

    def __init__(self, generator: Generator, discriminator: Discriminator | None = None):
        super().__init__()
        self.register_modules(generator=generator.eval(), discriminator=discriminator and discriminator.eval())
        self.precision = torch.float32

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        *,
        revision: str | None = None,
        torch_dtype: torch.dtype | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """The pipeline of a folder (of a run, a checkpoint, a model) or of a Hub repository "org/name".

        Only JSON and safetensors are read. `torch_dtype`: what `to` takes, None for float32. `revision`: branch, tag
        or commit. `token`: of an account that may read it. `local_files_only`: do not ask the Hub. ValueError if there
        is no such model.
        """
        pair = load_pair(name_or_path, Hub(revision, token, local_files_only))
        return cls(pair.generator, pair.discriminator).to(dtype=torch_dtype)

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write `model_index.json` and a folder for each network, float32; OSError if the disk refuses."""
        folder = Path(save_directory)
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        for name, network in networks.items():
            if network is not None:
                save_model(network, folder / name)
        names = {name: network.config.name for name, network in networks.items() if network is not None}
        (folder / INDEX).write_text(json.dumps(index_of(names), indent=2) + "\n")

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str = "Upload GANPipeline",
        private: bool | None = None,
        token: str | bool | None = None,
    ) -> str:
        """Save to a Hub repository, made if it is not there, as one commit; its address. The card is left alone."""
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=commit_message)

    def to(
        self,
        *args: torch.device | str | int | torch.dtype | None,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Move to a device, and compute in a dtype: `to("cuda")`, `to(torch.bfloat16)`, `to("cuda", torch.bfloat16)`.

        Weights stay float32, as in training, and are cast where convolutions take them (autocast), while the mapping
        and the images stay float32: nothing is lost on saving. float16 overflows in generators trained without clamp.
        """
        for given in args:
            if isinstance(given, torch.dtype):
                dtype = given
            else:
                device = device if given is None else given
        if dtype is not None and dtype not in PRECISIONS:
            raise ValueError(f"{dtype} is not possible; give one of {', '.join(map(str, PRECISIONS))}.")
        self.precision = dtype or self.precision
        return self if device is None else super().to(device)

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self.precision

    def __call__(
        self,
        batch_size: int | None = None,
        *,
        seeds: int | Sequence[int] | Tensor | None = None,
        labels: int | Sequence[int] | Tensor | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        noise: Literal["const", "random", "none"] = "const",
        chunk_size: int = AT_ONCE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """Images, one for each seed, the same up to rounding in whatever batch or order.

        `batch_size`: number of images; None: that of the seeds, else of the labels, else 1.
        `seeds`: None draws them from torch's random state.
        `labels`: a class for all, a class for each, or vectors [N, L]; a conditional generator must have them.
        `truncation_psi`: None or 1 for the full variety, towards 0 for the mean image.
        `truncation_cutoff`: how many style codes, from the coarsest on, it pulls; None for all.
        `noise`: of the layers: the same for all images, fresh by the seed, or none.
        `chunk_size`: most images of a pass.
        `output_type`: "pil" for modes L, RGB or RGBA; as in diffusers "np" [N, H, W, C], "pt" [N, C, H, W] in [0, 1].
        ValueError if the generator cannot be asked so.
        """
        if output_type not in OUTPUTS:
            raise ValueError(f"output_type is {output_type!r}; give one of {', '.join(map(repr, OUTPUTS))}.")
        seeds = seeds_for(batch_size, seeds, labels)
        rows = label_rows(self.generator.brief, labels, len(seeds))
        view = View(truncation_psi, truncation_cutoff, noise)
        passes = draw(self.generator, seeds, rows, view, chunk_size)
        if len(seeds) > chunk_size:
            passes = self.shown(passes, len(seeds))
        with self.computing():
            return GANOutput(images=handed(passes, output_type), seeds=seeds)

    def shown(self, passes: Iterator[Tensor], total: int) -> Iterator[Tensor]:
        """The passes, with a progress bar; `set_progress_bar_config(disable=True)` takes it away."""
        with self.progress_bar(total=total) as bar:
            for images in passes:
                yield images
                bar.update(len(images))

    def computing(self) -> contextlib.AbstractContextManager[object]:
        """Autocast to its dtype; nothing in float32."""
        if self.precision == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.precision)


def seeds_for(
    count: int | None,
    seeds: int | Sequence[int] | Tensor | None,
    labels: int | Sequence[int] | Tensor | None,
) -> list[int]:
    """The seeds given, or as many as are asked for, drawn from torch's random state; ValueError if numbers disagree."""
    if seeds is None:
        if count is None:
            count = 1 if labels is None or isinstance(labels, int) or np.ndim(labels) == 0 else len(labels)
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"batch_size is {count!r}; give the number of images, 1 or more.")
        return torch.randint(2**32, (count,)).tolist()
    given = whole(seeds)
    if count not in (None, len(given)):
        raise ValueError(f"batch_size is {count}, and there are {len(given)} seeds; leave batch_size out.")
    return given


def handed(passes: Iterator[Tensor], output_type: str) -> list[PIL.Image.Image] | np.ndarray | Tensor:
    """Images [n, C, H, W] about [-1, 1] as `output_type` asks; NaN becomes black."""
    if output_type == "pil":
        return [image for images in passes for image in to_pil(to_uint8(images))]
    whole = torch.cat([images.add(1).div(2).nan_to_num(nan=0.0).clamp(0, 1) for images in passes])
    return whole if output_type == "pt" else whole.permute(0, 2, 3, 1).cpu().numpy()
