"""Train a tiny recipe for many steps and report what grew: memory, open files, time a step; and walk the data's order.

    python scripts/long_run.py --steps 50000 --out runs/long

StyleGAN2 of some 8,000 weights on digits, with ADA, path length, R1 and GGDR, log lines, grids, metrics and checkpoints
at their intervals, in this process. Slopes are fitted by least squares to the second half of the run, when caches and
allocators have settled. Exit status 1 if memory grew from the third to the last fifth of the run, or the number of open
files, or if some epoch of the data's order did not visit each item exactly once.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import tyro

from ggdr.cli import guarded
from ggdr.errors import UserError
from ggdr.recipe import Recipe

WINDOWS = 100
"""points of the curves"""
MOST = 1.02
"""growth of memory, from the third to the last fifth of the run, that passes: systems take pages back and forth"""


@dataclass(frozen=True)
class LongRun:
    """What is run."""

    steps: int = 50_000
    """steps of the training"""
    positions: int = 10_000_000
    """of the data's order that are walked"""
    out: Path = Path("runs/long")
    """folder of the run and of long_run.json; it must not be there"""


class Point(NamedTuple):
    """What was seen at one moment."""

    step: int
    memory_mb: float
    """resident"""
    files: int
    """open file descriptors"""
    step_ms: float
    """median of the window before"""


def recipe(steps: int) -> Recipe:
    """All at once, as small as it gets."""
    from ggdr.augment.ada import ADA
    from ggdr.data.digits import Digits
    from ggdr.metrics.swd import SlicedWasserstein
    from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
    from ggdr.networks.unet import UNetDiscriminatorConfig
    from ggdr.regularizers.ggdr import GGDR
    from ggdr.regularizers.path_length import PathLength
    from ggdr.regularizers.r1 import R1

    batch, kimg = 4, steps * 4 / 1000
    return Recipe(
        data=Digits(size=16),
        generator=StyleGAN2GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=2, channel_max=8),
        discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_max=8, mapping_layers=2)),
        regularizers={"r1": R1(weight=0.1), "path_length": PathLength(), "ggdr": GGDR(resolutions=(4,))},
        augment=ADA(speed_kimg=5.0),
        metrics={"swd": SlicedWasserstein(images=256)},
        batch_size=batch,
        total_kimg=kimg,
        log_kimg=kimg / 1000,
        sample_kimg=kimg / 50,
        checkpoint_kimg=kimg / 50,
        metric_kimg=kimg / 50,
    )


def train(asked: LongRun) -> list[Point]:
    """Run it; the curve."""
    from ggdr.train import train_step
    from ggdr.training.launch import make_accelerator
    from ggdr.training.run import Run
    from ggdr.training.trainer import Trainer

    accelerator = make_accelerator("fp32")
    run = Run(recipe(asked.steps), asked.out, accelerator)
    points: list[Point] = []
    times: list[float] = []
    with Trainer(run) as trainer:
        trainer.resume()
        reals = run.reals()
        while run.step < asked.steps:
            began = time.perf_counter()
            trainer.after_step(train_step(run, next(reals)))
            times.append(time.perf_counter() - began)
            if run.step % max(asked.steps // WINDOWS, 1) == 0:
                points.append(Point(run.step, resident_mb(), open_files(), 1000 * float(np.median(times))))
                times.clear()
        trainer.finish()
    accelerator.end_training()
    return points


def resident_mb() -> float:
    """Memory that this process holds."""
    return psutil.Process().memory_info().rss / 1e6


def open_files() -> int:
    """File descriptors that this process holds."""
    return psutil.Process().num_fds()


def slope(points: list[Point], name: str) -> float:
    """Of a curve's second half, a million steps."""
    half = points[len(points) // 2 :]
    return float(np.polyfit([p.step for p in half], [getattr(p, name) for p in half], 1)[0] * 1e6)


def walk(positions: int, length: int = 1797) -> tuple[int, int]:
    """Epochs that are whole within so many positions of the data's order, and how many of them visit each item once."""
    from ggdr.data.reading.order import Order

    order, epochs = Order(length), positions // length
    exact = 0
    for epoch in range(epochs):
        items = order(range(epoch * length, (epoch + 1) * length), seed=0)
        exact += bool((np.bincount(items, minlength=length) == 1).all())
    return epochs, exact


def main(argv: list[str]) -> int:
    """Run, walk, print and write what was found; 1 if something grew."""
    asked = tyro.cli(LongRun, args=argv, prog="long_run.py", description=__doc__)
    if asked.out.exists():
        raise UserError(f"{asked.out} is there already; a long run starts from the beginning: name another --out.")
    points = train(asked)
    epochs, exact = walk(asked.positions)
    slopes = {name: slope(points, name) for name in ("memory_mb", "files", "step_ms")}
    found = {"steps": asked.steps, "slopes_per_million_steps": slopes, "epochs": epochs, "exact_epochs": exact}
    (asked.out / "long_run.json").write_text(
        json.dumps(found | {"points": [p._asdict() for p in points]}, indent=1), encoding="utf-8"
    )
    fifth = len(points) // 5
    half, end = points[2 * fifth : 3 * fifth], points[-fifth:]
    print(f"{'':10} {'third fifth':>12} {'last fifth':>12} {'a million steps':>16}")
    for name, each in slopes.items():
        print(f"{name:10} {mean(half, name):12.1f} {mean(end, name):12.1f} {each:+16.2f}")
    print(f"data order: {exact:,} of {epochs:,} epochs visit each item exactly once")
    grown = mean(end, "memory_mb") > MOST * mean(half, "memory_mb") or mean(end, "files") > mean(half, "files")
    return int(grown or exact < epochs)


def mean(points: list[Point], name: str) -> float:
    """Of a part of a curve."""
    return float(np.mean([getattr(point, name) for point in points]))


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
