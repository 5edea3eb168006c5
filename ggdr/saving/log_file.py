"""metrics.jsonl: a run's numbers, one JSON object a line, that a crash at any moment leaves readable."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

LONGEST = 2**20
"""most characters of a line"""
Row = dict[str, float | None]
LABELS = {"augment/r_t": "r_t", "augment/p": "p", "augment/r_d": "r_d", "augment/T": "T"}
"""short names of numbers that people know"""


def append_row(file: Path, row: Mapping[str, float]) -> None:
    """Write one line; NaN and infinities, which JSON does not know, become null."""
    finite = {key: value if math.isfinite(value) else None for key, value in row.items()}
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(finite, allow_nan=False) + "\n")


def read_rows(file: Path) -> Iterator[Row]:
    """The lines in order; one that a crash has cut off, or that is not ours, is skipped. No file: no lines."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8", errors="replace") as stream:
        while line := stream.readline(LONGEST):  # what is longer is no line of ours
            if (row := parse_row(line)) is not None:
                yield row


def parse_row(line: str) -> Row | None:
    """The numbers of a line; None if it is torn, or was edited into something else."""
    try:
        row = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        return None
    return row if all(value is None or isinstance(value, int | float) for value in row.values()) else None


def truncate(file: Path, step: int) -> Row | None:
    """Drop the lines of steps after `step`, and broken ones; the last line left, if any."""
    kept = [row for row in read_rows(file) if (row["step"] or 0) <= step]
    if file.is_file():
        unfinished = file.with_name(f".{file.name}.part")
        unfinished.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
        os.replace(unfinished, file)
    return kept[-1] if kept else None
