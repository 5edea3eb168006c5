"""The command line of `ggdr evaluate`: what is measured, against which images, by which metrics, and how."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import tyro

from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.data.reading.files.patterns import is_elsewhere
from ggdr.documents import like, one_line, read_object
from ggdr.errors import UserError
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import fresh, part_flags, part_kind, swap_parts, take, take_use
from ggdr.metrics.base import Metric
from ggdr.recipe.files import from_json
from ggdr.registry import datasets, discover, extractors, metrics, use

STANDARD = ("fid", "kid", "precision_recall", "swd")
"""measured where no metric is named"""
MOST_AT_ONCE = 64
"""images that are made at once, at most"""
MOST_REPEATS, MOST_STEPS = 1000, 1_000_000
SEEDS = 2**31
"""seeds are below it, so that those of all repeats tell torch's random streams apart"""
COUNTS = ("--images", "--reals")
"""flags for numbers of images of all metrics"""
UPWARD = 2
"""folders above WHAT that may be its run's"""
USAGE = """WHAT [--data SOURCE] [--metrics NAME ...] [flags]

WHAT: a run's folder, a checkpoint, a saved model, a Hub repository such as org/name, a pipeline of diffusers on disk
or the Hub, or images: a folder, .zip, .tar, .parquet, .npz and all else that `ggdr data check` reads.
  --data SOURCE            digits, or real images as above, or a Hub data set; a run's own is known
  --metrics fid kid        these metrics; --metrics.fid.images 10000 sets a field of one
  --images 10000           this many generated images for all of them
  --reals 70000            this many real images, as far as there are; without it as many as generated ones
  --extractor digits       one feature extractor for all of them; --extractor.batch 16 sets a field of theirs
`ggdr list metrics` and `ggdr list extractors` show what is registered."""


class Group(NamedTuple):
    """A flag and its values."""

    flag: str
    values: list[str]


@dataclass(frozen=True)
class Parts:
    """What is swapped by name."""

    data: DataSet
    metrics: dict[str, Metric]


@dataclass(frozen=True)
class Command:
    """What `evaluate` was asked to do."""

    data: DataSet
    """the real images"""
    metrics: dict[str, Metric]
    """what is measured, by any name"""
    read: ImageFiles
    """WHAT, and how it is read if it is images"""
    seed: int = 0
    """of the images that are made: another one, and each repeat, gives images that share none"""
    repeats: int | None = None
    """how often other images are made and measured, for intervals; None: 3, and once if they lie there already"""
    psi: float | None = None
    """truncation: 1 for the full variety, towards 0 for the mean image; None: as 1"""
    cutoff: int | None = None
    """how many style codes, from the coarsest on, psi pulls; None: all"""
    noise: Literal["random", "const", "none"] = "random"
    """of a generator's layers: fresh for each image, the same for all, or none"""
    steps: int | None = None
    """denoising steps of a pipeline; None: as many as is its default"""
    batch_size: int = 16
    """images made at once, 1 to 64"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; none: the accelerator if there is one"""
    out: Path | None = None
    """file of the record; None: a new one in `metrics` in a model, beside a file, or here in `metrics/WHAT`"""
    cache: bool = True
    """keep features of images that do not change, and use those that are kept"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[Path, ...] = ()
    """files that register parts of your own"""
    standard: Annotated[bool, tyro.conf.Suppress] = False
    """no metric was named"""
    typed: Annotated[tuple[str, ...], tyro.conf.Suppress] = ()
    """the command as typed"""


def parse(argv: list[str], program: str) -> Command:
    """The command for `WHAT [flags]`; UserError or SystemExit with what is wrong and what to type instead."""
    asks_help = bool({"-h", "--help"} & set(argv))
    what, flags = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("", argv)
    if not what and not asks_help:
        raise UserError(f"nothing to measure; {first_word(argv, program)}")
    files, flags = take_use(flags)
    for file in files:
        use(file)
    if what and not asks_help:
        check_place(what)
    discover()
    names, flags = take(flags, "--metrics", "names of metrics: --metrics fid kid; `ggdr list metrics` shows them.")
    sources, flags = take(flags, "--data", "a source of real images: --data digits, or a folder.")
    if any(flag.partition("=")[0] == "--data.source" for flag in flags) and not sources:
        sources = [ImageFiles.name]
    data = data_of(sources) if sources else ImageFiles() if asks_help else data_of_run(what)
    start = Parts(data, {name: fresh(metrics.find(name), "--metrics") for name in names or STANDARD})
    parts, flags = swap_parts(start, spread(flags, start))
    default = Command(
        data=parts.data,
        metrics=parts.metrics,
        read=ImageFiles(source=what),
        use=tuple(files),
        standard=not names,
        typed=("ggdr", "evaluate", *argv),
    )
    known = ("--data", "--metrics", *COUNTS, "--extractor", *part_flags(parts), *flags_of(default))
    command = parsed(Command, flags, f"{program} {what or 'WHAT'}", f"usage: {program} {USAGE}", default, known)
    check_ranges(command)
    return command


def first_word(argv: list[str], program: str) -> str:
    """What to type where flags stand before what they are about."""
    there = [word for word in argv if not word.startswith("-") and Path(word).exists()]
    if not there:
        return f"type: {program} runs/digits"
    rest = list(argv)
    rest.remove(there[-1])
    return f"what is measured goes before the flags; type: {program} {shlex.join([there[-1], *rest])}"


def check_ranges(command: Command) -> None:
    """UserError if a number is out of its range."""
    ranges = {
        "--seed": (command.seed, 0, SEEDS - 1),
        "--batch-size": (command.batch_size, 1, MOST_AT_ONCE),
        "--repeats": (command.repeats, 1, MOST_REPEATS),
        "--steps": (command.steps, 1, MOST_STEPS),
    }
    for flag, (value, least, most) in ranges.items():
        if value is not None and not least <= value <= most:
            raise UserError(f"{flag} {value} is out of range; give a number from {least} to {most}.")


def check_place(what: str) -> None:
    """UserError if `what` is neither here nor looks like a repository of the Hub."""
    if not Path(what).exists() and what.count("/") != 1 and not is_elsewhere(what):
        raise UserError(
            f"there is no {what!r}{like(Path(what))}; give the folder of a run, of a checkpoint, of a saved model or"
            " pipeline, images (a folder, .zip, .tar, .npz, ...), or a Hub repository such as org/name."
        )


def data_of(sources: list[str]) -> DataSet:
    """The data set of this registered name, or the images in this place."""
    if len(sources) > 1:
        raise UserError(f"--data {' '.join(sources)}: real images come from one source; give one.")
    name = sources[0]
    return fresh(datasets.find(name), "--data") if name in datasets else ImageFiles(source=name)


def data_of_run(what: str) -> DataSet:
    """What the run was trained on that `what` is or belongs to; UserError if it belongs to none."""
    here = Path(what)
    if not here.exists():
        raise UserError(
            f"there is no run, model or folder {what!r} here{like(here)}; for a Hub repository of that name add --data"
            " SOURCE, the real images to compare it with."
        )
    for folder in (here, *list(here.absolute().parents)[:UPWARD]):
        file = folder / "recipe.json"
        if here.exists() and file.is_file():
            return from_json(DataSet, data_in(file), "recipe.data")
    raise UserError(f"no real images to compare {what!r} with; add --data digits, or --data and a folder of images.")


def data_in(file: Path) -> Any:
    """The data set's entry in a run's recipe.json; UserError if it cannot be read."""
    try:
        return read_object(file)["data"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file} cannot be read: {one_line(error)}; say by --data what the real images are.") from error


def spread(flags: list[str], parts: Parts) -> list[str]:
    """The flags, with those of all metrics made flags of each; a metric's own come later and prevail.

    Data that has a feature extractor of its own is measured by it, if no other is asked for. UserError if no metric
    can read features by the extractor that is asked for.
    """
    groups = list(grouped(flags))
    shared = [group for group in groups if group.flag.partition(".")[0] in (*COUNTS, "--extractor")]
    named = [group.values[0] for group in shared if group.flag == "--extractor" and group.values]
    extractor = named[-1] if named else parts.data.features
    readers = [key for key, metric in parts.metrics.items() if can_read(metric, extractor)]
    if not readers and any(group.flag not in COUNTS for group in shared):
        what = f"{extractor!r}" if named else "any extractor"
        raise UserError(f"{', '.join(parts.metrics)} cannot read features by {what}; leave --extractor out.")
    words = [word for key in readers if extractor for word in (f"--metrics.{key}.extractor", extractor)]
    for flag, values in (group for group in shared if group.flag != "--extractor"):
        for key in parts.metrics if flag in COUNTS else readers:
            words += [f"--metrics.{key}.{flag[2:]}", *values]
    return [*words, *(word for group in groups if group not in shared for word in (group.flag, *group.values))]


def grouped(flags: list[str]) -> Iterator[Group]:
    """Each flag with its values."""
    group: Group | None = None
    for word in flags:
        if not word.startswith("--") and group is not None:
            group.values.append(word)
            continue
        if group is not None:
            yield group
        flag, equals, value = word.partition("=")
        group = Group(flag, [value] if equals else [])
    if group is not None:
        yield group


def can_read(metric: Metric, extractor: str) -> bool:
    """Whether the metric reads features, and may read them by the extractor of this name (empty: by any)."""
    kind = part_kind(metric, "extractor")[0]
    return kind is not None and (not extractor or issubclass(extractors.find(extractor), kind))
