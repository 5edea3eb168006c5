"""Sample grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import above_zero
from ggdr.play.callback import Callback
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


@callbacks.register("samples")
@dataclass(kw_only=True)
class SampleGrid(Callback):
    """Draw samples of the mean generator into one picture, for the same latents and labels each time."""

    every_kimg: float = 50.0
    """interval of grids, thousands of reals; there is one at the start and one at the end in any case"""
    images: int = 64
    """images in a grid"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "images")

    def start(self, trainer: Trainer) -> None:
        self.drawn = trainer.run.images_seen
        if not trainer.resumed:
            run = trainer.run
            trainer.journal.grid("reals", run.images.at(list(range(self.images)), run.recipe.seed).images)
            self.on_interval(trainer)

    def on_interval(self, trainer: Trainer) -> None:
        """Draw samples/fakes-KIMG.png, of several generators samples/NAME-KIMG.png; the main process alone does."""
        from ggdr.sampling import sample

        run, self.drawn = trainer.run, trainer.run.images_seen
        if not trainer.main:
            return
        labels = run.images.at(list(range(self.images)), run.recipe.seed).labels
        for name, network in run.ema.mean.items():
            fakes = sample(network, labels, self.images, run.recipe.seed)
            trainer.journal.grid("fakes" if len(run.ema.mean) == 1 else name, fakes, run.images_seen)
        trainer.journal.plot()

    def rolled_back(self, trainer: Trainer) -> None:
        self.drawn = trainer.run.images_seen

    def end(self, trainer: Trainer) -> None:
        if trainer.run.done and self.drawn != trainer.run.images_seen:
            self.on_interval(trainer)
