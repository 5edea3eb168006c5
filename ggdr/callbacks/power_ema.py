"""Running means with power-function profiles, kept beside the model's, of which any other is reconstructed later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import UserError, setting
from ggdr.lazy import Tensor, torch
from ggdr.ops.power_function import check_sigma_rel
from ggdr.play.callback import Callback, DiskUse
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.ema import PowerFunctionEMA
    from ggdr.training.trainer import Trainer

BEGAN = "began"
"""name of the state that says after how many images the means began"""


@callbacks.register("power_ema", paper="2312.02696")
@dataclass(kw_only=True)
class PowerEMA(Callback):
    """Keep running means with profiles t^gamma, for `ggdr ema` to make any other of (Karras et al. 2024, section 3).

    Each mean is a copy of G's weights, in the main process and in checkpoints; snapshots of all of them lie in the
    run's folder as ema/STEP and stay. Two widths and 16 snapshots reconstruct those from 0.02 to 0.25.
    """

    every_kimg: float = 200.0
    """interval of snapshots, thousands of reals; there is one at the end in any case"""
    sigma_rel: tuple[float, ...] = (0.05, 0.1)
    """widths of the profiles, standard deviations as a share of the run, each above 0 and at most 0.2886"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for sigma_rel in self.sigma_rel:
            check_sigma_rel("sigma_rel", sigma_rel)
        if not self.sigma_rel or len(set(self.sigma_rel)) < len(self.sigma_rel):
            raise UserError(f"{setting('sigma_rel')} is {self.sigma_rel}; give at least one width, and each once.")
        self.means: dict[float, PowerFunctionEMA] = {}  # by width; on other processes than the main one, of nothing
        self.began = 0  # images that had been seen when they began
        self.found: dict[str, Tensor] = {}  # of a checkpoint, until the means are there to take it

    def start(self, trainer: Trainer) -> None:
        """Begin the means, set aside snapshots of an earlier run, and say what memory and disk they take."""
        from ggdr.saving import ema_snapshots
        from ggdr.training.place import megabytes

        self.begin(trainer)
        if not trainer.main:
            return
        run = trainer.run
        if not trainer.resumed and (kept := ema_snapshots.set_aside(run.out)):
            trainer.say(f"the snapshots of what went before are now in {kept}")
        ema_snapshots.remove_after(run.out, run.step)
        one, files = self.disk_use(trainer)
        trainer.say(
            f"{self.name}: {len(self.means)} means of G take {megabytes(one)} MB, of memory, of each checkpoint and of"
            f" each snapshot in {run.out / ema_snapshots.FOLDER}, {megabytes(files)} MB more by the end"
        )

    def disk_use(self, trainer: Trainer) -> DiskUse:
        from ggdr.training.place import size

        run, every = trainer.run, self.every_kimg
        weights = (tensor for network in run.ema.live.values() for tensor in network.state_dict().values())
        one, total = len(self.sigma_rel) * sum(map(size, weights)), run.recipe.total_kimg
        left = math.ceil(total / every - 1e-9) - math.floor(run.kimg / every + 1e-9) if every else run.kimg < total
        return DiskUse(one, one * max(left, 0))

    def begin(self, trainer: Trainer) -> None:
        """Take up the means where the checkpoint left them; where it has none of these widths, begin at this step."""
        from ggdr.training.ema import PowerFunctionEMA

        run, found, self.found = trainer.run, self.found, {}
        self.began = int(found.get(BEGAN, run.images_seen))
        states = {width: within(found, f"{width:g}") for width in self.sigma_rel}
        if not all(states.values()):
            if run.images_seen:
                trainer.say(
                    f"{self.name}: the means begin at {run.kimg:g} kimg: the checkpoint has none of these widths"
                )
            self.began, states = run.images_seen, {}
        live = run.ema.live if trainer.main else {}
        self.means = {width: PowerFunctionEMA(live, width, self.began) for width in self.sigma_rel}
        for width, state in states.items():
            for name, network in self.means[width].mean.items():
                network.load_state_dict(within(state, name))
        self.written = -1

    def after_step(self, trainer: Trainer, stats: Mapping[str, Tensor]) -> None:
        run = trainer.run
        for mean in self.means.values():
            mean.update(run.images_per_step, run.images_seen - run.images_per_step)

    def on_interval(self, trainer: Trainer) -> None:
        """Write a snapshot; the main process alone does."""
        from ggdr.saving import ema_snapshots

        run = trainer.run
        if not trainer.main or self.written == run.step:
            return
        networks = {width: mean.mean for width, mean in self.means.items()}
        ema_snapshots.write(run.out, run.step, run.images_seen, self.began, networks)
        self.written = run.step

    def rolled_back(self, trainer: Trainer) -> None:
        from ggdr.saving import ema_snapshots

        self.begin(trainer)
        if trainer.main:
            ema_snapshots.remove_after(trainer.run.out, trainer.run.step)

    def end(self, trainer: Trainer) -> None:
        if trainer.run.done:
            self.on_interval(trainer)

    def state_dict(self) -> dict[str, Tensor]:
        state = {
            f"{width:g}/{name}/{key}": tensor
            for width, mean in self.means.items()
            for name, network in mean.mean.items()
            for key, tensor in network.state_dict().items()
        }
        return state | {BEGAN: torch.tensor(self.began)} if state else {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.found = dict(state)


def within(state: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    """What a state holds under a name, by the rest of its keys."""
    return {key.removeprefix(f"{head}/"): tensor for key, tensor in state.items() if key.startswith(f"{head}/")}
