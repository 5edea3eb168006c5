"""How papers are cited: entries of papers.bib, found by arXiv number or DOI."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ARXIV = re.compile(r"\d{4}\.\d{4,5}")
"""numbers of arXiv; what is none is a DOI"""
FILE = Path(__file__).parent.parent / "papers.bib"


@cache
def entries() -> dict[str, str]:
    """arXiv number or DOI -> entry."""
    found = {}
    for entry in re.split(r"\n(?=@)", FILE.read_text(encoding="utf-8")):
        for key in re.findall(r"^\s*(?:eprint|doi)\s*= \{(.+)\}", entry, re.MULTILINE):
            found[key] = entry.strip()
    return found


def citation(paper: str) -> str:
    """The entry of a paper; the bare number of one that papers.bib does not hold."""
    if paper in entries():
        return entries()[paper]
    where = "eprint" if ARXIV.fullmatch(paper) else "doi"
    name = re.sub(r"\W", "", paper)
    return f"@misc{{{name},\n  {where} = {{{paper}}},\n}}"
