"""What a comparison trains: arms and seeds, each run checked against what its arm asks, and brought to the budget."""

from __future__ import annotations

import os
import re
import shlex
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ggdr.comparison.budget import Budget
from ggdr.documents import one_line, read_object
from ggdr.errors import UserError
from ggdr.flags import recipe as recipe_flags
from ggdr.recipe import Recipe
from ggdr.recipe.files import differences, from_json, to_json
from ggdr.saving import checkpoint, log_file

EVERY = "1000000"
"""checkpoints that stay: all"""
LAST = "2"
"""checkpoints that stay where the end alone is measured"""
MEASURED, JOBS = "measured", "jobs"
"""folders of the records, and of what a cluster writes, beside those of the arms"""
DIVERGED = "diverged.txt"
"""note in the folder of a run that diverged: its last words"""
OWN = {"--out", "--total-kimg", "--checkpoint-kimg", "--dry-run"}
"""flags of `ggdr train` that no arm has for itself"""
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
        """The arm and the folder of the run, ARM/seedN, as messages call it."""
        return f"{self.arm.name}/{self.folder.name}"


def planned(asked: Budget, recipe: str, arms: Sequence[str], seeds: Sequence[int]) -> list[Trial]:
    """All trials; UserError, before anything is trained, if arms do not go together or a run has other settings.

    `recipe`: of arms that name none. `arms`: "NAME: flags" or "NAME: RECIPE flags".
    """
    found = [read_arm(text, recipe, asked) for text in arms]
    names = [arm.name for arm in found]
    if len(set(names)) < len(names) or len(set(seeds)) < len(seeds) or not found or not seeds:
        raise UserError("give at least one arm and one seed, and each arm its own name and each seed once.")
    check_images(found)
    trials = [Trial(arm, seed, asked.out / arm.name / f"seed{seed}") for arm in found for seed in seeds]
    for trial in trials:
        check_trial(trial)
    return trials


def check_images(arms: Sequence[Arm]) -> None:
    """UserError if arms are trained on different images."""
    first = arms[0]
    for arm in arms:
        if arm.recipe["data"] != first.recipe["data"]:
            raise UserError(
                f"{arm.name} and {first.name} are trained on different images, so that no metric compares them:"
                f" {'; '.join(differences(first.recipe['data'], arm.recipe['data']).values())}."
            )


def read_arm(text: str, recipe: str, asked: Budget) -> Arm:
    """The arm of "NAME: [RECIPE] flags"; UserError if it is none, SystemExit if its flags are wrong."""
    from ggdr.recipe.fitting import fit

    name, given = named_words(text, recipe, "ggdr compare")
    words, made = at_budget(given, asked, f"ggdr compare, arm {name}:")
    return Arm(name, words, to_json(fit(made, made.data.open().domains).recipe))


def named_words(text: str, recipe: str, program: str) -> tuple[str, list[str]]:
    """The name of an arm of `program`, and recipe and flags of `ggdr train`; UserError if it has no name."""
    name, colon, rest = text.partition(":")
    if not colon or not re.fullmatch(r"\w[\w.+-]*", name) or name in (MEASURED, JOBS):
        raise UserError(f'arm {text!r} has no name; write "NAME: flags", such as "plain: --regularizers.ggdr none".')
    try:
        words = split_words(rest)
    except ValueError as error:
        raise UserError(f"arm {text!r} cannot be read: {str(error).lower()}; put quotes around whole words.") from error
    if own := sorted(OWN & {word.partition("=")[0] for word in words}):
        raise UserError(
            f"arm {name!r} sets {' and '.join(own)}, which is the same for all arms: give it to {program} itself, by"
            " --kimg, --every or --out."
        )
    return name, words if words and not words[0].startswith("-") else [recipe, *words]


def split_words(text: str, separator: str = os.sep) -> list[str]:
    """The words of a command line, quoted as in a shell; a backslash that separates folders stands for itself."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.escape = "" if separator == "\\" else lexer.escape
    return [*lexer]


def at_budget(words: Sequence[str], asked: Budget, program: str) -> tuple[list[str], Recipe]:
    """Recipe and flags brought to the budget, and what they make; UserError or SystemExit if they are wrong."""
    words = [*words]
    recipe = recipe_flags.parse(words, program).recipe
    words += [word for tracker in recipe.trackers for word in (f"--trackers.{tracker}", "none")]
    words += ["--total-kimg", f"{asked.kimg:g}", "--checkpoint-kimg", f"{min(asked.every, asked.kimg):g}"]
    words += ["--metric-kimg", "0", "--keep-checkpoints", EVERY if len(asked.points()) > 1 else LAST]
    return words, recipe_flags.parse(words, program).recipe


def check_trial(trial: Trial) -> None:
    """UserError if the trial's folder holds a run that was made by other settings."""
    file = trial.folder / "recipe.json"
    if not file.exists():
        return
    try:
        before = to_json(from_json(Recipe, read_object(file)))  # settings newer than the run are at defaults
    except (OSError, UserError) as error:
        why = one_line(error).rstrip(".")
        raise UserError(f"{file} cannot be read: {why}; move {trial.folder} away, or name another --out.") from error
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


def is_complete(trial: Trial) -> bool:
    """Whether it has seen as many images as its arm's recipe says."""
    return seen(trial) >= 1000 * trial.arm.recipe["total_kimg"]


def unfinished(asked: Budget, trials: Sequence[Trial]) -> list[Trial]:
    """Those that have not reached the budget."""
    return [trial for trial in trials if seen(trial) < 1000 * asked.kimg]


def diverged(trial: Trial) -> bool:
    """Whether its training ended because it diverged; to try it again, remove the note."""
    return (trial.folder / DIVERGED).is_file()


def complete(asked: Budget, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have reached the budget; the others are told. UserError if none has."""
    left_out = {trial.name for trial in unfinished(asked, trials)}
    for name in sorted(left_out):
        print(f"{name}: not complete, left out")
    found = [trial for trial in trials if trial.name not in left_out]
    if not found:
        raise UserError(f"no run in {asked.out} is complete at {asked.kimg:g} kimg; leave out --no-train.")
    return found


def checkpoints(asked: Budget, trial: Trial) -> list[Path]:
    """The checkpoint at each point of the run; UserError if one is not there."""
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
