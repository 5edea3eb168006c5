"""Kill training runs with SIGKILL at random moments, start them again, and compare what comes out with unbroken runs.

    python scripts/torture.py --kills 200 --out runs/torture

Each arm first trains a run that nothing breaks. Then runs of the same recipe are killed again and again: at the start,
in a step, at any system call of a save or of the removal of an old checkpoint, while plotting and while measuring; what
a kill really hit is read off what it left on disk. After each kill no checkpoint may be lost or torn; the next start
must go on from the newest; and in the end every file of the last checkpoint and of the model, and each logged number,
must equal the unbroken run's, bit for bit. Most lives begin by fork from a process that has imported everything, some
by the command that a person types. OUT/torture.json and OUT/torture.md are the report; the exit status is 1 if anything
differs.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro
from torture_disk import MOMENTS, Left, Rhythm, differences, harm, left_in, moment
from torture_lives import AtCall, Life, forked, typed, warm_up

from ggdr.cli import guarded
from ggdr.errors import UserError, above_zero, not_negative

ROOT = Path(__file__).parent.parent
ARMS = {
    "fp32": [],
    "bf16": ["--precision", "bf16"],
    "micro-batches": ["--micro-batch-size", "2"],
    "workers": ["--num-workers", "2"],
    "two-processes": [],
}
"""flags of each arm"""
STEP_SEC, SAVE_SEC, MEASURE_SEC = 0.1, 0.03, 0.2
"""about what they take: kills fall within so long after their sign"""


@dataclass(frozen=True)
class Torture:
    """What is killed, and how often."""

    kills: int = 200
    """over all arms"""
    arms: tuple[str, ...] = tuple(ARMS)
    """fp32, bf16, micro-batches, workers, two-processes"""
    typed: int = 2
    """kills of each arm that hit a run started by the command that a person types"""
    per_run: int = 10
    """kills of one run, at most"""
    seed: int = 0
    """of the moments"""
    out: Path = Path("runs/torture")
    """folder of the runs and the report; what is in it is never read"""
    recipe: Path = ROOT / "tests" / "support" / "tiny.py"
    """of images that need no download"""
    batch: int = 8
    """the recipe's"""
    steps: int = 12
    """of each run"""

    def __post_init__(self) -> None:
        above_zero(self, "kills", "per_run", "batch", "steps")
        not_negative(self, "typed", "seed")
        if unknown := set(self.arms) - ARMS.keys():
            raise UserError(f"no arm {unknown.pop()!r}; there are: {', '.join(ARMS)}.")

    def rhythm(self) -> Rhythm:
        """A checkpoint and a metric at every fourth step."""
        return Rhythm(self.batch, self.steps, 4, 4)


@dataclass
class Arm:
    """The record of one arm."""

    name: str
    folder: Path
    argv: list[str]
    processes: int
    kills: int = 0
    typed: int = 0
    runs: int = 0
    resumes: int = 0
    harmed: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    outlived_sec: float = 0.0
    """the longest that a process outlived one of its run that was killed"""

    def born(self, out: Path, blow: AtCall | None = None, by_command: bool = False) -> Life:
        """A life of the run in `out`."""
        argv, log = [*self.argv, "--out", str(out)], out.with_suffix(".log")
        return typed(argv, self.processes, log) if by_command else forked(argv, self.processes, log, blow)

    def whole(self, out: Path) -> None:
        """A life that nothing ends; RuntimeError if it fails."""
        life = self.born(out)
        life.end()
        if set(life.ended.values()) != {0}:
            raise RuntimeError(f"{out} failed:\n{life.said()[-3000:]}")


def main(argv: list[str]) -> int:
    """Torture every arm and report; 1 if a checkpoint was lost or torn, or an end differs."""
    asked = tyro.cli(Torture, args=argv, prog="torture.py", description=__doc__)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warm_up(asked.recipe)
    began, arms = time.monotonic(), []
    for name in asked.arms:
        arms.append(torture(asked, name, random.Random(f"{asked.seed} {name}")))
        print(f"{name}: {arms[-1].kills} kills, {time.monotonic() - began:.0f} s since the start", flush=True)
        write(asked, arms, ["python", "scripts/torture.py", *argv])
    print(table(arms))
    faults = [fault for arm in arms for fault in (*arm.harmed, *arm.mismatches)]
    for fault in faults:
        print(f"torture.py: {fault}", file=sys.stderr)
    return 1 if faults else 0


def torture(asked: Torture, name: str, chance: random.Random) -> Arm:
    """Kill runs of one arm until its share of the kills is reached."""
    swd = "--metrics.swd swd --metrics.swd.images 64 --metrics.swd.patches 16 --metrics.swd.directions 64".split()
    argv = [str(asked.recipe), "--keep-checkpoints", "1", *swd, *asked.rhythm().flags(), *ARMS[name]]
    arm = Arm(name, asked.out / name, argv, 2 if name == "two-processes" else 1)
    arm.folder.mkdir(parents=True, exist_ok=True)
    whole = fresh(arm.folder / "unbroken")
    arm.whole(whole)
    share = -(-asked.kills // len(asked.arms))
    while arm.kills < share:
        out = fresh(arm.folder / f"run{arm.runs}")
        for _ in range(min(asked.per_run, share - arm.kills)):
            if not strike(asked, arm, out, chance):
                break
        arm.runs += 1
        last(arm, out)
        arm.mismatches += [f"{out}: {text}" for text in differences(out, whole)]
    return arm


def fresh(out: Path) -> Path:
    """A folder that is not there yet."""
    while out.exists() or out.with_suffix(".log").exists():
        out = out.with_name(f"{out.name}-again")
    return out


def strike(asked: Torture, arm: Arm, out: Path, chance: random.Random) -> bool:
    """One life that is killed at a random moment; False if it came to its end before."""
    before, heard = left_in(out), len(said(out))
    aim = chance.choices(MOMENTS, weights=(2, 3, 3, 3, 1, 3))[0]
    word = {"saving": ".writing-", "pruning": ".removing-"}.get(aim)
    by_command = arm.typed < asked.typed and arm.kills % 3 == 1
    at_call = word is not None and not by_command and chance.random() < 0.7
    blow = AtCall(word, chance.randint(1, 50 if aim == "saving" else 14)) if at_call and word else None
    life = arm.born(out, blow, by_command)
    if not at_call:
        wait(life, out, before, aim, asked.rhythm(), chance)
    if not at_call and life.over():
        life.end()
        return False
    life.end() if at_call else life.kill(chance)
    if all(status == 0 for status in life.ended.values()):
        return False
    arm.kills += 1
    arm.typed += by_command
    arm.outlived_sec = max(arm.outlived_sec, life.outlived)
    now, words = left_in(out), said(out)[heard:]
    arm.hits[moment(before, now, words, asked.rhythm())] += 1
    arm.resumes += "going on from" in words
    arm.harmed += [f"{out}, kill {arm.kills}: {text}" for text in [*harm(before, out), *wrong_start(before, words)]]
    return True


def wait(life: Life, out: Path, before: Left, aim: str, rhythm: Rhythm, chance: random.Random) -> None:
    """Sleep until the run shows the sign of what is aimed at, and a random time more."""
    lines = before.lines + chance.randint(1, 8)
    while not life.over():
        now = left_in(out)
        fresh_one = now.step > before.step
        unmeasured = rhythm.measures(now.step) and now.measured < now.step
        signs = {
            "start": (True, 1.5),
            "training": (now.lines >= lines or now.step > before.step + rhythm.save, STEP_SEC),
            "saving": (any(name.startswith(".writing") for name in now.aside), SAVE_SEC),
            "pruning": (any(name.startswith(".removing") for name in now.aside), 0.001),
            "measuring": (fresh_one and rhythm.measures(now.step), MEASURE_SEC),
            "plotting": (fresh_one and now.step == rhythm.total and not unmeasured and not now.plotted, MEASURE_SEC),
        }
        shown, within = signs[aim]
        if shown:
            return time.sleep(chance.uniform(0, within))
        time.sleep(0.002)


def said(out: Path) -> str:
    """All that the lives of a run have printed."""
    log = out.with_suffix(".log")
    return log.read_text(errors="replace", encoding="utf-8") if log.exists() else ""


def wrong_start(before: Left, words: str) -> list[str]:
    """What is wrong with where a life began, if it came so far as to say it."""
    if before.step and "the recipe in full" in words and "starts from the beginning" in words:
        return [f"started from the beginning beside checkpoint {before.step}"]
    if "going on from" in words and f"{before.step:08d}: " not in words:
        return [f"did not go on from {before.step}"]
    return []


def last(arm: Arm, out: Path) -> None:
    """The life in which the run comes to its end."""
    newest = left_in(out).step
    heard = len(said(out))
    arm.whole(out)
    arm.resumes += "going on from" in said(out)[heard:]
    if newest and f"{newest:08d}: " not in said(out)[heard:]:
        arm.harmed.append(f"{out}: the last life did not go on from {newest}")


def table(arms: list[Arm]) -> str:
    """The report, in markdown."""
    heads = ["arm", "runs", "kills", *(f"while {name}" if name != "start" else "at start" for name in MOMENTS)]
    heads += ["resumes", "lost or torn checkpoints", "mismatches"]
    rows = [
        [arm.name, arm.runs, arm.kills, *(arm.hits[name] for name in MOMENTS), arm.resumes]
        + [len(arm.harmed), len(arm.mismatches)]
        for arm in arms
    ]
    rows.append(["all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])])
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write(asked: Torture, arms: list[Arm], command: list[str]) -> None:
    """The report so far, as JSON and as markdown."""
    import torch

    found: dict[str, Any] = {"command": shlex.join(command), "seed": asked.seed, "torch": torch.__version__}
    found["arms"] = {arm.name: {k: v for k, v in vars(arm).items() if k not in ("folder", "name")} for arm in arms}
    (asked.out / "torture.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (asked.out / "torture.md").write_text(f"{table(arms)}\n\n```\n{found['command']}\n```\n", encoding="utf-8")


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
