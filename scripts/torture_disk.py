"""What a killed run has left on disk: how far it came, where it was hit, and whether it equals an unbroken one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ggdr.saving import checkpoint, log_file
from ggdr.schedules.intervals import due

CLOCKS = {"seconds", "images_per_second", "memory_gb"}
"""what the log says of time and memory, which no run repeats"""
MOMENTS = ("start", "training", "saving", "pruning", "plotting", "measuring")
"""what a run can be doing when it is killed"""


class Rhythm(NamedTuple):
    """Lengths of a run and its intervals, in steps."""

    batch: int
    total: int
    save: int
    measure: int

    def flags(self) -> list[str]:
        """For `ggdr train`."""
        names = {"total": self.total, "checkpoint": self.save, "metric": self.measure, "log": 1}
        return [word for name, steps in names.items() for word in (f"--{name}-kimg", f"{steps * self.batch / 1000:g}")]

    def measures(self, step: int) -> bool:
        """Whether a metric is due after this step."""
        return due(step, step - 1, self.measure)


class Left(NamedTuple):
    """What lies in a run's folder."""

    step: int
    """of the newest checkpoint; 0: there is none"""
    lines: int
    """in the log"""
    measured: int
    """step of the last metric in the log; 0: there is none"""
    plotted: bool
    """whether the losses were plotted after the newest checkpoint had been written"""
    aside: tuple[str, ...]
    """folders that were being written or removed"""


def left_in(out: Path) -> Left:
    """What lies in the folder now; a run may be writing to it."""
    newest = checkpoint.latest(out)
    rows = list(log_file.read_rows(out / "metrics.jsonl"))
    measured = [int(row["step"] or 0) for row in rows if any(key.startswith("metric/") for key in row)]
    aside = [path.name for path in out.glob("*/.*ing-*")]
    plotted = newest is not None and changed(out / "losses.png") > changed(newest)
    return Left(int(newest.name) if newest else 0, len(rows), max(measured, default=0), plotted, tuple(aside))


def changed(path: Path) -> int:
    """When a file or folder got its name or content, ns; 0 if it is not there."""
    return path.stat().st_ctime_ns if path.exists() else 0


def moment(before: Left, now: Left, said: str, rhythm: Rhythm) -> str:
    """What a run was doing when it was killed, by what it has left and said since `before`; one of MOMENTS."""
    if any(name.startswith(".writing") for name in now.aside):
        return "saving"
    if any(name.startswith(".removing") for name in now.aside):
        return "pruning"
    begun = "the recipe in full" in said and (now.step == 0 or "going on from" in said or now.step > before.step)
    if not begun:
        return "start"
    fresh = now.step > before.step
    idle = fresh or now.lines == before.lines  # no step since the checkpoint that could have been logged
    if idle and rhythm.measures(now.step) and now.measured < now.step:
        return "measuring"
    if fresh and now.step == rhythm.total and not now.plotted:  # at the end, and else now and then
        return "plotting"
    return "training"


def harm(before: Left, out: Path) -> list[str]:
    """What a kill has lost or torn: checkpoints gone, or with files that are not as they were written."""
    now = left_in(out)
    lost = [f"the newest checkpoint was {before.step}, is {now.step}"] if now.step < before.step else []
    return lost + [
        f"torn: {path}: {why}" for path in checkpoint.all_checkpoints(out) if (why := checkpoint.corruption(path))
    ]


def differences(ours: Path, theirs: Path) -> list[str]:
    """Where two runs differ: files of the last checkpoint and the model, bit for bit; the log, but for its clocks."""
    files = [contents(out) for out in (ours, theirs)]
    found = [f"{name} differs" for name in sorted(files[0].keys() | files[1].keys()) if differ(name, *files)]
    rows = [[clockless(row) for row in log_file.read_rows(out / "metrics.jsonl")] for out in (ours, theirs)]
    if rows[0] != rows[1]:
        found.append(f"metrics.jsonl differs: {len(rows[0])} lines and {len(rows[1])}")
    return found + [f"{path.name} was left" for path in ours.glob("*/.*ing-*")]


def differ(name: str, ours: dict[str, bytes], theirs: dict[str, bytes]) -> bool:
    """Whether a file is not the same in both."""
    return ours.get(name) != theirs.get(name)


def contents(out: Path) -> dict[str, bytes]:
    """The files that must be the same."""
    newest = checkpoint.latest(out)
    files = [*(newest.rglob("*") if newest else ()), *(out / "model").rglob("*")]
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.is_file()}


def clockless(row: log_file.Row) -> log_file.Row:
    """A line of the log without what no run repeats."""
    return {key: value for key, value in row.items() if key not in CLOCKS}
