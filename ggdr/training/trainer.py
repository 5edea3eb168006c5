"""A Trainer: a run in its folder, which goes on from its last checkpoint, saves, goes back and stops."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.folders import RECIPE, mark, write_recipe
from ggdr.formatting import significant
from ggdr.ops.kernels import describe_kernels
from ggdr.play.callback import DiskUse
from ggdr.processes import Processes, together
from ggdr.recipe.files import flatten, to_json, to_python
from ggdr.sampling.labels import example_text
from ggdr.saving import checkpoint
from ggdr.schedules.intervals import due
from ggdr.training.journal import Journal, NoJournal
from ggdr.training.lock import Lock
from ggdr.training.place import check_place, check_room, told
from ggdr.training.recovery import Recovery
from ggdr.training.run import Run

Of = TypeVar("Of")


class Trainer:
    """A run in its folder; its callbacks write log lines, grids, checkpoints and metrics, each at its interval.

    A context: within it, the folder is locked and signals ask the run to stop. Every process has one; the main
    process's writes.
    """

    def __init__(self, run: Run, allow_changes: bool = False):
        """`allow_changes`: go on although settings have changed that make it another run."""
        self.run, self.main, self.allow_changes = run, run.accelerator.is_main_process, allow_changes
        self.callbacks = run.callbacks
        self.processes = Processes(run.accelerator.process_index, run.processes, run.device)
        self.recovery = Recovery(run)
        self.journal: Journal = NoJournal()
        self.lock: Lock | None = None
        self.resumed = False  # whether the run goes on from a checkpoint
        self.saved = -1  # step of the last checkpoint

    def __enter__(self) -> Trainer:
        """Take the run's folder, then listen to signals; UserError, on every process, if `take_folder` says so."""
        self.lock = self.by_main(self.take_folder)
        self.run.stop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.run.stop.__exit__(*error)
        self.journal.close()
        if self.lock is not None:
            self.lock.release()

    def take_folder(self) -> Lock:
        """Lock and mark the run's folder; UserError if another has it, or it holds what this run would replace."""
        check_place(self.run.out, self.run.recipe.data)
        lock = Lock(self.run.out)
        mark(self.run.out)
        return lock

    def by_main(self, find: Callable[[], Of]) -> Of | None:
        """What the main process finds, None on others; its UserError on all of them, so that none waits for it."""
        found, refusal = None, None
        try:
            found = find() if self.main else None
        except UserError as error:
            refusal = error
        if (refusal := self.processes.broadcast(refusal)) is not None:
            raise refusal
        return found

    def prepare(self) -> None:
        """Let the callbacks say whether they can do their work; UserError if one of them cannot."""
        for callback in self.callbacks.values():
            callback.prepare(self)

    def disk_use(self) -> dict[str, DiskUse]:
        """About how much each callback writes to the run's folder, by name."""
        return {name: callback.disk_use(self) for name, callback in self.callbacks.items()}

    def resume(self) -> None:
        """Take up the last checkpoint, if there is one; open the journal at that step, say what will run, begin."""
        run = self.run
        last, damage = self.processes.broadcast(self.by_main(lambda: checkpoint.latest_intact(run.out))) or (None, [])
        changed = run.load(last, self.allow_changes) if last is not None and last.is_dir() else []
        self.agree()
        if self.main:
            checkpoint.sweep(run.out)
        self.prepare()
        recipe_file = self.open_journal()
        room = self.by_main(lambda: check_room(run, self.disk_use()))
        for line in (*introduction(run), *filter(None, [room]), f"the recipe in full: {recipe_file}"):
            self.say(line)
        if last is not None:
            self.resumed, self.saved = True, run.step
            for line in (
                *damage,
                f"going on from {last}: {self.progress()}",
                *(f"changed: {line}" for line in changed),
            ):
                self.say(line)
        elif self.journal.file.exists():
            self.say(f"{run.out} has a log and no checkpoint: the run starts from the beginning")
        for callback in self.callbacks.values():
            callback.start(self)

    def open_journal(self) -> Path:
        """Write the recipe down and open the journal at this step, in the main process; where the recipe lies."""
        run, file = self.run, self.run.out / RECIPE
        if self.main:
            (run.out / "recipe.json").write_text(json.dumps(to_json(run.recipe), indent=1), encoding="utf-8")
            file = write_recipe(run.out, to_python(run.recipe))
            trackers, config = run.recipe.trackers.values(), flatten(to_json(run.recipe))
            at = {"step": run.step, "images_seen": run.images_seen}
            self.journal = Journal(run.out, run.recipe.total_kimg, trackers, config=config, **at)
        return file

    def agree(self) -> None:
        """UserError on every process if they do not stand at the same step: the folder must be one for all."""
        run = self.run
        steps = self.processes.all_gather(run.step)
        if len(set(steps)) > 1:
            raise UserError(
                f"processes go on from different steps {steps}: {run.out} must be a folder that all machines share;"
                " give one by --out."
            )

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        """Do whatever is due after a step, callback by callback."""
        for line in self.run.threads.look():
            self.say(line)
        self.recovery.after_step(stats)
        self.journal.move(self.run.images_seen)
        for callback in self.callbacks.values():
            callback.after_step(self, stats)
        for callback in self.callbacks.values():  # by now each knows of the step, and a checkpoint holds its state
            if self.due(callback.every_kimg):
                callback.on_interval(self)

    def finish(self) -> None:
        """Let the callbacks do the last of everything; of a run that was asked to stop, save first of all."""
        run = self.run
        if not run.done:
            self.save()  # whoever asked the run to stop may not wait for more
        for callback in self.callbacks.values():
            callback.end(self)
        if run.done:
            for line in (f"done: {run.images_seen / 1000:g} kimg; the model is {run.out / 'model'}", *what_next(run)):
                self.say(line)
        else:
            self.say(f"stopped and saved: {self.progress()}, {checkpoint.latest(run.out)}")

    def save(self) -> None:
        """Write a checkpoint of this step, unless there is one: the main process does, the others wait."""
        if self.saved == self.run.step:
            return
        if self.main:
            self.run.save(self.recovery.unhealthy())
            self.journal.plot_if_due()
        self.saved = self.run.step
        with together():
            self.run.accelerator.wait_for_everyone()

    def roll_back(self) -> None:
        """Go back to the last good checkpoint; Diverged if there is no way back."""
        said = self.recovery.roll_back()
        self.saved = self.run.step
        self.journal.rewind(self.run.images_seen, self.run.step)
        for callback in self.callbacks.values():
            callback.rolled_back(self)
        self.say(said)

    def log(self, numbers: Mapping[str, float]) -> None:
        """Write numbers down, by name: a line of the log and whatever tracks the run get them, at this step."""
        self.journal.log(self.run.images_seen, self.run.step, numbers)

    def say(self, line: str) -> None:
        """Print a line, in the main process."""
        self.journal.say(line)

    def due(self, interval: float) -> bool:
        """Whether the last step passed a multiple of `interval` kimg."""
        run = self.run
        return due(run.images_seen / 1000, (run.images_seen - run.images_per_step) / 1000, interval)

    def progress(self) -> str:
        """How far the run is."""
        return f"{self.run.images_seen / 1000:g} of {self.run.recipe.total_kimg:g} kimg"

    def check_folder(self) -> None:
        """Save once more and end the run, by UserError, if its folder was deleted or moved while it trained."""
        if self.lock is None or self.lock.held():
            return
        out = self.run.out
        if self.lock.file.exists():
            raise UserError(f"{out} was replaced in mid-run, and another run has locked it since; give another --out.")
        raise UserError(
            f"{out} was deleted or moved in mid-run; the state, {self.progress()}, is saved as {self.run.save()}:"
            " type the same command to go on."
        )


def what_next(run: Run) -> list[str]:
    """Where things lie in the folder of a run that is done, and what to type next."""
    beside = {"samples": "grids", "losses.png": "plot", "metrics.jsonl": "log"}
    there = [f"{what} {run.out / name}" for name, what in beside.items() if (run.out / name).exists()]
    place = shlex.quote(str(run.out))
    takes_images = any(view.way is not None for view in run.views().values())
    labels = " --labels all" if run.spec.labels and not run.spec.label_ranges else ""
    if run.spec.text_encoder:
        labels = f" --text {shlex.quote(example_text(run.spec))}"
    first = f"translate {place} IMAGES --out translated" if takes_images else f"generate {place}{labels}"
    codes = [f"encode {place}"] if "encoder" in run.ema.mean and not takes_images else []
    if codes and "generator" in run.networks.frozen:  # the encoder is of a model elsewhere
        codes.append(f"project MODEL PICTURE --encoder {place}")
    verbs = (first, *codes, f"explore {place}", f"evaluate {place}", f"push {place} NAME/REPOSITORY")
    return [f"beside it: {', '.join(there)}; to see more of it, type one of:", *(f"  ggdr {verb}" for verb in verbs)]


def introduction(run: Run) -> list[str]:
    """What will run, in a few lines."""
    recipe, spec = run.recipe, run.spec
    size = f"{spec.height} x {spec.width} px, {spec.channels} channel{'s' * (spec.channels > 1)}"
    networks = ", ".join(f"{name} {significant(count / 1e6, 3)} M weights" for name, count in run.sizes.items())
    rhythm = ", ".join(f"{phase.name} ({', '.join(phase.terms)})" for phase in run.phases)
    where, threads = f"{run.processes} x {run.device.type}", torch.get_num_threads()
    where += f" with {threads} thread{'s' * (threads > 1)}" if run.device.type == "cpu" else ""
    images = f"{run.images.originals:,} images{' and their mirror images' * run.images.mirrored}"
    return [
        f"{recipe.data.name}: {images} of {size}, {spec.labels or 'no'} labels",
        f"{networks}; phases of a step: {rhythm}",
        f"batch {recipe.batch_size} on {where}, micro-batch {run.micro_batch_size}, {recipe.precision}",
        *([] if run.device.type == "cpu" else [describe_kernels(run.device)]),
        *(f"{name}: {reason}" for name, reason in run.reasons.items()),
        *told(run.out, recipe.data),
        *run.notes,
    ]
