"""A Callback: what a run does while it trains beside updating its networks, such as a log line or a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ggdr.errors import UserError, not_negative
from ggdr.lazy import Tensor
from ggdr.play.term import Turn
from ggdr.registry import Part, callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


class DiskUse(NamedTuple):
    """About how many bytes a callback writes to the run's folder."""

    checkpoint: int = 0
    """in each checkpoint"""
    files: int = 0
    """in all other files that stay, from here to the end of the run"""


@dataclass(kw_only=True)
class Callback(Part):
    """Something that happens while a run trains: write those of the methods below that it needs.

    Each is called on every process. `trainer.run` is all that the run is (`kimg`, `step`; `networks`, by name, and
    `ema.mean`, the running means of those that are the model; `images`, `domains`, `spec`, `recipe`, `out`; `seed`,
    which seeds torch for one purpose);
    `trainer.log(numbers)`, `trainer.say(line)` and `trainer.save()` do what they say. Whoever writes files does so
    where `trainer.main` is true: in the main process alone. A callback that draws random numbers changes nothing else:
    torch is seeded again before each micro-batch.
    """

    registry = callbacks
    every_kimg: float = 0.0
    """interval of `on_interval`, thousands of reals; 0: never"""

    def __post_init__(self) -> None:
        not_negative(self, "every_kimg")

    def prepare(self, trainer: Trainer) -> None:
        """UserError if it could not do its work; called before the run writes a file or makes a step."""

    def start(self, trainer: Trainer) -> None:
        """Called once before the first step; `trainer.resumed` says whether the run goes on from a checkpoint."""

    def after_update(self, turn: Turn, networks: Sequence[Any]) -> None:
        """Called after each update of a player, with whose turn it is and the networks that were updated."""

    def after_step(self, trainer: Trainer, stats: Mapping[str, Tensor]) -> None:
        """Called after each step with its means over the whole batch and all processes, tensors on the device.

        `stats` holds what `Adaptive.after_step` lists, and `grad/g`, `grad/d`, the norms of gradients. Reading one on
        the host (`float(...)`) makes the host wait for the device: do that on intervals.
        """

    def on_interval(self, trainer: Trainer) -> None:
        """Called after each step that passes a multiple of `every_kimg`."""

    def rolled_back(self, trainer: Trainer) -> None:
        """Called after a run that diverged has gone back to a checkpoint."""

    def end(self, trainer: Trainer) -> None:
        """Called at the end, and where the run is asked to stop before it: `trainer.run.done` says which."""

    def disk_use(self, trainer: Trainer) -> DiskUse:
        """Return about how much it will write, if that is much; called before `start`."""
        return DiskUse()

    def state_dict(self) -> dict[str, Tensor]:
        """Tensors that checkpoints keep, by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` gave, before `start`, and where the run goes back to a checkpoint."""
        if state:
            raise UserError(f"callback {self.name!r} keeps no state, and the checkpoint has {', '.join(state)} of it.")
