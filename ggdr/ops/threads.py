"""How many threads a process computes with on the CPU: as many as other work leaves free, unless the user has chosen.

At the end of each parallel loop OpenMP's threads spin for milliseconds. Where another process has taken a core, they
keep it from the very thread that they wait for, and training becomes many times slower: on two cores beside one busy
process, one thread is several times as fast as two. Alone, two are faster, and spinning is what they owe that to.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ggdr.formatting import significant
from ggdr.lazy import torch

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables by which a user, or a launcher of several processes, sets the number of threads."""
LOOK_INTERVAL_SEC = 2.0
"""Least number of seconds between two looks at what other processes use."""
SHORT_LOOK_SEC = 0.2
"""Seconds that a look takes where something waits for it."""
LOSE_ABOVE = 1 / 3
"""Share of a core that others must use for one thread less."""
GAIN_ABOVE = 0.8
"""Share of a core that must be free for one thread more."""
LOOKS = 2
"""Number of looks in a row that must agree before the number of threads changes; each rise doubles it."""
MOST_LOOKS = 32
"""Largest number of looks that a further rise takes."""
NOT_BUSY = {"idle", "iowait", "guest", "guest_nice"}
"""Fields of a CPU's times that are not work; guests' times are counted among the user's already."""


def user_chose_threads(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user has set the number of threads in the environment."""
    return any(environment.get(name) for name in THREAD_VARIABLES)


def available_cpus() -> list[int]:
    """List the CPUs that this process may run on, as far as the system tells: all of them on macOS."""
    import psutil

    try:
        return sorted(psutil.Process().cpu_affinity())
    except AttributeError:  # a system without affinities, of which psutil has no such method
        return [*range(os.cpu_count() or 1)]


def suitable_threads(free: float, now: int, most: int) -> int:
    """Return the number of threads, 1 to `most`, for `free` cores; `now` unless another is clearly better."""
    fewer, more = math.floor(free + LOSE_ABOVE), math.floor(free + 1 - GAIN_ABOVE)
    return min(max(min(now, fewer), more, 1), most)


@cache
def default_threads() -> int:
    """Return the number of threads that torch chose by itself, or was given before this is first called."""
    return torch.get_num_threads()


class ThreadCount:
    """A number of threads that follows the number of free cores without oscillating."""

    def __init__(self, most: int):
        """Start from `most`, the number of threads where nothing else runs."""
        self.now = self.most = most
        self.agreed = 0  # looks in a row that asked for fewer (negative) or for more
        self.patience = LOOKS
        self.settled = False

    def update(self, free: float) -> int:
        """Return the number of threads after one more look that found `free` cores. The first look decides alone."""
        asked = suitable_threads(free, self.now, self.most)
        way = (asked > self.now) - (asked < self.now)
        self.agreed = self.agreed + way if way * self.agreed > 0 else way
        if not self.settled or -self.agreed >= LOOKS or self.agreed >= self.patience:
            if self.settled and way > 0:  # what rises and falls by turns is left alone for longer each time
                self.patience = min(2 * self.patience, MOST_LOOKS)
            self.now, self.agreed, self.settled = asked, 0, True
        return self.now


class CPUTimes(NamedTuple):
    """A moment, and the CPU time that had been spent by then, in seconds."""

    at: float
    """Moment on a monotonic clock, seconds."""
    busy: float
    """Seconds that all processes together were busy on the CPUs that this one may use."""
    own: float
    """Seconds of this process, and of those it started that have ended."""


def read_cpu_times() -> CPUTimes:
    """Read the CPU times of this moment."""
    import psutil

    each = psutil.cpu_times(percpu=True)
    usable = [
        each[place] for place in available_cpus() if place < len(each)
    ] or each  # fewer where some are switched off
    busy = sum(value for one in usable for name, value in one._asdict().items() if name not in NOT_BUSY)
    return CPUTimes(time.monotonic(), busy, sum(os.times()[:4]))


def busy_elsewhere(before: CPUTimes, after: CPUTimes, cpus: int) -> float:
    """Return how many CPUs, 0 to `cpus`, other processes kept busy between two moments.

    A pause of this process, or a spell in which it worked on one thread alone, is no work of others: its own time is
    taken off. Its worker processes count as others while they live, since a core that they use is not free.
    """
    used = (after.busy - before.busy) - (after.own - before.own)
    return min(max(used / max(after.at - before.at, 1e-9), 0.0), cpus)


class Threads:
    """Keeps torch's number of threads at what other work leaves free, by a look every couple of seconds."""

    def __init__(self, adapt: bool):
        """Start to adapt, unless `adapt` is False, as on a GPU, where the work does not wait for threads.

        Nothing is changed where the user has set the number. A limit on the CPU time of the process's control group
        counts from here on.
        """
        self.adapt = adapt and not user_chose_threads()
        if not self.adapt:
            return
        import joblib  # which knows affinity and control groups

        self.cores, self.cpus = default_threads(), len(available_cpus())  # torch takes one a core, not one a CPU
        self.number = ThreadCount(min(self.cores, joblib.cpu_count()))
        self.before, self.said = read_cpu_times(), False

    def look(self, once: bool = False) -> list[str]:
        """Adjust the number of threads if a look is due; return a line about it the first time that others cost some.

        Call it where no operation is under way, from the thread that computes. once: never look again, for code that is
        compiled for a number of threads.
        """
        if not self.adapt or (self.number.settled and time.monotonic() - self.before.at < LOOK_INTERVAL_SEC):
            return []
        now, self.adapt = read_cpu_times(), not once
        busy = busy_elsewhere(self.before, now, self.cpus)
        self.before = now
        number = self.number.update(self.cores * (1 - busy / self.cpus))
        if number != torch.get_num_threads():
            torch.set_num_threads(number)
        if self.said or number == self.number.most:
            return []
        self.said = True
        return [describe_busy(busy, self.cpus, number, self.number.most)]


def limit_threads() -> None:
    """Look once, for a fifth of a second, and set the number of threads; do nothing if the user has set it."""
    if (threads := Threads(adapt=True)).adapt:
        time.sleep(SHORT_LOOK_SEC)
        threads.look()


def describe_busy(busy: float, cpus: int, number: int, most: int) -> str:
    """Return the sentence that tells a person how many threads other work costs."""
    return (
        f"other work keeps {significant(busy, 2)} of {cpus} CPUs busy: training on {number} thread{'s' * (number > 1)},"
        f" more when they are free; OMP_NUM_THREADS={most} keeps {most}"
    )
