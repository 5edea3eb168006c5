"""`--dry-run`: everything is built and one step runs, so that a person knows what a run will need."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from ggdr.formatting import significant
from ggdr.play.phase import Phase
from ggdr.play.view import Reals
from ggdr.training.memory import peak_memory
from ggdr.training.place import check_place, checkpoint_bytes, in_words
from ggdr.training.run import Run
from ggdr.training.trainer import Trainer, introduction


def dry_run(run: Run, train_step: Callable[[Run, list[dict[str, Reals]]], object], play: Callable[..., None]) -> None:
    """Run one step with all phases due, time each phase once more, and print what was found.

    `train_step(run, batches)` and `play(run, phase, batches)`: those of `ggdr.train`, which calls this.
    """
    check_place(run.out, run.recipe.data)
    trainer = Trainer(run)
    trainer.prepare()
    use = trainer.disk_use()  # of the whole run, before its first step
    batches = next(run.reals())
    train_step(run, batches)
    seconds = {phase.name: time_phase(run, play, phase, batches) for phase in run.phases}
    per_step = sum(seconds[phase.name] / phase.every for phase in run.phases)
    per_kimg = per_step / run.images_per_step * 1000
    if not run.accelerator.is_main_process:
        return
    print("\n".join(introduction(run)))
    print(f"peak memory: {peak_memory(run.device):.2f} GB")
    print("seconds of a phase: " + ", ".join(f"{name} {significant(value, 3)}" for name, value in seconds.items()))
    total = per_kimg * run.recipe.total_kimg / 3600
    whole = f"{run.recipe.total_kimg:g} kimg take {significant(total, 3)} h at this rate"
    files = {name: each.files for name, each in use.items() if each.files}
    print(f"disk: {in_words(checkpoint_bytes(run, use), files)}")
    print(f"time per kimg: {significant(per_kimg, 3)} s; {whole}")


def time_phase(run: Run, play: Callable[..., None], phase: Phase, batches: list[dict[str, Reals]]) -> float:
    """Seconds that a phase takes."""
    synchronise(run.device)
    start = time.perf_counter()
    play(run, phase, batches)
    synchronise(run.device)
    return time.perf_counter() - start


def synchronise(device: torch.device) -> None:
    """Wait for the accelerator, if there is one."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
