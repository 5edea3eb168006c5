"""What a step costs with more images, more pixels, more processes.

    python benchmarks/scaling.py [--processes 2]

Weak scaling: each process has one thread and the same number of images, alone and together; efficiency is the time
alone over the time together. The share of averaging is what the step takes longer than without it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cases import case
from rounds import report, timed

CASE = "32px-64ch"
SERVE = "GGDR_SCALING"


def contestant(name: str, steps: int) -> None:
    """Print the median seconds of a step of this process."""
    import statistics
    from dataclasses import replace

    import torch

    from ggdr.train import train_step
    from ggdr.training.launch import make_accelerator
    from ggdr.training.run import Run

    recipe = case(name)
    accelerator = make_accelerator(recipe.precision)
    recipe = replace(recipe, batch_size=recipe.batch_size * accelerator.num_processes)
    run = Run(recipe, Path(tempfile.mkdtemp()), accelerator)
    run.step = 1  # no lazy phase among the steps that are timed
    reals = run.reals()
    found = []
    for _ in range(steps):
        batch = next(reals)
        found.append(timed(lambda batch=batch: train_step(run, batch)))
        run.step = 1
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
    if accelerator.is_main_process:
        print("seconds", statistics.median(found[2:]))
    accelerator.end_training()


def seconds(processes: int, name: str, threads: int, steps: int) -> float:
    """Median seconds of a step, on so many processes of so many threads each."""
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(processes)]
    launch = [*launch, "--multi_gpu"] if processes > 1 else []
    environment = {
        **os.environ,
        SERVE: f"{name} {steps}",
        "OMP_NUM_THREADS": str(threads),
        "ACCELERATE_USE_CPU": "true",
    }
    launch = [word for word in launch if word != "--cpu"]
    command = [sys.executable, *launch, __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, encoding="utf-8")
    for line in done.stdout.splitlines():
        if line.startswith("seconds"):
            return float(line.split()[1])
    raise RuntimeError(done.stderr[-2000:])


def main() -> None:
    """Measure and report."""
    if SERVE in os.environ:
        name, steps = os.environ[SERVE].split()
        contestant(name, int(steps))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/scaling.json"))
    arguments = parser.parse_args()
    rows: list[list[Any]] = []
    for name in (CASE, "32px-512ch@4"):
        found: dict[int, list[float]] = {1: [], arguments.processes: []}
        for _ in range(arguments.rounds):
            for processes, times in found.items():
                times.append(seconds(processes, name, 1, arguments.steps))
        alone, together = (sorted(times)[len(times) // 2] for times in found.values())
        rows.append([f"{name}, 1 process", alone, ""])
        rows.append([f"{name}, {arguments.processes} processes", together, f"{100 * alone / together:.0f}%"])
    for batch in (4, 8, 16, 32, 64):
        spent = seconds(1, f"{CASE}@{batch}", 2, arguments.steps)
        rows.append([f"{CASE}, batch {batch}", spent, f"{1000 * spent / batch:.3g} s/kimg"])
    for name in ("32px-64ch@8", "64px-narrow@8", "128px-narrow@8"):
        spent = seconds(1, name, 2, arguments.steps)
        rows.append([name, spent, f"{1000 * spent / 8:.3g} s/kimg"])
    report(arguments.out, ["what", "s a step", "efficiency or cost"], rows)


if __name__ == "__main__":
    main()
