"""Random draws for a batch: each image's transform fires with the probability p."""

from __future__ import annotations

from typing import NamedTuple

from ggdr.lazy import Tensor, torch


class Chance(NamedTuple):
    """Draws from torch's global generator of the batch's device."""

    image: Tensor
    """[N, C, H, W], for its size, device and dtype alone"""
    p: Tensor
    """probability of each transform, scalar in [0, 1]"""

    def uniform(self, *shape: int, low: float = -1.0, high: float = 1.0) -> Tensor:
        """[N, *shape], evenly from [low, high)."""
        unit = torch.rand(len(self.image), *shape, device=self.image.device, dtype=self.image.dtype)
        return low + (high - low) * unit

    def normal(self, *shape: int) -> Tensor:
        """[N, *shape] from N(0, 1)."""
        return torch.randn(len(self.image), *shape, device=self.image.device, dtype=self.image.dtype)

    def whole(self, count: int) -> Tensor:
        """[N] whole numbers from 0 to count - 1, all as likely."""
        return self.uniform(low=0, high=count).floor()

    def sometimes(self, value: Tensor, otherwise: float) -> Tensor:
        """`value` [N, *shape] with probability p, each image for itself; else `otherwise`."""
        fires = self.uniform(*[1] * (value.dim() - 1), low=0) < self.p
        return torch.where(fires, value, otherwise)

    def each(self, value: Tensor, otherwise: float, p: Tensor | None = None) -> Tensor:
        """Like `sometimes`, each entry of `value` [N, *shape] for itself, with its own probability where given."""
        fires = self.uniform(*value.shape[1:], low=0) < (self.p if p is None else p)
        return torch.where(fires, value, otherwise)
