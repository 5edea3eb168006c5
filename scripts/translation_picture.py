"""Draw docs/translation.png, and print its table: held-out drawings of OpenMoji as several runs colour them.

    python scripts/translation_picture.py runs/pix2pix runs/cyclegan runs/nice

The picture has the first held-out drawings in the order of seed 0, as they come: a row of lines, a row of what each
model makes of them, in the order given, and a row of the truth. The table has l1 and ssim against the truth over all
held-out drawings, beside what doing nothing and the mean of the training pictures come to.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

import ggdr
from ggdr.cli import guarded
from ggdr.data.openmoji import OpenMoji
from ggdr.hub.markdown import markdown_table
from ggdr.metrics.l1 import absolute_error
from ggdr.metrics.ssim import structural_similarity
from ggdr.recipe.files import load_recipe
from ggdr.sampling.grid import save_grid, side_by_side

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Picture:
    """Of which runs, and where to."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """runs or models that colour lines, a row each"""
    recipe: Path = ROOT / "recipes" / "openmoji_pix2pix.py"
    """whose held-out drawings are coloured"""
    count: int = 16
    """drawings, side by side"""
    out: Path = ROOT / "docs" / "translation.png"
    """the picture"""


def main(argv: list[str]) -> int:
    """Draw all rows, and print the table."""
    asked = tyro.cli(Picture, args=argv, prog="translation_picture.py", description=__doc__)
    data = load_recipe(asked.recipe).data
    assert isinstance(data, OpenMoji)
    held_out = data.held_out()
    assert held_out is not None
    lines, truth = pairs(held_out)
    mean = pairs(data)[1].double().mean(0).round().to(torch.uint8)
    made = {str(run): coloured(run, lines) for run in asked.runs}
    rows = [lines[: asked.count], *(each[: asked.count] for each in made.values()), truth[: asked.count]]
    tiles = side_by_side(rows).unflatten(0, (asked.count, len(rows))).transpose(0, 1).flatten(0, 1)
    save_grid(tiles, asked.out, columns=asked.count, scale=2)
    floors = {"lines, left as they are": lines.expand_as(truth), "mean of the training pictures": mean.expand_as(truth)}
    print(f"{len(truth)} held-out drawings\n")
    print(markdown_table(["", "l1", "ssim"], [[name, *numbers(each, truth)] for name, each in (floors | made).items()]))
    return 0


def pairs(data) -> tuple[Tensor, Tensor]:
    """All lines [N, 1, H, W] and colour pictures [N, 3, H, W] of a data set, uint8, each drawing once."""
    images = data.open()
    batch = images.domain_batches(list(range(images.originals)), 0)
    return batch["lines"].images, batch["colour"].images


def coloured(run: Path, lines: Tensor) -> Tensor:
    """What a model makes of lines uint8 [N, 1, H, W]: pictures uint8 [N, 3, H, W]."""
    pipe = ggdr.from_pretrained(run)
    pipe.set_progress_bar_config(disable=True)
    made = pipe(list(lines.float() / 255), to=next(iter(pipe.views)), output_type="pt").images
    return torch.as_tensor(made).mul(255).round().to(torch.uint8)


def numbers(made: Tensor, truth: Tensor) -> list[str]:
    """Means of l1 and ssim, in words."""
    return [f"{compare(made, truth).mean():.4f}" for compare in (absolute_error, structural_similarity)]


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
