"""`ggdr compare RECIPE --arms ...`: recipes at equal budget, every arm with every seed, in tables with intervals."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ggdr.comparison.budget import Budget
from ggdr.data.base import DataSet
from ggdr.recipe.files import from_json
from ggdr.verbs.comparing import read_flags

if TYPE_CHECKING:
    from ggdr.comparison.measuring import Record
    from ggdr.comparison.trials import Trial

PROGRAM = "ggdr compare"
DESCRIPTION = """Compare recipes at equal budget: every arm with every seed, tables with intervals, a plot a metric.

    ggdr compare digits --out runs/compare --seeds 0 1 2 --kimg 40 --every 5 --arms \\
        "plain: --regularizers.ggdr none" "ggdr:" "ada: --regularizers.ggdr none --augment ada" "both: --augment ada"

An arm is "NAME: flags of `ggdr train`", or "NAME: RECIPE flags" for another recipe; arms are compared with the
first. Each is trained with each seed in OUT/NAME/seedN until it has seen the same number of images. What is complete is
not trained again, what was broken off goes on, and what was trained by other settings is refused; runs made by hand
count like any other. Then the mean generator of each checkpoint is measured as by `ggdr evaluate`, all against the same
real images and by as many images; the records stay in OUT/measured and are found again. Flags for it go after `--`:

    ggdr compare ... --metrics fid kid swd -- --images 4096 --extractor digits

On a cluster: --jobs 8 --cluster slurm --cluster-options slurm_partition=gpu gpus_per_node=1 timeout_min=600.
OUT/comparison.md has the tables, comparison.tex and comparison.csv too, comparison.json all numbers, METRIC.png plots.
"""


@dataclass(frozen=True, kw_only=True)
class Comparison(Budget):
    """What is compared, and how."""

    recipe: Annotated[str, tyro.conf.Positional]
    """the recipe of arms that name none: a file, or the name of one of ggdr's"""
    arms: tuple[str, ...]
    """"NAME: flags" or "NAME: RECIPE flags" """
    out: Path = Path("runs/compare")
    """folder of the runs, records, tables and plots"""
    seeds: tuple[int, ...] = (0, 1, 2)
    """seeds of the trainings"""
    show: tuple[str, ...] = ()
    """"METRIC" or "METRIC/VALUE" in tables and plots; none: the first value of each metric"""


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is new, write tables and plots; UserError if it cannot be compared."""
    asked, flags = read_flags(Comparison, argv, PROGRAM, DESCRIPTION)
    from ggdr.comparison.jobs import train_all
    from ggdr.comparison.measuring import check_flags, measure
    from ggdr.comparison.trials import MEASURED, checkpoints, complete, planned, unfinished

    trials = planned(asked, asked.recipe, asked.arms, asked.seeds)
    measured = asked.evaluate_flags(flags)
    check_flags(measured, asked.show, from_json(DataSet, trials[0].arm.recipe["data"]), PROGRAM)
    if asked.train:
        train_all(asked, unfinished(asked, trials))
    arms = by_arm(complete(asked, trials))
    runs = {name: {trial.seed: checkpoints(asked, trial) for trial in each} for name, each in arms.items()}
    records = measure(runs, asked.out / MEASURED, measured, PROGRAM)
    write_comparison(asked, arms, records, shlex.join(["ggdr", "compare", *argv]))
    return 0


def by_arm(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """The trials of each arm."""
    arms: dict[str, list[Trial]] = {}
    for trial in trials:
        arms.setdefault(trial.arm.name, []).append(trial)
    return arms


def write_comparison(
    asked: Comparison, arms: dict[str, list[Trial]], records: dict[str, dict[int, list[Record]]], command: str
) -> None:
    """Tables, numbers and plots into the folder, the tables on the terminal too."""
    from ggdr.comparison import report, tables
    from ggdr.comparison.measuring import identity, numbers
    from ggdr.comparison.trials import pace

    compared = numbers(records, asked.points(), asked.show)
    seconds = {name: pace(trials) for name, trials in arms.items()}
    every = [record for seeds in records.values() for each in seeds.values() for record in each]
    for number in compared:
        report.plot(number, asked.out / f"{number.label.replace('/', '-')}.png")
    told = {
        "command": command,
        "arms": {name: {"flags": trials[0].arm.words, "s_per_kimg": seconds[name]} for name, trials in arms.items()},
        "numbers": {number.label: report.as_json(number) for number in compared},
        "protocol": identity(every[0]),
        "warnings": sorted({warning for record in every for warning in record["warnings"]}),
    }
    text = tables.markdown(compared, seconds)
    (asked.out / "comparison.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (asked.out / "comparison.md").write_text(
        "\n\n".join([text, *notes(told), f"```\n{command}\n```"]) + "\n", encoding="utf-8"
    )
    (asked.out / "comparison.tex").write_text(tables.latex(compared, seconds), encoding="utf-8")
    (asked.out / "comparison.csv").write_text(tables.as_csv(compared, seconds), encoding="utf-8")
    print("\n".join([text, *(f"warning: {warning}" for warning in told["warnings"])]))
    print(f"tables (Markdown, LaTeX, CSV), numbers and plots: {asked.out}")


def notes(told: dict[str, Any]) -> Iterator[str]:
    """What a reader of the tables has to know."""
    from ggdr.comparison.measuring import protocol_notes

    yield (
        "Mean ± half of Student's 95 % interval over seeds. The difference is paired, seed by seed; bold where its"
        " interval leaves zero out, without correction for the number of comparisons. The best of the run is chosen"
        " after the fact. Seconds per kimg are medians of what the trainings logged on their machine."
    )
    yield from protocol_notes(told["protocol"])
    yield from (f"Warning: {warning}" for warning in told["warnings"])
