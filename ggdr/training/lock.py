"""The lock of a run's folder: one run at a time writes there."""

from __future__ import annotations

import os
import socket
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

from ggdr.errors import UserError


class Lock:
    """A run's hold on its folder; the system ends it with the process, however that ends.

    Loader workers, which outlive a killed trainer for some seconds, do not hold it: filelock closes what they inherit.
    """

    def __init__(self, folder: Path):
        """Make the folder if need be and take it; UserError if it cannot be written to or another process has it."""
        self.folder, self.file = folder, folder / ".lock"
        # A file that merely exists would outlive a killed trainer, so there is no falling back to one.
        self.hold = FileLock(self.file, timeout=0, fallback_to_soft=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.file.touch()
        except OSError as error:
            raise UserError(
                f"cannot write into {folder}: {error.strerror}; fix that, or give another folder by --out."
            ) from error
        try:
            self.hold.acquire()
        except Timeout as error:
            raise UserError(self.refusal()) from error
        except OSError as error:
            warnings.warn(f"{folder} cannot be locked ({error}): see that no other run writes there.", stacklevel=2)
        self.file.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        self.place = self.file.stat()

    def refusal(self) -> str:
        """Who has the folder, and what to do."""
        owner = self.file.read_text(encoding="utf-8").strip() or "another process"
        return (
            f"{self.folder} is in use by {owner}: two runs would overwrite each other's files; wait for it, stop it,"
            " or give another folder by --out."
        )

    def held(self) -> bool:
        """Whether the folder that was locked still is where it was."""
        try:
            return os.path.samestat(self.place, self.file.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Give the folder back."""
        self.hold.release()
