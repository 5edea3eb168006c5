"""`ggdr features MODEL`: what G and D know, as pictures: clusters, components and likeness of their feature maps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.errors import above_zero, not_negative
from ggdr.flags.command_line import parsed
from ggdr.verbs.outputs import check_contents, check_folder, check_out

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Generator
    from ggdr.visualization.maps import Maps, Source


@dataclass(frozen=True)
class Features:
    """Draw what the feature maps of a generator and of its discriminator hold: a sheet for each resolution."""

    model: Annotated[str, tyro.conf.Positional]
    """a run's folder, a checkpoint's, a saved model's, or a Hub repository; without a discriminator G's maps alone"""
    resolutions: tuple[int, ...] = ()
    """heights (pixels) of the maps; none: all that the generator has"""
    samples: int = 8
    """images shown"""
    pooled: int = 64
    """images that clusters and components are fitted on, those shown among them"""
    clusters: int = 8
    """colours of the segmentation"""
    seed: int = 0
    """seed of the first image, the next has the next; and of the clusters"""
    out: Path | None = None
    """folder of the pictures; none: `features` in the model's, or here if that is on the Hub"""
    overwrite: bool = False
    """replace pictures that are there; without it they are left, and nothing is drawn"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""

    def __post_init__(self) -> None:
        above_zero(self, "samples", "pooled", "clusters")
        not_negative(self, "seed")


def main(argv: list[str]) -> int:
    """Draw the sheets that `argv` asks for and say where they are; UserError if there is nothing to draw."""
    command = parsed(Features, argv, "ggdr features", __doc__)
    from ggdr.registry import use
    from ggdr.saving.pretrained import Hub, load_pair

    for file in command.use:
        use(file)
    generator, discriminator = load_pair(command.model, Hub(command.revision))
    for line in draw(command, generator, discriminator):
        print(line, flush=True)
    return 0


def draw(command: Features, generator: Generator, discriminator: Discriminator | None) -> Iterator[str]:
    """Draw a sheet for each resolution; yields what was found, and what each sheet holds and where it is."""
    from ggdr.visualization.maps import gather, resolutions_of
    from ggdr.visualization.sheets import draw_sheet, rows_of

    resolutions = resolutions_of(generator, discriminator, command.resolutions)
    folder = Path(command.model)
    out = command.out or (folder if folder.is_dir() else Path()) / "features"
    check_folder(out)
    sheets = [out / sheet_name(resolution) for resolution in resolutions["generator"]]
    check_out(sheets, command.overwrite)
    check_contents(out, sheets)
    yield from describe_networks(generator, discriminator, resolutions)
    pooled = max(command.samples, command.pooled)
    gathered = gather(generator, discriminator, resolutions, shown=command.samples, pooled=pooled, seed=command.seed)
    for resolution, maps in gathered.maps.items():
        rows, png = rows_of(gathered.images, maps, command.clusters, command.seed), out / sheet_name(resolution)
        height, width = maps["generator"].shown.shape[2:]
        title = f"{Path(*folder.parts[-2:])}: feature maps of {height} x {width} px"
        draw_sheet(rows, title, sheet_note(maps, pooled), png)
        yield f"resolution {resolution}: {', '.join(maps)}{describe_similarity(maps)}: {png}"


def sheet_name(resolution: int) -> str:
    """Name the sheet of a resolution."""
    return f"resolution-{resolution:03}.png"


def describe_similarity(maps: dict[Source, Maps]) -> str:
    """How like the decoder's maps are to the generator's, and, to compare with, to those of the next image."""
    from ggdr.visualization.maps import cosine_similarity

    if "decoder" not in maps:
        return ""
    drawn, true = maps["decoder"].shown, maps["generator"].shown
    own, other = (float(cosine_similarity(drawn, each).mean()) for each in (true, true.roll(1, 0)))
    return f", cosine similarity {own:.3f}" + (f" ({other:.3f} with another image's maps)" if len(true) > 1 else "")


def describe_networks(
    generator: Generator, discriminator: Discriminator | None, resolutions: dict[str, tuple[int, ...]]
) -> Iterator[str]:
    """What networks there are, and why a kind of picture is missing."""
    yield f"generator {generator.config.name!r}" + (
        f", discriminator {discriminator.config.name!r}"
        if discriminator
        else "; no discriminator here: only its own maps"
    )
    if discriminator and "encoder" not in resolutions:
        yield f"discriminator {discriminator.config.name!r} hands over no encoder's maps"
    if discriminator and not resolutions.get("decoder"):
        drawn = sorted(discriminator.extra.target_channels) if "decoder" in resolutions else []
        why = f"draws resolutions {', '.join(map(str, drawn))} only" if drawn else "has no decoder for any resolution"
        yield f"no decoder's maps, no similarity: this discriminator {why}"


def sheet_note(maps: Collection[str], pooled: int) -> str:
    """What a reader of the sheet has to know."""
    lines = [f"By the directions of feature vectors. Clusters and components are fitted on {pooled} images and shared."]
    if "decoder" in maps:
        lines.append(
            "The decoder, which redraws the generator's maps, is shown by the generator's clusters and components."
        )
    if "encoder" in maps:
        lines.append(
            "The encoder's are its own, the colours of its clusters those that agree best with the generator's."
        )
    return "\n".join(lines)
