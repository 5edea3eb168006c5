"""Measure the zoo: each recipe of recipes/zoo at equal budget, without and with GGDR, seed by seed.

    python scripts/zoo_measure.py --out runs/zoo --kimg 8 --seeds 0 1 --jobs 2      all that benchmarks/zoo.json holds
    python scripts/zoo_measure.py --out runs/zoo-own --kimg None --arms plain --seeds 0 --jobs 1 \\
        --json benchmarks/zoo-own.json                                              each recipe in its own budget
    python scripts/render_zoo.py                                                    docs/zoo.md, which tells both

`--recipes dcgan lsgan` takes these alone. "With GGDR" is the same recipe and GGDR as it comes, D made the encoder of a
U-Net where it has no decoder (`zoo_arms.py`); what cannot carry it is kept with the sentence that ggdr says. Each
training is one process on one thread, `--jobs` at once; with `--jobs 1` its minutes of processor time are kept. When
all are done, the running mean of G's weights is measured as by `ggdr evaluate`: FID and coverage on the features of
`digits`, and SWD. Seconds per kimg are told by benchmarks/zoo_pace.py, which times them with nothing else beside.

OUT/NAME-ARM-seedN-HASH is the folder of a run, and the hash that of its recipe. What is complete and of the same
recipe, measurement and version is not made again, what was broken off goes on, and what failed is tried again; a change
of ggdr's code alone is not noticed: name another --out. What fails is kept with its message.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import platform
import resource
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from tqdm import tqdm
from zoo_arms import arm, zoo

from ggdr import __version__
from ggdr.cli import guarded
from ggdr.comparison.jobs import train_trial
from ggdr.comparison.measuring import measured, value_of
from ggdr.comparison.trials import Arm, Trial, seen
from ggdr.errors import UserError, above_zero
from ggdr.ops.precision import without_tf32
from ggdr.recipe import Recipe
from ggdr.recipe.files import to_json, to_python
from ggdr.training.launch import processes_for

ROOT = Path(__file__).parent.parent
METRICS = {"FID": "fid/distance", "SWD": "swd/mean", "coverage": "density_coverage/coverage"}
"""what is told -> the metric and its value"""
THREADS = 1
"""of each training"""
LINES = 8
"""in a run's log, at least, so that their median says something"""
ARMS = {False: "plain", True: "ggdr"}
Cell = dict[str, Any]


@dataclass(frozen=True)
class Survey:
    """What is measured, and how."""

    out: Path = Path("runs/zoo")
    """folder of the runs and their records"""
    kimg: float | None = 8.0
    """budget of each training, thousands of images shown; None: each recipe's own"""
    seeds: tuple[int, ...] = (0, 1)
    """of the trainings"""
    arms: tuple[Literal["plain", "ggdr"], ...] = ("plain", "ggdr")
    """without GGDR, with it, or both"""
    recipes: tuple[str, ...] = ()
    """names of recipes in recipes/zoo; none: all"""
    images: int = 2048
    """images that each metric looks at, real (as far as there are that many) and generated"""
    jobs: int = 2
    """trainings at a time"""
    json: Path = ROOT / "benchmarks" / "zoo.json"
    """file of the results"""

    def __post_init__(self) -> None:
        above_zero(self, "kimg", "images", "jobs")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("give at least one seed, and each once.")

    def words(self) -> list[str]:
        """Flags of `ggdr evaluate`."""
        names = [value.partition("/")[0] for value in METRICS.values()]
        reals = ["--data", "digits", "--data.labels"]  # all of them, whatever part the run was trained on
        return [*reals, "--metrics", *names, "--images", str(self.images), "--extractor", "digits", "--repeats", "1"]


class Run:
    """A recipe, with or without GGDR, with a seed: what is made of it, and what came of it."""

    def __init__(self, survey: Survey, file: Path, ggdr: bool, seed: int):
        """ValueError if it cannot be: the recipe does not carry GGDR."""
        recipe = arm(file, ggdr)
        recipe = budgeted(recipe, survey.kimg or recipe.total_kimg, seed)
        self.about = {"recipe": file.stem, "ggdr": ggdr, "seed": seed}
        self.made_of = {"recipe": to_json(recipe), "measured": survey.words(), "version": __version__}
        self.recipe, key = recipe, hashlib.sha256(json.dumps(self.made_of["recipe"]).encode()).hexdigest()[:8]
        self.folder = survey.out / f"{file.stem}-{ARMS[ggdr]}-seed{seed}-{key}"
        self.file = survey.out / "recipes" / f"{self.folder.name.replace('-', '_')}.py"
        self.trial = Trial(Arm(self.folder.name, [str(self.file)], self.made_of["recipe"]), seed, self.folder)

    @property
    def complete(self) -> bool:
        """Whether it has seen all its images."""
        return seen(self.trial) >= 1000 * self.recipe.total_kimg

    def known(self) -> Cell | None:
        """What is known of it from before, if it was made of the same; measured otherwise, it is but trained."""
        try:
            kept = json.loads((self.folder / "cell.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            return None
        changed = {key for key, value in self.made_of.items() if kept["made_of"].get(key) != value}
        if changed == {"measured"} and kept["cell"]["state"] == "measured":
            return kept["cell"] | {"state": "trained"}
        return None if changed else kept["cell"]

    def keep(self, state: str, **what: Any) -> Cell:
        """Write down what is known of it now."""
        cell = self.about | {"state": state} | what
        (self.folder / "cell.json").write_text(
            json.dumps({"cell": cell, "made_of": self.made_of}, indent=1) + "\n", encoding="utf-8"
        )
        return cell


def budgeted(recipe: Recipe, kimg: float, seed: int) -> Recipe:
    """The recipe with this budget and seed, and with nothing on the way but log lines."""
    return dataclasses.replace(
        recipe,
        seed=seed,
        total_kimg=kimg,
        log_kimg=min(recipe.log_kimg, kimg / LINES),
        sample_kimg=0.0,
        checkpoint_kimg=kimg,
        metric_kimg=0.0,
        metrics={},
        trackers={},
    )


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is new, write the results; ValueError if it cannot be begun."""
    survey = tyro.cli(Survey, args=argv, prog="zoo_measure.py", description=__doc__)
    refused, runs = planned(survey)
    fresh = [run for run in runs if (run.known() or {"state": ""})["state"] not in ("trained", "measured")]
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS)}
    with ThreadPoolExecutor(survey.jobs) as pool:
        list(pool.map(lambda run: bring(run, environment, survey.jobs == 1), fresh))
    cells = [*refused, *measure_all(runs)]
    cells.sort(key=lambda cell: (cell["recipe"], cell["ggdr"]))
    write(survey, cells, shlex.join(["python", "scripts/zoo_measure.py", *argv]))
    return 0


def planned(survey: Survey) -> tuple[list[Cell], list[Run]]:
    """What cannot be, with the reason, and what can."""
    refused, runs = [], []
    for name, file in zoo(survey.recipes).items():
        for ggdr in (ggdr for ggdr, name_of_arm in ARMS.items() if name_of_arm in survey.arms):
            try:
                runs += [Run(survey, file, ggdr, seed) for seed in survey.seeds]
            except ValueError as error:
                refused.append({"recipe": name, "ggdr": ggdr, "state": "cannot", "message": str(error)})
    return refused, runs


def children_seconds() -> float:
    """Processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bring(run: Run, environment: dict[str, str], alone: bool) -> None:
    """Train a run to its end, or keep why not; `alone`: no other is trained meanwhile, so that its time is known."""
    run.file.parent.mkdir(parents=True, exist_ok=True)
    run.file.write_text(to_python(run.recipe), encoding="utf-8")
    whole, began = alone and not seen(run.trial), children_seconds()
    why = "" if run.complete else train_trial(run.trial, environment)
    if run.complete:
        minutes = {"minutes": rounded((children_seconds() - began) / 60)} if whole else {}
        run.keep("trained", kimg=run.recipe.total_kimg, **minutes)
    else:
        said = why.partition(" stopped: ")[2].partition(" All that it said: ")[0]
        run.keep("failed", message=said.replace(str(run.folder), "OUT") or "it was stopped before its end")


def measure_all(runs: Sequence[Run]) -> Iterator[Cell]:
    """What is known of each run, those measured first that were not."""
    with processes_for("cpu") as team, without_tf32():
        for run in tqdm(runs, "measuring", unit=" runs", disable=None):
            cell = run.known()
            assert cell is not None  # each was brought to its end
            if cell["state"] == "trained":
                try:
                    record = measured(
                        run.folder, run.made_of["measured"], team, run.folder / "measured", "zoo_measure.py"
                    )
                    spent = {key: cell[key] for key in ("kimg", "minutes") if key in cell}
                    cell = run.keep("measured", metrics=values(record), warnings=record["warnings"], **spent)
                except ValueError as error:
                    cell = run.keep("failed", message=str(error))
            yield cell


def values(record: dict[str, Any]) -> dict[str, float | None]:
    """What is told of a record, to five digits; ValueError if one is not finite."""
    found = {label: value_of(record, *path.split("/")) for label, path in METRICS.items()}
    if broken := [label for label, value in found.items() if not math.isfinite(value)]:
        raise UserError(f"not finite: {', '.join(broken)}")
    return {label: rounded(value) for label, value in found.items()}


def rounded(value: float | None) -> float | None:
    """Five digits of a number."""
    return None if value is None else float(f"{value:.5g}")


def write(survey: Survey, cells: list[Cell], command: str) -> None:
    """The results as JSON, a cell a line."""
    from ggdr.registry import metrics

    told = {
        "command": command,
        "date": date.today().isoformat(),
        "machine": machine(),
        "torch": torch.__version__,
        "threads": THREADS,
        "kimg": survey.kimg,
        "measured": shlex.join(["ggdr", "evaluate", "RUN", *survey.words()]),
        "better": {label: metrics.find(path.partition("/")[0]).better for label, path in METRICS.items()},
        "warnings": sorted({warning for cell in cells for warning in cell.pop("warnings", [])}),
    }
    head = json.dumps(told, indent=1)[:-2]
    lines = ",\n".join("  " + json.dumps(cell, allow_nan=False) for cell in cells)
    survey.json.write_text(f'{head},\n "cells": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    states = [cell["state"] for cell in cells]
    print(", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))) + f": {survey.json}")


def machine() -> str:
    """The processor's name and how many cores there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
