"""What a comparison measures: a record of `ggdr evaluate` for each checkpoint, made once and found again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compare_report import Curve, Number
from tqdm import tqdm

from ggdr.errors import UserError
from ggdr.evaluation.cautions import cautions
from ggdr.evaluation.console import Console
from ggdr.evaluation.findings import record_of
from ggdr.evaluation.record import write_numbered
from ggdr.evaluation.subject import file_hash
from ggdr.processes import Processes
from ggdr.saving.model import find_saved
from ggdr.training.launch import processes_for
from ggdr.verbs.evaluate_flags import parse
from ggdr.verbs.evaluation import Evaluation, without_tf32

Record = dict[str, Any]
Runs = Mapping[str, Mapping[int, Sequence[Path]]]
"""arm -> seed -> its checkpoints, one for each point of the run"""
LIKE = ("truncation", "noise", "seed", "seeds", "images_at_once")
"""what two measurements of the same weights must share, beside metrics and real images"""


def measure(runs: Runs, folder: Path, flags: Sequence[str]) -> dict[str, dict[int, list[Record]]]:
    """The record of each checkpoint, from `folder`/ARM/seedN/STEP if it is there and of the same measurement.

    `flags`: of `ggdr evaluate`. ValueError if they are wrong, or a metric cannot be measured.
    """
    found: dict[str, dict[int, list[Record]]] = {arm: {seed: [] for seed in seeds} for arm, seeds in runs.items()}
    work = [(arm, seed, path) for arm, seeds in runs.items() for seed, paths in seeds.items() for path in paths]
    with processes_for(parse([str(work[0][2]), *flags], "compare.py").device) as processes, without_tf32():
        first = evaluation_of(work[0][2], flags, processes, folder)
        like = identity(record_of(first, {name: {} for name in first.metrics}))
        for arm, seed, path in tqdm(work, "measuring", unit=" checkpoints", disable=None):
            place = folder / arm / f"seed{seed}" / path.name
            weights = file_hash(find_saved(path)["generator"].file)
            known = [record for record in records_in(place) if identity(record) == like | {"weights": weights}]
            found[arm][seed].append(known[-1] if known else measured(path, flags, processes, place))
    return found


def evaluation_of(path: Path, flags: Sequence[str], processes: Processes, place: Path) -> Evaluation:
    """The evaluation of a checkpoint, in silence, whose record is for the folder `place`."""
    return Evaluation(parse([str(path), *flags, "--out", str(place / "new")], "compare.py"), processes, Console(False))


def measured(path: Path, flags: Sequence[str], processes: Processes, place: Path) -> Record:
    """Measure a checkpoint; its record, which is written into the folder `place`."""
    evaluation = evaluation_of(path, flags, processes, place)
    for text in cautions(evaluation.metrics, evaluation.data(0)):
        evaluation.console.warn(text)
    values = evaluation.measure()
    evaluation.note_unreadable()
    record = plain(record_of(evaluation, values))
    write_numbered(record, place, "-".join(evaluation.metrics))
    return record


def records_in(place: Path) -> Iterator[Record]:
    """The records in a folder, the oldest first; a torn one is passed over."""
    for file in sorted(place.glob("*.json")):
        try:
            yield json.loads(file.read_text())
        except (OSError, json.JSONDecodeError):
            continue


def identity(record: Record) -> Record:
    """All that the values of a record depend on."""
    metrics = {
        name: {key: value for key, value in entry.items() if key != "values"}
        for name, entry in record["metrics"].items()
    }
    subject = {key: record["subject"].get(key) for key in ("weights", *LIKE)}
    about = {"metrics": metrics, "repeats": record["repeats"], "ggdr": record["versions"]["ggdr"]}
    return plain({**about, **subject})


def plain(record: Record) -> Record:
    """A record as it is read again."""
    return json.loads(json.dumps(record))


def numbers(
    records: Mapping[str, Mapping[int, Sequence[Record]]], kimg: list[float], show: Sequence[str]
) -> list[Number]:
    """What is compared: "METRIC" (its first value) and "METRIC/VALUE" of `show`; none: the first of each metric."""
    example = next(record for seeds in records.values() for each in seeds.values() for record in each)
    found = []
    for label in show or list(example["metrics"]):
        metric, _, key = label.partition("/")
        values = example["metrics"].get(metric, {"values": {}})["values"]
        if not values or key and key not in values:
            known = [f"{name}/{key}" for name, entry in example["metrics"].items() for key in entry["values"]]
            raise UserError(f"--show {label}: there is no such value; there are {', '.join(known)}.")
        key = key or next(iter(values))
        curves = [
            Curve(arm, kimg, {seed: [value_of(record, metric, key) for record in each] for seed, each in seeds.items()})
            for arm, seeds in records.items()
        ]
        found.append(Number(label, example["metrics"][metric]["better"], curves))
    return found


def value_of(record: Record, metric: str, key: str) -> float:
    """A value of a record; NaN where it was not finite."""
    mean = record["metrics"][metric]["values"][key]["mean"]
    return math.nan if mean is None else mean
