"""What verbs that make images of a saved generator have in common: their flags, the generator, and files that stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.errors import UserError
from ggdr.verbs.outputs import check_out

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base.module import Generator

MOST = 1_000_000
"""numbers of a range; a longer one is a slip of the finger"""


@dataclass(frozen=True)
class ModelFlags:
    """Which generator, and how it is to work."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """folder of a run, of a checkpoint or of a model; or a Hub repository such as org/name"""
    batch_size: int = 16
    """images at once"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; none: the accelerator if there is one"""
    overwrite: bool = False
    """replace files that are there; without it they are left, and nothing is made"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""

    def generator(self) -> Generator:
        """The generator, where it is to work; UserError if there is none."""
        from ggdr.ops.device import resolve_device
        from ggdr.registry import use
        from ggdr.saving.pretrained import Hub, load_generator

        for file in self.use:
            use(file)
        return load_generator(self.model, Hub(self.revision)).to(resolve_device(self.device))

    def check_files(self, files: list[Path]) -> None:
        """UserError if a file is there that may not be replaced, or would lie in a folder of images."""
        check_out(files, self.overwrite)


def parse_ranges(flag: str, text: str) -> list[int]:
    """ "0-3,100" as [0, 1, 2, 3, 100]; UserError if it is nothing like it."""
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise UserError(f"--{flag} {text} holds {piece!r}; give numbers and ranges such as 0-15,100.")
        start, end = int(first), int(last or first)
        if not 0 <= end - start < MOST:
            raise UserError(f"--{flag} {text} holds {piece!r}; a range goes up, and has at most {MOST:,} numbers.")
        found += range(start, end + 1)
    return found


def to_uint8_batches(passes: Iterator[Tensor], total: int) -> Iterator[Tensor]:
    """The passes as uint8 on the host, with a progress bar on a terminal."""
    from tqdm import tqdm

    from ggdr.sampling.grid import to_uint8

    with tqdm(total=total, unit=" images", leave=False, disable=None) as bar:
        for images in passes:
            yield to_uint8(images).cpu()
            bar.update(len(images))


def write_grid(passes: Iterator[Tensor], out: Path, columns: int | None) -> None:
    """All images in one picture."""
    import torch

    from ggdr.sampling.grid import save_grid

    save_grid(torch.cat(list(passes)), out, columns)


def is_png(out: Path) -> bool:
    """Whether one picture is asked for."""
    return out.suffix.lower() == ".png"
