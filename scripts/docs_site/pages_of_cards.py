"""The model cards, as pages that recipes link to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from linking import HIDDEN, Made

METADATA = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def card_pages(root: Path) -> Iterator[Made]:
    """Each card without its metadata, which is for the Hub; they are no part of the navigation."""
    for file in sorted((root / "model_cards").glob("*.md")):
        text = METADATA.sub("", file.read_text(encoding="utf-8"))
        place = f"model_cards/{file.name}"
        yield Made(f"cards/{file.stem}.md", "", HIDDEN + text, place, base=place)
