"""metrics.jsonl: a run's numbers, one JSON object a line, that a crash at any moment leaves readable."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

Row = dict[str, float | None]


def append(file: Path, row: Mapping[str, float]) -> None:
    """Write one line; NaN and infinities, which JSON does not know, become null."""
    finite = {key: value if math.isfinite(value) else None for key, value in row.items()}
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(finite, allow_nan=False) + "\n")


def read(file: Path) -> Iterator[Row]:
    """The lines in order; one that a crash has cut off is skipped. No file: no lines."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(row, dict) and "step" in row:
                yield row


def cut(file: Path, step: int) -> Row | None:
    """Drop the lines of steps after `step`, and broken ones; the last line left, if any."""
    kept = [row for row in read(file) if (row["step"] or 0) <= step]
    if file.exists():
        unfinished = file.with_name(f".{file.name}.part")
        unfinished.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
        os.replace(unfinished, file)
    return kept[-1] if kept else None
