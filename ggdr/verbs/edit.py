"""`ggdr edit MODEL`: a sheet of what the strongest directions of a generator's codes change, found without labels.

ggdr edit runs/digits --method pca --directions 0-4 --seeds 0-1 --out edit.png

ggdr edit org/name --layers 0-3 --range 2 --code projected/photo.safetensors
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ggdr.errors import UserError, above_zero
from ggdr.flags.command_line import parsed
from ggdr.flags.ranges import parse_ranges
from ggdr.formatting import significant
from ggdr.progress import track
from ggdr.verbs.model_flags import is_png
from ggdr.verbs.truncation_flags import TruncationFlags

if TYPE_CHECKING:
    from ggdr.latent.codes import Codes
    from ggdr.latent.directions import Directions
    from ggdr.networks.base.module import Generator
    from ggdr.visualization.sheets import Row


@dataclass(frozen=True)
class Edit(TruncationFlags):
    """What to edit, along which directions, and where to put it."""

    method: Literal["sefa", "pca"] = "sefa"
    """sefa: eigenvectors of the weights by which codes enter (2007.06600); pca: of codes that are drawn (2004.02546)"""
    directions: str = "0-4"
    """numbers and ranges, the strongest is 0; a row of the sheet for each"""
    seeds: str = "0"
    """numbers and ranges; an image for each that is edited"""
    code: Path | None = None
    """codes that `ggdr project` wrote, instead of seeds"""
    layers: str = ""
    """style codes that are moved, such as 0-3, the coarsest is 0; none: all"""
    range: float = 3.0
    """the furthest edit on either side, in standard deviations of the codes"""
    columns: int = 7
    """columns of the sheet, from -range to range; of an odd number the middle one is the image itself"""
    out: Path = Path("edit.png")
    """the sheet, a PNG"""

    def __post_init__(self) -> None:
        above_zero(self, "range", "columns", "batch_size")


def main(argv: list[str]) -> int:
    """Draw the sheet that `argv` asks for and say where it is; UserError if it cannot be made."""
    command = parsed(Edit, argv, "ggdr edit", __doc__)
    wanted = parse_ranges("directions", command.directions)
    layers = parse_ranges("layers", command.layers) if command.layers else None
    if command.code and (command.truncation_psi is not None or command.truncation_mean != "all"):
        raise UserError("--code says all of the image, its truncation too; leave --truncation-psi and -mean out.")
    if not is_png(command.out):
        raise UserError(f"--out {command.out} is no PNG; give NAME.png.")
    command.check_files([command.out])
    command.announce()
    from ggdr.latent.directions import find_directions
    from ggdr.visualization.sheets import draw_sheet

    generator = command.generator()
    row = command.label_rows(generator.spec, 1) if len(command.labels) == 1 else None  # of several, of all classes
    names, codes = initial_codes(command, generator)
    directions = find_directions(generator, command.method, max(wanted) + 1, layers=layers, labels=row)
    rows = edit_rows(command, generator, directions, wanted, names, codes)
    moved = "" if layers is None else f" of style codes {command.layers}"
    title = f"{Path(*Path(command.model).parts[-2:])}: {command.method} directions{moved}"
    draw_sheet(rows, title, axis_note(command.columns, command.range), command.out)
    print(f"{command.out}: {len(names)} x {len(wanted)} rows of {command.columns} images by {command.model}")
    return 0


def initial_codes(command: Edit, generator: Generator) -> tuple[list[str], Codes]:
    """The codes that are edited, and what they are called; UserError if there are none."""
    from ggdr.latent.codes import load_codes

    if command.code is not None:
        codes = load_codes(command.code, generator)
        count = len(codes.points)
        return [command.code.stem if count == 1 else f"{command.code.stem} {place}" for place in range(count)], codes
    seeds = parse_ranges("seeds", command.seeds)
    return [f"seed {seed}" for seed in seeds], command.codes_of_seeds(generator, seeds)


def edit_rows(
    command: Edit, generator: Generator, directions: Directions, wanted: list[int], names: list[str], codes: Codes
) -> list[Row]:
    """A row for each code and direction."""
    import torch

    from ggdr.latent.codes import draw_codes
    from ggdr.sampling.grid import to_uint8
    from ggdr.visualization.sheets import Row, to_pixels

    amounts = edit_amounts(command.columns, command.range)
    found = []
    pairs = [(place, which) for place in range(len(names)) for which in wanted]
    for place, which in track(pairs, "drawing", "rows"):
        moved = directions.move(codes.rows([place]), which, amounts)
        images = torch.cat([to_uint8(images).cpu() for images in draw_codes(generator, moved, command.batch_size)])
        found.append(Row(f"{names[place]}\ndirection {which}", to_pixels(images)))
    return found


def edit_amounts(columns: int, furthest: float) -> list[float]:
    """The amounts of the columns, evenly spaced; of one column 0."""
    return [furthest * (2 * column / (columns - 1) - 1) if columns > 1 else 0.0 for column in range(columns)]


def axis_note(columns: int, furthest: float) -> str:
    """What the columns are."""
    amounts = ", ".join(significant(amount, 3, "+") if amount else "0" for amount in edit_amounts(columns, furthest))
    return f"From left to right: {amounts} standard deviations of the codes; 0 is the image itself."
