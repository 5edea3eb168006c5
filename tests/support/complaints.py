"""How commands end: the one line with which they refuse what they were given, and all that they say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple

import pytest

from ggdr.cli import guarded
from ggdr.errors import UserError
from ggdr.train import main


def complaint(*argv: str) -> str:
    """The one line that a command ends with."""
    with pytest.raises(UserError) as raised:
        main(list(argv))
    text = raised.value.in_flags()
    assert "\n" not in text
    return text


class Ended(NamedTuple):
    """What a terminal would have shown of a command."""

    returncode: int
    stdout: str
    stderr: str


def ended(verb: Callable[[list[str]], int | None], *argv: str) -> Ended:
    """Type a command in this process, which has torch already: a new one would be seconds at importing it."""
    out, error = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(error), pytest.raises(SystemExit) as end:
        guarded(verb, list(argv))
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, out.getvalue(), error.getvalue())
