"""Pieces of Markdown that stay what they are whatever is in them: pipes, line breaks, HTML, backticks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
"""what Markdown may take for its own; an underscore within a word it leaves alone"""


def escape(text: str) -> str:
    """The text in one line, as it reads, without any markup."""
    return SPECIAL.sub(r"\\\g<0>", html.escape(visible_line(text), quote=False))


def inline_code(text: str) -> str:
    """The text in one line, as code; nothing if there is none."""
    words = visible_line(text).replace("|", "\\|")  # a table would be cut there even within code
    if not words:
        return ""
    fence = "`" * (longest_run(words) + 1)
    space = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{space}{words}{space}{fence}"


def code_block(text: str, language: str) -> str:
    """Return text as a fenced block of Markdown in a language."""
    fence = "`" * max(3, longest_run(text) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; nothing without rows."""
    body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "| " + " | ".join(["---"] * len(head)) + " |", *body]) if body else ""


def bullets(items: Iterable[str]) -> str:
    """A list of lines that are Markdown already."""
    return "\n".join(f"- {item}" for item in items)


def visible_line(text: str) -> str:
    """The text without line breaks or characters that cannot be seen."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())


def longest_run(text: str) -> int:
    """Length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
