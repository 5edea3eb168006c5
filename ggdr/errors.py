"""Errors that a user can fix, and the checks that raise them; their sentences name settings by their paths."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import ClassVar

OPEN, CLOSE = "\ue000", "\ue001"
"""characters of no script, around the path of a setting within a message"""
NAMED = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")


def setting(path: str = "") -> str:
    """How the message of a UserError names a setting: by its path from the part that raises, "" for the part itself.

    `f"{setting('images')} is 0"` of a metric that a recipe calls `fid` reads "metrics.fid.images is 0" in Python, and
    "--metrics.fid.images is 0" on the command line.
    """
    return f"{OPEN}{path}{CLOSE}"


class UserError(ValueError):
    """What a user can fix: a sentence that says what was given, what is possible and what to type next.

    The command line prints it alone; any other error is a fault of ggdr and keeps its traceback.
    """

    exit_status: ClassVar[int] = 2
    """how a command ends that raised it"""

    def __init__(self, message: str) -> None:
        """`message`: one sentence, in which `setting(PATH)` names the settings that it is about."""
        super().__init__(NAMED.sub(r"\1", message))
        self.message = message

    def __str__(self) -> str:
        return self.told(str)

    def told(self, name: Callable[[str], str]) -> str:
        """The sentence, with the path of each setting as `name` writes it."""
        return NAMED.sub(lambda found: name(found[1]), self.message)

    def in_flags(self) -> str:
        """The sentence as the command line prints it: settings are flags."""
        return self.told(flag)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the sentence alone, unless GGDR_TRACEBACK=1 asks for more."""
        return traceback.format_exception(self) if traceback_wanted() else [f"{type(self).__name__}: {self}"]

    @property
    def settings(self) -> tuple[str, ...]:
        """The paths of the settings that it names, the one that it is about first."""
        return tuple(NAMED.findall(self.message))

    def move(self, path: str, also: str = "") -> None:
        """Name the settings from further up: by their paths behind `path`, that of the part which raised it.

        `also`: a further clause, on what else can be done; it names settings by their paths from that part.
        """
        message = f"{self.message.rstrip('.')}; {also}." if also else self.message
        self.message = NAMED.sub(lambda found: setting(".".join(filter(None, (path, found[1])))), message)


def traceback_wanted() -> bool:
    """Whether the user asks for the tracebacks of errors that a sentence explains, by GGDR_TRACEBACK=1."""
    return os.environ.get("GGDR_TRACEBACK", "") not in ("", "0")


class Diverged(UserError):
    """A run is past help: its gradients are not finite, or it has collapsed, and it may not go back once more."""

    exit_status = 3


class DiskError(OSError):
    """What a library that wrote a file says of the disk, in words and without a number."""


@contextmanager
def at(path: str, also: str = "") -> Iterator[None]:
    """Around what may raise a UserError of the part at `path`, such as "metrics.fid"; see `UserError.move`."""
    try:
        yield
    except UserError as error:
        error.move(path, also)
        raise


def flag(path: str) -> str:
    """The flag of a setting at a path: "--metrics.fid.images"."""
    return f"--{path.replace('_', '-')}"


def above_zero(owner: object, *fields: str) -> None:
    """UserError if one of the fields is not above 0 (NaN and text are not); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not (isinstance(value, Real) and float(value) > 0):
            raise UserError(f"{setting(field)} is {value!r}; give a number above 0.")


def not_negative(owner: object, *fields: str) -> None:
    """UserError if one of the fields is below 0 (or NaN, or text); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not (isinstance(value, Real) and float(value) >= 0):
            raise UserError(f"{setting(field)} is {value!r}; give 0 or more.")


def check_licence(name: str) -> None:
    """UserError unless it is empty, or could be a licence as the Hub writes it."""
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", name):
        raise UserError(f"licence {name!r} is not a name the Hub knows; give one such as 'cc-by-nc-4.0' or 'mit'.")


def no_memory(error: BaseException) -> str:
    """That memory ran out, of the host or of a device, in one line; "" if it did not."""
    torch = sys.modules.get("torch")
    on_device = torch is not None and isinstance(error, torch.OutOfMemoryError)
    if on_device or isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        reason = " ".join(str(error).split("\n")[0].split())[:200]
        return f"out of memory ({reason})" if reason else "out of memory"
    return ""
