"""Draw docs/translation.png: the same held-out drawings as several runs on OpenMoji colour them, between lines and truth.

    python scripts/translation_picture.py runs/pix2pix runs/cyclegan runs/nice

The drawings are the first ones of the held-out third in the order of seed 0, as they come. A row each: the lines, what
each model makes of them, in the order given, and the truth.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

import ggdr
from ggdr.cli import guarded
from ggdr.data.openmoji import OpenMoji
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
    """Draw all rows."""
    asked = tyro.cli(Picture, args=argv, prog="translation_picture.py", description=__doc__)
    data = load_recipe(asked.recipe).data
    assert isinstance(data, OpenMoji)
    held_out = data.held_out()
    assert held_out is not None
    batch = held_out.open().domain_batches(list(range(asked.count)), 0)
    lines, truth = batch["lines"].images, batch["colour"].images
    rows = [lines, *(coloured(run, lines) for run in asked.runs), truth]
    tiles = side_by_side(rows).unflatten(0, (asked.count, len(rows))).transpose(0, 1).flatten(0, 1)
    save_grid(tiles, asked.out, columns=asked.count, scale=2)
    return 0


def coloured(run: Path, lines: torch.Tensor) -> torch.Tensor:
    """What a model makes of lines uint8 [N, 1, H, W]: pictures uint8 [N, 3, H, W]."""
    pipe = ggdr.from_pretrained(run)
    made = pipe(list(lines.float() / 255), to=next(iter(pipe.views)), output_type="pt").images
    return torch.as_tensor(made).mul(255).round().to(torch.uint8)


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
