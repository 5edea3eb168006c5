"""The evaluator: opens a source of images and the real ones, and measures the source metric by metric."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property, partial
from typing import Any, NamedTuple

from torch import Tensor

from ggdr.cache import cache_folder
from ggdr.data.base import Batch, DataSet, Images
from ggdr.data.images import ImageFiles
from ggdr.data.reading.labelled import labelled_images, map_domain, with_labels
from ggdr.errors import UserError, at
from ggdr.evaluation.disk_cache import DiskFeatureCache
from ggdr.evaluation.inputs import paired_beside
from ggdr.evaluation.progress import Progress
from ggdr.evaluation.record import versions
from ggdr.evaluation.result import CONFIDENCE, EvalResult, MetricValue
from ggdr.evaluation.sample_size import sample_size_warnings
from ggdr.evaluation.sources import SEED_SCHEME, ImageSource, SamplingSettings, check_no_view, find_model, find_source
from ggdr.evaluation.translators import TranslatorSource, open_translator
from ggdr.features.base import Embedder, Extractor
from ggdr.features.cache import FeatureCache
from ggdr.features.segmenter import Segmenter, find_segmenter
from ggdr.metrics.base import Metric, Numbers, extractor_of
from ggdr.metrics.data import EvalData, Rows
from ggdr.networks.base import ImageSpec
from ggdr.ops.device import device_name
from ggdr.ops.precision import without_tf32
from ggdr.play.view import View
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


class Compared(NamedTuple):
    """Images that are measured, and those that they are compared with."""

    source: ImageSource
    real: DiskFeatureCache
    stored: DiskFeatureCache | None = None
    """the images to measure, if they are in files"""
    truth: DiskFeatureCache | None = None
    """the image that should be at the place of each, where pairs tell it"""


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
        view: str = "",
        cache: bool = True,
        revision: str | None = None,
        skip_missing: bool = False,
    ):
        """Open source and data and load the metrics' networks; UserError, before anything is measured, if one fails.

        `files`: the source's name, and how it is read if it is images. `view`: the view of a translator, or the domain
        that it makes; empty: all. `cache`: keep features of images in files on disk. `skip_missing`: leave out, with a
        warning, metrics that cannot be measured here.
        """
        self.name, self.settings, self.processes, self.progress = files.source, data, processes, progress
        self.warnings: list[str] = []
        self.networks: dict[Extractor, Embedder] = {}
        self.statistics = data.statistics()
        model = find_model(files.source, revision)
        self.translator = open_translator(model, sampling) if model is not None and model.translates else None
        self.held_out = data.held_out() if self.translator else None
        with at("data"):
            self.images = NoImages() if self.statistics and self.statistics.alone else (self.held_out or data).open()
        stored = partial(
            DiskFeatureCache,
            processes=processes,
            on_progress=progress.advance,
            networks=self.networks,
            folder=cache_folder() / "features" if cache else None,
            say=progress.say,
        )
        if self.translator:
            views = self.translator.choose(view, self.images, data.name)
            self.compared = {name: self.of_view(name, each, stored) for name, each in views.items()}
        else:
            check_no_view(view, files.source)
            self.compared = {"": self.of_source(find_source(files, sampling, self.images, model, revision), stored)}
        if skip_missing and self.images.paired and self.translator:
            metrics = {**metrics, **paired_beside(metrics, of_maps=bool(map_domain(self.images)))}
        self.metrics = self.prepare(metrics, skip_missing)
        if sampling.view.truncation_psi not in (None, 1.0):
            walking = [name for name, metric in self.metrics.items() if Capability.GENERATOR in metric.requires]
            if walking:
                self.warnings.append(
                    f"{', '.join(walking)}: of the whole latent space; --truncation-psi makes no difference."
                )
        self.warnings += sample_size_warnings(
            self.metrics, {name: self.eval_data(self.of[name]) for name in self.metrics}
        )

    def of_source(self, source: ImageSource, stored: Callable[..., DiskFeatureCache]) -> Compared:
        """The images of a source, beside the real ones; UserError if they are of another size."""
        reals = self.images
        if len(reals):
            check_shapes(source.shape, reals, self.settings)
        real = stored(lambda places: reals.at(list(places), 0).images, len(reals), name="real images")
        if source.count is None:
            return Compared(source, real)
        make = partial(source.make, repeat=0, seed=0, batch_size=1)
        return Compared(source, real, stored(make, source.count, name="images to measure"))

    def of_view(self, name: str, view: View, stored: Callable[..., DiskFeatureCache]) -> Compared:
        """What a view of the translator makes, beside the images of its target: the truth, where they are pairs."""
        assert self.translator is not None
        images, source = self.images, TranslatorSource(name, view, self.images, self.processes.device)
        real = stored(
            lambda places: images.domain_batches(list(places), 0)[view.target].images,
            images.count(view.target),
            name=f"real images of {view.target}",
        )
        return Compared(source, real, truth=real if view.paired else None)

    def prepare(self, metrics: Mapping[str, Metric], skip_missing: bool) -> dict[str, Metric]:
        """Load the networks of metrics and return those that can be measured, on all processes the same.

        They are called by their names, and by the view's behind it where a model has several: fid/horse_to_zebra.
        """
        missing: dict[str, str] = {}
        several = self.translator is not None and len(self.translator.views) > 1
        pairs = [(name, view) for name in metrics for view in self.compared]
        self.of = {f"{name}/{view}" if several else name: view for name, view in pairs}
        found = dict(zip(self.of, (metrics[name] for name, _ in pairs), strict=True))
        for (label, metric), (name, view) in zip(found.items(), pairs, strict=True):
            try:
                with at(f"metrics.{name}"):
                    metric.prepare(self.eval_data(view))
            except UserError as error:
                if not skip_missing:
                    raise
                missing[label] = error.in_flags()
        missing = self.processes.broadcast(missing)
        self.warnings += [f"{label} is left out: {reason}" for label, reason in missing.items()]
        return {label: metric for label, metric in found.items() if label not in missing}

    def eval_data(self, view: str, repeat: int = 0, seed: int = 0, batch_size: int = 1) -> EvalData:
        """Return what the metrics look at in one repeat, of a view (empty: of what has none); nothing is made yet."""
        source, real, stored, truth = self.compared[view]
        make = partial(source.make, repeat=repeat, seed=seed, batch_size=batch_size)
        fake = stored or FeatureCache(make, source.count, self.processes, self.progress.advance, self.networks)
        labels = partial(source.labels, repeat=repeat)
        own, other_draws = seed_of(seed, repeat, "metrics"), None
        if self.translator:
            again = partial(source.make, repeat=repeat, seed=seed_of(seed, "other_draws"), batch_size=batch_size)
            other_draws = (
                fake if source.once else FeatureCache(again, source.count, self.processes, networks=self.networks)
            )
        found = EvalData(real, fake, source.generator, labels, own, self.statistics, truth, other_draws)
        if not self.translator and (held_out := self.settings.held_out()) is not None:
            found = found._replace(both_parts=lambda: (rows_of(self.images), rows_of(held_out.open())))
        if not self.translator or self.translator.views[view].source != map_domain(self.images):
            return found
        return found._replace(maps=self.maps, segmenter=lambda: self.segmenter)

    def maps(self, places: range) -> Tensor:
        """The label maps [N, H, W] at these places, as numbers of classes."""
        return self.images.domain_batches(list(places), 0)[map_domain(self.images)].images[:, 0]

    @cached_property
    def segmenter(self) -> Segmenter:
        """The segmenter of the data that are trained on, of which the images that are measured may be held out."""
        return find_segmenter(labelled_images(self.settings.open()), self.processes.device, self.progress.say)

    def run(self, seed: int = 0, repeats: int | None = None, batch_size: int = 16) -> EvalResult:
        """Measure every metric in every repeat; all processes of a launch must call it, and all get the result.

        `seed`: 0 to 2**31 - 1. `repeats`: None for 3, and for 1 where images are read from files. `batch_size`: images
        made at once, 1 to 64.
        """
        began, wanted, repeats = time.monotonic(), repeats, self.repeats(repeats)
        numbers = {name: metric.numbers(self.eval_data(self.of[name])) for name, metric in self.metrics.items()}
        found: list[dict[str, dict[str, float]]] = []
        with without_tf32(), self.progress.work(self.work(numbers, repeats)):
            self.progress.stage("real images")
            for view, compared in self.compared.items():
                most = [number.real for name, number in numbers.items() if self.of[name] == view]
                compared.real.content(max(most, default=0))
            for repeat in range(repeats):
                self.progress.stage(f"{self.source.kind} {repeat + 1}/{repeats}")
                found.append(
                    self.measure({view: self.eval_data(view, repeat, seed, batch_size) for view in self.compared})
                )
        once = self.once
        unused = [f"{once}; --repeats makes no difference."] if once and wanted not in (None, 1) else []
        return EvalResult(
            {name: values_of(metric, [each[name] for each in found]) for name, metric in self.metrics.items()},
            self.protocol(seed, repeats, batch_size),
            [*self.warnings, *unused, *self.unreadable()],
            time.monotonic() - began,
        )

    def measure(self, data: Mapping[str, EvalData]) -> dict[str, dict[str, float]]:
        """Measure every metric once, of data by view: metric -> name of the value -> value."""
        largest_first = sorted(self.metrics, key=lambda name: -self.metrics[name].images)  # the fewer are among them
        return {name: self.metrics[name].measure(data[self.of[name]]) for name in largest_first}

    @property
    def source(self) -> ImageSource:
        """What makes the images; of several views, what makes those of the first."""
        return next(iter(self.compared.values())).source

    @property
    def once(self) -> str:
        """Why images are measured once, however many repeats are wanted; empty: each repeat has others."""
        return self.source.once if all(each.source.once for each in self.compared.values()) else ""

    def repeats(self, wanted: int | None) -> int:
        """Return how often images are made and measured if this is wanted: those that never change, once."""
        return 1 if self.once else wanted or REPEATS

    def work(self, numbers: Mapping[str, Numbers], repeats: int) -> int:
        """Return about how many images this process makes and describes."""
        passes: dict[tuple[str, Extractor | None], list[Numbers]] = {}
        for name, metric in self.metrics.items():
            for extractor in {None, extractor_of(metric)}:
                passes.setdefault((self.of[name], extractor), []).append(numbers[name])
        most = [(max(n.real for n in some), max(n.fake for n in some)) for some in passes.values()]
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
        """Return a line that says what is measured against what; of a translator one for each view."""
        known = [f"{len(self.images):,} real images of {self.settings.name}"] if len(self.images) else []
        if self.statistics is not None:
            known.insert(0, f"the statistics ({', '.join(self.statistics.names)}) of real images for fid")
        lines = []
        for view, (source, real, *_) in self.compared.items():
            channels, height, width = source.shape
            held = "held-out " if self.held_out else ""
            reals = [f"{real.count:,} {held}{real.name} of {self.settings.name}"] if view else known
            lines.append(
                f"{self.name} ({f'{view} of {source.count:,} images' if view else source.kind}) against"
                f" {' and '.join(reals)}, {height} x {width} px, {channels} channel{'s' * (channels > 1)}"
            )
        if self.translator and self.once:
            lines.append(f"{self.once}.")
        return "\n".join(lines)

    def protocol(self, seed: int, repeats: int | None, batch_size: int) -> dict[str, Any]:
        """Return all that values depend on, as JSON can hold it; all processes of a launch must call it."""
        repeats = self.repeats(repeats)
        return {
            "source": {"name": self.name, "kind": self.source.kind} | self.source_protocol(seed, batch_size),
            "data": {
                "settings": to_json(self.settings),
                "images": len(self.images),
                "order": ORDER,
                "content": CONTENT,
                "resize": RESIZE,
            }
            | ({"held_out": to_json(self.held_out)} if self.translator else {}),
            "repeats": repeats,
            "interval": INTERVAL if repeats > 1 else None,
            "metrics": {name: self.metric_protocol(name, metric) for name, metric in self.metrics.items()},
            "versions": versions(),
            "device": device_name(self.processes.device),
            "processes": self.processes.size,
            "precision": "float32, without TF32",
        }

    def source_protocol(self, seed: int, batch_size: int) -> dict[str, Any]:
        """Return all that the images depend on: their source, of a translator each view's, and how they are made."""
        if self.translator:
            views = {view: compared.source.describe() for view, compared in self.compared.items()}
            return self.translator.about | {"views": views, "seed": seed, "batch_size": batch_size}
        source, sampled = self.source, {}
        if source.count is None:
            sampled = {"seed": seed, "seeds": SEED_SCHEME, "batch_size": batch_size}
        return {"shape": list(source.shape)} | source.describe() | sampled

    def metric_protocol(self, name: str, metric: Metric) -> dict[str, Any]:
        """Return all that the values of a metric depend on: its settings, images and feature network."""
        view, extractor = self.of[name], extractor_of(metric)
        numbers, stored = metric.numbers(self.eval_data(view)), self.compared[view].stored
        network = self.networks[extractor] if extractor else None
        return {
            "type": metric.name,
            **({"view": view} if view else {}),
            "better": metric.better,
            "settings": to_json(metric),
            "real": {"number": numbers.real} | self.real_content(metric, numbers, self.compared[view]),
            "fake": {"number": numbers.fake} | ({"content": stored.content(numbers.fake)} if stored else {}),
            **metric.describe(self.eval_data(view)),
            "features": network
            and {"width": network.width, "weights": network.weights_hash, "protocol": network.protocol},
        }

    def real_content(self, metric: Metric, numbers: Numbers, compared: Compared) -> dict[str, Any]:
        """Return the hash of the real images that a metric looks at, or of their statistics, or of the truths."""
        given = self.statistics
        if Capability.TRUTH in metric.requires and compared.truth:
            return {"truths": numbers.fake, "content": compared.truth.content(numbers.fake)}
        if numbers.real or given is None:
            return {"content": compared.real.content(numbers.real)}
        if not metric.against:
            return {}
        return {"statistics": {"arrays": list(given.names), "content": given.content, "features": len(given.mean)}}


def values_of(metric: Metric, repeats: Sequence[Mapping[str, float]]) -> dict[str, MetricValue]:
    """Join a metric's values of all repeats, and say in which direction each improves."""
    neither = metric.baselines | {"std"}
    return {
        key: MetricValue([each[key] for each in repeats], "" if key in neither else metric.better) for key in repeats[0]
    }


def rows_of(images: Images) -> Rows:
    """All of a data set of vectors."""
    return Rows(*with_labels(images))


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
