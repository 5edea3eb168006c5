"""What all trainings that are compared share: their length, where they lie, who runs them and what measures them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ggdr.errors import UserError, above_zero

CLUSTER_HINT = "write NAME=VALUE, such as slurm_partition=gpu gpus_per_node=1 timeout_min=600"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much each training gets, and how it is measured."""

    out: Path
    """folder of the runs, records, tables and plots"""
    kimg: float = 40.0
    """budget of each training, thousands of images shown"""
    every: float = 5.0
    """interval of the checkpoints that are measured, kimg"""
    metrics: tuple[str, ...] = ("fid", "kid", "swd")
    """names of metrics"""
    images: int = 4096
    """images that each metric looks at, real (as far as there are that many) and generated"""
    jobs: int = 1
    """trainings at a time"""
    cluster: Literal["", "slurm", "local", "debug"] = ""
    """who runs the trainings: empty: this machine; slurm: a job array through submitit; local and debug: submitit here,
    in other processes all at once or in this one, to try out what slurm would do"""
    cluster_options: tuple[str, ...] = ()
    """NAME=VALUE of submitit: slurm_partition=gpu gpus_per_node=1 timeout_min=600 (a day, where no limit is given)"""
    train: bool = True
    """without it, what is complete is measured and nothing is trained"""

    def __post_init__(self) -> None:
        above_zero(self, "kimg", "every", "images", "jobs")
        if wrong := [option for option in self.cluster_options if not all(option.partition("=")[::2])]:
            raise UserError(f"--cluster-options {wrong[0]}: {CLUSTER_HINT}.")
        if self.cluster_options and not self.cluster:
            raise UserError("--cluster-options are of a cluster; give --cluster slurm too.")

    def points(self) -> list[float]:
        """Where the runs are measured, kimg: each multiple of `every`, and the end."""
        before = range(1, math.ceil(self.kimg / self.every - 1e-9))
        return [*(self.every * i for i in before), self.kimg]

    def evaluate_flags(self, flags: Sequence[str]) -> list[str]:
        """The flags of `ggdr evaluate` for each checkpoint, those that were typed after `--` last."""
        return ["--metrics", *self.metrics, "--images", str(self.images), "--repeats", "1", *flags]


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """What stands before `--`, and the flags of `ggdr evaluate` after it."""
    return (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])


def check_alone(program: str) -> None:
    """UserError in a launch of several processes."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(f"{program} starts its trainings itself; type it without accelerate launch, with --jobs N.")
