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
from ggdr.evaluation.evaluator import Evaluator
from ggdr.evaluation.flags import Command, parse
from ggdr.evaluation.progress import Progress
from ggdr.evaluation.record import write_numbered
from ggdr.evaluation.sources import file_hash
from ggdr.processes import Processes
from ggdr.saving.model import find_saved
from ggdr.training.launch import processes_for

Record = dict[str, Any]
Runs = Mapping[str, Mapping[int, Sequence[Path]]]
"""arm -> seed -> its checkpoints, one for each point of the run"""
LIKE = ("truncation", "noise", "seed", "seeds", "batch_size")
"""what two measurements of the same weights must share, beside metrics and real images"""


def measure(runs: Runs, folder: Path, flags: Sequence[str]) -> dict[str, dict[int, list[Record]]]:
    """The record of each checkpoint, from `folder`/ARM/seedN/STEP if it is there and of the same measurement.

    `flags`: of `ggdr evaluate`. ValueError if they are wrong, or a metric cannot be measured.
    """
    found: dict[str, dict[int, list[Record]]] = {arm: {seed: [] for seed in seeds} for arm, seeds in runs.items()}
    work = [(arm, seed, path) for arm, seeds in runs.items() for seed, paths in seeds.items() for path in paths]
    with processes_for(parse([str(work[0][2]), *flags], "compare.py").device) as processes:
        command, first = opened(work[0][2], flags, processes)
        like = identity(first.protocol(command.seed, command.repeats, command.batch_size))
        for arm, seed, path in tqdm(work, "measuring", unit=" checkpoints", disable=None):
            place = folder / arm / f"seed{seed}" / path.name
            weights = file_hash(find_saved(path)["generator"].file)
            known = [record for record in records_in(place) if identity(record) == like | {"weights": weights}]
            found[arm][seed].append(known[-1] if known else measured(path, flags, processes, place))
    return found


def opened(path: Path, flags: Sequence[str], processes: Processes) -> tuple[Command, Evaluator]:
    """The flags of `ggdr evaluate` for a checkpoint, and its evaluator, which prints nothing."""
    command = parse([str(path), *flags], "compare.py")
    return command, command.open(processes, Progress())


def measured(path: Path, flags: Sequence[str], processes: Processes, place: Path) -> Record:
    """Measure a checkpoint; its record, which is written into the folder `place`."""
    command, evaluator = opened(path, flags, processes)
    record = plain(evaluator.run(command.seed, command.repeats, command.batch_size).as_json())
    write_numbered(record, place, "-".join(evaluator.metrics))
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
    source = {key: record["source"].get(key) for key in ("weights", *LIKE)}
    about = {"metrics": metrics, "repeats": record["repeats"], "ggdr": record["versions"]["ggdr"]}
    return plain({**about, **source})


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
