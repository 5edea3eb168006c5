"""Equations: read from docs/equations.md, and written as MathML, which browsers draw without a script or a network."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

from latex2mathml.converter import convert

ENTRY = re.compile(r"^### `(\w+)`\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
ARITHMATEX = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
"""what pymdownx.arithmatex leaves of `$x$` and `$$x$$`"""


@cache
def equations(root: Path) -> dict[tuple[str, str], str]:
    """(Kind, name) of a part -> its entry in docs/equations.md, in Markdown with LaTeX between dollars."""
    found = {}
    for part in re.split(r"^## ", (root / "docs/equations.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        kind, _, text = part.partition("\n")
        found |= {(kind.strip().lower(), name): entry.strip() for name, entry in ENTRY.findall(text)}
    return found


def with_mathml(page: str) -> str:
    """A page's HTML with each equation as MathML."""
    return ARITHMATEX.sub(mathml, page)


def mathml(found: re.Match[str]) -> str:
    """An equation as MathML: in the line, or as a block that scrolls where the page is too narrow."""
    latex = html.unescape(found[3]).strip()
    if found[2] == "(":
        return convert(latex)
    return f'<div class="equation" tabindex="0">{convert(latex, display="block")}</div>'
