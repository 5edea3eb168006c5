"""Reasons to doubt the values of metrics, known before they are measured: there are too few images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ggdr.features.base import Extractor
from ggdr.metrics.base import Metric, fewer
from ggdr.metrics.data import EvalData


def cautions(metrics: Mapping[str, Metric], data: EvalData) -> list[str]:
    """Sentences, each with the metrics it is about."""
    found: dict[str, list[str]] = {}
    for name, metric in metrics.items():
        for text in about(metric, data):
            found.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def about(metric: Metric, data: EvalData) -> Iterator[str]:
    """Reasons to doubt one metric."""
    real, fake = metric.numbers(data)
    for count, there, asked, what in (
        (real, data.real.count, metric.reals or metric.images, "real images"),
        (fake, data.fake.count, metric.images, "images to measure"),
    ):
        if there is not None and 0 < count == there < asked:
            yield f"all {count:,} {what} are taken, fewer than the {asked:,} asked for."
    few = fewer(real, fake)
    if few < metric.least:
        instead = ", or take kid, which has no such bias" if metric.covariance else ""
        yield (
            f"values of {few:,} images depend on their number; compare them with those of as many alone, give"
            f" {metric.least:,} or more{instead}."
        )
    extractor = extractor_of(metric)
    if extractor is not None and metric.covariance and few <= (width := data.real.embedder(extractor).width):
        yield f"{few:,} images are too few to fit the covariance of {width:,} features of {extractor.name}."


def extractor_of(metric: Metric) -> Extractor | None:
    """The feature extractor among a metric's settings; None if it reads no features."""
    return next((value for value in vars(metric).values() if isinstance(value, Extractor)), None)
