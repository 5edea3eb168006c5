"""`ggdr generate MODEL`: images of a saved generator, as one grid or a file for each.

ggdr generate runs/digits --seeds 0-15,100 --psi 0.7 --out samples.png

ggdr generate org/name --labels all --seeds 0-9 --out samples
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import tyro

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.network import Generator

PICTURES = (".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""endings of files that are not written"""
MOST = 1_000_000
"""numbers of a range; a longer one is a slip of the finger"""


@dataclass(frozen=True)
class Generate:
    """What to generate, and where to put it."""

    model: Annotated[str, tyro.conf.Positional]
    """folder of a run, of a checkpoint or of a model; or a Hub repository such as org/name"""
    seeds: str = "0-15"
    """numbers and ranges, such as 0-15,100; an image for each"""
    code: Path | None = None
    """codes that `ggdr project` wrote, instead of seeds, classes and truncation"""
    psi: float | None = None
    """truncation: 1 for the full variety, towards 0 for the mean image; None: as 1"""
    cutoff: int | None = None
    """how many style codes, from the coarsest on, psi pulls; None: all"""
    labels: str = ""
    """classes, such as 0,3-5, or all: every seed with each of them; only for a generator with labels, which needs it"""
    noise: Literal["const", "random", "none"] = "const"
    """of the layers: the same for all images, fresh by the seed, or none"""
    batch: int = 16
    """images at once"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; none: the accelerator if there is one"""
    out: Path = Path("samples.png")
    """NAME.png: one grid, a row for each class; anything else: a folder of seed0000.png, or seed0000-label3.png"""
    overwrite: bool = False
    """replace files that are there; without it they are left, and nothing is made"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


class Wanted(NamedTuple):
    """One image."""

    seed: int
    label: int | None

    @property
    def file(self) -> str:
        """Its name in a folder."""
        return f"seed{self.seed:04}.png" if self.label is None else f"seed{self.seed:04}-label{self.label}.png"


def main(argv: list[str]) -> int:
    """Make the images that `argv` asks for and say where they are; ValueError if they cannot be made."""
    asked = tyro.cli(Generate, args=argv, prog="ggdr generate", description=__doc__)
    seeds = numbers("seeds", asked.seeds)
    if asked.out.suffix.lower() in PICTURES:
        raise ValueError(f"--out {asked.out} is no PNG; give NAME.png for a grid, or a folder for a file each.")
    if is_grid(asked.out):
        keep([asked.out], asked.overwrite)
    from ggdr.device import device_of
    from ggdr.pretrained import Hub, load_generator
    from ggdr.registry import use
    from ggdr.sampling import View, draw, label_rows

    for file in asked.use:
        use(file)
    generator = load_generator(asked.model, Hub(asked.revision)).to(device_of(asked.device))
    if asked.code is not None:
        return from_code(asked, generator, asked.code)
    classes = classes_of(asked.labels, generator.brief.labels)
    wanted = [Wanted(seed, label) for label in classes for seed in seeds] or [Wanted(seed, None) for seed in seeds]
    rows = label_rows(generator.brief, [label for label in classes for _ in seeds] or None, len(wanted))
    view = View(asked.psi, asked.cutoff, asked.noise)
    passes = shown(draw(generator, [image.seed for image in wanted], rows, view, asked.batch), len(wanted))
    if is_grid(asked.out):
        write_grid(passes, asked.out, len(seeds) if len(classes) > 1 < len(seeds) else None)
    else:
        keep([asked.out / image.file for image in wanted], asked.overwrite)
        write_files(passes, asked.out, [image.file for image in wanted])
    print(f"{asked.out}: {len(wanted)} image{'s' * (len(wanted) > 1)} by {asked.model}")
    return 0


def from_code(asked: Generate, generator: Generator, file: Path) -> int:
    """Make the images of the codes in a file, with the noise that was found with them."""
    from ggdr.latent.codes import drawn, load_codes

    codes = load_codes(file, generator)
    count = len(codes.points)
    passes = shown(drawn(generator, codes, asked.batch), count)
    if is_grid(asked.out):
        write_grid(passes, asked.out, None)
    else:
        names = [f"{file.stem}-{place}.png" if count > 1 else f"{file.stem}.png" for place in range(count)]
        keep([asked.out / name for name in names], asked.overwrite)
        write_files(passes, asked.out, names)
    print(f"{asked.out}: {count} image{'s' * (count > 1)} of {file} by {asked.model}")
    return 0


def numbers(flag: str, text: str) -> list[int]:
    """ "0-3,100" as [0, 1, 2, 3, 100]; ValueError if it is nothing like it."""
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise ValueError(f"--{flag} {text} holds {piece!r}; give numbers and ranges such as 0-15,100.")
        start, end = int(first), int(last or first)
        if not 0 <= end - start < MOST:
            raise ValueError(f"--{flag} {text} holds {piece!r}; a range goes up, and has at most {MOST:,} numbers.")
        found += range(start, end + 1)
    return found


def classes_of(text: str, width: int) -> list[int]:
    """The classes that --labels asks for, of `width`, none if there are none; ValueError if it does not fit."""
    if not width and text:
        raise ValueError(f"this generator was trained without labels; leave --labels {text} out.")
    if width and not text:
        raise ValueError(f"this generator was trained with labels; add --labels all, or some of 0-{width - 1}.")
    found = list(range(width)) if text == "all" or not text else numbers("labels", text)
    if max(found, default=-1) >= width:
        raise ValueError(f"--labels {text} holds {max(found)}; give all, or some of 0-{width - 1}.")
    return found


def is_grid(out: Path) -> bool:
    """Whether one picture is asked for."""
    return out.suffix.lower() == ".png"


def keep(files: list[Path], overwrite: bool) -> None:
    """ValueError if a file is there that may not be replaced."""
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        raise ValueError(f"{there[0]} is there already; give another --out, or add --overwrite.")


def shown(passes: Iterator[Tensor], total: int) -> Iterator[Tensor]:
    """The passes as uint8 on the host, with a progress bar on a terminal."""
    from tqdm import tqdm

    from ggdr.grid import to_uint8

    with tqdm(total=total, unit=" images", leave=False, disable=None) as bar:
        for images in passes:
            yield to_uint8(images).cpu()
            bar.update(len(images))


def write_grid(passes: Iterator[Tensor], out: Path, columns: int | None) -> None:
    """All images in one picture."""
    import torch

    from ggdr.grid import save_grid

    save_grid(torch.cat(list(passes)), out, columns)


def write_files(passes: Iterator[Tensor], out: Path, names: list[str]) -> None:
    """Each image in a file of its own, as soon as it is made."""
    from ggdr.grid import save_png, to_pil

    pictures = (picture for images in passes for picture in to_pil(images))
    for name, picture in zip(names, pictures, strict=True):
        save_png(picture, out / name)
