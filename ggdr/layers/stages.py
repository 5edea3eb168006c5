"""Stages: the parts of a network that work at one resolution each, of which low ones may keep float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn

from ggdr.ops.precision import at_least_float32, compute_dtype, without_autocast


class Staged(nn.Module):
    """A network, or a part of one, that runs its stages by `run_stage`."""

    float32_below: int = 0
    """Height of maps, pixels: stages below it compute in float32 where autocast has the others in fewer bits."""

    def run_stage(self, resolution: int, stage: nn.Module, x: Tensor | None, *others: Any) -> Any:
        """Return stage(x, *others) in the precision of a resolution, the height in pixels of the maps it works at.

        x [N, C, H, W]: the maps of the stage before, None for the first, which arrive in that precision; `others` that
        are tensors become float32 in a stage that keeps float32, and stay as they are elsewhere.
        """
        if not self.float32_below:
            return stage(x, *others)
        if resolution >= self.float32_below:
            return stage(None if x is None else x.to(compute_dtype(x)), *others)
        given = [at_least_float32(each) if isinstance(each, Tensor) else each for each in (x, *others)]
        with self.stage_precision(resolution):
            return stage(*given)

    def stage_precision(self, resolution: int) -> AbstractContextManager:
        """Return a context in which what belongs to a resolution computes."""
        return without_autocast(next(self.parameters())) if resolution < self.float32_below else nullcontext()


def keep_float32_below(network: nn.Module, resolution: int) -> None:
    """Let the stages of a network whose maps are lower than `resolution`, pixels, compute in float32 throughout."""
    for part in network.modules():
        if isinstance(part, Staged):
            part.float32_below = resolution
