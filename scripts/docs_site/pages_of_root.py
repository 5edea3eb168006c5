"""The pages at the root of the repository: design, contributing, changes; one tutorial is a section of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from linking import FENCE, Made

SECTION = re.compile(r"^(## Add a (\w+) in one file\n).*?(?=^## )", re.MULTILINE | re.DOTALL)
"""a tutorial in CONTRIBUTING.md: its heading, and what is added"""
SERVICE = "examples/service/README.md"
"""a tutorial that lies beside its files"""


def root_pages(root: Path) -> Iterator[Made]:
    """ARCHITECTURE, CONTRIBUTING, CHANGELOG, and the tutorials that are sections of CONTRIBUTING."""
    for name in ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"):
        text = (root / f"{name}.md").read_text(encoding="utf-8")
        if name == "CONTRIBUTING":
            text = SECTION.sub(pointer, text)
        yield Made(f"{name.lower()}.md", name.capitalize(), text, f"{name}.md", base=f"{name}.md")


def tutorial_pages(root: Path) -> Iterator[Made]:
    """The sections of CONTRIBUTING that are tutorials, a page each, and an example's; mkdocs.yml's nav names them."""
    text = (root / SERVICE).read_text(encoding="utf-8")
    yield Made("tutorials/service.md", "", text, SERVICE, base=SERVICE)
    for section in SECTION.finditer((root / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        pieces = FENCE.split(section[0])
        pieces[::3] = [re.sub(r"^#(#+) ", r"\1 ", piece, flags=re.MULTILINE) for piece in pieces[::3]]
        text = "".join(piece for i, piece in enumerate(pieces) if i % 3 != 2)
        yield Made(tutorial(section), "", text, f"docs/{tutorial(section)}", base="CONTRIBUTING.md")


def tutorial(section: re.Match[str]) -> str:
    """The place in the site of a section that is a tutorial."""
    return f"tutorials/{section[2]}.md"


def pointer(section: re.Match[str]) -> str:
    """What CONTRIBUTING's own page says in the place of a tutorial."""
    return f"{section[1]}\nA [tutorial](/docs/{tutorial(section)}) by itself.\n\n"
