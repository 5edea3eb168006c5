"""Who trains: processes of this machine, several at a time, or a cluster through submitit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ggdr.comparison.budget import CLUSTER_HINT, Budget
from ggdr.comparison.trials import DIVERGED, JOBS, Trial, diverged, is_complete, seen
from ggdr.errors import Diverged, UserError
from ggdr.lazy import optional
from ggdr.progress import track

DAY_MIN = 24 * 60
"""time limit of a cluster's job, minutes, where none is given"""


def train_all(asked: Budget, trials: Sequence[Trial], may_diverge: bool = False) -> None:
    """Train each to the end, several at a time; UserError after all the others if one fails.

    `may_diverge`: a run that diverges has not failed; a note in its folder says so.
    """
    if not trials:
        return
    ended = (by_cluster if asked.cluster else here)(asked, trials)
    reasons = zip(trials, track(ended, "training", "runs", total=len(trials)), strict=True)
    if failures := [why for trial, why in reasons if why and not (may_diverge and diverged(trial))]:
        raise UserError(" ".join(failures))


def train_missing(trials: Sequence[Trial], jobs: int) -> None:
    """Train those that are not complete, seed after seed, on one thread each; UserError after all if one fails.

    `jobs`: how many at a time.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    missing = [trial for trial in sorted(trials, key=lambda trial: trial.seed) if not is_complete(trial)]
    with ThreadPoolExecutor(jobs) as pool:
        if failures := [why for why in pool.map(lambda trial: train_trial(trial, environment), missing) if why]:
            raise UserError(" ".join(failures))


def here(asked: Budget, trials: Sequence[Trial]) -> Iterator[str]:
    """Train in processes of this machine; why each failed, empty where it did not."""
    environment = dict(os.environ)
    if asked.jobs > 1:  # threads of several trainings in each other's way are slower than one after another
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // asked.jobs)))
    with ThreadPoolExecutor(asked.jobs) as pool:
        yield from pool.map(lambda trial: train_trial(trial, environment), trials)


def by_cluster(asked: Budget, trials: Sequence[Trial]) -> Iterator[str]:
    """Train in jobs of a cluster, an array of them; why each failed, empty where it did not."""
    with optional("cluster", "jobs of a cluster need"):
        import submitit

    try:
        executor = submitit.AutoExecutor(folder=asked.out / JOBS, cluster=asked.cluster)
        executor.update_parameters(**{"timeout_min": DAY_MIN, "slurm_array_parallelism": asked.jobs} | options(asked))
    except RuntimeError as error:
        raise UserError(
            f"--cluster {asked.cluster}: submitit says: {error} Leave --cluster out to train here."
        ) from error
    except (NameError, AssertionError) as error:
        raise UserError(f"--cluster-options: submitit says: {str(error).splitlines()[0]}; {CLUSTER_HINT}.") from error
    with executor.batch():
        jobs = [executor.submit(train_trial, trial, None) for trial in trials]
    print(f"{len(jobs)} jobs of {asked.cluster}, logs in {asked.out / JOBS}", flush=True)
    for trial, job in zip(trials, jobs, strict=True):
        lost = job.exception()
        yield job.result() if lost is None else f"{trial.name}: its job {job.job_id} was lost; see {job.paths.stderr}."


def options(asked: Budget) -> dict[str, Any]:
    """What is asked of submitit, whole numbers as such."""
    pairs = (option.partition("=")[::2] for option in asked.cluster_options)
    return {name: int(value) if value.isdecimal() else value for name, value in pairs}


def train_trial(trial: Trial, environment: dict[str, str] | None) -> str:
    """Train one to its end, its output in the folder's train.log; why it failed, if it did.

    `environment`: of its process; None: as this process's.
    """
    trial.folder.mkdir(parents=True, exist_ok=True)
    print(f"{trial.name}: training from {seen(trial) / 1000:g} kimg on", flush=True)
    began, log = time.monotonic(), trial.folder / "train.log"
    words = [*trial.arm.words, "--out", str(trial.folder), "--seed", str(trial.seed)]
    with log.open("a", encoding="utf-8") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "ggdr.train", *words], stdout=stream, stderr=subprocess.STDOUT, env=environment
        )
    print(f"{trial.name}: {time.monotonic() - began:.0f} s, exit status {done.returncode}", flush=True)
    last = (log.read_text(errors="replace", encoding="utf-8").strip().splitlines() or ["nothing"])[-1]
    last = last.removeprefix("ggdr: error: ")
    if done.returncode == Diverged.exit_status:
        (trial.folder / DIVERGED).write_text(f"{last}\n", encoding="utf-8")
    return f"{trial.name} stopped: {last} All that it said: {log}" if done.returncode else ""
