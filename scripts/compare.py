"""Compare recipes at equal budget: every arm with every seed, one table with intervals, one plot a metric.

    python scripts/compare.py recipes/digits.py --out runs/compare --seeds 0 1 2 --kimg 40 --every 5 --arms \\
        "plain: --regularizers.ggdr none" "ggdr:" "ada: --regularizers.ggdr none --augment ada" "both: --augment ada"

An arm is "NAME: flags of `ggdr train`", or "NAME: RECIPE.py flags" for another recipe; arms are compared with the
first. Each is trained with each seed in OUT/NAME/seedN until it has seen the same number of images. What is complete is
not trained again, what was broken off goes on, and what was trained by other settings is refused; runs made by hand
count like any other. Then the mean generator of each checkpoint is measured as by `ggdr evaluate`, all against the same
real images and by as many images; the records stay in OUT/measured and are found again. Flags for it go after `--`:

    python scripts/compare.py ... --metrics fid kid swd -- --images 4096 --extractor digits

OUT/comparison.md is the table, OUT/comparison.json all numbers, OUT/METRIC.png the plots.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from compare_measure import Record, identity, measure, numbers
from compare_report import as_json, plot, table
from compare_trials import MEASURED, Trial, checkpoints, pace, planned, seen, train_all

from ggdr.cli import guarded
from ggdr.errors import UserError, above_zero


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how."""

    recipe: Annotated[Path, tyro.conf.Positional]
    """the recipe of arms that name none"""
    arms: tuple[str, ...]
    """"NAME: flags" or "NAME: RECIPE.py flags" """
    out: Path = Path("runs/compare")
    """folder of the runs, records, table and plots"""
    seeds: tuple[int, ...] = (0, 1, 2)
    """of the trainings"""
    kimg: float = 40.0
    """budget of each training, thousands of images shown"""
    every: float = 5.0
    """interval of the checkpoints that are measured, kimg"""
    metrics: tuple[str, ...] = ("fid", "kid", "swd")
    """names of metrics"""
    show: tuple[str, ...] = ()
    """"METRIC" or "METRIC/VALUE" in table and plots; none: the first value of each metric"""
    images: int = 4096
    """images that each metric looks at, real (as far as there are that many) and generated"""
    jobs: int = 1
    """trainings at a time"""
    train: bool = True
    """without it, what is complete is compared and nothing is trained"""

    def __post_init__(self) -> None:
        above_zero(self, "kimg", "every", "images", "jobs")

    def points(self) -> list[float]:
        """Where the runs are measured, kimg: each multiple of `every`, and the end."""
        before = range(1, math.ceil(self.kimg / self.every - 1e-9))
        return [*(self.every * i for i in before), self.kimg]


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is new, write table and plots; ValueError if it cannot be compared."""
    own, flags = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    asked = tyro.cli(Comparison, args=own, prog="compare.py", description=__doc__)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("compare.py starts its trainings itself; type it without accelerate launch, with --jobs N.")
    trials = planned(asked)
    if asked.train:
        train_all(asked, [trial for trial in trials if seen(trial) < 1000 * asked.kimg])
    arms = complete(asked, trials)
    runs = {name: {trial.seed: checkpoints(asked, trial) for trial in each} for name, each in arms.items()}
    words = ["--metrics", *asked.metrics, "--images", str(asked.images), "--repeats", "1", *flags]
    records = measure(runs, asked.out / MEASURED, words)
    write(asked, arms, records, shlex.join(["python", "scripts/compare.py", *argv]))
    return 0


def complete(asked: Comparison, trials: list[Trial]) -> dict[str, list[Trial]]:
    """The trials that have reached the budget, by arm; ValueError if none has."""
    arms: dict[str, list[Trial]] = {}
    for trial in trials:
        if seen(trial) < 1000 * asked.kimg:
            print(f"{trial.name}: not complete, left out")
        else:
            arms.setdefault(trial.arm.name, []).append(trial)
    if not arms:
        raise UserError(f"no run in {asked.out} is complete at {asked.kimg:g} kimg; leave out --no-train.")
    return arms


def write(
    asked: Comparison, arms: dict[str, list[Trial]], records: dict[str, dict[int, list[Record]]], command: str
) -> None:
    """Table, numbers and plots into the folder, the table on the terminal too."""
    compared = numbers(records, asked.points(), asked.show)
    seconds = {name: pace(trials) for name, trials in arms.items()}
    every = [record for seeds in records.values() for each in seeds.values() for record in each]
    text = table(compared, seconds)
    for number in compared:
        plot(number, asked.out / f"{number.label.replace('/', '-')}.png")
    told = {
        "command": command,
        "arms": {name: {"flags": trials[0].arm.words, "s_per_kimg": seconds[name]} for name, trials in arms.items()},
        "numbers": {number.label: as_json(number) for number in compared},
        "protocol": identity(every[0]),
        "warnings": sorted({warning for record in every for warning in record["warnings"]}),
    }
    (asked.out / "comparison.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    (asked.out / "comparison.md").write_text("\n\n".join([text, *notes(told), f"```\n{command}\n```"]) + "\n")
    print("\n".join([text, *(f"warning: {warning}" for warning in told["warnings"])]))
    print(f"table, numbers and plots: {asked.out}")


def notes(told: dict[str, Any]) -> Iterator[str]:
    """What a reader of the table has to know."""
    yield (
        "Mean ± half of Student's 95 % interval over seeds. The difference is paired, seed by seed; bold where its"
        " interval leaves zero out, without correction for the number of comparisons. The best of the run is chosen"
        " after the fact. Seconds per kimg are medians of what the trainings logged on their machine."
    )
    for name, entry in told["protocol"]["metrics"].items():
        extractor = entry["settings"].get("extractor") or {"type": "no"}
        images = f"{entry['real']['number']:,} real and {entry['fake']['number']:,} generated images"
        yield f"{name}: {images}, {extractor['type']} features."
    yield from (f"Warning: {warning}" for warning in told["warnings"])


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
