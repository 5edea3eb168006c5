"""What a sweep found: of each arm the value of every sample, what they say together, and the pairs with the variant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ggdr.comparison.ranks import Middle, best_of, median_of
from ggdr.comparison.report import Number
from ggdr.evaluation.result import finite


class Column(NamedTuple):
    """One number of one arm, or of its variant, at the end of every run."""

    name: str
    arm: str
    """its name without the variant's"""
    better: str
    """"lower" or "higher" """
    values: dict[int, float]
    """sample -> value; of runs that diverged infinite, the worst that there is"""

    @property
    def diverged(self) -> list[int]:
        """The samples whose runs diverged."""
        return [sample for sample, value in self.values.items() if math.isinf(value)]

    @property
    def best(self) -> int:
        """The sample with the best value."""
        return (min if self.better == "lower" else max)(self.values, key=self.values.__getitem__)

    def median(self) -> Middle:
        """The median over all runs."""
        return median_of(list(self.values.values()))


class Pairs(NamedTuple):
    """A variant beside its arm, sample by sample: the same draws, the same seed."""

    gaps: list[float]
    """the variant's value less the arm's, where not both diverged"""
    better: int
    """samples in which the variant's is better"""

    def median(self) -> Middle:
        """The median, over samples, of the variant's value less the arm's, with its interval."""
        return median_of(self.gaps)


class Found(NamedTuple):
    """What a sweep found of one number."""

    label: str
    better: str
    columns: list[Column]
    """each arm, and behind it its variant"""

    @property
    def worst(self) -> float:
        """The worst value of a run that came to its end, as which runs that diverged count where a mean is taken."""
        known = [value for column in self.columns for value in column.values.values() if math.isfinite(value)]
        return (max if self.better == "lower" else min)(known, default=0.0)

    def best_of(self, column: Column, k: int) -> Middle:
        """The expected best of k runs of an arm."""
        values = [value if math.isfinite(value) else self.worst for value in column.values.values()]
        return best_of(values, k, self.better)

    def as_json(self) -> dict[str, Any]:
        """All that was found."""
        arms: dict[str, Any] = {}
        for column in self.columns:
            arms[column.name] = {
                "values": {str(sample): finite(value) for sample, value in column.values.items()},
                "diverged": column.diverged,
                "best": column.best,
                "median": column.median().as_json(),
                "best_of": {str(k): self.best_of(column, k).as_json() for k in range(1, len(column.values) + 1)},
            }
        for arm, variant in self.arms():
            if variant and (both := pairs(arm, variant)):
                arms[variant.name]["pairs"] = {
                    "arm": arm.name,
                    "median_difference": both.median().as_json(),
                    "samples": len(both.gaps),
                    "better": both.better,
                }
        return {"better": self.better, "arms": arms}

    def arms(self) -> list[tuple[Column, Column | None]]:
        """Each arm, and its variant if there is one."""
        variants = {column.arm: column for column in self.columns if column.name != column.arm}
        return [(column, variants.get(column.arm)) for column in self.columns if column.name == column.arm]


def found(number: Number, arms: Mapping[str, str], diverged: Mapping[str, Sequence[int]]) -> Found:
    """The number of runs that were measured, and of those that diverged.

    `arms`: name -> that of the arm without the variant. `diverged`: name -> samples whose runs did not come to their
    end. What is not finite counts as diverged.
    """
    worst = math.inf if number.better == "lower" else -math.inf
    measured = {curve.arm: curve.values for curve in number.curves}
    columns = []
    for name, arm in arms.items():
        ends = {sample: values[-1] for sample, values in measured.get(name, {}).items()}
        values = {sample: value if math.isfinite(value) else worst for sample, value in ends.items()}
        values |= dict.fromkeys(diverged.get(name, ()), worst)
        if values:
            columns.append(Column(name, arm, number.better, dict(sorted(values.items()))))
    return Found(number.label, number.better, columns)


def pairs(arm: Column, variant: Column | None) -> Pairs | None:
    """The variant beside its arm in the samples that both have; None where there is none."""
    shared = [s for s in arm.values if variant and s in variant.values]
    both = [(arm.values[s], variant.values[s]) for s in shared if variant]
    gaps = [new - old for old, new in both if math.isfinite(old) or math.isfinite(new)]
    if not gaps:
        return None
    return Pairs(gaps, sum(gap < 0 if arm.better == "lower" else gap > 0 for gap in gaps))


def budgets(most: int) -> list[int]:
    """Numbers of runs that tables tell the best of: 1, 2, 5, 10, 20, 50, ... and all."""
    steps = [step * 10**power for power in range(len(str(most))) for step in (1, 2, 5)]
    return [*(k for k in steps if k < most), most]
