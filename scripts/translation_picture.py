"""Draw what translators make of held-out images, as one picture: a row each of the inputs, the outputs and the truth.

    python scripts/translation_picture.py runs/pix2pix runs/cyclegan runs/nice --out docs/translation.png
    python scripts/translation_picture.py runs/munit --out docs/translation/munit.png

The columns are the first images that the first run's data holds out, in the order of seed 0, as they come. A run that
draws codes has a row for each of several, one that takes styles also a row of these, and one that is measured against
the truth ends with it. All runs are shown the same images.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

import ggdr
from ggdr.cli import guarded
from ggdr.data.base import Images
from ggdr.errors import UserError, above_zero
from ggdr.evaluation.inputs import data_of_run
from ggdr.ops.pixels import network_input
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.view import Reals, View
from ggdr.sampling.grid import picture, save_grid, side_by_side

LAST = ("target",)
"""columns of a view that are the same for all runs, and stand at the end"""
LEFT_OUT = ("input", "cycle", *LAST)


@dataclass(frozen=True)
class Picture:
    """Of which runs, and where to."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """runs of translators, in the order of their rows"""
    out: Path
    """the picture, a PNG"""
    view: str = ""
    """which way: a view, or the domain that is to be made; none: each model's first"""
    count: int = 16
    """images, side by side"""
    scale: int = 2
    """pixels of the picture for each of an image"""

    def __post_init__(self) -> None:
        above_zero(self, "count", "scale")


def main(argv: list[str]) -> int:
    """Draw all rows, and say which is which."""
    asked = tyro.cli(Picture, args=argv, prog="translation_picture.py", description=__doc__)
    rows = dict(rows_of(asked))
    tiles = side_by_side([*rows.values()]).unflatten(0, (asked.count, len(rows))).transpose(0, 1).flatten(0, 1)
    save_grid(tiles, asked.out, columns=asked.count, scale=asked.scale)
    print(f"{asked.out}, from top to bottom: {', '.join(rows)}")
    return 0


def rows_of(asked: Picture) -> Iterator[tuple[str, Tensor]]:
    """What a row shows, and its pictures uint8 [count, C, H, W]."""
    images, last = held_out(asked.runs[0]), dict[str, Tensor]()
    batch = batch_of(images, asked.count)
    for place, run in enumerate(asked.runs):
        name, view = view_of(run, asked.view)
        if missing := {view.source, view.target} - batch.keys():
            raise UserError(f"{run} translates {name}, and the images of {asked.runs[0]} have no {missing.pop()}.")
        assert view.way is not None and view.source is not None
        shown, wide = batch[view.source], view.way.takes.channels
        if shown.images.shape[1] == 1:  # gray lines, to a network that is shown lines as RGB
            shown = shown._replace(images=shown.images.expand(-1, wide, -1, -1))
        with torch.no_grad():
            columns = replace(view, paired=images.paired).columns({**batch, view.source: shown}, 0)
        if not place:
            yield "input", picture(columns["input"], images.domains[view.source].classes)
        for column, made in columns.items():
            if column not in LEFT_OUT:
                yield f"{column} of {run}", picture(made, view.way.makes.classes)
        last |= {column: picture(columns[column], view.way.makes.classes) for column in LAST if column in columns}
    yield from last.items()


def view_of(run: Path, wanted: str) -> tuple[str, View]:
    """A view of a trained model, by its name; UserError if it has none such, or makes images of noise."""
    pipe = ggdr.from_pretrained(run)
    if not isinstance(pipe, TranslationPipeline):
        raise UserError(f"{run} makes images of noise; give runs of translators.")
    return pipe.find_view(wanted or None)


def held_out(run: Path) -> Images:
    """The images that the data of a run holds out, or else those of training."""
    data = data_of_run(str(run))
    return (data.held_out() or data).open()


def batch_of(images: Images, count: int) -> dict[str, Reals]:
    """The first images of each domain, as networks see them."""
    found = images.domain_batches([*range(count)], 0).items()
    return {
        name: Reals(network_input(batch.images, images.domains[name].classes), batch.labels) for name, batch in found
    }


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
