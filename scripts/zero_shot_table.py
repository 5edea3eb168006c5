"""Zero-shot learning on scikit-learn's digits: five pairs of digits held out in turn, each with several seeds.

    python scripts/zero_shot_table.py --out runs/zero-shot --seeds 0 1 2 3 4

Trains recipes/digits_zero_shot.py in OUT/unseen-A-B/seedN, on one thread each, and prints the accuracy on the digits
that were held out, beside chance and beside a regression without a GAN. What is complete is not trained again, and what
was broken off goes on. OUT/table.md has the table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

import ggdr
from ggdr.cli import guarded
from ggdr.comparison.jobs import train_missing
from ggdr.comparison.report import with_margin
from ggdr.comparison.trials import Arm, Trial, check_trial, is_complete
from ggdr.errors import UserError, above_zero
from ggdr.evaluation.result import MetricValue
from ggdr.flags.recipe import parse
from ggdr.hub.markdown import markdown_table
from ggdr.recipe.files import to_json
from ggdr.recipe.fitting import fit

RECIPE = Path(__file__).parent.parent / "recipes" / "digits_zero_shot.py"
PAIRS = (("4", "7"), ("0", "9"), ("2", "5"), ("1", "8"), ("3", "6"))
"""digits that are held out, each once"""


@dataclass(frozen=True)
class Table:
    """What is trained, and where to."""

    out: Path = Path("runs/zero-shot")
    """folder of the runs and of the table"""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """of the trainings"""
    jobs: int = 1
    """trainings at a time"""
    train: bool = True
    """without it, what is complete is measured and nothing is trained"""

    def __post_init__(self) -> None:
        above_zero(self, "jobs")


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is complete, write the table."""
    asked = tyro.cli(Table, args=argv, prog="zero_shot_table.py", description=__doc__)
    trials = [trial for pair in PAIRS for trial in planned(pair, asked)]
    if asked.train:
        train_missing(trials, asked.jobs)
    found: dict[str, list[dict[str, float]]] = {}
    for trial in filter(is_complete, trials):
        found.setdefault(trial.arm.name, []).append(measured(trial))
    if not found:
        raise UserError(f"no training in {asked.out} is complete; leave --no-train out.")
    rows = [
        [name.removeprefix("unseen-").replace("-", " and "), *cells(values)]
        for name, values in [*found.items(), ("all", [each for values in found.values() for each in values])]
    ]
    text = markdown_table(["unseen digits", "GAN", "regression", "chance", "trainings"], rows)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


def planned(pair: tuple[str, str], asked: Table) -> list[Trial]:
    """The trainings without a pair of digits; UserError if one of their folders holds a run of other settings."""
    words = [str(RECIPE), "--data.unseen", *pair, "--metric-kimg", "0"]
    recipe = parse(words, "zero_shot_table.py:").recipe
    name = f"unseen-{'-'.join(pair)}"
    arm = Arm(name, words, to_json(fit(recipe, recipe.data.open().domains).recipe))
    trials = [Trial(arm, seed, asked.out / name / f"seed{seed}") for seed in asked.seeds]
    for trial in trials:
        check_trial(trial)
    return trials


def measured(trial: Trial) -> dict[str, float]:
    """Accuracy of a trained model, mean of three draws, and what it is held against."""
    result = ggdr.evaluate(trial.folder, metrics=["zero_shot"])
    return {name: result[f"zero_shot/{name}"].mean for name in ("accuracy", "regression", "chance")}


def cells(values: list[dict[str, float]]) -> list[str]:
    """Accuracies as percentages, the GAN's with half of Student's 95 % interval over trainings."""
    accuracy = MetricValue([100 * each["accuracy"] for each in values])
    others = [sum(100 * each[name] for each in values) / len(values) for name in ("regression", "chance")]
    return [f"{with_margin(accuracy)} %", *(f"{other:.1f} %" for other in others), str(len(values))]


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
