"""Sample grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import above_zero
from ggdr.play.callback import Callback, DiskUse
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


@callbacks.register("samples")
@dataclass(kw_only=True)
class SampleGrid(Callback):
    """Draw what the model makes into pictures, for the same latents, labels and inputs each time."""

    every_kimg: float = 50.0
    """interval of grids, thousands of reals; there is one at the start and one at the end in any case"""
    images: int = 64
    """images in a grid"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "images")

    def start(self, trainer: Trainer) -> None:
        """Draw the reals of each domain, and the first grid of each view, unless the run goes on."""
        from ggdr.sampling.grid import picture

        run = trainer.run
        self.drawn = run.images_seen
        if trainer.resumed:
            return
        if trainer.main:
            batch = run.batch_at(range(self.images), run.images)
            for name, reals in batch.items():
                shown = picture(reals.images, run.domains[name].classes)
                trainer.journal.grid("reals" if len(batch) == 1 else f"reals_{name}", shown)
        self.on_interval(trainer)

    def disk_use(self, trainer: Trainer) -> DiskUse:
        run, spec = trainer.run, trainer.run.spec
        left = max(run.recipe.total_kimg - run.kimg, 0) / self.every_kimg if self.every_kimg else 0
        return DiskUse(files=round(left * self.images * spec.height * spec.width * spec.channels))

    def on_interval(self, trainer: Trainer) -> None:
        """Draw samples/VIEW-KIMG.png of each view of the game, such as fakes; the main process alone does.

        Where images are made of images, a row holds the input, the output and what the view has beside them.
        """
        from ggdr.sampling import show
        from ggdr.sampling.grid import picture, side_by_side

        run, self.drawn = trainer.run, trainer.run.images_seen
        if not trainer.main:
            return
        for name, view in run.views().items():
            columns = show(view, run.seen_by(view, range(self.images)), run.recipe.seed)
            classes = {"input": view.source and run.domains[view.source].classes}
            shown = [picture(images, classes.get(column) or 0) for column, images in columns.items()]
            if len(shown) > 1:
                trainer.journal.grid(name, side_by_side(shown), run.images_seen, rows_of=len(shown))
            else:
                trainer.journal.grid(name, shown[0].cpu(), run.images_seen)
        trainer.journal.plot_if_due()

    def rolled_back(self, trainer: Trainer) -> None:
        self.drawn = trainer.run.images_seen

    def end(self, trainer: Trainer) -> None:
        if trainer.run.done and self.drawn != trainer.run.images_seen:
            self.on_interval(trainer)
