"""`ggdr video MODEL`: a walk from image to image, as a film.

ggdr video runs/digits --seeds 0-7 --out walk.mp4

ggdr video runs/digits --seeds 0-35 --walks 9 --truncation-psi 0.7 --out walks.gif
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.verbs.label_flags import LabelFlags
from ggdr.verbs.model_flags import parse_ranges, to_uint8_batches

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.latent.codes import Codes
    from ggdr.networks.base.module import Generator


@dataclass(frozen=True)
class Video(LabelFlags):
    """Which walk, and where to put it."""

    seeds: str = "0-7"
    """seeds of the images that the walk passes; dealt out in turn where there are several walks"""
    walks: int = 1
    """walks that are shown side by side"""
    seconds: float = 1.0
    """from each seed to the next"""
    fps: float = 30.0
    """frames a second"""
    curve: Literal["spline", "slerp"] = "spline"
    """a cubic spline through style codes (latent codes where there are none), or great arcs between latent codes"""
    loop: bool = True
    """end where it began"""
    truncation_psi: float | None = None
    """truncation: 1 for the full variety, towards 0 for the mean image; None: as 1"""
    scale: int | None = None
    """whole factor of enlargement; None: to 256 px at least"""
    out: Path = Path("walk.mp4")
    """NAME.mp4, NAME.gif or NAME.webp"""


def main(argv: list[str]) -> int:
    """Film the walk that `argv` asks for and say where it is; UserError if it cannot be filmed."""
    command = parsed(Video, argv, "ggdr video", __doc__)
    seeds = parse_ranges("seeds", command.seeds)
    if not 1 <= command.walks <= len(seeds) // 2 or len(seeds) % command.walks:
        raise UserError(
            f"{len(seeds)} seeds cannot be dealt to {command.walks} walks; each takes as many, two at least."
        )
    steps = round(command.seconds * command.fps)
    if steps < 1:
        raise UserError(f"{command.seconds:g} seconds at {command.fps:g} frames a second are no frame; give more.")
    from ggdr.visualization.film import EXTENSIONS, save_film

    if command.out.suffix.lower() not in EXTENSIONS:
        raise UserError(f"--out {command.out} is no film; give a name that ends in {', '.join(EXTENSIONS)}.")
    command.check_files([command.out])
    generator = command.generator()
    rows = command.label_rows(generator.spec, len(seeds))
    dealt = [slice(first, None, command.walks) for first in range(command.walks)]
    walks = [walk_codes(command, generator, seeds[each], None if rows is None else rows[each], steps) for each in dealt]
    count = save_film(frames(command, generator, walks), command.out, command.fps)
    print(f"{command.out}: {count} frames, {count / command.fps:.1f} s, by {command.model}")
    return 0


def walk_codes(command: Video, generator: Generator, seeds: list[int], rows: Tensor | None, steps: int) -> Codes:
    """The codes of one walk past seeds with these labels."""
    from ggdr.latent.walks import walk
    from ggdr.sampling import SamplingOptions

    return walk(
        generator,
        seeds,
        steps,
        labels=rows,
        view=SamplingOptions(command.truncation_psi),
        curve=command.curve,
        loop=command.loop,
    )


def frames(command: Video, generator: Generator, walks: list[Codes]) -> Iterator[Tensor]:
    """Each moment of all walks as one picture uint8 [H, W, C]."""
    import math

    from ggdr.latent.codes import draw_codes, interleave
    from ggdr.sampling.grid import grid_columns, make_grid
    from ggdr.visualization.film import SIDE_PX

    length, spec = len(walks[0].points), generator.spec
    columns = grid_columns(len(walks), spec.height, spec.width)
    side = max(columns * spec.width, math.ceil(len(walks) / columns) * spec.height)
    scale = command.scale or math.ceil(SIDE_PX / side)
    moments = interleave(walks)  # all walks' first codes, all walks' second ...
    batch_size = max(command.batch_size // len(walks), 1) * len(walks)
    for images in to_uint8_batches(draw_codes(generator, moments, batch_size), length * len(walks)):
        yield from (make_grid(moment, columns, scale) for moment in images.split(len(walks)))
