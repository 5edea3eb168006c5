"""Metrics while a run trains, and the checkpoint that is the best by one of them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from ggdr.errors import at
from ggdr.lazy import Tensor
from ggdr.play.callback import Callback
from ggdr.registry import Capability, callbacks
from ggdr.seeding import seed_of

if TYPE_CHECKING:
    from ggdr.features.cache import FeatureCache
    from ggdr.features.segmenter import Segmenter
    from ggdr.metrics.base import Metric
    from ggdr.metrics.data import EvalData, Rows
    from ggdr.play.view import View
    from ggdr.training.run import Run
    from ggdr.training.trainer import Trainer


@callbacks.register("metrics")
@dataclass(kw_only=True)
class MeasureMetrics(Callback):
    """Measure the recipe's metrics on what the model makes, and keep the best checkpoint by one of them."""

    every_kimg: float = 200.0
    """interval of the metrics, thousands of reals; 0: none"""
    keep_best: str = ""
    """metric (or NAME/VALUE of one) whose best checkpoint stays, as checkpoints/best; empty: none"""

    def prepare(self, trainer: Trainer) -> None:
        """Load what the metrics need; UserError if one of them could not be measured, or nothing can be the best."""
        from ggdr.training.best import best_of

        run = trainer.run
        self.best = best_of(self.keep_best, run.recipe.metrics, self.every_kimg, run.out)
        self.known_reals: dict[tuple[str, bool], FeatureCache] = {}
        self.segmenter = cache(lambda: segmenter_of(trainer))
        views = self.data(trainer)
        for name, metric in run.recipe.metrics.items() if self.every_kimg else ():
            for _, data in told_by(metric, views):
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
        """Every metric of the recipe `but` these, of each view, on images that all processes share in making.

        A stop breaks it off; the run measures the rest when it goes on.
        """
        from ggdr.training.stopping import Stopped

        run, views = trainer.run, self.data(trainer)
        with suppress(Stopped):
            for name, metric in run.recipe.metrics.items():
                if name in but or run.stop.due_now():
                    continue
                values = {of: metric.measure(data) for of, data in told_by(metric, views)}
                trainer.log({f"metric/{name}/{of}{key}": v for of, each in values.items() for key, v in each.items()})
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

    def data(self, trainer: Trainer) -> list[tuple[str, EvalData]]:
        """What each view of the model as it is now makes, against the reals, after what its numbers' names begin with.

        Nothing is made yet. Where a game has one view, that is nothing.
        """
        views = trainer.run.views()
        return [(f"{name}/" if len(views) > 1 else "", self.of_view(trainer, view)) for name, view in views.items()]

    def of_view(self, trainer: Trainer, view: View) -> EvalData:
        """The data of one view's metrics."""
        from ggdr.data.reading.labelled import map_domain, with_labels
        from ggdr.features.cache import FeatureCache
        from ggdr.metrics.data import EvalData, Rows
        from ggdr.sampling import make

        run, reals = trainer.run, self.reals_of(trainer, view)
        held_out = run.recipe.data.held_out()

        def made(seed: int) -> FeatureCache:
            """What the view makes, under the draws of a seed."""
            return FeatureCache(
                lambda places: make(view, run.seen_by(view, places), seed + places.start, run.domains[view.target]),
                count=None if view.source is None else run.shown.count(view.source),
                processes=trainer.processes,
                on_progress=reals.on_progress,
                networks=reals.networks,
            )

        fakes, other_draws = made(run.recipe.seed), None
        if view.way is not None:
            other_draws = made(seed_of(run.recipe.seed, "other_draws")) if view.way.draws else fakes

        def both_parts() -> tuple[Rows, Rows]:
            """What is learnt from and what is held out."""
            assert held_out is not None
            return Rows(*with_labels(run.images)), Rows(*with_labels(held_out.open()))

        found = EvalData(
            reals,
            fakes,
            view.generator,
            lambda places: labels_of(run, view, places),
            truth=reals if view.paired else None,
            other_draws=other_draws,
            both_parts=both_parts if held_out else None,
        )
        if view.source is None or view.source != map_domain(run.shown):
            return found
        return found._replace(maps=lambda places: maps_at(run, places), segmenter=self.segmenter)

    def reals_of(self, trainer: Trainer, view: View) -> FeatureCache:
        """The images that a view's are to resemble, with the features that are known already."""
        from ggdr.features.cache import FeatureCache

        run, shared = trainer.run, next(iter(self.known_reals.values()), None)
        images = run.images if view.source is None else run.shown
        key = view.target, view.source is None
        if key not in self.known_reals:
            self.known_reals[key] = FeatureCache(
                lambda places: images.domain_batches(list(places), run.recipe.seed)[view.target].images,
                count=images.count(view.target),
                processes=trainer.processes,
                on_progress=run.stop.break_off,
                networks=None if shared is None else shared.networks,
            )
        return self.known_reals[key]


def told_by(metric: Metric, views: list[tuple[str, EvalData]]) -> list[tuple[str, EvalData]]:
    """The views that have what a metric requires, such as a truth; all of them where none has, so that it says so."""

    def has(data: EvalData) -> bool:
        """Whether it is there."""
        there = {Capability.TRUTH: data.truth, Capability.GENERATOR: data.generator}
        return all(there[need] is not None for need in metric.requires & there.keys())

    return [each for each in views if has(each[1])] or views


def maps_at(run: Run, places: range) -> Tensor:
    """The label maps [n, H, W] at these places, as numbers of classes."""
    from ggdr.data.reading.labelled import map_domain

    return run.shown.domain_batches(list(places), run.recipe.seed)[map_domain(run.shown)].images[:, 0]


def segmenter_of(trainer: Trainer) -> Segmenter:
    """The segmenter of the pairs that the run learns from, trained now if it is not kept."""
    from ggdr.data.reading.labelled import labelled_images
    from ggdr.features.segmenter import find_segmenter

    run = trainer.run
    say = partial(print, flush=True) if trainer.main else lambda line: None  # the journal is not open yet
    return find_segmenter(labelled_images(run.images), run.device, say)


def labels_of(run: Run, view: View, places: range) -> Tensor | None:
    """The labels of the reals at these places [n, L], if there are any."""
    return run.seen_by(view, places)[view.target].labels if run.spec.labels else None
