"""A Report: what a run says and leaves behind while it trains, each at its own interval."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeVar

import torch
from torch import Tensor

from ggdr.errors import UserError, at
from ggdr.features.cache import FeatureCache
from ggdr.folders import RECIPE, mark, write_recipe
from ggdr.formatting import significant
from ggdr.hub.repository import Place, unsaid
from ggdr.metrics.data import EvalData
from ggdr.networks.base.module import Generator
from ggdr.ops.kernels import in_use
from ggdr.play.schedule import due
from ggdr.play.stats import Window
from ggdr.processes import Processes, together
from ggdr.recipe.files import flat, to_json, to_python
from ggdr.sampling import sample
from ggdr.saving import checkpoint
from ggdr.saving.model import save_model
from ggdr.training.best import best_of
from ggdr.training.journal import Journal, NoJournal
from ggdr.training.lock import Lock
from ggdr.training.memory import peak_memory
from ggdr.training.place import check_place, check_room, told
from ggdr.training.pusher import Pusher
from ggdr.training.recovery import Recovery
from ggdr.training.run import Run
from ggdr.training.stopping import Stopped

Of = TypeVar("Of")


class Report:
    """Log lines, grids, metrics and checkpoints of a run. Every process has one; the main process's writes."""

    def __init__(self, run: Run, allow_changes: bool = False):
        """`allow_changes`: go on although settings have changed that make it another run."""
        self.run, self.main, self.allow_changes = run, run.accelerator.is_main_process, allow_changes
        self.lock: Lock | None = None
        self.window = Window()
        self.recovery = Recovery(run)
        self.journal: Journal = NoJournal()
        self.drawn, self.saved = 0, -1  # images seen at the last grid, step of the last checkpoint
        self.pusher: Pusher | None = None
        self.best = best_of(run.recipe, run.out)
        self.processes = Processes(run.accelerator.process_index, run.processes, run.device)
        self.known_reals = FeatureCache(
            lambda places: run.images.at(list(places), run.recipe.seed).images,
            count=len(run.images),
            processes=self.processes,
            on_progress=run.stop.break_off,
        )

    def __enter__(self) -> Report:
        """Take the run's folder; UserError, on every process, if `take_folder` says so."""
        self.lock = self.by_main(self.take_folder)
        return self

    def take_folder(self) -> Lock:
        """Lock and mark the run's folder; UserError if another has it, or it holds what this run would replace."""
        check_place(self.run.out, self.run.recipe.data)
        lock = Lock(self.run.out)
        mark(self.run.out)
        return lock

    def __exit__(self, *error: object) -> None:
        self.journal.close()
        if self.lock is not None:
            self.lock.release()

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

    def resume(self) -> None:
        """Take up the last checkpoint, if there is one; then open the journal at that step and say what will run."""
        run = self.run
        last, damage = self.processes.broadcast(self.by_main(lambda: checkpoint.last_whole(run.out))) or (None, [])
        changed = run.load(last, self.allow_changes) if last is not None and last.is_dir() else []
        self.agree()
        if self.main:
            checkpoint.sweep(run.out)
        self.prepare()
        recipe_file = run.out / RECIPE
        if self.main:
            (run.out / "recipe.json").write_text(json.dumps(to_json(run.recipe), indent=1))
            recipe_file = write_recipe(run.out, to_python(run.recipe))
            trackers, config = run.recipe.trackers.values(), flat(to_json(run.recipe))
            at = {"step": run.step, "images_seen": run.images_seen}
            self.journal = Journal(run.out, run.recipe.total_kimg, trackers, config=config, **at)
        if run.recipe.hub_id:
            place = Place(run.recipe.hub_id, run.recipe.hub_private or None)
            self.pusher = self.by_main(lambda: Pusher(run.out, place, self.journal.say))
            for line in unsaid(run.recipe.hub_licence, run.recipe.about, "--hub-licence"):
                self.journal.say(f"WARNING: {line}")
        room = self.by_main(lambda: check_room(run))
        earlier = self.best.set_aside() if self.main and self.best else ""
        for line in (*introduction(run), *filter(None, (room, earlier)), f"the recipe in full: {recipe_file}"):
            self.journal.say(line)
        if last is not None:
            self.drawn, self.saved = run.images_seen, run.step
            for line in damage:
                self.journal.say(line)
            self.journal.say(f"going on from {last}: {self.progress()}")
            for line in changed:
                self.journal.say(f"changed: {line}")
            if self.due(run.recipe.metric_kimg):  # what a run that ended while measuring has not measured
                self.measure(but=self.processes.broadcast(self.journal.metrics_at(run.step)))
        else:
            if self.journal.file.exists():
                self.journal.say(f"{run.out} has a log and no checkpoint: the run starts from the beginning")
            self.journal.grid("reals", self.reals(run.recipe.sample_images)[0])
            self.grid()

    def agree(self) -> None:
        """UserError on every process if they do not stand at the same step: the folder must be one for all."""
        run = self.run
        steps = self.processes.all_gather(run.step)
        if len(set(steps)) > 1:
            raise UserError(
                f"processes go on from different steps {steps}: {run.out} must be a folder that all machines share;"
                " give one by --out."
            )

    def prepare(self) -> None:
        """Load what the metrics need; UserError, before a step is made, if one of them could not be measured."""
        data, recipe = self.data(), self.run.recipe
        for name, metric in recipe.metrics.items() if recipe.metric_kimg else ():
            with at(f"metrics.{name}", f"or train without it: --metrics.{name} none"):
                metric.prepare(data)

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        """Whatever is due after a step."""
        recipe = self.run.recipe
        for line in self.run.threads.look():
            self.journal.say(line)
        self.window.add(stats)
        self.recovery.after_step(stats)
        if self.due(recipe.log_kimg):
            self.check_folder()
            self.log()
        if self.due(recipe.sample_kimg):
            self.grid()
        if self.due(recipe.checkpoint_kimg):
            self.save()
        if recipe.hub_id and self.due(recipe.hub_kimg):
            self.share()
        if self.due(recipe.metric_kimg):  # after the checkpoint, which should not wait for hours of it
            self.measure()

    def due(self, interval: float) -> bool:
        """Whether the last step passed a multiple of `interval` kimg."""
        run = self.run
        return due(run.images_seen / 1000, (run.images_seen - run.images_per_step) / 1000, interval)

    def progress(self) -> str:
        """How far the run is."""
        return f"{self.run.images_seen / 1000:g} of {self.run.recipe.total_kimg:g} kimg"

    def finish(self) -> None:
        """The last of everything, and the model to share; of a run that was asked to stop, a checkpoint."""
        run = self.run
        if not run.done:
            return self.pause()
        self.log()
        if self.drawn != run.images_seen:
            self.grid()
        if self.saved != run.step:
            self.save()
        self.journal.plot()
        if self.main:
            for name, network in run.ema.mean.items():
                save_model(network, run.out / "model" / name)
        if self.pusher is not None:
            self.pusher.finish()
        self.journal.say(f"done: {run.images_seen / 1000:g} kimg; the model is {run.out / 'model'}")

    def share(self) -> None:
        """Push the run as it is now, in the background."""
        if self.saved != self.run.step:
            self.save()
        if self.pusher is not None:
            self.pusher.offer()

    def pause(self) -> None:
        """Save first of all: whoever asked the run to stop may not wait for more."""
        if self.saved != self.run.step:
            self.save()
        self.log()
        self.journal.say(f"stopped and saved: {self.progress()}, {checkpoint.latest(self.run.out)}")

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

    def log(self) -> None:
        """Means since the last log line, one transfer from the device; advice, and whether the run has diverged."""
        run, means = self.run, self.window.take()
        if not means:
            return
        state = {
            f"{n}/{key}": v for n, part in run.adaptive.items() for key, v in part.state_dict().items() if v.ndim == 0
        }
        streak = self.recovery.streak
        numbers = torch.stack([v.to(run.device) for v in (*means.values(), *state.values(), *streak.values())]).tolist()
        values = dict(zip([*means, *state], numbers[: len(means) + len(state)], strict=True))
        self.journal.log(run.images_seen, run.step, values | {"memory_gb": peak_memory(run.device)})
        for text in self.recovery.judge(values, dict(zip(streak, map(int, numbers[-len(streak) :]), strict=True))):
            self.journal.say(text)

    def roll_back(self) -> None:
        """Go back to the last good checkpoint; UserError if there is no way back."""
        said = self.recovery.roll_back()
        self.window = Window()
        self.drawn, self.saved = self.run.images_seen, self.run.step
        self.journal.rewind(self.run.images_seen, self.run.step)
        self.journal.say(said)

    def reals(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The first n images of the data's order [n, C, H, W] uint8, with labels [n, L]."""
        return self.run.images.at(list(range(n)), self.run.recipe.seed)

    def grid(self) -> None:
        """Samples of the mean generator, for the same latents and labels each time."""
        run, self.drawn = self.run, self.run.images_seen
        if not self.main:
            return
        count = run.recipe.sample_images
        labels = self.reals(count)[1]
        for name, network in run.ema.mean.items():
            fakes = sample(network, labels, count, run.recipe.seed)
            self.journal.grid("fakes" if len(run.ema.mean) == 1 else name, fakes, run.images_seen)
        self.journal.plot()

    def measure(self, but: Collection[str] = ()) -> None:
        """Every metric of the recipe `but` these, on samples that all processes share in making.

        A stop breaks it off; the run measures the rest when it goes on.
        """
        run, data = self.run, self.data()
        with suppress(Stopped):
            for name, metric in run.recipe.metrics.items():
                if name in but or run.stop.due_now():
                    continue
                values = metric.measure(data)
                self.journal.log(run.images_seen, run.step, {f"metric/{name}/{k}": v for k, v in values.items()})
        self.keep_best()

    def keep_best(self) -> None:
        """Keep the checkpoint of this step if the log says that it is the best so far by the recipe's `keep_best`."""
        if (best := self.best) is None:
            return
        value = self.processes.broadcast(self.by_main(lambda: best.better(self.run.step)))
        if value is None:
            return
        if self.saved != self.run.step:
            self.save()
        newest = checkpoint.latest(self.run.out)
        if self.main and newest is not None:
            self.journal.say(best.take(newest, value))

    def data(self) -> EvalData:
        """Samples of the mean generator as it is now, against the reals; nothing is made yet."""
        generator = next(iter(self.run.ema.mean.values()))
        reals = self.known_reals
        fakes = FeatureCache(
            lambda places: self.fakes(generator, places),
            processes=self.processes,
            on_progress=reals.on_progress,
            networks=reals.networks,
        )
        return EvalData(self.known_reals, fakes, generator, self.labels)

    def fakes(self, generator: Generator, places: range) -> Tensor:
        """Samples for these places, with the labels of the reals there [n, C, H, W] uint8."""
        return sample(generator, self.labels(places), len(places), self.run.recipe.seed + places.start)

    def labels(self, places: range) -> Tensor | None:
        """The labels of the reals at these places [n, L], if there are any."""
        run = self.run
        return run.images.at(list(places), run.recipe.seed).labels if run.spec.labels else None

    def save(self) -> None:
        """A checkpoint, by the main process; the others wait."""
        if self.main:
            self.run.save(self.recovery.unhealthy())
            self.journal.plot()
        self.saved = self.run.step
        with together():
            self.run.accelerator.wait_for_everyone()


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
        *([] if run.device.type == "cpu" else [in_use(run.device)]),
        *(f"{name}: {reason}" for name, reason in run.reasons.items()),
        *told(run.out, recipe.data),
        *run.notes,
    ]
