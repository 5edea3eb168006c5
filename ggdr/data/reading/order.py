"""The endless order of a data set: a permutation an epoch, a pure function of (seed, position)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Order:
    """Positions 0, 1, 2, ... to items 0 .. length - 1: every epoch holds each item once."""

    def __init__(self, length: int):
        self.length = length
        self._drawn: dict[tuple[int, int], np.ndarray] = {}

    def __call__(self, positions: Sequence[int], seed: int) -> list[int]:
        """The items at these positions (0 or more) of the order of `seed` (0 or more)."""
        places = (divmod(position, self.length) for position in positions)
        return [int(self._permutation(seed, epoch)[offset]) for epoch, offset in places]

    def _permutation(self, seed: int, epoch: int) -> np.ndarray:
        if (seed, epoch) not in self._drawn:
            while len(self._drawn) >= 2:  # a batch may straddle two epochs
                del self._drawn[next(iter(self._drawn))]
            self._drawn[seed, epoch] = np.random.default_rng((seed, epoch)).permutation(self.length)
        return self._drawn[seed, epoch]

    def __getstate__(self) -> dict:
        return {"length": self.length, "_drawn": {}}
