"""An evaluation: the subject against the real images, metric by metric, repeat by repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

from torch import Tensor

from ggdr.cache import cache_folder
from ggdr.data.base import DataSet, Images
from ggdr.errors import UserError
from ggdr.evaluation.cautions import cautions, extractor_of
from ggdr.evaluation.console import Console
from ggdr.evaluation.findings import record_folder, record_of, rows
from ggdr.evaluation.fixed_images import FixedImages
from ggdr.evaluation.record import Spread, check_free, check_writable, table, write_numbered, write_record
from ggdr.evaluation.subject import Draw, Subject, find_subject
from ggdr.evaluation.unseen import Unseen
from ggdr.features.base import Embedder, Extractor
from ggdr.features.cache import FeatureCache
from ggdr.metrics.base import Metric, Numbers
from ggdr.metrics.data import EvalData
from ggdr.ops.precision import without_tf32
from ggdr.processes import Processes
from ggdr.registry import Capability
from ggdr.sampling import View
from ggdr.seeding import seed_of
from ggdr.training.launch import processes_for
from ggdr.verbs.evaluate_flags import Command
from ggdr.verbs.places import check_apart

REPEATS = 3
"""how often a generator's images are made and measured, if it is not said"""


def evaluate(command: Command) -> Path | None:
    """Measure, print the table, write the record; its file, on the main process. UserError if it cannot be done."""
    with processes_for(command.device) as processes, without_tf32():
        console = Console(processes.rank == 0)
        try:
            return run(Evaluation(command, processes, console))
        finally:
            console.close()


def run(evaluation: Evaluation) -> Path | None:
    """Measure, print, write."""
    console, command = evaluation.console, evaluation.command
    for text in cautions(evaluation.metrics, evaluation.data(0)):
        console.warn(text)
    console.say(evaluation.introduction())
    console.start(evaluation.work())
    measured = evaluation.measure()
    evaluation.note_unreadable()
    console.close()
    console.say("\n".join(table(list(rows(evaluation, measured)))))
    if evaluation.repeats == 1:
        console.say("measured once: no interval")
    record = record_of(evaluation, measured)
    if evaluation.processes.rank > 0:
        return None
    if command.out is not None:
        file = write_record(record, command.out)
    else:
        file = write_numbered(record, record_folder(command.read.source), "-".join(evaluation.metrics))
    console.say(f"record: {file}")
    return file


class Evaluation:
    """All that is measured, opened and checked."""

    def __init__(self, command: Command, processes: Processes, console: Console):
        """UserError, before anything is measured, if the parts do not go together."""
        self.command, self.processes, self.console = command, processes, console
        self.began = time.monotonic()
        if command.out is not None:
            check_free(command.out)
        folder = command.out.parent if command.out else record_folder(command.read.source)
        check_writable(folder)
        check_apart(next(place for place in (folder, *folder.parents) if place.is_dir()))
        self.statistics = command.data.statistics()
        self.images = Unseen() if self.statistics and self.statistics.alone else command.data.open()
        view = View(command.psi, command.cutoff, command.noise)
        draw = Draw(command.seed, command.batch_size, processes.device, view, command.steps)
        self.subject = subject = find_subject(command.read, draw, self.images, command.revision)
        if len(self.images):
            check_shapes(subject, self.images, command.data)
        self.loaded: dict[Extractor, Embedder] = {}
        self.real = self.fixed("real images", lambda places: self.images.at(list(places), 0).images, len(self.images))
        self.given = None  # the images to measure, if they lie there already
        if subject.count is not None:
            self.given = self.fixed("images to measure", partial(subject.make, repeat=0), subject.count)
        self.repeats = 1 if self.given else command.repeats or REPEATS
        self.metrics = self.usable()
        self.check_flags()

    def fixed(self, name: str, make: Callable[[range], Tensor], count: int) -> FixedImages:
        """Images that are the same each time, in the same order."""
        return FixedImages(
            make,
            count,
            self.processes,
            self.console.advance,
            self.loaded,
            name=name,
            folder=cache_folder() / "features" if self.command.cache else None,
            say=self.console.say,
        )

    def data(self, repeat: int) -> EvalData:
        """What the metrics look at in one repeat."""
        make, labels = partial(self.subject.make, repeat=repeat), partial(self.subject.labels, repeat=repeat)
        fakes = self.given or FeatureCache(make, None, self.processes, self.console.advance, self.loaded)
        seed = seed_of(self.command.seed, repeat, "metrics")
        return EvalData(self.real, fakes, self.subject.generator, labels, seed, self.statistics)

    def usable(self) -> dict[str, Metric]:
        """The metrics, their networks loaded; UserError if one that was asked for cannot be measured here.

        Those that nobody named are left out, with a warning, where they cannot be.
        """
        missing: dict[str, str] = {}
        data = self.data(0)
        for name, metric in self.command.metrics.items():
            try:
                metric.prepare(data)
            except ValueError as error:
                why = str(error).replace("metrics.NAME.", f"metrics.{name}.")
                if not self.command.standard:
                    raise UserError(why) from error
                missing[name] = why
        missing = self.processes.broadcast(missing)
        for name, why in missing.items():
            self.console.warn(f"{name} is left out: {why}")
        return {name: metric for name, metric in self.command.metrics.items() if name not in missing}

    def check_flags(self) -> None:
        """Warn of flags that make no difference."""
        if self.given and self.command.repeats not in (None, 1):
            self.console.warn("images that lie there already are measured once; --repeats makes no difference.")
        walking = [name for name, metric in self.metrics.items() if Capability.GENERATOR in metric.requires]
        if walking and self.command.psi not in (None, 1.0):
            self.console.warn(f"{', '.join(walking)}: of the whole latent space; --psi makes no difference.")

    def measure(self) -> dict[str, dict[str, Spread]]:
        """Every value of every metric, over the repeats."""
        found: dict[str, dict[str, list[float]]] = {name: {} for name in self.metrics}
        self.console.stage("real images")
        self.real.content(max(self.numbers(metric).real for metric in self.metrics.values()))
        for repeat in range(self.repeats):
            self.console.stage(f"{self.subject.kind} {repeat + 1}/{self.repeats}")
            data = self.data(repeat)
            for name in sorted(self.metrics, key=lambda name: -self.metrics[name].images):  # the fewer are among them
                for key, value in self.metrics[name].measure(data).items():
                    found[name].setdefault(key, []).append(value)
        return {name: {key: Spread(values) for key, values in each.items()} for name, each in found.items()}

    def work(self) -> int:
        """Images that this process makes and describes, about."""
        each = {name: self.numbers(metric) for name, metric in self.metrics.items()}
        passes: dict[Extractor | None, list[Numbers]] = {None: list(each.values())}
        for name, metric in self.metrics.items():
            if (extractor := extractor_of(metric)) is not None:
                passes.setdefault(extractor, []).append(each[name])
        most = [(max(n.real for n in some), max(n.fake for n in some)) for some in passes.values()]
        return sum(real + self.repeats * fake for real, fake in most) // self.processes.size

    def numbers(self, metric: Metric) -> Numbers:
        """How many images of each kind a metric looks at."""
        return metric.numbers(self.data(0))

    def fake_content(self, count: int) -> dict[str, str]:
        """The hash of that many of the images to measure, if they are the same each time."""
        return {"content": self.given.content(count)} if self.given else {}

    def note_unreadable(self) -> None:
        """Warn of files for which others stood in."""
        for images, what in ((self.images, "real images"), (self.subject.files, "images to measure")):
            found = {} if images is None else dict(images.unreadable)
            found = {name: why for each in self.processes.all_gather(found) for name, why in each.items()}
            if found:
                name, why = min(found.items())
                count = len(found)
                self.console.warn(f"{count:,} of the {what} cannot be read, others stand in: {name!r}: {why}.")

    def introduction(self) -> str:
        """What is held against what, in a line."""
        channels, height, width = self.subject.shape
        reals = [f"{len(self.images):,} real images of {self.command.data.name}"] if len(self.images) else []
        if self.statistics is not None:
            reals.insert(0, f"the statistics ({', '.join(self.statistics.names)}) of real images for fid")
        return (
            f"{self.command.read.source} ({self.subject.kind}) against {' and '.join(reals)}, {height} x {width} px,"
            f" {channels} channel{'s' * (channels > 1)}"
        )


def check_shapes(subject: Subject, images: Images, data: DataSet) -> None:
    """UserError, with what to type, if the images to compare differ in size or channels."""
    spec, (channels, height, width) = images.spec, subject.shape
    if (spec.channels, spec.height, spec.width) == subject.shape:
        return
    own = f"{height} x {width} px with {channels} channel{'s' * (channels > 1)}"
    real = f"{spec.height} x {spec.width} px with {spec.channels}"
    known = {field.name for field in fields(data)}
    flags = [f"--data.size {height}" if height == width else f"--data.size {height} {width}"]
    flags = flags if (height, width) != (spec.height, spec.width) else []
    flags += [f"--data.channels {channels}"] if channels != spec.channels and "channels" in known else []
    way = f"add {' '.join(flags)}" if flags else "give other real images by --data"
    raise UserError(f"the images to measure are of {own}, the real ones of {real}; {way}.")
