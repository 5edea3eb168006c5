"""The evaluator: opens a source of images and the real ones, and measures the source metric by metric."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from ggdr.cache import cache_folder
from ggdr.data.base import Batch, DataSet, Images
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError, at
from ggdr.evaluation.disk_cache import DiskFeatureCache
from ggdr.evaluation.progress import Progress
from ggdr.evaluation.record import versions
from ggdr.evaluation.result import CONFIDENCE, EvalResult, MetricValue
from ggdr.evaluation.sample_size import sample_size_warnings
from ggdr.evaluation.sources import SEED_SCHEME, SamplingSettings, find_source
from ggdr.features.base import Embedder, Extractor
from ggdr.features.cache import FeatureCache
from ggdr.metrics.base import Metric, Numbers, extractor_of
from ggdr.metrics.data import EvalData
from ggdr.networks.base import ImageSpec
from ggdr.ops.device import device_name
from ggdr.ops.precision import without_tf32
from ggdr.processes import Processes
from ggdr.recipe.files import to_json
from ggdr.registry import Capability
from ggdr.seeding import seed_of

REPEATS = 3
"""default number of repeats"""
INTERVAL = (
    f"Student's {100 * CONFIDENCE:g} % interval of the mean over repeats: other seeds, the same real images; it says"
    " nothing of other trainings or other real images"
)
ORDER = "drawn with seed 0, the same in all repeats and evaluations"
CONTENT = "sha256 of the sha256s, in order, of the shape and the decoded 8-bit pixels of each real image"
RESIZE = "Pillow's Lanczos with antialiasing, to 8 bits, where sizes differ from those of the files"


class NoImages(Images):
    """Stands in for the real images where the data holds nothing but the statistics of their features."""

    spec = ImageSpec(0, 0, 0, 0)

    def __len__(self) -> int:
        return 0

    def at(self, positions: list[int], seed: int) -> Batch:
        raise UserError("the data holds statistics of images and no images; give images by --data.")


class Evaluator:
    """Measures images of a source against real ones; opening and measuring are apart, so that faults show early."""

    def __init__(
        self,
        files: ImageFiles,
        data: DataSet,
        metrics: Mapping[str, Metric],
        sampling: SamplingSettings,
        processes: Processes,
        progress: Progress,
        *,
        cache: bool = True,
        revision: str | None = None,
        skip_missing: bool = False,
    ):
        """Open source and data and load the metrics' networks; UserError, before anything is measured, if one fails.

        `files`: the source's name, and how it is read if it is images. `cache`: keep features of images in files on
        disk. `skip_missing`: leave out, with a warning, metrics that cannot be measured here.
        """
        self.name, self.settings, self.processes, self.progress = files.source, data, processes, progress
        self.warnings: list[str] = []
        self.statistics = data.statistics()
        with at("data"):
            self.images = NoImages() if self.statistics and self.statistics.alone else data.open()
        self.source = find_source(files, sampling, self.images, revision)
        if len(self.images):
            check_shapes(self.source.shape, self.images, data)
        self.networks: dict[Extractor, Embedder] = {}
        stored = partial(
            DiskFeatureCache,
            processes=processes,
            on_progress=progress.advance,
            networks=self.networks,
            folder=cache_folder() / "features" if cache else None,
            say=progress.say,
        )
        reals = self.images
        self.real = stored(lambda places: reals.at(list(places), 0).images, len(reals), name="real images")
        self.stored = None  # the images to measure, if they are the same in all repeats
        if self.source.count is not None:
            make = partial(self.source.make, repeat=0, seed=0, batch_size=1)
            self.stored = stored(make, self.source.count, name="images to measure")
        self.metrics = self.prepare(metrics, skip_missing)
        if sampling.view.truncation_psi not in (None, 1.0):
            walking = [name for name, metric in self.metrics.items() if Capability.GENERATOR in metric.requires]
            if walking:
                self.warnings.append(
                    f"{', '.join(walking)}: of the whole latent space; --truncation-psi makes no difference."
                )
        self.warnings += sample_size_warnings(self.metrics, self.eval_data())

    def prepare(self, metrics: Mapping[str, Metric], skip_missing: bool) -> dict[str, Metric]:
        """Load the networks of metrics and return those that can be measured, on all processes the same."""
        missing: dict[str, str] = {}
        for name, metric in metrics.items():
            try:
                with at(f"metrics.{name}"):
                    metric.prepare(self.eval_data())
            except UserError as error:
                if not skip_missing:
                    raise
                missing[name] = error.in_flags()
        missing = self.processes.broadcast(missing)
        self.warnings += [f"{name} is left out: {reason}" for name, reason in missing.items()]
        return {name: metric for name, metric in metrics.items() if name not in missing}

    def eval_data(self, repeat: int = 0, seed: int = 0, batch_size: int = 1) -> EvalData:
        """Return what the metrics look at in one repeat; nothing is made yet."""
        make = partial(self.source.make, repeat=repeat, seed=seed, batch_size=batch_size)
        fake = self.stored or FeatureCache(make, None, self.processes, self.progress.advance, self.networks)
        labels = partial(self.source.labels, repeat=repeat)
        own = seed_of(seed, repeat, "metrics")
        return EvalData(self.real, fake, self.source.generator, labels, own, self.statistics)

    def run(self, seed: int = 0, repeats: int | None = None, batch_size: int = 16) -> EvalResult:
        """Measure every metric in every repeat; all processes of a launch must call it, and all get the result.

        `seed`: 0 to 2**31 - 1. `repeats`: None for 3, and for 1 where images are read from files. `batch_size`: images
        made at once, 1 to 64.
        """
        began, wanted, repeats = time.monotonic(), repeats, self.repeats(repeats)
        numbers = {name: metric.numbers(self.eval_data()) for name, metric in self.metrics.items()}
        found: list[dict[str, dict[str, float]]] = []
        with without_tf32(), self.progress.work(self.work(numbers, repeats)):
            self.progress.stage("real images")
            self.real.content(max((number.real for number in numbers.values()), default=0))
            for repeat in range(repeats):
                self.progress.stage(f"{self.source.kind} {repeat + 1}/{repeats}")
                found.append(self.measure(self.eval_data(repeat, seed, batch_size)))
        unused = ["images in files are measured once; --repeats makes no difference."]
        return EvalResult(
            {name: values_of(metric, [each[name] for each in found]) for name, metric in self.metrics.items()},
            self.protocol(seed, repeats, batch_size),
            [*self.warnings, *(unused if self.stored and wanted not in (None, 1) else []), *self.unreadable()],
            time.monotonic() - began,
        )

    def measure(self, data: EvalData) -> dict[str, dict[str, float]]:
        """Measure every metric once: metric -> name of the value -> value."""
        largest_first = sorted(self.metrics, key=lambda name: -self.metrics[name].images)  # the fewer are among them
        return {name: self.metrics[name].measure(data) for name in largest_first}

    def repeats(self, wanted: int | None) -> int:
        """Return how often images are made and measured if this is wanted: images in files are measured once."""
        return 1 if self.stored else wanted or REPEATS

    def work(self, numbers: Mapping[str, Numbers], repeats: int) -> int:
        """Return about how many images this process makes and describes."""
        passes: dict[Extractor | None, list[Numbers]] = {None: list(numbers.values())}
        for name, metric in self.metrics.items():
            if (extractor := extractor_of(metric)) is not None:
                passes.setdefault(extractor, []).append(numbers[name])
        most = [(max(n.real for n in some), max(n.fake for n in some)) for some in passes.values() if some]
        return sum(real + repeats * fake for real, fake in most) // self.processes.size

    def unreadable(self) -> list[str]:
        """Return warnings about files that could not be read by any process, so that others stand in."""
        found = []
        for images, kind in ((self.images, "real images"), (self.source.files, "images to measure")):
            own = {} if images is None else dict(images.unreadable)
            every = {name: why for each in self.processes.all_gather(own) for name, why in each.items()}
            if every:
                name, why = min(every.items())
                found.append(f"{len(every):,} of the {kind} cannot be read, others stand in: {name!r}: {why}.")
        return found

    def introduction(self) -> str:
        """Return a line that says what is measured against what."""
        channels, height, width = self.source.shape
        reals = [f"{len(self.images):,} real images of {self.settings.name}"] if len(self.images) else []
        if self.statistics is not None:
            reals.insert(0, f"the statistics ({', '.join(self.statistics.names)}) of real images for fid")
        return (
            f"{self.name} ({self.source.kind}) against {' and '.join(reals)}, {height} x {width} px,"
            f" {channels} channel{'s' * (channels > 1)}"
        )

    def protocol(self, seed: int, repeats: int | None, batch_size: int) -> dict[str, Any]:
        """Return all that values depend on, as JSON can hold it; all processes of a launch must call it."""
        repeats = self.repeats(repeats)
        source, sampled = self.source, {}
        if source.count is None:
            sampled = {"seed": seed, "seeds": SEED_SCHEME, "batch_size": batch_size}
        return {
            "source": {"name": self.name, "kind": source.kind, "shape": list(source.shape)}
            | source.describe()
            | sampled,
            "data": {
                "settings": to_json(self.settings),
                "images": len(self.images),
                "order": ORDER,
                "content": CONTENT,
                "resize": RESIZE,
            },
            "repeats": repeats,
            "interval": INTERVAL if repeats > 1 else None,
            "metrics": {name: self.metric_protocol(metric) for name, metric in self.metrics.items()},
            "versions": versions(),
            "device": device_name(self.processes.device),
            "processes": self.processes.size,
            "precision": "float32, without TF32",
        }

    def metric_protocol(self, metric: Metric) -> dict[str, Any]:
        """Return all that the values of a metric depend on: its settings, images and feature network."""
        numbers, extractor = metric.numbers(self.eval_data()), extractor_of(metric)
        network = self.networks[extractor] if extractor else None
        return {
            "type": metric.name,
            "better": metric.better,
            "settings": to_json(metric),
            "real": {"number": numbers.real} | self.real_content(metric, numbers.real),
            "fake": {"number": numbers.fake} | ({"content": self.stored.content(numbers.fake)} if self.stored else {}),
            "features": network
            and {"width": network.width, "weights": network.weights_hash, "protocol": network.protocol},
        }

    def real_content(self, metric: Metric, number: int) -> dict[str, Any]:
        """Return the hash of the real images that a metric looks at, or of their statistics."""
        given = self.statistics
        if number or given is None:
            return {"content": self.real.content(number)}
        if not metric.against:
            return {}
        return {"statistics": {"arrays": list(given.names), "content": given.content, "features": len(given.mean)}}


def values_of(metric: Metric, repeats: Sequence[Mapping[str, float]]) -> dict[str, MetricValue]:
    """Join a metric's values of all repeats, and say in which direction each improves."""
    neither = metric.baselines | {"std"}
    return {
        key: MetricValue([each[key] for each in repeats], "" if key in neither else metric.better) for key in repeats[0]
    }


def check_shapes(shape: tuple[int, int, int], images: Images, data: DataSet) -> None:
    """Raise UserError, with what to type, if the images to measure differ from the real ones in size or channels."""
    spec, (channels, height, width) = images.spec, shape
    if (spec.channels, spec.height, spec.width) == shape:
        return
    own = f"{height} x {width} px with {channels} channel{'s' * (channels > 1)}"
    real = f"{spec.height} x {spec.width} px with {spec.channels}"
    known = {field.name for field in fields(data)}
    flags = [f"--data.size {height}" if height == width else f"--data.size {height} {width}"]
    flags = flags if (height, width) != (spec.height, spec.width) else []
    flags += [f"--data.channels {channels}"] if channels != spec.channels and "channels" in known else []
    way = f"add {' '.join(flags)}" if flags else "give other real images by --data"
    raise UserError(f"the images to measure are of {own}, the real ones of {real}; {way}.")
