"""A running mean that is gathered pass by pass and taken once a step."""

from __future__ import annotations

import torch
from torch import Tensor


class RunningMean:
    """The mean of the tensors that were added since it was last taken."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.count: Tensor | None = None  # a tensor: a compiled network would be compiled again for each number

    def add(self, value: Tensor) -> None:
        """Add a tensor of the shape of those before; no gradient flows into it."""
        value = value.detach()
        if self.total is None or self.count is None:
            self.total, self.count = value, torch.ones([], device=value.device)
        else:
            self.total, self.count = self.total + value, self.count + 1

    def take(self) -> Tensor | None:
        """Return the mean and start again; None if nothing was added."""
        total, count = self.total, self.count
        self.total = self.count = None
        return None if total is None or count is None else total / count


def replace_nonfinite(new: Tensor, old: Tensor) -> Tensor:
    """Return `new` in the dtype of `old`, with `old` where `new` is not finite: one bad pass must not stay for good."""
    new = new.to(old.dtype)
    return torch.where(new.isfinite(), new, old)
