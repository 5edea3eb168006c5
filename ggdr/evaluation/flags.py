"""The flags of `ggdr evaluate`: what is measured, against which images, by which metrics, and how."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import tyro

from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError
from ggdr.evaluation.inputs import RANGES, STANDARD, check_ranges, check_source, data_of_run, find_data, reads
from ggdr.flags.command_line import TAB, flags_of, parsed
from ggdr.flags.parts import fresh, part_flags, swap_parts, take, take_use
from ggdr.metrics.base import Metric
from ggdr.registry import discover, metrics, use

if TYPE_CHECKING:
    from ggdr.evaluation.evaluator import Evaluator
    from ggdr.evaluation.progress import Progress
    from ggdr.processes import Processes

COUNTS = ("--images", "--reals")
"""flags that set a number of images of all metrics"""
USAGE = """WHAT [--data SOURCE] [--metrics NAME ...] [flags]

WHAT: a run's folder, a checkpoint, a saved model, a Hub repository such as org/name, a pipeline of diffusers on disk
or the Hub, or images: a folder, .zip, .tar, .parquet, .npz and all else that `ggdr data check` reads.
  --data SOURCE            digits, or real images as above, or a Hub data set; a run's own is known
  --view horse_to_zebra    of a translator this view alone, on what the data holds out; each value is called fid/VIEW
  --metrics fid kid        these metrics; --metrics.fid.images 10000 sets a field of one
  --images 10000           this many generated images for all of them
  --reals 70000            this many real images, as far as there are; without it as many as generated ones
  --extractor digits       one feature extractor for all of them; --extractor.batch-size 16 sets a field of theirs
`ggdr list metrics` and `ggdr list extractors` show what is registered."""


class Group(NamedTuple):
    """A flag and its values."""

    flag: str
    values: list[str]


@dataclass(frozen=True)
class Parts:
    """The parts that flags swap by name."""

    data: DataSet
    metrics: dict[str, Metric]


@dataclass(frozen=True)
class Command:
    """The command line of `ggdr evaluate`, parsed."""

    data: DataSet
    """the real images"""
    metrics: dict[str, Metric]
    """the metrics that are measured, by any name"""
    read: ImageFiles
    """WHAT, and how it is read if it is images"""
    view: str = ""
    """a view of a translator, such as horse_to_zebra, or the domain that it makes; empty: all of them"""
    seed: int = 0
    """seed of the images that are made, 0 to 2**31 - 1; each repeat has others"""
    repeats: int | None = None
    """how often new images are made and measured, 1 to 1000, for intervals; None: 3, or 1 where none would be new"""
    truncation_psi: float | None = None
    """truncation: 1 for the full variety, towards 0 for the mean image; None: 1"""
    truncation_cutoff: int | None = None
    """number of style codes, from the coarsest on, that psi pulls; None: all"""
    noise: Literal["random", "const", "none"] = "random"
    """noise of a generator's layers: other noise for each image, the same for all, or none"""
    steps: int | None = None
    """denoising steps of a pipeline, 1 to 1,000,000; None: its default"""
    batch_size: int = 16
    """images that are made at once, 1 to 64"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; empty: the accelerator if there is one"""
    out: Path | None = None
    """file of the record; None: a new one in `metrics` in a model, beside a file, or here in `metrics/WHAT`"""
    cache: bool = True
    """keep features of images in files on disk, and use those that are kept"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[Path, ...] = ()
    """files that register parts of your own"""
    standard: Annotated[bool, tyro.conf.Suppress] = False
    """whether no metric was named"""
    typed: Annotated[tuple[str, ...], tyro.conf.Suppress] = ()
    """the command as typed"""

    def open(self, processes: Processes, progress: Progress) -> Evaluator:
        """Open what is measured, the real images and the metrics; UserError if they do not go together."""
        from ggdr.evaluation.evaluator import Evaluator  # torch is imported once the command is known to be one
        from ggdr.evaluation.sources import SamplingSettings
        from ggdr.sampling import SamplingOptions

        sampling = SamplingSettings(
            processes.device, SamplingOptions(self.truncation_psi, self.truncation_cutoff, self.noise), self.steps
        )
        return Evaluator(
            self.read,
            self.data,
            self.metrics,
            sampling,
            processes,
            progress,
            view=self.view,
            cache=self.cache,
            revision=self.revision,
            skip_missing=self.standard,
        )


def parse(argv: list[str], program: str, own: DataSet | None = None) -> Command:
    """Parse `WHAT [flags]`; UserError or SystemExit with what is wrong and what to type instead.

    `own`: the real images where no flag names any; None: those that WHAT was trained on.
    """
    asks_help = bool({"-h", "--help", TAB} & set(argv))
    what, flags = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("", argv)
    if not what and not asks_help:
        raise UserError(f"nothing to measure; {first_word(argv, program)}")
    files, flags = take_use(flags)
    for file in files:
        use(file)
    if what and not asks_help:
        check_source(what, "main" if any(flag.startswith("--revision") for flag in flags) else None)
    discover()
    names, flags = take(flags, "--metrics", "names of metrics: --metrics fid kid; `ggdr list metrics` shows them.")
    sources, flags = take(flags, "--data", "a source of real images: --data digits, or a folder.")
    if any(flag.partition("=")[0] == "--data.source" for flag in flags) and not sources:
        sources = [ImageFiles.name]
    if len(sources) > 1:
        raise UserError(f"--data {' '.join(sources)}: real images come from one source; give one.")
    data = find_data(sources[0]) if sources else ImageFiles() if asks_help else own or data_of_run(what)
    start = Parts(data, {name: fresh(metrics.find(name), "--metrics") for name in names or STANDARD})
    parts, flags = swap_parts(start, flags_of_each(flags, start))
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
    check_ranges({name: vars(command)[name] for name in RANGES})
    return command


def first_word(argv: list[str], program: str) -> str:
    """Return what to type if flags stand before WHAT."""
    there = [word for word in argv if not word.startswith("-") and Path(word).exists()]
    if not there:
        return f"type: {program} runs/digits"
    rest = list(argv)
    rest.remove(there[-1])
    return f"what is measured goes before the flags; type: {program} {shlex.join([there[-1], *rest])}"


def flags_of_each(flags: list[str], parts: Parts) -> list[str]:
    """Return the flags, with those of all metrics made flags of each; a metric's own come later and prevail.

    Data that has its own feature extractor is measured by it, if no other is asked for. UserError if no metric
    can read features by the extractor that is asked for.
    """
    groups = list(grouped(flags))
    shared = [group for group in groups if group.flag.partition(".")[0] in (*COUNTS, "--extractor")]
    named = [group.values[0] for group in shared if group.flag == "--extractor" and group.values]
    extractor = named[-1] if named else parts.data.features
    readers = [key for key, metric in parts.metrics.items() if reads(metric, extractor)]
    if not readers and any(group.flag not in COUNTS for group in shared):
        what = f"{extractor!r}" if named else "any extractor"
        raise UserError(f"{', '.join(parts.metrics)} cannot read features by {what}; leave --extractor out.")
    words = [word for key in readers if extractor for word in (f"--metrics.{key}.extractor", extractor)]
    for flag, values in (group for group in shared if group.flag != "--extractor"):
        for key in parts.metrics if flag in COUNTS else readers:
            words += [f"--metrics.{key}.{flag[2:]}", *values]
    return [*words, *(word for group in groups if group not in shared for word in (group.flag, *group.values))]


def grouped(flags: list[str]) -> Iterator[Group]:
    """Group each flag with its values."""
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
