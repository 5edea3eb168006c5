"""What verbs that make images of a saved generator have in common: their flags, the generator, and files that stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.documents import check_model_place
from ggdr.progress import Bar, say_loading
from ggdr.verbs.outputs import check_out

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base.module import Generator


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

    def announce(self) -> None:
        """Say what is loaded, before torch is imported; UserError if no model can be there."""
        announce(self.model, self.revision)

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


def announce(model: str | Path, revision: str | None = None) -> None:
    """Say which model is loaded, before torch is imported; UserError if none can be there, by names alone."""
    check_model_place(model, revision)
    say_loading(str(model))


def to_uint8_batches(passes: Iterator[Tensor], total: int) -> Iterator[Tensor]:
    """The passes as uint8 on the host, with a progress bar on a terminal."""
    from ggdr.sampling.grid import to_uint8

    with Bar("drawing", total, "images") as bar:
        for images in passes:
            yield to_uint8(images).cpu()
            bar.advance(len(images))


def write_grid(passes: Iterator[Tensor], out: Path, columns: int | None) -> None:
    """All images in one picture."""
    import torch

    from ggdr.sampling.grid import save_grid

    save_grid(torch.cat(list(passes)), out, columns)


def is_png(out: Path) -> bool:
    """Whether one picture is asked for."""
    return out.suffix.lower() == ".png"
