"""Stopping: a run that is asked to end, by Ctrl-C, a scheduler or a terminal that closes, saves first.

All processes of a run stop after the same step: each puts its vote into the vector of statistics that a step averages
over processes anyway, so that agreement costs no further collective.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
import time
from collections import deque
from collections.abc import MutableMapping
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed
from torch import Tensor

from ggdr.ops.host_copy import HostCopy
from ggdr.processes import STOP_SIGNALS, together

if TYPE_CHECKING:
    from accelerate import Accelerator

ECHO_SEC = 1.0
"""a second Ctrl-C counts from here on: launchers pass on the first one, which the terminal has sent to all already"""


class Stopped(Exception):
    """Breaks off what need not be finished before a run stops."""


class Stop:
    """Whether a run has been asked to stop; a context in which signals to any of its processes ask it.

    A second Ctrl-C ends the process at once.
    """

    def __init__(self, accelerator: Accelerator):
        self.several, self.main = accelerator.num_processes > 1, accelerator.is_main_process
        self.signal, self.asked_at = "", 0.0  # name and moment of this process's first signal
        self.answers = torch.zeros([], device=accelerator.device), torch.ones([], device=accelerator.device)
        self.votes: deque[HostCopy] = deque(maxlen=2)
        self.agreed = False
        self.handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        """Listen; what was ignored before, as `nohup` does with SIGHUP, stays ignored."""
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self.handlers[number] = signal.signal(number, self.ask)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Take a signal: the first asks the run to stop after its step, a later Ctrl-C raises
        KeyboardInterrupt."""
        now = time.monotonic()
        if self.signal:
            if number == signal.SIGINT and now - self.asked_at > ECHO_SEC:
                raise KeyboardInterrupt
            return
        self.signal, self.asked_at = signal.Signals(number).name, now
        if self.signal == "SIGHUP":  # by name, since Windows has none
            leave_terminal()
        if self.main:
            say(f"ggdr: {self.signal}: will save after this step and end; Ctrl-C (again) ends it at once.\n")

    def vote(self) -> Tensor:
        """1 if this process was asked, else 0, on the device."""
        return self.answers[bool(self.signal)]

    def count(self, stats: MutableMapping[str, Tensor]) -> None:
        """Take this step's mean vote out of the statistics; where there are several, it sets out for the host."""
        vote = stats.pop("stop")
        if self.several:
            self.votes.append(HostCopy(vote))

    def due(self) -> bool:
        """Whether all processes stop before the next step.

        Several processes read the vote of the step before this one, which all of them have by then: the newest is
        still being computed, and to wait for it at each step would leave the device idle.
        """
        if self.several:
            self.agreed = self.agreed or (len(self.votes) == 2 and self.votes[0].read() > 0)
        return self.agreed if self.several else bool(self.signal)

    def due_now(self) -> bool:
        """Ask the other processes whether to stop: a collective, for moments that are few."""
        if self.several and not self.agreed:
            votes = self.vote().clone()
            with together():
                torch.distributed.all_reduce(votes)
            self.agreed = bool(votes > 0)
        return self.due()

    def break_off(self, *_: object) -> None:
        """Raise Stopped if the run is to stop and no other process waits for this one's part of the work."""
        if self.signal and not self.several:
            raise Stopped


def say(text: str) -> None:
    """Write to the terminal from within a signal's handler, where a print could meet itself."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())


def leave_terminal() -> None:
    """Let go of a terminal that has closed: the next print would fail."""
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):  # no isatty: it is none any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
