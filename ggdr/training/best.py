"""The best checkpoint by a metric, which stays as `checkpoints/best` beside the newest ones."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ggdr import registry
from ggdr.documents import read_object
from ggdr.errors import UserError
from ggdr.folders import link_or_copy
from ggdr.formatting import significant
from ggdr.metrics.base import Metric
from ggdr.saving import checkpoint, log_file

NOTE = "best.json"
"""file beside the weights that says by which value they are the best"""


class Best(NamedTuple):
    """What is kept of a run, and where."""

    out: Path
    """the run's folder"""
    wanted: str
    """a metric of the recipe, or one of its values: NAME or NAME/VALUE"""
    higher: bool
    """whether greater values are better"""

    @property
    def folder(self) -> Path:
        """Where the best checkpoint lies."""
        return self.out / "checkpoints" / "best"

    def better(self, step: int) -> float | None:
        """What the log says of a step, if that is better than what is kept; None: it is not, or says nothing.

        UserError if the metric has no such value.
        """
        rows = [row for row in log_file.read_rows(self.out / "metrics.jsonl") if row["step"] == step]
        name, _, key = self.wanted.partition("/")
        found = {k.split("/", 2)[2]: v for row in rows for k, v in row.items() if k.startswith(f"metric/{name}/")}
        if not found:
            return None
        if key and key not in found:
            raise UserError(f"--keep-best {self.wanted}: {name} has no value {key!r}; it has {', '.join(found)}.")
        value, kept = found[key or next(iter(found))], self.kept()
        if value is None or not math.isfinite(value):
            return None
        return value if kept is None or (value > kept if self.higher else value < kept) else None

    def kept(self) -> float | None:
        """The value of what is kept; None if there is nothing, or what is there is of another metric."""
        try:
            note = read_object(self.folder / NOTE)
        except (OSError, UserError):
            return None
        value = note.get("value")
        return value if note.get("metric") == self.wanted and isinstance(value, int | float) else None

    def take(self, source: Path, value: float) -> str:
        """Keep a checkpoint, whole or not at all; a line that says so. Its files are links, which cost no room."""
        aside = self.folder.with_name(".writing-best")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for file in source.iterdir():
            link_or_copy(file, aside / file.name)
        progress = checkpoint.read_progress(source)
        checkpoint.write_json(aside / NOTE, {"metric": self.wanted, "value": value, "step": progress["step"]})
        if self.folder.exists():
            checkpoint.remove_folder(
                self.folder
            )  # a crash from here on: the log has the value, and `source` is still there
        aside.rename(self.folder)
        checkpoint.flush(self.folder.parent)
        kimg = significant(progress["images_seen"] / 1000)
        return f"the best so far by {self.wanted}, {significant(value)} at {kimg} kimg: {self.folder}"

    def set_aside(self) -> str:
        """Another name for the best checkpoint of a run that went before, or of another metric; a line, or nothing."""
        if not self.folder.exists() or self.kept() is not None and checkpoint.latest(self.out) is not None:
            return ""
        taken = [path.name for path in self.folder.parent.glob("earlier-best-*")]
        new = self.folder.with_name(f"earlier-best-{len(taken) + 1}")
        self.folder.rename(new)
        return f"the best checkpoint of what went before is now {new}"


def best_of(keep_best: str, metrics: Mapping[str, Metric], every_kimg: float, out: Path) -> Best | None:
    """What `keep_best` asks for; None: nothing. UserError if it is not measured, or neither way is better."""
    if not keep_best:
        return None
    name, _, key = keep_best.partition("/")
    metric = metrics.get(name)
    if metric is None:
        registry.metrics.find(name)
        there = f"this recipe has {', '.join(metrics)}" if metrics else "this recipe has none"
        raise UserError(f"--keep-best {keep_best}: no metric {name!r}; {there}: add --metrics.{name} {name}.")
    if not every_kimg:
        raise UserError(f"--keep-best {keep_best} needs measurements; give --metric-kimg a number above 0.")
    if key in metric.baselines:
        raise UserError(f"--keep-best {keep_best}: {key} is for comparison, and neither way is better.")
    return Best(out, keep_best, metric.better == "higher")
