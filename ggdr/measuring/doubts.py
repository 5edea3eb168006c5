"""Reasons to doubt the values of metrics, known before they are measured: there are too few images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ggdr.evidence import Evidence
from ggdr.features.base import Extractor
from ggdr.metrics.base import Metric, fewer


def doubts(metrics: Mapping[str, Metric], evidence: Evidence) -> list[str]:
    """Sentences, each with the metrics it is about."""
    found: dict[str, list[str]] = {}
    for name, metric in metrics.items():
        for text in about(metric, evidence):
            found.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def about(metric: Metric, evidence: Evidence) -> Iterator[str]:
    """Reasons to doubt one metric."""
    real, fake = metric.numbers(evidence)
    for count, there, asked, what in (
        (real, evidence.real.count, metric.reals or metric.images, "real images"),
        (fake, evidence.fake.count, metric.images, "images to measure"),
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
    if extractor is not None and metric.covariance and few <= (width := evidence.real.embedder(extractor).width):
        yield f"{few:,} images are too few to fit the covariance of {width:,} features of {extractor.name}."


def extractor_of(metric: Metric) -> Extractor | None:
    """The feature extractor among a metric's settings; None if it reads no features."""
    return next((value for value in vars(metric).values() if isinstance(value, Extractor)), None)
