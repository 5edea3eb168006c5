"""The best of several runs, and medians: what is said of runs whose values are far from any bell curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ggdr.evaluation.result import CONFIDENCE, finite


class Middle(NamedTuple):
    """A mean or a median, with both ends of a 95 % interval; None where there are too few values for one."""

    value: float
    interval: tuple[float, float] | None

    def as_json(self) -> dict[str, Any]:
        """Value and interval as JSON can hold them: null for what is infinite, or not there."""
        return {"value": finite(self.value), "interval": self.interval and [finite(end) for end in self.interval]}


def best_of(values: Sequence[float], k: int, better: str) -> Middle:
    """The expected best of k runs that are drawn at random, with replacement, from those whose values are given.

    Of values x_1, ..., x_N, the best first, the best of k is x_i with the probability

        p_i = (1 - (i - 1) / N)^k - (1 - i / N)^k,

    so that its expectation is the sum of p_i x_i, and 95 % of it lie between the x_i at which the sums of p_1, ..., p_i
    reach 2.5 and 97.5 %. This is what bootstrap samples of k runs, as arXiv 1711.10337 draws them, come to if there
    are ever more of them.
    `better`: "lower" or "higher"; `k`: from 1.
    """
    order, n = sorted(values, reverse=better == "higher"), len(values)
    reached = [1 - (1 - i / n) ** k for i in range(n + 1)]
    chances = [after - before for before, after in zip(reached, reached[1:], strict=False)]
    tail = (1 - CONFIDENCE) / 2
    ends = [
        next(value for value, sum_ in zip(order, reached[1:], strict=True) if sum_ >= share - 1e-12)
        for share in (tail, 1 - tail)
    ]
    return Middle(
        math.fsum(chance * value for chance, value in zip(chances, order, strict=True)), (min(ends), max(ends))
    )


def median_of(values: Sequence[float]) -> Middle:
    """The median and its 95 % interval, which holds for any distribution; at least six values have one.

    Its ends are the j-th smallest and the j-th largest of N values, with the largest j for which
    2 P(B < j) <= 0.05, B ~ Binomial(N, 1/2): the median of the distribution lies outside no more often.
    """
    order, n = sorted(values), len(values)
    low, high = order[(n - 1) // 2], order[n // 2]
    chances = [math.comb(n, j) / 2**n for j in range(n + 1)]
    tails = [2 * math.fsum(chances[:j]) for j in range(1, n // 2 + 1)]  # that of j = 1 first
    j = sum(tail <= 1 - CONFIDENCE for tail in tails)
    return Middle(low if low == high else (low + high) / 2, (order[j - 1], order[-j]) if j else None)
