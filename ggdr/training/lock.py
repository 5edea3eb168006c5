"""The lock of a run's folder: one run at a time writes there."""

from __future__ import annotations

import fcntl
import os
import socket
import warnings
from pathlib import Path

from ggdr.errors import UserError


class Lock:
    """A run's hold on its folder; the system ends it with the process, however that ends."""

    def __init__(self, folder: Path):
        """Make the folder if need be and take it; UserError if it cannot be written to or another process has it."""
        self.folder, self.file = folder, folder / ".lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.handle = self.file.open("a+", encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"cannot write into {folder}: {error.strerror}; fix that, or give another folder by --out."
            ) from error
        try:
            # A POSIX lock is one process's own: loader workers, which outlive a killed trainer, do not inherit it.
            fcntl.lockf(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise UserError(self.refusal()) from error
        except OSError as error:
            warnings.warn(f"{folder} cannot be locked ({error}): see that no other run writes there.", stacklevel=2)
        self.handle.truncate(0)
        print(f"process {os.getpid()} on {socket.gethostname()}", file=self.handle, flush=True)

    def refusal(self) -> str:
        """Who has the folder, and what to do."""
        self.handle.seek(0)
        owner = self.handle.read().strip() or "another process"
        self.handle.close()
        return (
            f"{self.folder} is in use by {owner}: two runs would overwrite each other's files; wait for it, stop it,"
            " or give another folder by --out."
        )

    def held(self) -> bool:
        """Whether the folder that was locked still is where it was."""
        try:
            return os.path.samestat(os.fstat(self.handle.fileno()), self.file.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Give the folder back; the file stays, since removing it would race with the next who locks it."""
        self.handle.close()
