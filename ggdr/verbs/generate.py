"""`ggdr generate MODEL`: images of a saved generator, as one grid or a file for each.

ggdr generate runs/digits --seeds 0-15,100 --truncation-psi 0.7 --out samples.png

ggdr generate runs/digits --seeds 0-7 --truncation-psi 0 0.35 0.7 1 --out truncation.png

ggdr generate runs/digits --seeds 0-999 --polarity -2 --count 16 --out modes.png

ggdr generate org/name --labels cat dog --seeds 0-9 --out samples

ggdr generate runs/features --seeds 0-999 --out made.npz
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.ranges import parse_ranges
from ggdr.folders import make_marked
from ggdr.verbs.label_flags import Label, LabelFlags
from ggdr.verbs.model_flags import is_png, to_uint8_batches, write_grid
from ggdr.verbs.outputs import check_contents, check_folder

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ggdr.networks.base import ImageSpec
    from ggdr.networks.base.module import Generator

ARRAYS = ".npz"
"""ending of a file of vectors"""


@dataclass(frozen=True)
class Generate(LabelFlags):
    """What to generate, and where to put it."""

    seeds: str = "0-15"
    """numbers and ranges, such as 0-15,100; an image for each"""
    code: Path | None = None
    """codes that `ggdr project` wrote, instead of seeds, classes and truncation"""
    truncation_psi: tuple[float, ...] = ()
    """truncation: 1 for the full variety, towards 0 for the mean image; several: each seed with each, a row each"""
    truncation_cutoff: int | None = None
    """how many style codes, from the coarsest on, psi pulls; None: all"""
    truncation_mean: Literal["all", "class"] = "all"
    """psi pulls towards the mean of all style codes, or of those of the image's own label"""
    modes: int | None = None
    """psi pulls towards the nearest of this many centres of style codes, not their mean (arXiv 2202.12211)"""
    polarity: float = 0.0
    """choose --count of the seeds: below 0 those where images crowd, above 0 the rare ones (arXiv 2203.01993)"""
    count: int | None = None
    """images, of each class, that polarity chooses; None: a tenth of the seeds"""
    noise: Literal["const", "random", "none"] = "const"
    """noise of the layers: the same for all images, fresh by the seed, or none"""
    out: Path = Path("samples.png")
    """NAME.png: one grid, a row for each label or psi; NAME.npz: the numbers, of a model of vectors; anything else: a
    folder of seed0000.png, seed0000-cat.png"""


class ImageRequest(NamedTuple):
    """One image."""

    seed: int
    label: Label | None
    psi: float | None
    several: bool
    """whether images differ by psi"""

    @property
    def file(self) -> str:
        """Its name in a folder."""
        label = "" if self.label is None else f"-{self.label.text}"
        return f"seed{self.seed:04}{label}{f'-psi{self.psi}' if self.several else ''}.png"


def main(argv: list[str]) -> int:
    """Make the images that `argv` asks for and say where they are; UserError if they cannot be made."""
    command = parsed(Generate, argv, "ggdr generate", __doc__)
    seeds = parse_ranges("seeds", command.seeds)
    if command.count is not None and not command.polarity:
        raise UserError(f"--count {command.count} says how many images polarity chooses; add --polarity -1.")
    if is_png(command.out) or command.out.suffix == ARRAYS:
        command.check_files([command.out])
    else:
        check_folder(command.out, "NAME.png for a grid, or the name of a folder for a file each")
    command.announce()
    generator = command.generator()
    check_kind(command.out, generator)
    if command.code is not None:
        return generate_from_codes(command, generator, command.code)
    wanted, columns = plan_images(command, generator, seeds)
    if command.out.suffix == ARRAYS:
        write_vectors(draw_images(command, generator, wanted), command.out, about_vectors(generator.spec, wanted))
        print(f"{command.out}: {len(wanted)} vector{'s' * (len(wanted) > 1)} by {command.model}")
        return 0
    write_images(
        command,
        to_uint8_batches(draw_images(command, generator, wanted), len(wanted)),
        [image.file for image in wanted],
        columns,
    )
    print(f"{command.out}: {len(wanted)} image{'s' * (len(wanted) > 1)} by {command.model}")
    return 0


def generate_from_codes(command: Generate, generator: Generator, file: Path) -> int:
    """Make the images of the codes in a file, with the noise that was found with them."""
    from ggdr.latent.codes import draw_codes, load_codes

    codes = load_codes(file, generator)
    count = len(codes.points)
    if command.out.suffix == ARRAYS:
        write_vectors(draw_codes(generator, codes, command.batch_size), command.out, {})
        print(f"{command.out}: {count} vector{'s' * (count > 1)} of {file} by {command.model}")
        return 0
    names = [f"{file.stem}-{place}.png" if count > 1 else f"{file.stem}.png" for place in range(count)]
    write_images(command, to_uint8_batches(draw_codes(generator, codes, command.batch_size), count), names, None)
    print(f"{command.out}: {count} image{'s' * (count > 1)} of {file} by {command.model}")
    return 0


def check_kind(out: Path, generator: Generator) -> None:
    """UserError if images are to be written as vectors, or vectors as pictures, a file each."""
    if out.suffix == ARRAYS and not generator.spec.continuous:
        raise UserError(
            f"--out {out} is a file of vectors, and this model makes images: give NAME.png for a grid, or a folder."
        )
    if generator.spec.continuous and out.suffix != ARRAYS and not is_png(out):
        raise UserError(
            f"this model makes vectors of {generator.spec.channels} numbers, which are no pictures: give --out NAME.npz"
            " for the numbers, or NAME.png for a grid of tiles."
        )


def about_vectors(spec: ImageSpec, wanted: list[ImageRequest]) -> dict[str, np.ndarray]:
    """What vectors are made from: `seeds` [N], and names of `classes` [N], or other `labels` [N, L] float32."""
    import numpy as np

    arrays = {"seeds": np.array([each.seed for each in wanted])}
    labels = np.array([each.label.values for each in wanted if each.label is not None], np.float32)
    if len(labels) and not spec.label_ranges:
        names = spec.label_names or tuple(map(str, range(spec.labels)))
        arrays["classes"] = np.array(names)[labels.argmax(1)]
    elif len(labels):
        arrays["labels"] = labels
    return arrays


def write_vectors(passes: Iterator[Tensor], file: Path, about: dict[str, np.ndarray]) -> None:
    """Vectors as `vectors` [N, K] float32 of a .npz, as --data vectors reads them, and what each was made from."""
    import numpy as np

    arrays = {"vectors": np.concatenate([each.float().flatten(1).cpu().numpy() for each in passes])} | about
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    with unfinished.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    os.replace(unfinished, file)


def write_images(command: Generate, passes: Iterator[Tensor], names: list[str], columns: int | None) -> None:
    """One grid, or each image in its own file, as soon as it is made."""
    from ggdr.sampling.grid import save_png, to_pil

    if is_png(command.out):
        return write_grid(passes, command.out, columns)
    files = [command.out / name for name in names]
    command.check_files(files)
    check_contents(command.out, files)
    make_marked(command.out)
    pictures = (picture for images in passes for picture in to_pil(images))
    for file, picture in zip(files, pictures, strict=True):
        save_png(picture, file)


def plan_images(command: Generate, generator: Generator, seeds: list[int]) -> tuple[list[ImageRequest], int | None]:
    """The images, by psi, class and seed, and the columns of a grid of them; None: near-square."""
    classes: list[Label] | list[None] = command.parse_labels(generator.spec) or [None]
    strengths: tuple[float, ...] | tuple[None] = command.truncation_psi or (None,)
    chosen = {label: choose_seeds(command, generator, seeds, label) for label in classes}
    wanted = [
        ImageRequest(seed, label, psi, len(strengths) > 1)
        for psi in strengths
        for label in classes
        for seed in chosen[label]
    ]
    row = len(chosen[classes[0]])
    return wanted, row if len(classes) * len(strengths) > 1 < row else None


def choose_seeds(command: Generate, generator: Generator, seeds: list[int], label: Label | None) -> list[int]:
    """The seeds of a class's images: all that are given, or those that polarity takes of them."""
    if not command.polarity:
        return seeds
    import torch

    from ggdr.latent.polarity import polarity_sample
    from ggdr.sampling import SamplingOptions

    row = None if label is None else torch.tensor([label.values])
    view = SamplingOptions(command.truncation_psi[0] if command.truncation_psi else None, command.truncation_cutoff)
    return polarity_sample(
        generator, seeds, command.count or max(1, len(seeds) // 10), command.polarity, labels=row, view=view
    )


def draw_images(command: Generate, generator: Generator, wanted: list[ImageRequest]) -> Iterator[Tensor]:
    """The wanted images, pass by pass; UserError, before the first, if the generator does not take what is asked."""
    import torch

    from ggdr.latent.modes import centres_for, draw_with_modes
    from ggdr.sampling import SamplingOptions

    parts = []
    for psi in dict.fromkeys(image.psi for image in wanted):
        part = [image for image in wanted if image.psi == psi]
        labels = [image.label.values for image in part if image.label is not None]
        rows = torch.tensor(labels) if labels else None
        view = SamplingOptions(psi, command.truncation_cutoff, command.noise)
        centres = centres_for(generator, rows, command.truncation_mean, command.modes)
        parts.append(
            draw_with_modes(generator, [image.seed for image in part], rows, view, centres, command.batch_size)
        )
    return chain.from_iterable(parts)
