"""What a comparison trains: arms and seeds, each run checked against what its arm asks, and brought to the budget."""

from __future__ import annotations

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ggdr.errors import UserError
from ggdr.flags import recipe as recipe_flags
from ggdr.recipe import Recipe
from ggdr.recipe.files import differences, from_json, to_json
from ggdr.saving import checkpoint, log_file

if TYPE_CHECKING:
    from compare import Comparison

EVERY = "1000000"
"""checkpoints that stay: all"""
MEASURED = "measured"
"""folder of the records, beside those of the arms"""
UNTRAINED = {
    "total_kimg",
    "keep_checkpoints",
    "log_kimg",
    "sample_kimg",
    "checkpoint_kimg",
    "metric_kimg",
    "sample_images",
}
UNTRAINED |= {"compile", "metrics", "trackers", "num_workers", "about", "hub_id", "hub_private", "hub_kimg"}
"""settings that make no difference to what a run has learned at a given number of images"""


class Arm(NamedTuple):
    """One of the things that are compared."""

    name: str
    words: list[str]
    """recipe and flags of `ggdr train`"""
    recipe: dict[str, Any]
    """in full, as its runs' recipe.json must be, but for the seed"""


class Trial(NamedTuple):
    """An arm with a seed."""

    arm: Arm
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.arm.name}/seed{self.seed}"


def planned(asked: Comparison) -> list[Trial]:
    """All trials; ValueError, before anything is trained, if arms do not go together or a run has other settings."""
    arms = [read_arm(text, asked) for text in asked.arms]
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names) or len(set(asked.seeds)) < len(asked.seeds) or not arms or not asked.seeds:
        raise UserError("give at least one arm and one seed, and each arm its own name and each seed once.")
    for arm in arms:
        if arm.recipe["data"] != arms[0].recipe["data"]:
            raise UserError(
                f"{arm.name} and {names[0]} are trained on different images, so that no metric compares them:"
                f" {'; '.join(differences(arms[0].recipe['data'], arm.recipe['data']).values())}."
            )
    trials = [Trial(arm, seed, asked.out / arm.name / f"seed{seed}") for arm in arms for seed in asked.seeds]
    for trial in trials:
        check(trial)
    return trials


def read_arm(text: str, asked: Comparison) -> Arm:
    """The arm of "NAME: [RECIPE.py] flags"; ValueError if it is none, SystemExit if its flags are wrong."""
    from ggdr.recipe.fitting import fit

    name, colon, rest = text.partition(":")
    if not colon or not re.fullmatch(r"\w[\w.+-]*", name) or name == MEASURED:
        raise UserError(f'arm {text!r} has no name; write "NAME: flags", such as "plain: --regularizers.ggdr none".')
    words = shlex.split(rest)
    words = words if words and words[0].endswith(".py") else [str(asked.recipe), *words]
    recipe = recipe_flags.parse(words, f"compare.py, arm {name}:").recipe
    words += [word for tracker in recipe.trackers for word in (f"--trackers.{tracker}", "none")]
    words += ["--total-kimg", f"{asked.kimg:g}", "--checkpoint-kimg", f"{asked.every:g}"]
    words += ["--metric-kimg", "0", "--keep-checkpoints", EVERY]
    recipe = recipe_flags.parse(words, f"compare.py, arm {name}:").recipe
    return Arm(name, words, to_json(fit(recipe, recipe.data.open().domains).recipe))


def check(trial: Trial) -> None:
    """ValueError if the trial's folder holds a run that was made by other settings."""
    file = trial.folder / "recipe.json"
    if not file.exists():
        return
    try:
        before = to_json(from_json(Recipe, json.loads(file.read_text())))  # settings newer than the run are at defaults
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}; move {trial.folder} away.") from error
    asked = trial.arm.recipe | {"seed": trial.seed}
    if changed := differences(*({k: v for k, v in each.items() if k not in UNTRAINED} for each in (before, asked))):
        raise UserError(
            f"{trial.folder} was trained by other settings: {'; '.join(changed.values())}; move it away, or name"
            " another --out."
        )


def seen(trial: Trial) -> int:
    """Images that the trial's newest checkpoint has seen; 0 if there is none."""
    newest = checkpoint.latest(trial.folder)
    return 0 if newest is None else checkpoint.read_json(newest, "progress.json")["images_seen"]


def train_all(asked: Comparison, trials: Sequence[Trial]) -> None:
    """Train each to the end, several at a time; ValueError after all the others if one fails."""
    environment = dict(os.environ)
    if asked.jobs > 1:  # threads of several trainings in each other's way are slower than one after another
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // asked.jobs)))
    with ThreadPoolExecutor(asked.jobs) as pool:
        failures = [why for why in pool.map(lambda trial: train(trial, environment), trials) if why]
    if failures:
        raise UserError(" ".join(failures))


def train(trial: Trial, environment: dict[str, str]) -> str:
    """Train one to its end, its output in the folder's train.log; why it failed, if it did."""
    trial.folder.mkdir(parents=True, exist_ok=True)
    print(f"{trial.name}: training from {seen(trial) / 1000:g} kimg on", flush=True)
    began, log = time.monotonic(), trial.folder / "train.log"
    words = [*trial.arm.words, "--out", str(trial.folder), "--seed", str(trial.seed)]
    with log.open("a") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "ggdr.train", *words], stdout=stream, stderr=subprocess.STDOUT, env=environment
        )
    print(f"{trial.name}: {time.monotonic() - began:.0f} s, exit status {done.returncode}", flush=True)
    last = (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]
    why = f"{trial.name} stopped: {last.removeprefix('ggdr: error: ')} All that it said: {log}"
    return why if done.returncode else ""


def checkpoints(asked: Comparison, trial: Trial) -> list[Path]:
    """The checkpoint at each point of the run; ValueError if one is not there."""
    progress = {path: checkpoint.read_json(path, "progress.json") for path in checkpoint.all_checkpoints(trial.folder)}
    step = trial.arm.recipe["batch_size"] * trial.arm.recipe["n_critic"]
    found = []
    for point in asked.points():
        here = [path for path, at in progress.items() if -1e-3 <= at["images_seen"] - 1000 * point < step]
        if not here:
            there = ", ".join(f"{at['images_seen'] / 1000:g}" for at in progress.values())
            raise UserError(f"{trial.folder} has no checkpoint at {point:g} kimg, only at {there}; choose --every so.")
        found.append(here[0])
    return found


def pace(trials: Sequence[Trial]) -> float | None:
    """Seconds for a thousand images while the runs trained, the median of all their log lines; None without any."""
    lines = (
        row.get("images_per_second") for trial in trials for row in log_file.read_rows(trial.folder / "metrics.jsonl")
    )
    speeds = [speed for speed in lines if speed]
    return 1000 / statistics.median(speeds) if speeds else None
