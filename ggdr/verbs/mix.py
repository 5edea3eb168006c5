"""`ggdr mix MODEL`: a style-mixing matrix: what some images are when others lend them their styles.

ggdr mix runs/digits --rows 0-3 --columns 10-17 --layers 0-3 --out mix.png

The first row shows the images that lend, the first column those that take. Layer 0 is the coarsest. --labels are one
for all, or one for each row and then one for each column.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.ranges import parse_ranges
from ggdr.verbs.model_flags import is_png, to_uint8_batches
from ggdr.verbs.truncation_flags import TruncationFlags


@dataclass(frozen=True)
class Mix(TruncationFlags):
    """What to mix, and where to put it."""

    rows: str = "0-3"
    """seeds of the images that take styles"""
    columns: str = "10-17"
    """seeds of the images that lend them"""
    layers: str = ""
    """style codes that are lent, such as 0-3; none: the coarser half"""
    out: Path = Path("mix.png")
    """the picture"""


def main(argv: list[str]) -> int:
    """Draw the matrix that `argv` asks for and say where it is; UserError if it cannot be drawn."""
    command = parsed(Mix, argv, "ggdr mix", __doc__)
    seeds = [parse_ranges("rows", command.rows), parse_ranges("columns", command.columns)]
    layers = parse_ranges("layers", command.layers) if command.layers else None
    if not is_png(command.out):
        raise UserError(f"--out {command.out} is no PNG; give NAME.png.")
    command.check_files([command.out])
    command.announce()
    import torch

    from ggdr.latent.codes import draw_codes
    from ggdr.latent.mixing import check_styles, mix_styles
    from ggdr.sampling.grid import save_grid

    generator = command.generator()
    check_styles(generator)
    codes, count = command.codes_of_seeds(generator, [*seeds[0], *seeds[1]]), len(seeds[0])
    rows, columns = codes.rows(slice(count)), codes.rows(slice(count, None))
    every = [columns, rows, mix_styles(generator, rows, columns, layers)]
    total = sum(len(codes.points) for codes in every)
    passes = to_uint8_batches(
        chain.from_iterable(draw_codes(generator, codes, command.batch_size) for codes in every), total
    )
    lent, took, both = torch.cat(list(passes)).split([len(codes.points) for codes in every])
    lines = [torch.cat([took[i : i + 1], each]) for i, each in enumerate(both.split(len(lent)))]
    corner = torch.full_like(lent[:1], 255)
    save_grid(torch.cat([corner, lent, *lines]), command.out, len(lent) + 1)
    print(f"{command.out}: {len(took)} images with the styles of {len(lent)}, by {command.model}")
    return 0
