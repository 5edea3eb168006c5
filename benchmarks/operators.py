"""Which operators a step's phases spend their time in.

    python benchmarks/operators.py 32px-512ch [--top 15]

Cases are those of benchmarks/training.py. The share of convolutions is what is left to gain least from:
`benchmarks/convolution.py` says how fast the machine does them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from cases import case
from rounds import report
from torch.profiler import ProfilerActivity, profile

from ggdr.train import play
from ggdr.training.launch import make_accelerator
from ggdr.training.run import Run


def profiled(run: Run, batches: list, phase) -> dict[str, float]:
    """Operator -> seconds that it spent itself, in one run of a phase."""
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * torch.cuda.is_available()]
    with profile(activities=activities) as watched:
        play(run, phase, batches)
    on_gpu = torch.cuda.is_available()
    spent = {}
    for event in watched.key_averages():
        seconds = (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6
        spent[event.key.removeprefix("aten::")] = seconds
    return spent


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", help="such as digits, cifar+bf16")
    parser.add_argument("--top", type=int, default=15, help="operators to show")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/operators.json"))
    arguments = parser.parse_args()
    recipe = case(arguments.case)
    run = Run(recipe, Path(tempfile.mkdtemp()), make_accelerator(recipe.precision))
    batches = next(run.reals())
    for phase in run.phases:
        play(run, phase, batches)
    found = {phase.name: profiled(run, batches, phase) for phase in run.phases}
    totals: dict[str, float] = {}
    for phase in run.phases:
        for name, seconds in found[phase.name].items():
            totals[name] = totals.get(name, 0.0) + seconds / phase.every
    step = sum(totals.values())
    top = sorted(totals, key=lambda name: -totals[name])[: arguments.top]
    rows = [
        [name, f"{100 * totals[name] / step:.1f}%", *(f"{1000 * found[p].get(name, 0.0):.1f}" for p in found)]
        for name in top
    ]
    report(arguments.out, ["operator", "share of a step", *(f"{name}, ms" for name in found)], rows)


if __name__ == "__main__":
    main()
