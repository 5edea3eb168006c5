"""Seconds per 1000 images of training, by phase and in total, and peak memory; contestants take turns.

    python benchmarks/training.py digits digits-ggdr digits+ada digits+bf16
    python benchmarks/training.py 32px-512ch 32px-512ch+bf16 --published CHECKOUT

Cases are named in benchmarks/cases.py; words change them (`+ada`, `-ggdr`, `+bf16`), `@8` takes batches of 8,
`/8` micro-batches of 8.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from cases import case
from rounds import Result, Seconds, report, serve, take_turns, timed


def contestant(name: str) -> None:
    """Serve rounds of a recipe's phases."""
    from ggdr.train import follow, play
    from ggdr.training.launch import make_accelerator
    from ggdr.training.run import Run

    recipe = case(name)
    run = Run(recipe, Path(tempfile.mkdtemp()), make_accelerator(recipe.precision))
    batches = next(run.reals())
    run.images_seen = images_seen = int(1000 * recipe.total_kimg)  # what goes by the clock has grown and set in

    def rest() -> None:
        """What follows the phases of a step, at the same place each time."""
        follow(run)
        run.step, run.images_seen = 0, images_seen

    def round_() -> Seconds:
        seconds = {phase.name: timed(lambda phase=phase: play(run, phase, batches)) for phase in run.phases}
        return {**seconds, "rest": timed(rest)}

    every = {phase.name: phase.every for phase in run.phases} | {"rest": 1}
    serve(round_, {"every": every, "images": run.images_per_step})


def per_kimg(result: Result, part: str) -> float:
    """Seconds that a part takes of 1000 images."""
    return result.median(part) / result.facts["every"][part] / result.facts["images"] * 1000


def total(result: Result) -> float:
    """Seconds per 1000 images."""
    return sum(per_kimg(result, part) for part in result.facts["every"])


def spread(result: Result) -> float:
    """Half of the range of a whole step over the rounds, as a share of the median."""
    steps = [{"step": sum(s / result.facts["every"][part] for part, s in seconds.items())} for seconds in result.rounds]
    return Result(steps, {}).spread("step")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", help="such as digits, cifar+bf16; the first is what ratios refer to")
    parser.add_argument("--published", help="a checkout of the published code, which takes part in each float32 case")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/training.json"))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        contestant(*arguments.cases)
        return
    contestants: dict[str, list[str]] = {}
    if arguments.published:
        checkout = os.path.abspath(arguments.published)
        plain = [name for name in arguments.cases if "+bf16" not in name]
        contestants |= {f"published {name}": ["published.py", checkout, name] for name in plain}
    contestants |= {name: ["training.py", "--serve", name] for name in arguments.cases}
    results = take_turns(contestants, arguments.rounds)
    first = total(next(iter(results.values())))
    rows: list[list[Any]] = []
    for name, result in results.items():
        phases = ", ".join(f"{part} {per_kimg(result, part):.3g}" for part in result.facts["every"])
        spent = total(result)
        rows.append(
            [name, spent, f"{first / spent:.2f}x", f"{100 * spread(result):.0f}%", phases, result.facts["peak_gb"]]
        )
    header = ["case", "s/kimg", "speed", "spread", "by phase, s/kimg", "peak GB"]
    report(arguments.out, header, rows, rounds={name: result.rounds for name, result in results.items()})


if __name__ == "__main__":
    main()
