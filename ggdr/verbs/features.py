"""`ggdr features MODEL`: what G and D know, as pictures: clusters, components and likeness of their feature maps.

ggdr features runs/mine --out pictures

ggdr features runs/mine --probe

`--probe` also asks how much of a label map can be read from the maps of each resolution by a linear map (Linear
Semantics, arXiv 2104.00487), and writes a table and a plot of mean IoU. The label maps are those of the data that the
run was trained on, or of others: --probe openmoji --probe.task label_map --probe.size 32. Those of generated images are
told by a small segmenter that is trained on these data once, a minute and a half.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from ggdr.data.base import DataSet
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.evaluation.inputs import data_of_run, find_data
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import take, take_use
from ggdr.progress import Bar
from ggdr.registry import discover, use
from ggdr.verbs.model_flags import announce
from ggdr.verbs.outputs import check_contents, check_folder, check_out

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base.module import Discriminator, Generator
    from ggdr.visualization.maps import Maps, Source
    from ggdr.visualization.probe import Subject

PROBE_FILES = ("probe.csv", "probe.json", "probe.png")
"""what --probe writes beside the sheets"""


NAMED: PrimitiveConstructorSpec[DataSet | None] = PrimitiveConstructorSpec(
    nargs="*",
    metavar="[DATA]",
    instance_from_str=lambda names: find_data(names[0]),
    is_instance=lambda data: data is None or isinstance(data, DataSet),
    str_from_instance=lambda data: ["none" if data is None else data.name],
)
"""how --help shows a flag that is taken out of the command line before tyro reads it"""


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
    probe: Annotated[DataSet | None, NAMED] = None
    """read label maps from the maps too: those of the run's data, or of DATA, as openmoji; --probe.task and the like
    set fields of theirs"""
    probe_images: int = 512
    """images that each read-out learns from, and as many others that it is tested on"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""

    def __post_init__(self) -> None:
        above_zero(self, "samples", "pooled", "clusters", "probe_images")
        not_negative(self, "seed")


@dataclass(frozen=True)
class Probing(Features):
    """The command where data are named, whose own settings are flags."""

    probe: DataSet | None = None


def main(argv: list[str]) -> int:
    """Draw the sheets that `argv` asks for and say where they are; UserError if there is nothing to draw."""
    command = parse_features(argv)
    announce(command.model, command.revision)
    from ggdr.saving.pretrained import Hub, load_pair

    generator, discriminator = load_pair(command.model, Hub(command.revision))
    with Bar("drawing feature maps") as bar:
        for line in draw(command, generator, discriminator):
            bar.write(line)
    return 0


def parse_features(argv: list[str]) -> Features:
    """The command; UserError or SystemExit with what is wrong and what to type instead."""
    files, flags = take_use(argv)
    for file in files:
        use(file)
    data = None
    if any(flag.partition("=")[0].partition(".")[0] == "--probe" for flag in flags):
        discover()
        data, flags = probed_data(flags)
    kind = Features if data is None else Probing
    defaults = kind(tyro.MISSING, probe=data, use=tuple(map(str, files)))
    return parsed(kind, flags, "ggdr features", __doc__, defaults, ("--probe", *flags_of(defaults)))


def probed_data(flags: list[str]) -> tuple[DataSet, list[str]]:
    """The data that --probe names, the run's own where nothing follows, and the other flags; UserError without any."""
    bare = [place for place, flag in enumerate(flags) if flag == "--probe" and flags[place + 1 : place + 2] == []]
    bare += [place for place, (flag, after) in enumerate(pairwise(flags)) if flag == "--probe" and after[:2] == "--"]
    rest = [flag for place, flag in enumerate(flags) if place not in bare]
    names, rest = take(rest, "--probe", "data with label maps, or nothing for those of the run.")
    if names:
        return find_data(names[0]), rest
    if not rest or rest[0].startswith("-"):
        raise UserError("the model goes before the flags; type: ggdr features runs/mine --probe")
    try:
        return data_of_run(rest[0]), rest
    except UserError as error:
        raise UserError(
            f"{rest[0]!r} does not say what it was trained on; name data with label maps, such as --probe openmoji"
            " --probe.task label_map."
        ) from error


def draw(command: Features, generator: Generator, discriminator: Discriminator | None) -> Iterator[str]:
    """Draw a sheet for each resolution; yields what was found, and what each sheet holds and where it is."""
    from ggdr.visualization.maps import gather, resolutions_of
    from ggdr.visualization.probe import Subject
    from ggdr.visualization.sheets import draw_sheet, fit_all, rows_of

    resolutions = resolutions_of(generator, discriminator, command.resolutions)
    folder = Path(command.model)
    out = command.out or (folder if folder.is_dir() else Path()) / "features"
    check_folder(out)
    sheets = [out / sheet_name(resolution) for resolution in resolutions["generator"]]
    tables = [out / name for name in PROBE_FILES]
    check_out([*sheets, *tables] if command.probe else sheets, command.overwrite)
    check_contents(out, [*sheets, *tables])
    yield from describe_networks(generator, discriminator, resolutions)
    pooled = max(command.samples, command.pooled)
    gathered = gather(generator, discriminator, resolutions, shown=command.samples, pooled=pooled, seed=command.seed)
    for resolution, maps in gathered.maps.items():
        rows, png = rows_of(gathered.images, maps, command.clusters, command.seed), out / sheet_name(resolution)
        height, width = maps["generator"].shown.shape[2:]
        title = f"{Path(*folder.parts[-2:])}: feature maps of {height} x {width} px"
        draw_sheet(rows, title, sheet_note(maps, pooled), png)
        yield f"resolution {resolution}: {', '.join(maps)}{describe_similarity(maps)}: {png}"
    if command.probe is not None:
        found = fit_all(gathered.maps, command.clusters, command.seed)
        yield from read_out(command, Subject(generator, discriminator, resolutions, command.seed), found, out)


def read_out(command: Features, subject: Subject, centres: dict[int, dict[Source, Tensor]], out: Path) -> Iterator[str]:
    """Read label maps from the maps, write what was found, and yield a table and where the files are."""
    from ggdr.visualization.probe import probe
    from ggdr.visualization.probe_report import as_text, write_report

    assert command.probe is not None
    found = probe(subject, command.probe, centres, command.probe_images, partial(print, flush=True))
    yield as_text(found)
    yield (
        f"mIoU of label maps that a linear map reads from the maps of {command.probe_images} generated images; their"
        f" maps are told by a segmenter whose own mIoU on held-out reals is {found.ceiling['miou']:.3f}"
    )
    files = [out / name for name in PROBE_FILES]
    write_report(found, files, f"{Path(*Path(command.model).parts[-2:])}: what the maps know of label maps")
    yield f"in numbers: {files[0]}, {files[1]}; as a plot: {files[2]}"


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
        if not drawn and discriminator.extra.class_logits:
            why = "tells the class of each pixel and draws no maps"
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
