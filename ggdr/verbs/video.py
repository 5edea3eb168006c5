"""`ggdr video MODEL`: a walk from image to image, as a film.

ggdr video runs/digits --seeds 0-7 --out walk.mp4

ggdr video runs/digits --seeds 0-35 --walks 9 --truncation-psi 0.7 --out walks.gif

ggdr video runs/zoo --labels cat dog horse --out classes.mp4

ggdr video runs/faces --codes projected/ann.safetensors projected/bob.safetensors --out between.mp4
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.ranges import parse_ranges
from ggdr.folders import FILMS
from ggdr.progress import Bar
from ggdr.verbs.truncation_flags import TruncationFlags

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.latent.codes import Codes
    from ggdr.networks.base.module import Generator


@dataclass(frozen=True)
class Video(TruncationFlags):
    """Which walk, and where to put it."""

    seeds: str = ""
    """seeds of the images that the walk passes; dealt out in turn where there are several walks; one seed, with several
    labels: it goes from label to label; none: 0-7, or with several labels 0"""
    codes: tuple[Path, ...] = ()
    """files of `ggdr project`, through whose codes the walk goes, instead of seeds, labels and truncation"""
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
    scale: int | None = None
    """whole factor of enlargement; None: to 256 px at least"""
    out: Path = Path("walk.mp4")
    """NAME.mp4, NAME.gif or NAME.webp"""


class Walks(NamedTuple):
    """The walks of a film."""

    walks: list[Iterator[Codes]]
    """the codes of each"""
    keys: int
    """seeds or codes that they pass, all together"""


def main(argv: list[str]) -> int:
    """Film the walk that `argv` asks for and say where it is; UserError if it cannot be filmed."""
    command = parsed(Video, argv, "ggdr video", __doc__)
    seeds = parse_ranges("seeds", command.seeds) if command.seeds else []
    check_codes_alone(command)
    if len(seeds) > 1:
        check_dealt(command, len(seeds), "seeds")
    steps = round(command.seconds * command.fps)
    if steps < 1:
        raise UserError(f"{command.seconds:g} seconds at {command.fps:g} frames a second are no frame; give more.")
    if command.out.suffix.lower() not in FILMS:
        raise UserError(f"--out {command.out} is no film; give a name that ends in {', '.join(FILMS)}.")
    command.check_files([command.out])
    command.announce()
    from ggdr.visualization.film import save_film

    generator = command.generator()
    from ggdr.latent.walks import key_positions

    way = code_walks(command, generator, steps) if command.codes else seed_walks(command, generator, seeds, steps)
    total = len(key_positions(way.keys // command.walks, steps, command.loop))
    count = save_film(frames(command, generator, way.walks, total), command.out, command.fps)
    print(f"{command.out}: {count} frames, {count / command.fps:.1f} s, by {command.model}")
    return 0


def check_codes_alone(command: Video) -> None:
    """UserError if codes are given beside what they are instead of."""
    if not command.codes:
        return
    for flag, given in (
        ("--seeds", command.seeds),
        ("--labels", command.labels),
        ("--truncation-psi", command.truncation_psi is not None),
        ("--truncation-mean", command.truncation_mean != "all"),
        ("--curve", command.curve != "spline"),
    ):
        if given:
            raise UserError(f"--codes says all of the images, which a spline goes through; leave {flag} out.")


def check_dealt(command: Video, count: int, what: str) -> None:
    """UserError if this number of images cannot be dealt to the walks."""
    if not 1 <= command.walks <= count // 2 or count % command.walks:
        raise UserError(f"{count} {what} cannot be dealt to {command.walks} walks; each takes as many, two at least.")


def seed_walks(command: Video, generator: Generator, seeds: list[int], steps: int) -> Walks:
    """The walks past seeds, or of one seed past labels: the codes of each, all at once."""
    labels = command.parse_labels(generator.spec)
    seeds = seeds or ([0] if len(labels) > 1 else [*range(8)])
    seeds = seeds * len(labels) if len(seeds) == 1 and len(labels) > 1 else seeds
    check_dealt(command, len(seeds), "seeds")
    rows = command.label_rows(generator.spec, len(seeds))
    dealt = [slice(first, None, command.walks) for first in range(command.walks)]
    parts = [walk_seeds(command, generator, seeds[each], None if rows is None else rows[each], steps) for each in dealt]
    return Walks([iter([part]) for part in parts], len(seeds))


def code_walks(command: Video, generator: Generator, steps: int) -> Walks:
    """The walks through codes of files: the codes of each a batch at a time, since noise maps are large."""
    from ggdr.latent.codes import load_all
    from ggdr.latent.walks import walk_codes

    keys = load_all(command.codes, generator)
    check_dealt(command, len(keys.points), "codes")
    size = max(command.batch_size // command.walks, 1)
    dealt = [[*range(first, len(keys.points), command.walks)] for first in range(command.walks)]
    parts = [walk_codes(generator, keys.rows(each), steps, loop=command.loop, batch_size=size) for each in dealt]
    return Walks(parts, len(keys.points))


def walk_seeds(command: Video, generator: Generator, seeds: list[int], rows: Tensor | None, steps: int) -> Codes:
    """The codes of one walk past seeds with these labels."""
    from ggdr.latent.modes import centres_for
    from ggdr.latent.walks import walk
    from ggdr.sampling import SamplingOptions

    return walk(
        generator,
        seeds,
        steps,
        labels=rows,
        view=SamplingOptions(command.truncation_psi),
        modes=centres_for(generator, rows, command.truncation_mean),
        curve=command.curve,
        loop=command.loop,
    )


def frames(command: Video, generator: Generator, walks: list[Iterator[Codes]], total: int) -> Iterator[Tensor]:
    """Each moment of all walks as one picture uint8 [H, W, C], with a progress bar on a terminal."""
    from ggdr.visualization.film import walk_frames

    with Bar("drawing", total, "frames") as bar:
        for frame in walk_frames(generator, walks, command.batch_size, command.scale):
            yield frame
            bar.advance(1)
