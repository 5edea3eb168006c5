"""What was measured: rows of a table with intervals and protocol in words, and entries of the Hub's model-index."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from ggdr.data.base import DataSet
from ggdr.features.base import Extractor
from ggdr.formatting import format_interval, significant
from ggdr.hub.facts import Facts, Record, last_logged
from ggdr.hub.markdown import escape, inline_code, markdown_table
from ggdr.hub.parts import first_line
from ggdr.metrics.base import Metric
from ggdr.recipe.files import from_json
from ggdr.registry import metrics

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASKS = {False: "unconditional-image-generation", True: "image-to-image"}
"""whether it translates -> its task, as the Hub calls it"""
OTHER = (
    "A name that goes on after the metric's, such as fid-digits, is of other features than the metric's own, or of"
    " truncated images: its values compare with none but their like"
)


class Result(NamedTuple):
    """A value of a metric in a record."""

    metric: str
    """registered name"""
    key: str
    """which of its values"""
    value: float | None
    """the mean over repeats; None: not finite"""
    interval: tuple[float, float] | None
    """ends of the 95 % interval; None: measured once"""
    better: str
    data: str
    """the real images: their Hub id, or the data set's registered name"""
    protocol: dict[str, Any]
    """what the value depends on"""

    @property
    def label(self) -> str:
        """The metric's name, with the extractor if it is not the metric's own, and truncation: other values.

        Of a translator, as in its log, the view's name behind it: fid/horse_to_zebra.
        """
        view = f"/{self.protocol['view']}" if "view" in self.protocol else ""
        return self.plain_label + view

    @property
    def plain_label(self) -> str:
        """The label without a view."""
        extractor, psi = self.protocol.get("extractor", ""), self.protocol["psi"]
        name = self.metric if extractor in ("", default_extractor(self.metric)) else f"{self.metric}-{extractor}"
        return name if psi == 1 else f"{name}-psi{psi:g}"

    @property
    def value_text(self) -> str:
        """Return the value as it is printed, or "not a number"."""
        return "not a number" if self.value is None else significant(self.value)

    @property
    def interval_text(self) -> str:
        """The interval; empty without one, or without a value."""
        return "" if self.interval is None else format_interval(*self.interval)


def results_in(records: Sequence[Record]) -> list[Result]:
    """The values of all records; of what was measured in the same way several times, the last."""
    last: dict[str, Result] = {}
    for record in records:
        try:
            found = list(results_of(record))
        except (AttributeError, KeyError, TypeError):  # edited by hand: no record any more
            continue
        last |= {repr(result._replace(value=None, interval=None)): result for result in found}
    return list(last.values())


def results_of(record: Record) -> Iterator[Result]:
    """The values of a record."""
    source, settings = record["source"], record["data"]["settings"]
    data = from_json(DataSet, settings, "data.settings").hub_id() or settings["type"]
    truncation = source.get("truncation") or {}
    for entry in record["metrics"].values():
        features, extractor = entry.get("features") or {}, (entry["settings"].get("extractor") or {}).get("type", "")
        protocol = {
            "view": entry.get("view"),
            "held_out": record["data"].get("held_out") is not None or None,
            "generated": entry["fake"]["number"],
            "real": entry["real"]["number"] or None,
            "truths": entry["real"].get("truths"),
            "repeats": record["repeats"],
            "extractor": extractor,
            "extractor_weights": features.get("weights"),
            "segmenter_weights": (entry.get("segmenter") or {}).get("weights"),
            "psi": truncation.get("psi", 1.0),
            "cutoff": truncation.get("cutoff"),
            "noise": source.get("noise", ""),
        }
        protocol = {name: value for name, value in protocol.items() if value not in ("", None)}
        for key, value in entry["values"].items():
            interval = value["interval"]
            whole = interval is not None and None not in interval
            pair = (float(interval[0]), float(interval[1])) if whole else None
            yield Result(entry["type"], key, finite_or_none(value["mean"]), pair, value["better"], data, protocol)


def default_extractor(metric: str) -> str:
    """Name of the extractor that a metric reads if no other is asked for; empty: none, or the metric is unknown."""
    settings = fields(metrics[metric]) if metric in metrics else ()  # type: ignore[arg-type]  # parts are dataclasses
    return next((s.default.name for s in settings if isinstance(s.default, Extractor)), "")


def finite_or_none(value: float | None) -> float | None:
    """The value, None if it is no number."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def describe_protocol(protocol: dict[str, Any]) -> str:
    """How a value came about."""
    reals = f"{protocol['real']:,}" if "real" in protocol else "the statistics of"
    made = "translated" if "view" in protocol else "generated"
    held_out = " held out" if "held_out" in protocol else ""
    words = [f"{protocol['generated']:,} {made} against {reals} real images{held_out}"]
    if "truths" in protocol:
        words = [f"{protocol['truths']:,} {made}, each against its truth{held_out and ', held out'}"]
    if "extractor" in protocol:
        words.append(f"features of {protocol['extractor']}")
    if "segmenter_weights" in protocol:
        words.append("read by a segmenter of the data's own")
    cutoff = f" in the first {protocol['cutoff']} style codes" if "cutoff" in protocol else ""
    if "view" not in protocol:
        words.append("no truncation" if protocol["psi"] == 1 else f"truncated to psi {protocol['psi']:g}{cutoff}")
    if "noise" in protocol:
        words.append(f"{protocol['noise']} noise")
    words.append(f"mean of {protocol['repeats']} repeats" if protocol["repeats"] > 1 else "measured once")
    return ", ".join(words)


def results_table(found: Sequence[Result]) -> str:
    """A row for each value."""
    rows = (
        (
            f"{inline_code(each.label)} {escape(each.key)}",
            each.value_text,
            each.interval_text,
            each.better,
            escape(describe_protocol(each.protocol)),
        )
        for each in found
    )
    return markdown_table(("metric", "value", "95 % interval", "better", "protocol"), rows)


def notes(facts: Facts, found: Sequence[Result]) -> list[str]:
    """What to know of the values: names, the interval's meaning, warnings, what they were computed with; each once."""
    said = [OTHER] if any(result.plain_label != result.metric for result in found) else []
    said += [record["interval"] for record in facts.records if record.get("interval")]
    said += [warning for record in facts.records for warning in record.get("warnings", ())]
    for record in facts.records:
        versions = record["versions"]
        libraries = ", ".join(f"{name} {versions[name]}" for name in ("ggdr", "torch") if name in versions)
        said.append(f"{record['date'][:10]}: computed by {libraries} on {record.get('device', 'an unknown device')}")
    return list(dict.fromkeys(escape(text.rstrip(".")) + "." for text in said))


def training_metrics_table(facts: Facts) -> str:
    """A table of what the run measured by itself."""
    named = facts.recipe.metrics if facts.recipe else {}
    rows = []
    for key, value, kimg in last_logged(facts.log, "metric/"):
        name, _, rest = key.partition("/")
        images = f"at most {named[name].images:,} images of a kind, " if name in named else ""
        rows.append(
            (f"{inline_code(name)} {escape(rest)}", significant(value), significant(kimg), f"{images}measured once")
        )
    return markdown_table(("metric, as the run logged it", "last value", "at kimg", "protocol"), rows)


def remarks(found: Sequence[Result]) -> Iterator[str]:
    """What metrics have to say of a model's limits by their values, or that they were not measured."""
    telling = {name: part for name, part in sorted(metrics.items()) if issubclass(part, Metric) and part.remark}
    for name, part in telling.items():
        values = {result.key: result.value for result in found if result.metric == name and result.value is not None}
        try:
            yield escape(part.remark.format_map(values))
        except KeyError:  # one of them is missing, or not finite
            yield f"Not measured: {inline_code(name)}. {escape(first_line(part))}"


def model_index(found: Sequence[Result], task: str) -> list[EvalResult]:
    """The finite values, as the Hub keeps them of a task."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type=task,
            dataset_type=result.data,
            dataset_name=result.data,
            metric_type=result.label,
            metric_name=f"{result.label} {result.key}",
            metric_value=result.value,
            metric_args=result.protocol | ({"interval_95": list(result.interval)} if result.interval else {}),
        )
        for result in found
        if result.value is not None
    ]
