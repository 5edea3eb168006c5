"""`ggdr sweep RECIPE --samples N`: every arm by the same random hyperparameters, as in "Are GANs created equal?"."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ggdr.comparison.sweep import Sweep
from ggdr.data.base import DataSet
from ggdr.errors import UserError
from ggdr.recipe.files import from_json
from ggdr.verbs.comparing import read_flags

if TYPE_CHECKING:
    from ggdr.comparison.measuring import Record
    from ggdr.comparison.samples import Swept
    from ggdr.comparison.sweep_result import Found

PROGRAM = "ggdr sweep"
DESCRIPTION = """Draw hyperparameters at random, train every arm by each draw, and show what the arms come to.

    ggdr sweep digits_dcgan --out runs/sweep --samples 20 --kimg 10 --jobs 2 --arms \\
        "non_saturating:" "wgan: --loss wasserstein" "lsgan: --loss least_squares" \\
        --variant "ggdr: --regularizers.ggdr ggdr" -- --extractor digits

This is the experiment of "Are GANs created equal?" (Lucic et al. 2018, arXiv 1711.10337). Drawn are the settings whose
fields declare a range, and by what a flag of an arm sets nothing is drawn; --range PATH=log:LOW:HIGH draws a setting
from another range, or one that declares none. Sample 17 has the same draws and the same seed whatever --samples is and
in all arms, so that arms are compared sample by sample, and a larger --samples goes on from a smaller one. An arm is
"NAME: flags of `ggdr train`", or "NAME: RECIPE flags"; with --variant "NAME: flags" each is trained with these flags as
well. Runs lie in OUT/ARM/sampleN; what is complete is not trained again, and what was broken off goes on. A run that
diverges is a result, the worst that there is: OUT/ARM/sampleN/diverged.txt says why. At the end the mean generator is
measured as by `ggdr evaluate`, whose flags go after `--`.

On a cluster: --jobs 8 --cluster slurm --cluster-options slurm_partition=gpu gpus_per_node=1 timeout_min=600.
OUT/sweep.md has the tables, sweep.tex too, sweep.csv a line a run, sweep.json all numbers; METRIC-runs.png shows every
run, METRIC-budget.png the best of k runs over k.
"""


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is new, write tables and figures; UserError if the arms cannot be swept."""
    asked, flags = read_flags(Sweep, argv, PROGRAM, DESCRIPTION)
    from ggdr.comparison.jobs import train_all
    from ggdr.comparison.measuring import check_flags, measure
    from ggdr.comparison.samples import planned_sweep
    from ggdr.comparison.trials import MEASURED, checkpoints, complete, diverged, unfinished

    arms = planned_sweep(asked)
    measured = asked.evaluate_flags(flags)
    check_flags(measured, asked.show, from_json(DataSet, arms[0].trials[0].arm.recipe["data"]), PROGRAM)
    trials = [trial for sample in zip(*(arm.trials for arm in arms), strict=True) for trial in sample]
    if asked.train:
        waiting = [trial for trial in unfinished(asked, trials) if not diverged(trial)]
        train_all(asked, waiting, may_diverge=True)
    lost = {trial.name for trial in trials if diverged(trial)}
    if len(lost) == len(trials):
        raise UserError(f"all {len(lost)} runs in {asked.out} diverged; give narrower ranges, --range PATH=RANGE.")
    done = {trial.name for trial in complete(asked, [trial for trial in trials if trial.name not in lost])}
    runs = {
        arm.name: {n: checkpoints(asked, trial) for n, trial in enumerate(arm.trials) if trial.name in done}
        for arm in arms
    }
    records = measure(runs, asked.out / MEASURED, measured, PROGRAM)
    fallen = {arm.name: [n for n, trial in enumerate(arm.trials) if trial.name in lost] for arm in arms}
    write_sweep(asked, arms, records, fallen, shlex.join(["ggdr", "sweep", *argv]))
    return 0


def write_sweep(
    asked: Sweep,
    arms: Sequence[Swept],
    records: dict[str, dict[int, list[Record]]],
    fallen: Mapping[str, Sequence[int]],
    command: str,
) -> None:
    """Tables, numbers and figures into the folder, the tables on the terminal too.

    `fallen`: arm -> samples whose runs diverged.
    """
    from ggdr.comparison import sweep_plots, sweep_tables
    from ggdr.comparison.measuring import identity, numbers
    from ggdr.comparison.sweep_result import found
    from ggdr.comparison.trials import pace

    names = {arm.name: arm.arm for arm in arms}
    results = [found(number, names, fallen) for number in numbers(records, asked.points(), asked.show)]
    seconds = {arm.name: pace(arm.trials) for arm in arms}
    every = [record for samples in records.values() for each in samples.values() for record in each]
    for number in results:
        name = number.label.replace("/", "-")
        sweep_plots.plot_runs(number, asked.out / f"{name}-runs.png")
        sweep_plots.plot_best_of(number, asked.out / f"{name}-budget.png")
    told = {
        "command": command,
        "arms": {arm.name: arm.as_json() | {"s_per_kimg": seconds[arm.name]} for arm in arms},
        "numbers": {number.label: number.as_json() for number in results},
        "protocol": identity(every[0]),
        "warnings": sorted({warning for record in every for warning in record["warnings"]}),
    }
    text = sweep_tables.markdown(results, arms, seconds)
    (asked.out / "sweep.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (asked.out / "sweep.md").write_text(
        "\n\n".join([text, *remarks(told, results), f"```\n{command}\n```"]) + "\n", encoding="utf-8"
    )
    (asked.out / "sweep.tex").write_text(sweep_tables.latex(results, seconds), encoding="utf-8")
    (asked.out / "sweep.csv").write_text(sweep_tables.as_csv(results, arms), encoding="utf-8")
    print("\n".join([text, *(f"warning: {warning}" for warning in told["warnings"])]))
    print(f"tables (Markdown, LaTeX, CSV), numbers and figures: {asked.out}")


def remarks(told: dict[str, Any], results: Sequence[Found]) -> Iterator[str]:
    """What a reader of the tables has to know."""
    from ggdr.comparison.measuring import protocol_notes

    yield (
        "Each run has other hyperparameters, drawn at random, the same in all arms as far as they have the same. A run"
        " that diverged counts as worse than all others. Medians of runs, and of differences, have a 95 % interval by"
        " ranks, which takes six runs. The best of k runs is that of k drawn with replacement from those that were"
        " made: its mean, for which runs that diverged count as the worst of the others, and its 2.5 and 97.5 %"
        " quantiles. Seconds per kimg are medians of what the trainings logged on their machine."
    )
    if any(variant for _, variant in results[0].arms()):
        yield "The difference is the variant's to its arm in the same sample, and is left out where both diverged."
    yield from protocol_notes(told["protocol"])
    yield from (f"Warning: {warning}" for warning in told["warnings"])
