"""Docstrings as Markdown: what stands between backticks is code, all else is as it reads."""

from __future__ import annotations

import inspect
import re

from ggdr.hub.markdown import escape


def paragraph(text: str) -> str:
    """A paragraph of a docstring, in one line."""
    pieces = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(piece if piece.startswith("`") and len(piece) > 1 else spaced(piece) for piece in pieces)


def spaced(text: str) -> str:
    """Text as it reads, with the spaces at its ends."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{escape(text)}{after}" if text.strip() else text


def prose(docstring: str) -> str:
    """A docstring, its paragraphs apart; lines that are indented stay as they are, as code."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    return "\n\n".join(block if block.startswith("    ") else paragraph(block) for block in paragraphs)
