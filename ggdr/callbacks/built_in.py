"""The callbacks that every run has, set by fields of the recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggdr.callbacks.checkpoint import Checkpoint
from ggdr.callbacks.log import Log
from ggdr.callbacks.metrics import MeasureMetrics
from ggdr.callbacks.push import PushToHub
from ggdr.callbacks.samples import SampleGrid
from ggdr.errors import UserError
from ggdr.play.callback import Callback

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


def built_in(recipe: Recipe) -> dict[str, Callback]:
    """Log lines, sample grids, checkpoints, pushes and metrics, by name, in the order in which they are due."""
    found: dict[str, Callback] = {
        "log": Log(every_kimg=recipe.log_kimg),
        "samples": SampleGrid(every_kimg=recipe.sample_kimg, images=recipe.sample_images),
        "checkpoint": Checkpoint(every_kimg=recipe.checkpoint_kimg),
    }
    if recipe.hub_id:
        found["push"] = PushToHub(
            every_kimg=recipe.hub_kimg, repo_id=recipe.hub_id, private=recipe.hub_private, licence=recipe.hub_licence
        )
    # After the checkpoint, which should not wait for hours of it.
    found["metrics"] = MeasureMetrics(every_kimg=recipe.metric_kimg, keep_best=recipe.keep_best)
    return found


def callbacks_of(recipe: Recipe) -> dict[str, Callback]:
    """All callbacks of a run: built-in ones, those its terms ask for, the recipe's own; UserError if names clash."""
    found = built_in(recipe)
    for name, term in recipe.terms().items():
        found |= {f"{name}.{key}": callback for key, callback in term.callbacks().items()}
    if taken := sorted(found.keys() & recipe.callbacks.keys()):
        raise UserError(
            f"a callback is called {taken[0]!r}, as one that every run has; give it another name, such as"
            f" --callbacks.my_{taken[0]} {recipe.callbacks[taken[0]].name}."
        )
    return found | recipe.callbacks
