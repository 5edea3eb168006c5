"""What an evaluation returns: values with their intervals, warnings, and all that the values depend on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ggdr.documents import RECORD_FORMAT
from ggdr.evaluation.record import record_folder, write_numbered, write_record
from ggdr.formatting import format_interval, significant

CONFIDENCE = 0.95
HEADS = ("metric", "value", "95 % interval", "better", "images (real, measured)", "extractor")


@dataclass(frozen=True)
class MetricValue:
    """One value of a metric, measured once or over several repeats with other images."""

    repeats: list[float]
    """the value of each repeat"""
    better: str = ""
    """which way it improves: "lower" or "higher"; empty: neither way is better"""

    @property
    def mean(self) -> float:
        """The mean over the repeats."""
        return math.fsum(self.repeats) / len(self.repeats)

    @property
    def std(self) -> float | None:
        """The standard deviation over the repeats, unbiased (N - 1); None if it was measured once."""
        if len(self.repeats) < 2:
            return None
        return math.sqrt(math.fsum((value - self.mean) ** 2 for value in self.repeats) / (len(self.repeats) - 1))

    @cached_property
    def margin(self) -> float | None:
        """Half the width of Student's 95 % interval of the mean; None if it was measured once."""
        from scipy.stats import t

        if self.std is None:
            return None
        quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(self.repeats) - 1))
        return quantile * self.std / math.sqrt(len(self.repeats))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of Student's 95 % interval of the mean; None if it was measured once."""
        return None if self.margin is None else (self.mean - self.margin, self.mean + self.margin)

    def as_json(self) -> dict[str, Any]:
        """Mean, standard deviation, interval, direction and repeats; null where there is none, or it is not finite."""
        return {
            "mean": finite(self.mean),
            "std": finite(self.std),
            "interval": None if self.interval is None else [finite(end) for end in self.interval],
            "better": self.better,
            "repeats": [finite(value) for value in self.repeats],
        }


@dataclass(frozen=True)
class EvalResult:
    """The result of `ggdr.evaluate`: `result["fid"].mean`, `result["kid/std"]`, and as a table by `print(result)`."""

    values: Mapping[str, Mapping[str, MetricValue]]
    """metric -> name of the value, the metric's chief one first -> the value"""
    protocol: Mapping[str, Any]
    """all that the values depend on, as JSON can hold it: source, data, images, features, seeds, versions, device"""
    warnings: list[str]
    """sentences about what makes values doubtful, or has no effect"""
    seconds: float
    """how long it took"""

    def __getitem__(self, name: str) -> MetricValue:
        """The chief value of the metric "fid", or its value "kid/std"; KeyError if it was not measured.

        Of a translator with several views the metric's name has the view's behind it: "fid/a_to_b", "kid/a_to_b/std".
        """
        metric, key = (name, "") if name in self.values else name.rpartition("/")[::2]
        values = self.values[metric or name]
        return values[key or next(iter(values))]

    def as_json(self) -> dict[str, Any]:
        """The record of the evaluation: protocol, values and warnings, as `json.dump` takes it."""
        metrics = {
            name: entry | {"values": {key: value.as_json() for key, value in self.values[name].items()}}
            for name, entry in self.protocol["metrics"].items()
        }
        found = {
            "metrics": metrics,
            "warnings": self.warnings,
            "seconds": round(self.seconds, 1),
        }
        return {
            "format": RECORD_FORMAT,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **self.protocol,
            **found,
        }

    def save(self, file: str | Path | None = None, command: str = "") -> Path:
        """Write the record as JSON and return its file, which is never one that is there (FileExistsError).

        `file`: None for the next number in the folder `metrics` in a model's folder, beside a file, or in
        `metrics/SOURCE` here. `command`: the command line that asked for it, noted in the record.
        """
        record = self.as_json() | ({"command": command} if command else {})
        if file is not None:
            return write_record(record, Path(file))
        return write_numbered(
            record,
            record_folder(self.protocol["source"]["name"]),
            "-".join(dict.fromkeys(name.partition("/")[0] for name in self.values)),
        )

    def __str__(self) -> str:
        """A table with a line for each value."""
        cells = [HEADS, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
        return "\n".join(line.rstrip() for line in lines)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of each line of the table, in the order in which metrics were named."""
        for name, values in self.values.items():
            entry = self.protocol["metrics"][name]
            real, extractor = entry["real"], entry["settings"].get("extractor")
            number = real.get("truths", real["number"])
            reals = f"{number:,}" if number else "statistics" if "statistics" in real else "-"
            for key, value in values.items():
                yield (
                    name if key == name or len(values) == 1 else f"{name} {key}",
                    significant(value.mean),
                    "-" if value.interval is None else format_interval(*value.interval),
                    value.better,
                    f"{reals}, {entry['fake']['number']:,}",
                    extractor["type"] if extractor else "-",
                )


def finite(value: float | None) -> float | None:
    """The value as JSON can hold it: None if it is infinite or no number."""
    return value if value is not None and math.isfinite(value) else None
