"""Pushing while a run goes on: a thread of the main process, which never holds the run up and never ends it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ggdr.errors import UserError
from ggdr.hub.repository import (
    CardWords,
    PushResult,
    Repository,
    Unreachable,
    assemble,
    check_writable,
    leftovers,
    push,
)

PAUSES_SEC = (2.0, 5.0, 15.0, 60.0, 300.0)
"""before each further try; the last for ever while the run goes on, and each once at its end"""


class Snapshot(NamedTuple):
    """What is pushed: links to files, which outlive pruned checkpoints."""

    folder: Path
    message: str


class Pusher:
    """Pushes the newest snapshot, one at a time; one that waits makes room for a newer one."""

    def __init__(self, run: Path, place: Repository, say: Callable[[str], None], pauses: Sequence[float] = ()):
        """`run`: the folder. `say`: tells a line. `pauses`: seconds before further tries; none: PAUSES_SEC.

        UserError if this account may not push there.
        """
        self.run, self.place, self.say, self.pauses = run, place, say, pauses or PAUSES_SEC
        self.changed = threading.Condition()
        self.waiting: Snapshot | None = None
        self.ending, self.count, self.refused = False, 0, ""
        for left in leftovers(run):
            shutil.rmtree(left, ignore_errors=True)
        try:
            check_writable(place)
        except Unreachable as error:
            say(f"{error} The run goes on; pushing will be tried again.")
        self.thread = threading.Thread(target=self.work, name="push", daemon=True)
        self.thread.start()

    def offer(self) -> None:
        """Take a snapshot of the newest checkpoint, to be pushed as soon as may be."""
        self.count += 1
        folder = self.run / f".pushing-{self.count}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            snapshot = Snapshot(folder, assemble(self.run, folder, self.place.repo_id, CardWords()))
        except (OSError, UserError) as error:
            self.say(f"no snapshot to push: {error}")
            return
        with self.changed:
            stale, self.waiting = self.waiting, snapshot
            self.changed.notify()
        if stale is not None:
            shutil.rmtree(stale.folder, ignore_errors=True)

    def work(self) -> None:
        """The thread: push what waits until the run is over and nothing does; what it has to say, it says itself."""
        from huggingface_hub.utils import disable_progress_bars, logging

        disable_progress_bars()
        logging.set_verbosity_error()
        while (snapshot := self.next()) is not None:
            try:
                self.persist(snapshot)
            except UserError as error:
                self.refused = str(error)
                self.say(f"{error} {self.by_hand()}")
            finally:
                shutil.rmtree(snapshot.folder, ignore_errors=True)

    def next(self) -> Snapshot | None:
        """Wait for a snapshot; None at the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.ending or self.waiting is not None)
            snapshot, self.waiting = self.waiting, None
            return snapshot

    def persist(self, snapshot: Snapshot) -> None:
        """Push it, again and again if the Hub cannot be reached, unless a newer waits; UserError if it cannot."""
        for trial in range(10**9):
            try:
                return self.tell(push(snapshot.folder, self.place, snapshot.message), snapshot)
            except Unreachable as error:
                if trial == 0:
                    self.say(f"{error} It is tried again while the run goes on.")
                if self.superseded(trial):
                    return
                if self.ending and trial >= len(self.pauses):
                    raise

    def superseded(self, trial: int) -> bool:
        """Wait for the next try; whether a newer snapshot has come, and this one need not be pushed."""
        pause = self.pauses[min(trial, len(self.pauses) - 1)]
        with self.changed:
            self.changed.wait_for(lambda: self.waiting is not None or self.ending, timeout=pause)
            return self.waiting is not None

    def tell(self, pushed: PushResult, snapshot: Snapshot) -> None:
        """Say what was pushed, and whose card was left alone."""
        card = "; its card was written by hand, and stays" if pushed.kept_card else ""
        if pushed.changed:
            self.say(f"pushed to {pushed.address} ({snapshot.message.removeprefix('ggdr: ')}){card}")

    def finish(self) -> None:
        """Push the last of the run and wait for it."""
        self.offer()
        with self.changed:
            self.ending = True
            self.changed.notify()
        self.thread.join()

    def by_hand(self) -> str:
        """The command that pushes later."""
        return f"To push later, type: ggdr push {self.run} {self.place.repo_id}"
