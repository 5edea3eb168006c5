"""Recovery: whether a run has diverged, and its way back to the last checkpoint that was made while it was well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ggdr.errors import Diverged
from ggdr.processes import together
from ggdr.saving import checkpoint
from ggdr.training.health import Health
from ggdr.training.run import Run


def new_health(run: Run) -> Health:
    """What has seen nothing yet; logits that do not learn rank nothing."""
    loss = run.recipe.loss
    return Health(loss.ranks and loss.trains_logits_of(run.recipe.discriminator))


class Recovery:
    """What one run's numbers say of its state; the same on every process."""

    def __init__(self, run: Run):
        self.run, self.health = run, new_health(run)
        self.streak = {turn: torch.zeros([], device=run.device) for turn in run.players}
        self.diverged = ""  # why the run is past help, if it is
        self.returned: Path | None = None  # the checkpoint of the last rollback

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        """Count the steps in a row whose gradients were not finite, on the device."""
        for turn, streak in self.streak.items():
            streak.add_(1).mul_((stats[f"nonfinite/{turn}"] > 0).float())

    def judge(self, values: Mapping[str, float], streaks: Mapping[str, int]) -> list[str]:
        """Advice on one log line's numbers, mostly none; `diverged` says from then on whether the run is past help."""
        recipe, advice = self.run.recipe, self.health.advice({"kimg": self.run.images_seen / 1000, **values})
        broken = [
            f"the last {streak} gradients of {turn.upper()} were not finite and were skipped"
            for turn, streak in streaks.items()
            if streak >= recipe.nonfinite_limit
        ]
        # From a collapse a run may recover by itself, so it ends none that may not go back.
        self.diverged = " and ".join(broken + (self.health.unhealthy if recipe.rollbacks else []))
        return advice

    def unhealthy(self) -> list[str]:
        """Why a checkpoint that is made now is no good one; nothing if it is."""
        return [f"gradients of {t.upper()} are not finite" for t, streak in self.streak.items() if streak > 0] + (
            self.health.unhealthy
        )

    def roll_back(self) -> str:
        """Go back to the last good checkpoint, slower; what was done. Diverged if there is no way back."""
        run, good = self.run, checkpoint.healthy_checkpoints(self.run.out)
        if good[1:] and good[-1] == self.returned:
            good.pop()  # from there it diverged before
        if run.rollbacks >= run.recipe.rollbacks or not good:
            raise Diverged(self.give_up(good))
        why, self.returned, rollbacks = self.diverged, good[-1], run.rollbacks + 1
        with together():
            run.accelerator.wait_for_everyone()  # all have seen what is there
        if run.accelerator.is_main_process:
            checkpoint.remove_after(run.out, after=self.returned)
        run.load(self.returned, allow_changes=True)  # those were allowed when the run went on
        run.slow_down(rollbacks)
        self.health, self.diverged = new_health(run), ""
        for streak in self.streak.values():
            streak.zero_()
        rate = f"{run.recipe.rollback_lr**rollbacks:g} of their learning rates"
        return f"{why}: back to {self.returned}, both players at {rate} from here on"

    def give_up(self, good: list[Path]) -> str:
        """What to say when a run is past help."""
        kept = f"the last good checkpoint is {good[-1]}" if good else "there is no good checkpoint"
        went = f" after {self.run.rollbacks} rollbacks" if self.run.rollbacks else ""
        return (
            f"{self.diverged}{went}; {kept}. Try lower learning rates (--g-optimizer.lr, --d-optimizer.lr), a larger"
            f" weight of r1, --precision fp32, or more --rollbacks than {self.run.recipe.rollbacks}."
        )
