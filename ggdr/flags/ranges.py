"""Numbers as people write them: 0-3,100."""

from __future__ import annotations

from ggdr.errors import UserError

MOST = 1_000_000
"""Most numbers of a range; a longer one is a slip of the finger."""


def parse_ranges(flag: str, text: str) -> list[int]:
    """Return "0-3,100" as [0, 1, 2, 3, 100]; UserError if it is nothing like it."""
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise UserError(f"--{flag} {text} holds {piece!r}; give numbers and ranges such as 0-15,100.")
        start, end = int(first), int(last or first)
        if not 0 <= end - start < MOST:
            raise UserError(f"--{flag} {text} holds {piece!r}; a range goes up, and has at most {MOST:,} numbers.")
        found += range(start, end + 1)
    return found
