"""Checkpoints, and the model at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.play.callback import Callback
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


@callbacks.register("checkpoint")
@dataclass(kw_only=True)
class Checkpoint(Callback):
    """Save all that the run needs to go on; at the end, also the mean generator, to be shared, and the losses' plot."""

    every_kimg: float = 200.0
    """interval of checkpoints, thousands of reals; there is one at the end in any case"""

    def on_interval(self, trainer: Trainer) -> None:
        trainer.save()

    def end(self, trainer: Trainer) -> None:
        """Save a last checkpoint, and, of a run that is done, its running means as a model in the folder `model`."""
        from ggdr.saving.model import describe, save_model
        from ggdr.saving.pretrained import INDEX, translator_index

        trainer.save()
        trainer.journal.plot()
        run = trainer.run
        if run.done and trainer.main:
            for name, network in run.model().items():
                save_model(network, run.out / "model" / name)
            described = {name: describe(network) for name, network in run.model().items()}
            if index := translator_index(described, run.recipe.game, [*run.domains]):
                (run.out / "model" / INDEX).write_text(index, encoding="utf-8")
