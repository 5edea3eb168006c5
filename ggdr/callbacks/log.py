"""Log lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.lazy import Tensor, torch
from ggdr.play.callback import Callback
from ggdr.play.stats import Window
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


@callbacks.register("log")
@dataclass(kw_only=True)
class Log(Callback):
    """Write what the steps measured, as means since the last line, with advice where a run goes wrong."""

    every_kimg: float = 1.0
    """interval of log lines, thousands of reals"""

    def start(self, trainer: Trainer) -> None:
        self.window = Window()

    def after_step(self, trainer: Trainer, stats: Mapping[str, Tensor]) -> None:
        self.window.add(stats)

    def on_interval(self, trainer: Trainer) -> None:
        trainer.check_folder()
        self.write(trainer)

    def rolled_back(self, trainer: Trainer) -> None:
        self.window = Window()

    def end(self, trainer: Trainer) -> None:
        self.write(trainer)

    def write(self, trainer: Trainer) -> None:
        """Write one line, by one transfer from the device, and have `trainer.recovery` judge its numbers."""
        from ggdr.training.memory import peak_memory

        run, means = trainer.run, self.window.take()
        if not means:
            return
        state = {
            f"{n}/{key}": v for n, part in run.adaptive.items() for key, v in part.state_dict().items() if v.ndim == 0
        }
        streak = trainer.recovery.streak
        numbers = torch.stack([v.to(run.device) for v in (*means.values(), *state.values(), *streak.values())]).tolist()
        values = dict(zip([*means, *state], numbers[: len(means) + len(state)], strict=True))
        trainer.log(values | run.scheduled() | {"memory_gb": peak_memory(run.device)})
        for text in trainer.recovery.judge(values, dict(zip(streak, map(int, numbers[-len(streak) :]), strict=True))):
            trainer.say(text)
