"""The mean style of each class, followed while a generator trains, which truncation pulls towards."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.statistics import RunningMean, replace_nonfinite


class ClassMeans(nn.Module):
    """Running means of styles: of each class, or of all where labels are no classes."""

    w_avg: Tensor
    """[classes, width]"""

    def __init__(self, classes: int, width: int, beta: float):
        """Build the means of as many classes, 1: of all styles.

        `beta`: the share of a mean that each of a step's two passes leaves as it was.
        """
        super().__init__()
        self.beta, self.classes = beta, classes
        self.register_buffer("w_avg", torch.zeros(classes, width))
        self.seen = RunningMean()

    def shares(self, w: Tensor, labels: Tensor | None) -> Tensor:
        """Return each sample's share of each class [N, classes], for styles w [N, width] and labels [N, L]."""
        return w.new_ones(w.shape[0], 1) if self.classes == 1 or labels is None else labels.to(w.dtype)

    def record(self, w: Tensor, labels: Tensor | None) -> None:
        """Record styles w [N, width] until they are measured."""
        w = w.detach()
        shares = self.shares(w, labels)
        self.seen.add(torch.cat([shares.T @ w, shares.sum(dim=0)[:, None]], dim=1) / w.shape[0])

    def truncate(self, ws: Tensor, labels: Tensor | None, psi: float | Tensor, cutoff: int | None = None) -> Tensor:
        """Pull ws [N, L, width], its first `cutoff` codes (None: all), towards the mean of their class by 1 - psi."""
        if not isinstance(psi, Tensor) and psi == 1:
            return ws
        centre = (self.shares(ws[:, 0], labels) @ self.w_avg)[:, None]
        return torch.cat([centre.lerp(ws[:, :cutoff], psi), ws[:, ws.shape[1] if cutoff is None else cutoff :]], dim=1)

    def measure(self) -> dict[str, Tensor]:
        """Return what was recorded since the last call, if anything was: `w_sums` [classes, width + 1].

        Means over the batch of each class's styles, zero where a sample is of another, and last the class's share.
        """
        found = self.seen.take()
        return {} if found is None else {"w_sums": found}

    def follow(self, sums: Tensor) -> None:
        """Move the mean of each class that a step has seen towards the step's; `sums`: as `measure` has them."""
        share = sums[:, -1:]
        seen = share > 0
        mean = sums[:, :-1] / torch.where(seen, share, torch.ones_like(share))
        new = torch.where(seen, mean, self.w_avg)
        self.w_avg.lerp_(replace_nonfinite(new, self.w_avg), 1 - self.beta**2)
