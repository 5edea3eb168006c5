"""A saved generator, used as a pipeline of diffusers: from a folder or the Hub, images by seed, saved and pushed."""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import diffusers
import numpy as np
import PIL.Image
import torch
from diffusers.utils import BaseOutput
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, drawn, seeded
from ggdr.latent.directions import Directions, Method
from ggdr.latent.directions import find as find_directions
from ggdr.latent.mixing import mixed
from ggdr.latent.modes import draw_modal, find_modes
from ggdr.latent.polarity import polarized
from ggdr.latent.projection import Search, project
from ggdr.latent.targets import Picture, targets_of
from ggdr.latent.walks import Curve, walk
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.sampling import AT_ONCE, View, whole
from ggdr.sampling.grid import to_pil, to_uint8
from ggdr.sampling.labels import Asked, label_rows
from ggdr.saving.model import save_model
from ggdr.saving.pretrained import INDEX, Hub, check_index, index_of, load_pair

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)
OUTPUTS = ("pil", "np", "pt")


@dataclass
class GANOutput(BaseOutput):
    """What a pipeline hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """as `output_type` asks"""
    seeds: list[int]
    """of each image, to make it again"""


@dataclass
class EditOutput(BaseOutput):
    """What an edit hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """as `output_type` asks; all amounts of the first code, then those of the next"""
    codes: Codes
    """what they are made from"""


@dataclass
class ProjectionOutput(BaseOutput):
    """What a projection hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """as `output_type` asks, as near to the given ones as was found"""
    codes: Codes
    """what they are made from; `codes.points` are the style codes [N, L, W], or the latent codes [N, D]"""
    distance: list[float]
    """of each to the given one, by the features that were compared"""


class GANPipeline(diffusers.DiffusionPipeline):
    """A generator, and the discriminator it played against if that is there; both in eval mode, not learning."""

    _optional_components = ["discriminator"]
    generator: Generator
    discriminator: Discriminator | None

    def __init__(self, generator: Generator, discriminator: Discriminator | None = None):
        super().__init__()
        networks = {"generator": generator, "discriminator": discriminator}
        self.register_modules(**{k: net and net.eval().requires_grad_(False) for k, net in networks.items()})
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
        or commit. `token`: of an account that may read it. `local_files_only`: do not ask the Hub. UserError if there
        is no such model.
        """
        pair = load_pair(name_or_path, Hub(revision, token, local_files_only))
        return cls(pair.generator, pair.discriminator).to(dtype=torch_dtype)

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write `model_index.json` and a folder for each network, float32.

        OSError if the disk refuses, UserError if something else is there that would be replaced.
        """
        folder = Path(save_directory).expanduser()
        check_index(folder)
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
            raise UserError(f"{dtype} is not possible; give one of {', '.join(map(str, PRECISIONS))}.")
        self.precision = dtype or self.precision
        return self if device is None else super().to(device)

    def compile(self) -> Self:
        """torch.compile the generator's pass; each batch size waits once. UserError where torch is too old."""
        self.generator.compile_in_place()
        return self

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self.precision

    def __call__(
        self,
        batch_size: int | None = None,
        *,
        seeds: int | Sequence[int] | Tensor | None = None,
        labels: Asked | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        modes: int | None = None,
        polarity: float = 0.0,
        candidates: int | None = None,
        noise: Literal["const", "random", "none"] = "const",
        chunk_size: int = AT_ONCE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """Images, one for each seed, the same up to rounding in whatever batch or order.

        `batch_size`: number of images; None: that of the seeds, else of the labels, else 1.
        `seeds`: None draws them from torch's random state.
        `labels`: a class for all or for each, by number or name, or vectors [N, L]; a conditional generator needs them.
        `truncation_psi`: None or 1 for the full variety, towards 0 for the mean image.
        `truncation_cutoff`: how many style codes, from the coarsest on, it pulls; None for all.
        `modes`: psi pulls towards the nearest of this many centres of style codes (arXiv 2202.12211), not their mean.
        `polarity`: below 0 of `candidates` seeds (None: ten an image) those where images crowd are more likely, above 0
        those where they are sparse (arXiv 2203.01993); with labels, one class for all.
        `noise`: of the layers: the same for all images, fresh by the seed, or none.
        `chunk_size`: most images of a pass.
        `output_type`: "pil" for modes L, RGB or RGBA; as in diffusers "np" [N, H, W, C], "pt" [N, C, H, W] in [0, 1].
        UserError if the generator does not take what is asked.
        """
        check_output(output_type)
        view = View(truncation_psi, truncation_cutoff, noise)
        if polarity:
            seeds = self.polarized(polarity, batch_size, candidates, seeds, labels, view)
        seeds = seeds_for(batch_size, seeds, labels)
        rows = label_rows(self.generator.spec, labels, len(seeds))
        centres = None if modes is None else find_modes(self.generator, modes)
        passes = draw_modal(self.generator, seeds, rows, view, centres, chunk_size)
        return self.output(passes, seeds, chunk_size, output_type)

    def mix(
        self,
        row_seeds: int | Sequence[int] | Tensor,
        column_seeds: int | Sequence[int] | Tensor,
        *,
        layers: Iterable[int] | None = None,
        labels: Asked | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        chunk_size: int = AT_ONCE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """Each row's image with each column's styles at `layers`, row by row (arXiv 1812.04948, fig. 3).

        `layers`: style codes that the columns lend, 0 is the coarsest; None: the coarser half. `labels`: one label
        for all, as in a call, which has the other arguments too; `seeds` of the output are the rows'. UserError if
        the generator does not take what is asked.
        """
        view, codes = View(truncation_psi, truncation_cutoff), []
        for seeds in (whole(row_seeds), whole(column_seeds)):
            codes.append(seeded(self.generator, seeds, label_rows(self.generator.spec, labels, len(seeds)), view))
        both = mixed(self.generator, codes[0], codes[1], layers)
        own = [seed for seed in whole(row_seeds) for _ in whole(column_seeds)]
        return self.output(drawn(self.generator, both, chunk_size), own, chunk_size, output_type)

    def interpolate(
        self,
        seeds: Sequence[int] | Tensor,
        steps: int = 30,
        *,
        curve: Curve = "spline",
        loop: bool = True,
        labels: Asked | None = None,
        truncation_psi: float | None = None,
        truncation_cutoff: int | None = None,
        chunk_size: int = AT_ONCE,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> GANOutput:
        """A smooth walk from seed to seed, `steps` images each; image i * steps is seed i's.

        `curve`: "spline" through style codes, or "slerp" between latent codes. `loop`: back to the first seed at the
        end. The other arguments are those of a call. UserError if the generator does not take what is asked.
        """
        given = whole(seeds)
        rows = label_rows(self.generator.spec, labels, len(given))
        view = View(truncation_psi, truncation_cutoff)
        codes = walk(self.generator, given, steps, labels=rows, view=view, curve=curve, loop=loop)
        return self.output(drawn(self.generator, codes, chunk_size), given, chunk_size, output_type, len(codes.points))

    def polarized(
        self,
        rho: float,
        count: int | None,
        candidates: int | None,
        seeds: int | Sequence[int] | Tensor | None,
        labels: Asked | None,
        view: View,
    ) -> list[int]:
        """`count` (None: one) of the seeds given, or of `candidates` drawn from torch's random state."""
        if labels is not None and np.ndim(labels) > bool(self.generator.spec.label_ranges):
            raise UserError("polarity chooses among images of one class; give one for all as labels.")
        count = count or 1
        pool = seeds_for(candidates or 10 * count, None, None) if seeds is None else whole(seeds)
        row = label_rows(self.generator.spec, labels, 1)
        with self.computing():
            return polarized(self.generator, pool, count, rho, labels=row, view=view)

    def output(
        self, passes: Iterator[Tensor], seeds: list[int], chunk: int, output_type: str, total: int | None = None
    ) -> GANOutput:
        """What the passes of `total` (None: a seed's each) images make, with a progress bar if they are several."""
        check_output(output_type)
        total = len(seeds) if total is None else total
        with self.computing():
            return GANOutput(
                images=handed(self.shown(passes, total) if total > chunk else passes, output_type), seeds=seeds
            )

    def directions(
        self,
        method: Method = "sefa",
        count: int = 5,
        *,
        layers: Sequence[int] | None = None,
        labels: Asked | None = None,
        seed: int = 0,
    ) -> Directions:
        """The strongest directions of its codes, for `edit`; "sefa" reads them from weights, "pca" from drawn codes.

        `layers`: places of the style codes that are to be moved, the coarsest is 0; None: all. `labels`: a class whose
        codes are drawn; None: all. UserError if the generator does not give what the method asks for.
        """
        row = None if labels is None else label_rows(self.generator.spec, labels, 1)
        return find_directions(self.generator, method, count, layers=layers, labels=row, seed=seed)

    def edit(
        self,
        directions: Directions | None = None,
        *,
        direction: int = 0,
        amounts: Sequence[float] = (-3, -2, -1, 0, 1, 2, 3),
        seeds: int | Sequence[int] | Tensor | None = None,
        codes: Codes | None = None,
        labels: Asked | None = None,
        truncation_psi: float | None = None,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> EditOutput:
        """Images moved along one direction: for each seed, or each of `codes` (of `project`), one for each amount.

        `directions`: of `self.directions`; None: its defaults. An amount counts standard deviations of the codes, 0 is
        the image itself. UserError if the generator does not take what is asked.
        """
        check_output(output_type)
        if (seeds is None) == (codes is None):
            raise UserError("an edit starts from seeds or from codes; give one of the two.")
        if seeds is not None:
            given = whole(seeds)
            rows = label_rows(self.generator.spec, labels, len(given))
            codes = seeded(self.generator, given, rows, View(truncation_psi))
        assert codes is not None
        moved = (directions or self.directions(count=direction + 1)).moved(codes, direction, amounts)
        with self.computing():
            return EditOutput(images=handed(drawn(self.generator, moved), output_type), codes=moved)

    def project(
        self,
        images: Picture | Sequence[Picture],
        search: Search | None = None,
        *,
        labels: Asked | None = None,
        batch_size: int = 8,
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> ProjectionOutput:
        """The codes whose images are nearest to the given ones: pictures of any size, cropped and resized to fit.

        `search`: space, steps, features that are compared, ...; by default pixels are, which needs no weights:
        `Search(space="w+", distance=LPIPS())` is nearer to what people see. `labels`: as for a call. UserError if the
        generator has no such space, or the images are none.
        """
        check_output(output_type)
        targets = targets_of(images, self.generator.spec)
        rows = label_rows(self.generator.spec, labels, len(targets))
        search = search or Search()
        with self.progress_bar(total=search.steps * math.ceil(len(targets) / max(1, batch_size))) as bar:
            found = project(
                self.generator, targets, search, labels=rows, batch_size=batch_size, watch=lambda *_: bar.update()
            )
        return ProjectionOutput(
            images=handed(iter([found.images]), output_type), codes=found.codes, distance=found.distance.tolist()
        )

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


def check_output(output_type: str) -> None:
    """UserError if images cannot be handed over so."""
    if output_type not in OUTPUTS:
        raise UserError(f"output_type is {output_type!r}; give one of {', '.join(map(repr, OUTPUTS))}.")


def seeds_for(count: int | None, seeds: int | Sequence[int] | Tensor | None, labels: Asked | None) -> list[int]:
    """The seeds given, or as many as are asked for, drawn from torch's random state; UserError if numbers disagree."""
    if seeds is None:
        if count is None:
            count = 1 if labels is None or np.ndim(labels) == 0 else len(labels)  # type: ignore[arg-type]
        if not isinstance(count, int) or count < 1:
            raise UserError(f"batch_size is {count!r}; give the number of images, 1 or more.")
        return torch.randint(2**32, (count,)).tolist()
    given = whole(seeds)
    if count not in (None, len(given)):
        raise UserError(f"batch_size is {count}, and there are {len(given)} seeds; leave batch_size out.")
    return given


def handed(passes: Iterator[Tensor], output_type: str) -> list[PIL.Image.Image] | np.ndarray | Tensor:
    """Images [n, C, H, W] about [-1, 1] as `output_type` asks; NaN becomes black."""
    if output_type == "pil":
        return [image for images in passes for image in to_pil(to_uint8(images))]
    whole = torch.cat([images.add(1).div(2).nan_to_num(nan=0.0).clamp(0, 1) for images in passes])
    return whole if output_type == "pt" else whole.permute(0, 2, 3, 1).cpu().numpy()
