"""What a sweep is asked to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.comparison.budget import Budget
from ggdr.errors import above_zero, not_negative


@dataclass(frozen=True, kw_only=True)
class Sweep(Budget):
    """Which hyperparameters are drawn, for what, and how often."""

    recipe: Annotated[str, tyro.conf.Positional]
    """the recipe of arms that name none: a file, or the name of one of ggdr's"""
    samples: int
    """settings that are drawn for each arm, and runs of it; those of a smaller number are among those of a larger"""
    arms: tuple[str, ...] = ("all:",)
    """"NAME: flags" or "NAME: RECIPE flags"; what a flag sets is not drawn"""
    variant: str = ""
    """"NAME: flags" that each arm is trained with as well, by the same draws and seeds, and compared with itself"""
    range: tuple[str, ...] = ()
    """PATH=RANGE: what is drawn of a setting instead of what its part declares, log:LOW:HIGH, uniform:LOW:HIGH or
    choice:A:B; PATH,PATH=RANGE: one draw for both"""
    seed: int = 0
    """seed of the draws, of which the trainings' follow"""
    out: Path = Path("runs/sweep")
    """folder of the runs, records, tables and figures"""
    kimg: float = 10.0
    """budget of each training, thousands of images shown"""
    every: float = math.inf
    """interval of checkpoints before the end that are measured too, kimg; tables and figures show the end"""
    metrics: tuple[str, ...] = ("fid",)
    """names of metrics"""
    show: tuple[str, ...] = ()
    """"METRIC" or "METRIC/VALUE" in tables and figures; none: the first value of each metric"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "samples")
        not_negative(self, "seed")
