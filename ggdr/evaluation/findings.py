"""What an evaluation found: the lines of its table, and its record with all that the values depend on."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggdr.evaluation.cautions import extractor_of
from ggdr.evaluation.record import CONFIDENCE, Row, Spread, versions
from ggdr.evaluation.subject import SCHEME, holds_model, is_foreign
from ggdr.features.base import Embedder
from ggdr.metrics.base import Metric
from ggdr.ops.device import device_name
from ggdr.recipe.files import to_json

if TYPE_CHECKING:
    from ggdr.verbs.evaluation import Evaluation

FORMAT = 1
"""of records"""
INTERVAL = (
    f"Student's {100 * CONFIDENCE:g} % interval of the mean over repeats: other seeds, the same real images; it says"
    " nothing of other trainings or other real images"
)
ORDER = "drawn with seed 0, the same in all repeats and evaluations"
CONTENT = "sha256 of the sha256s, in order, of the shape and the decoded 8-bit pixels of each real image"
RESIZE = "Pillow's Lanczos with antialiasing, to 8 bits, where sizes differ from those of the files"

Measured = Mapping[str, Mapping[str, Spread]]
"""metric -> value -> what the repeats gave"""


def rows(evaluation: Evaluation, measured: Measured) -> Iterator[Row]:
    """The lines of the table, in the order in which metrics were named."""
    for name, values in measured.items():
        metric, extractor = evaluation.metrics[name], extractor_of(evaluation.metrics[name])
        numbers = evaluation.numbers(metric)
        reals = f"{numbers.real:,}" if numbers.real else "statistics" if metric.against else "-"
        images = f"{reals}, {numbers.fake:,}"
        for key, spread in values.items():
            label = name if key == name or len(values) == 1 else f"{name} {key}"
            better = "" if key == "std" or key in metric.baselines else metric.better  # of a spread, neither way is
            yield Row(label, spread, better, images, extractor.name if extractor else "-")


def record_of(evaluation: Evaluation, measured: Measured) -> dict[str, Any]:
    """All that was measured, and all that it depends on, as JSON can hold it; every process must call it."""
    command, subject = evaluation.command, evaluation.subject
    made: dict[str, Any] = {}
    if subject.count is None:
        made = {"seed": command.seed, "seeds": SCHEME, "images_at_once": command.batch_size}
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(command.typed),
        "subject": {"source": command.read.source, "kind": subject.kind, "shape": list(subject.shape)}
        | subject.about()
        | made,
        "reference": {
            "source": to_json(command.data),
            "images": len(evaluation.images),
            "order": ORDER,
            "content": CONTENT,
            "resize": RESIZE,
        },
        "repeats": evaluation.repeats,
        "interval": INTERVAL if evaluation.repeats > 1 else None,
        "metrics": {name: entry(evaluation, name, values) for name, values in measured.items()},
        "warnings": evaluation.console.warnings,
        "versions": versions(),
        "device": device_name(evaluation.processes.device),
        "processes": evaluation.processes.size,
        "precision": "float32, without TF32",
        "seconds": round(time.monotonic() - evaluation.began, 1),
    }


def entry(evaluation: Evaluation, name: str, values: Mapping[str, Spread]) -> dict[str, Any]:
    """A metric's part of the record."""
    metric, extractor = evaluation.metrics[name], extractor_of(evaluation.metrics[name])
    numbers = evaluation.numbers(metric)
    return {
        "type": metric.name,
        "better": metric.better,
        "values": {key: spread.as_json() for key, spread in values.items()},
        "settings": to_json(metric),
        "real": {"number": numbers.real} | real_content(evaluation, metric, numbers.real),
        "measured": {"number": numbers.fake} | evaluation.fake_content(numbers.fake),
        "features": described(evaluation.loaded[extractor]) if extractor else None,
    }


def real_content(evaluation: Evaluation, metric: Metric, number: int) -> dict[str, Any]:
    """The hash of the real images that a metric looked at, or of their statistics, by whatever names they go."""
    given = evaluation.statistics
    if number or given is None:
        return {"content": evaluation.real.content(number)}
    if not metric.against:
        return {}
    return {"statistics": {"arrays": list(given.names), "content": given.content, "features": len(given.mean)}}


def described(network: Embedder) -> dict[str, Any]:
    """What a record says of a feature network."""
    return {"width": network.width, "weights": network.weights_hash, "protocol": network.protocol}


def record_folder(what: str) -> Path:
    """Where records of `what` lie: in a model's folder, beside a file, and here for images and what is on the Hub."""
    here = Path(what)
    if here.is_dir() and (holds_model(here) or is_foreign(here)):
        return here / "metrics"
    if here.is_file():
        return here.parent / "metrics"
    return Path("metrics") / (here.absolute().name if here.is_dir() else re.sub(r"[^\w.-]+", "--", what))
