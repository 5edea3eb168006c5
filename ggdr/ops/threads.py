"""How many threads a process computes with on the CPU: as many as other work leaves free, unless the user has chosen.

At the end of each parallel loop OpenMP's threads spin for milliseconds. Where another process has taken a core, they
keep it from the very thread that they wait for, and training becomes many times slower: on two cores beside one busy
process, one thread is several times as fast as two. Alone, two are faster, and spinning is what they owe that to.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ggdr.formatting import significant
from ggdr.lazy import torch

CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""environment variables by which a user, or a launcher of several processes, has chosen the number of threads"""
SECONDS = 2.0
"""least time between two looks at what others use"""
BRIEFLY = 0.2
"""seconds of a look that something waits for"""
TAKEN, GIVEN = 1 / 3, 0.8
"""the part of a core that others must use to cost a thread, and that must be free to gain one"""
LOOKS, MOST_LOOKS = 2, 32
"""in a row that must agree before the number changes; each rise doubles how many the next one takes, up to the most"""
NOT_BUSY = {"idle", "iowait", "guest", "guest_nice"}
"""fields of a CPU's times, of which guests' are counted among the user's already"""


def chosen(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user has said how many threads there are to be."""
    return any(environment.get(name) for name in CHOSEN)


def affinity() -> list[int]:
    """The CPUs that this process may run on, as far as the system tells: all of them on macOS and Windows."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [*range(os.cpu_count() or 1)]


def wanted(free: float, now: int, most: int) -> int:
    """The number of threads, 1 to `most`, for so many free cores: the present one unless clearly another is better."""
    fewer, more = math.floor(free + TAKEN), math.floor(free + 1 - GIVEN)
    return min(max(min(now, fewer), more, 1), most)


@cache
def default() -> int:
    """The number of threads that torch took by itself, or was given before it was first asked here."""
    return torch.get_num_threads()


class Number:
    """A number of threads that follows what is free, and does not swing."""

    def __init__(self, most: int):
        """`most`: threads where nothing else runs."""
        self.now = self.most = most
        self.agreed = 0  # looks in a row that asked for fewer (negative) or for more
        self.patience = LOOKS
        self.settled = False

    def see(self, free: float) -> int:
        """The number after one more look that found so many cores free. The first look decides alone."""
        asked = wanted(free, self.now, self.most)
        way = (asked > self.now) - (asked < self.now)
        self.agreed = self.agreed + way if way * self.agreed > 0 else way
        if not self.settled or -self.agreed >= LOOKS or self.agreed >= self.patience:
            if self.settled and way > 0:  # what rises and falls by turns is left alone for longer each time
                self.patience = min(2 * self.patience, MOST_LOOKS)
            self.now, self.agreed, self.settled = asked, 0, True
        return self.now


class Times(NamedTuple):
    """A moment, and what CPUs had done by then, in seconds."""

    at: float
    """on a clock that does not go back"""
    busy: float
    """of all CPUs that this process may use, by whichever process"""
    own: float
    """of this process, and of those it started and has seen end"""


def times() -> Times:
    """The times of this moment."""
    import psutil

    each = psutil.cpu_times(percpu=True)
    usable = [each[place] for place in affinity() if place < len(each)] or each  # fewer where some are switched off
    busy = sum(value for one in usable for name, value in one._asdict().items() if name not in NOT_BUSY)
    return Times(time.monotonic(), busy, sum(os.times()[:4]))


def others(before: Times, after: Times, cpus: int) -> float:
    """CPUs, 0 to `cpus`, that other processes kept busy between two moments.

    A pause of this process, or a spell in which it worked on one thread alone, is no work of others: its own time is
    taken off. Its worker processes count as others while they live, since a core that they use is not free.
    """
    used = (after.busy - before.busy) - (after.own - before.own)
    return min(max(used / max(after.at - before.at, 1e-9), 0.0), cpus)


class Threads:
    """Keeps torch's number of threads at what other work leaves free, by a look every couple of seconds."""

    def __init__(self, adapt: bool):
        """`adapt`: False where threads are not what the work waits for, as on a GPU; then nothing is changed.

        Nor is it where the user has chosen. A limit on the CPU time of the process's control group counts from here on.
        """
        self.adapt = adapt and not chosen()
        if not self.adapt:
            return
        import joblib  # which knows affinity and control groups

        self.cores, self.cpus = default(), len(affinity())  # torch takes one a core, not one a CPU
        self.number = Number(min(self.cores, joblib.cpu_count()))
        self.before, self.said = times(), False

    def look(self, once: bool = False) -> list[str]:
        """Adjust the number of threads if a look is due; the first time that others cost some, a line that says so.

        To be called where no operation is under way, by the thread that computes. `once`: never look again, for code
        that is compiled for a number of threads.
        """
        if not self.adapt or (self.number.settled and time.monotonic() - self.before.at < SECONDS):
            return []
        now, self.adapt = times(), not once
        busy = others(self.before, now, self.cpus)
        self.before = now
        number = self.number.see(self.cores * (1 - busy / self.cpus))
        if number != torch.get_num_threads():
            torch.set_num_threads(number)
        if self.said or number == self.number.most:
            return []
        self.said = True
        return [told(busy, self.cpus, number, self.number.most)]


def settle() -> None:
    """One look, a fifth of a second long, for what is too short to look again; nothing if the user has chosen."""
    if (threads := Threads(adapt=True)).adapt:
        time.sleep(BRIEFLY)
        threads.look()


def told(busy: float, cpus: int, number: int, most: int) -> str:
    """What a person reads when other work costs threads."""
    return (
        f"other work keeps {significant(busy, 2)} of {cpus} CPUs busy: training on {number} thread{'s' * (number > 1)},"
        f" more when they are free; OMP_NUM_THREADS={most} keeps {most}"
    )
