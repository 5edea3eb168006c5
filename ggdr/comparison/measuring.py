"""What a comparison measures: a record of `ggdr evaluate` for each checkpoint, made once and found again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ggdr.comparison.report import Curve, Number
from ggdr.data.base import DataSet
from ggdr.documents import read_object_or_empty
from ggdr.errors import UserError
from ggdr.evaluation.evaluator import Evaluator
from ggdr.evaluation.flags import Command, parse
from ggdr.evaluation.progress import Progress
from ggdr.evaluation.record import write_numbered
from ggdr.evaluation.sources import file_hash
from ggdr.processes import Processes
from ggdr.progress import track
from ggdr.saving.model import find_saved
from ggdr.training.launch import processes_for

Record = dict[str, Any]
Runs = Mapping[str, Mapping[int, Sequence[Path]]]
"""arm -> seed, or sample of a sweep -> its checkpoints, one for each point of the run"""
LIKE = ("truncation", "noise", "seed", "seeds", "batch_size")
"""what two measurements of the same weights must share, beside metrics and real images"""


def check_flags(flags: Sequence[str], show: Sequence[str], data: DataSet, program: str) -> None:
    """UserError or SystemExit, before anything is trained, if `ggdr evaluate` could not take these flags.

    `data`: what the runs are trained on; `show`: numbers to be shown, of metrics that are to be measured.
    """
    measured = parse([".", *flags], program, data).metrics
    for label in show:
        if label.partition("/")[0] not in measured:
            raise UserError(f"--show {label}: that is not measured; add it to --metrics {' '.join(measured)}.")


def measure(runs: Runs, folder: Path, flags: Sequence[str], program: str) -> dict[str, dict[int, list[Record]]]:
    """The record of each checkpoint, from `folder`/ARM/RUN/STEP if it is there and of the same measurement.

    `flags`: of `ggdr evaluate`. `program`: what was typed, for messages. ValueError if they are wrong, or a
    metric cannot be measured.
    """
    found: dict[str, dict[int, list[Record]]] = {arm: {seed: [] for seed in seeds} for arm, seeds in runs.items()}
    work = [(arm, seed, path) for arm, seeds in runs.items() for seed, paths in seeds.items() for path in paths]
    with processes_for(parse([str(work[0][2]), *flags], program).device) as processes:
        command, first = open_checkpoint(work[0][2], flags, processes, program)
        like = identity(first.protocol(command.seed, command.repeats, command.batch_size))
        for arm, seed, path in track(work, "measuring", "checkpoints"):
            place = folder / arm / path.parents[1].name / path.name
            weights = file_hash(find_saved(path)["generator"].file)
            there = map(read_object_or_empty, sorted(place.glob("*.json")))  # the oldest first
            known = [each for each in there if is_known(each, like | {"weights": weights})]
            found[arm][seed].append(known[-1] if known else measured(path, flags, processes, place, program))
    return found


def open_checkpoint(path: Path, flags: Sequence[str], processes: Processes, program: str) -> tuple[Command, Evaluator]:
    """The flags of `ggdr evaluate` for a checkpoint, and its evaluator, which prints nothing."""
    command = parse([str(path), *flags], program)
    return command, command.open(processes, Progress())


def measured(path: Path, flags: Sequence[str], processes: Processes, place: Path, program: str) -> Record:
    """Measure a checkpoint; its record, which is written into the folder `place`."""
    command, evaluator = open_checkpoint(path, flags, processes, program)
    record = plain(evaluator.run(command.seed, command.repeats, command.batch_size).as_json())
    write_numbered(record, place, "-".join(evaluator.metrics))
    return record


def is_known(record: Record, like: Record) -> bool:
    """Whether the values of a record depend on what these depend on; not so of one that was edited by hand."""
    try:
        return identity(record) == like
    except (AttributeError, KeyError, TypeError):
        return False


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


def protocol_notes(protocol: Record) -> Iterator[str]:
    """What each metric looked at, a sentence each, for readers of tables; `protocol`: an `identity`."""
    for name, entry in protocol["metrics"].items():
        extractor = entry["settings"].get("extractor") or {"type": "no"}
        images = f"{entry['real']['number']:,} real and {entry['fake']['number']:,} generated images"
        yield f"{name}: {images}, {extractor['type']} features."
