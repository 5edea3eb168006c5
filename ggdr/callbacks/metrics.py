"""Metrics while a run trains, and the checkpoint that is the best by one of them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import at
from ggdr.lazy import Tensor
from ggdr.play.callback import Callback
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData
    from ggdr.networks.base.module import Generator
    from ggdr.training.run import Run
    from ggdr.training.trainer import Trainer


@callbacks.register("metrics")
@dataclass(kw_only=True)
class MeasureMetrics(Callback):
    """Measure the recipe's metrics on samples of the mean generator, and keep the best checkpoint by one of them."""

    every_kimg: float = 200.0
    """interval of the metrics, thousands of reals; 0: none"""
    keep_best: str = ""
    """metric (or NAME/VALUE of one) whose best checkpoint stays, as checkpoints/best; empty: none"""

    def prepare(self, trainer: Trainer) -> None:
        """Load what the metrics need; UserError if one of them could not be measured, or nothing can be the best."""
        from ggdr.features.cache import FeatureCache
        from ggdr.training.best import best_of

        run = trainer.run
        self.best = best_of(self.keep_best, run.recipe.metrics, self.every_kimg, run.out)
        self.known_reals = FeatureCache(
            lambda places: run.images.at(list(places), run.recipe.seed).images,
            count=len(run.images),
            processes=trainer.processes,
            on_progress=run.stop.break_off,
        )
        data = self.data(trainer)
        for name, metric in run.recipe.metrics.items() if self.every_kimg else ():
            with at(f"metrics.{name}", f"or train without it: --metrics.{name} none"):
                metric.prepare(data)

    def start(self, trainer: Trainer) -> None:
        if trainer.main and self.best and (line := self.best.set_aside()):
            trainer.say(line)
        if trainer.resumed and trainer.due(self.every_kimg):  # what a run that ended while measuring has not measured
            self.measure(trainer, but=trainer.processes.broadcast(trainer.journal.metrics_at(trainer.run.step)))

    def on_interval(self, trainer: Trainer) -> None:
        self.measure(trainer)

    def measure(self, trainer: Trainer, but: Collection[str] = ()) -> None:
        """Every metric of the recipe `but` these, on samples that all processes share in making.

        A stop breaks it off; the run measures the rest when it goes on.
        """
        from ggdr.training.stopping import Stopped

        run, data = trainer.run, self.data(trainer)
        with suppress(Stopped):
            for name, metric in run.recipe.metrics.items():
                if name in but or run.stop.due_now():
                    continue
                values = metric.measure(data)
                trainer.log({f"metric/{name}/{k}": v for k, v in values.items()})
        self.keep(trainer)

    def keep(self, trainer: Trainer) -> None:
        """Keep the checkpoint of this step if the log says that it is the best so far by `keep_best`."""
        from ggdr.saving import checkpoint

        if (best := self.best) is None:
            return
        value = trainer.processes.broadcast(trainer.by_main(lambda: best.better(trainer.run.step)))
        if value is None:
            return
        trainer.save()
        newest = checkpoint.latest(trainer.run.out)
        if trainer.main and newest is not None:
            trainer.say(best.take(newest, value))

    def data(self, trainer: Trainer) -> EvalData:
        """Samples of the mean generator as it is now, against the reals; nothing is made yet."""
        from ggdr.features.cache import FeatureCache
        from ggdr.metrics.data import EvalData

        run, reals = trainer.run, self.known_reals
        generator = next(iter(run.ema.mean.values()))
        fakes = FeatureCache(
            lambda places: fakes_of(run, generator, places),
            processes=trainer.processes,
            on_progress=reals.on_progress,
            networks=reals.networks,
        )
        return EvalData(reals, fakes, generator, lambda places: labels_of(run, places))


def fakes_of(run: Run, generator: Generator, places: range) -> Tensor:
    """Samples for these places, with the labels of the reals there [n, C, H, W] uint8."""
    from ggdr.sampling import sample

    return sample(generator, labels_of(run, places), len(places), run.recipe.seed + places.start)


def labels_of(run: Run, places: range) -> Tensor | None:
    """The labels of the reals at these places [n, L], if there are any."""
    return run.images.at(list(places), run.recipe.seed).labels if run.spec.labels else None
