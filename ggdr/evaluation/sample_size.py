"""Warnings about the number of images: known before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ggdr.features.base import Extractor
from ggdr.metrics.base import Metric, extractor_of, fewer
from ggdr.metrics.data import EvalData


def sample_size_warnings(metrics: Mapping[str, Metric], data: Mapping[str, EvalData]) -> list[str]:
    """Sentences, each beginning with the names of the metrics whose values so few images make doubtful.

    `data`: what each of them looks at, by the same name.
    """
    found: dict[str, list[str]] = {}
    for name, metric in metrics.items():
        for text in warnings_of(metric, data[name]):
            found.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def width_of(extractor: Extractor, data: EvalData) -> int:
    """The number of features of each image; the reals may be absent where their statistics are given."""
    return (data.fake if data.real.count == 0 else data.real).width(extractor)


def warnings_of(metric: Metric, data: EvalData) -> Iterator[str]:
    """Sentences about one metric, without its name."""
    real, fake = metric.numbers(data)
    for count, available, wanted, kind in (
        (real, data.real.count, metric.reals or metric.images, "real images"),
        (fake, data.fake.count, metric.images, "images to measure"),
    ):
        if available is not None and 0 < count == available < wanted:
            yield f"all {count:,} {kind} are taken, fewer than the {wanted:,} asked for."
    few = fewer(real, fake)
    if 0 < few < metric.reliable_images:
        instead = ", or take kid, which has no such bias" if metric.covariance else ""
        yield (
            f"values of {few:,} images depend on their number; compare them with those of as many alone, give"
            f" {metric.reliable_images:,} or more{instead}."
        )
    extractor = extractor_of(metric)
    if extractor is not None and metric.covariance and few <= (width := width_of(extractor, data)):
        yield f"{few:,} images are too few to fit the covariance of {width:,} features of {extractor.name}."
