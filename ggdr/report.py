"""A Report: what a run says and leaves behind while it trains, each at its own interval."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from torch import Tensor

from ggdr import checkpoint
from ggdr.evidence import Evidence, ImageSet, Team
from ggdr.journal import Journal, NoJournal
from ggdr.memory import peak_memory
from ggdr.model import save_model
from ggdr.network import Generator
from ggdr.recipe_files import flat, to_json, to_python
from ggdr.recovery import Recovery
from ggdr.run import Run
from ggdr.sampling import sample
from ggdr.schedule import due


class Report:
    """Log lines, grids, metrics and checkpoints of a run. Every process has one; the main process's writes."""

    def __init__(self, run: Run):
        self.run, self.main = run, run.accelerator.is_main_process
        self.window: list[Mapping[str, Tensor]] = []
        self.recovery = Recovery(run)
        self.journal: Journal = NoJournal()
        self.drawn, self.saved = 0, -1  # images seen at the last grid, step of the last checkpoint
        self.team = Team(run.accelerator.process_index, run.processes, run.device)
        self.known_reals = ImageSet(
            lambda places: run.images.at(list(places), run.recipe.seed).images, count=len(run.images), team=self.team
        )

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *error: object) -> None:
        self.journal.close()

    def resume(self) -> None:
        """Take up the last checkpoint, if there is one; then open the journal at that step and say what will run."""
        run = self.run
        if (last := checkpoint.latest(run.out)) is not None:
            changed = run.load(last)
        self.agree()
        self.prepare()
        if self.main:
            run.out.mkdir(parents=True, exist_ok=True)
            (run.out / "recipe.json").write_text(json.dumps(to_json(run.recipe), indent=1))
            (run.out / "recipe.py").write_text(to_python(run.recipe))
            trackers, config = run.recipe.trackers.values(), flat(to_json(run.recipe))
            at = {"step": run.step, "images_seen": run.images_seen}
            self.journal = Journal(run.out, run.recipe.total_kimg, trackers, config=config, **at)
        for line in (*introduction(run), f"the recipe in full: {run.out / 'recipe.py'}"):
            self.journal.say(line)
        if last is not None:
            self.drawn, self.saved = run.images_seen, run.step
            self.journal.say(f"going on from {last}: {run.images_seen / 1000:g} of {run.recipe.total_kimg:g} kimg")
            for line in changed:
                self.journal.say(f"changed: {line}")
        else:
            self.journal.grid("reals", self.reals(run.recipe.grid_images)[0])
            self.grid()

    def agree(self) -> None:
        """ValueError on every process if they do not stand at the same step: the folder must be one for all."""
        run = self.run
        steps = run.accelerator.gather(torch.tensor([run.step], device=run.device)).tolist()
        if len(set(steps)) > 1:
            raise ValueError(
                f"processes go on from different steps {steps}: {run.out} must be a folder that all machines share;"
                " give one by --out."
            )

    def prepare(self) -> None:
        """Load what the metrics need; ValueError, before a step is made, if one of them could not be measured."""
        evidence, recipe = self.evidence(), self.run.recipe
        for name, metric in recipe.metrics.items() if recipe.metric_kimg else ():
            try:
                metric.prepare(evidence)
            except ValueError as error:
                reason = str(error).rstrip(".").replace("metrics.NAME.", f"metrics.{name}.")
                raise ValueError(f"{reason}; or train without it: --metrics.{name} none.") from error

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        """Whatever is due after a step."""
        run, recipe = self.run, self.run.recipe
        self.window.append(stats)
        self.recovery.after_step(stats)
        now, before = run.images_seen / 1000, (run.images_seen - run.images_per_step) / 1000
        if due(now, before, recipe.log_kimg):
            self.log()
        if due(now, before, recipe.grid_kimg):
            self.grid()
        if due(now, before, recipe.metric_kimg):
            self.measure()
        if due(now, before, recipe.checkpoint_kimg):
            self.save()

    def finish(self) -> None:
        """The last of everything, and the model to share."""
        run = self.run
        self.log()
        if self.drawn != run.images_seen:
            self.grid()
        if self.saved != run.step:
            self.save()
        self.journal.plot()
        if self.main:
            for name, network in run.ema.mean.items():
                save_model(network, run.out / "model" / name)
        self.journal.say(f"done: {run.images_seen / 1000:g} kimg; the model is {run.out / 'model'}")

    def log(self) -> None:
        """Means since the last log line, one transfer from the device; advice, and whether the run has diverged."""
        if not self.window:
            return
        run, names = self.run, sorted({name for stats in self.window for name, v in stats.items() if v.numel() == 1})
        state = {
            f"{n}/{key}": v for n, part in run.adaptive.items() for key, v in part.state_dict().items() if v.ndim == 0
        }
        means = [torch.stack([stats[name] for stats in self.window if name in stats]).mean() for name in names]
        streak = self.recovery.streak
        numbers = torch.stack([v.to(run.device) for v in (*means, *state.values(), *streak.values())]).tolist()
        values = dict(zip([*names, *state], numbers[: len(names) + len(state)], strict=True))
        self.window.clear()
        self.journal.log(run.images_seen, run.step, values | {"memory_gb": peak_memory(run.device)})
        for text in self.recovery.judge(values, dict(zip(streak, map(int, numbers[-len(streak) :]), strict=True))):
            self.journal.say(text)

    def roll_back(self) -> None:
        """Go back to the last good checkpoint; ValueError if there is no way back."""
        said = self.recovery.roll_back()
        self.window.clear()
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
        count = run.recipe.grid_images
        labels = self.reals(count)[1]
        for name, network in run.ema.mean.items():
            fakes = sample(network, labels, count, run.recipe.seed)
            self.journal.grid("fakes" if len(run.ema.mean) == 1 else name, fakes, run.images_seen)
        self.journal.plot()

    def measure(self) -> None:
        """Every metric of the recipe, on samples that all processes share in making."""
        run, evidence = self.run, self.evidence()
        for name, metric in run.recipe.metrics.items():
            values = metric.measure(evidence)
            self.journal.log(run.images_seen, run.step, {f"metric/{name}/{k}": v for k, v in values.items()})

    def evidence(self) -> Evidence:
        """Samples of the mean generator as it is now, against the reals; nothing is made yet."""
        generator = next(iter(self.run.ema.mean.values()))
        fakes = ImageSet(lambda places: self.fakes(generator, places), team=self.team, loaded=self.known_reals.loaded)
        return Evidence(self.known_reals, fakes, generator, self.labels)

    def fakes(self, generator: Generator, places: range) -> Tensor:
        """Samples for these places, with the labels of the reals there [n, C, H, W] uint8."""
        return sample(generator, self.labels(places), len(places), self.run.recipe.seed + places.start)

    def labels(self, places: range) -> Tensor | None:
        """The labels of the reals at these places [n, L], if there are any."""
        run = self.run
        return run.images.at(list(places), run.recipe.seed).labels if run.brief.labels else None

    def save(self) -> None:
        """A checkpoint, by the main process; the others wait."""
        if self.main:
            self.run.save(self.recovery.ill())
            self.journal.plot()
        self.saved = self.run.step
        self.run.accelerator.wait_for_everyone()


def introduction(run: Run) -> list[str]:
    """What will run, in a few lines."""
    recipe, brief = run.recipe, run.brief
    size = f"{brief.height} x {brief.width} px, {brief.channels} channels"
    networks = ", ".join(f"{name} {count / 1e6:.3g} M weights" for name, count in run.sizes.items())
    rhythm = ", ".join(f"{phase.name} ({', '.join(phase.terms)})" for phase in run.phases)
    where = f"{run.processes} x {run.device.type}"
    return [
        f"{recipe.data.name}: {len(run.images):,} images of {size}, {brief.labels or 'no'} labels",
        f"{networks}; phases of a step: {rhythm}",
        f"batch {recipe.batch} on {where}, micro-batch {run.micro_batch}, {recipe.precision}",
        *(f"{name}: {reason}" for name, reason in run.reasons.items()),
        *run.notes,
    ]
