"""Where a link of a page in the repository leads in the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ggdr.hub.markdown import bullets, code_block

LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\]|!\[[^\]]*\]\([^)]*\))*\]\()([^)\s]+)(\))")
FENCE = re.compile(r"(^ *(`{3,}|~{3,}).*?^ *\2 *$)", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".toml": "toml", ".bib": "bibtex", ".json": "json", ".sh": "bash", ".yml": "yaml"}
PICTURES = {".png", ".jpg", ".gif", ".svg", ".webp"}
HIDDEN = "---\nsearch:\n  exclude: true\n---\n\n"


class Made(NamedTuple):
    """A page that is made at each build."""

    uri: str
    """its place in the site, ending in .md"""
    title: str
    """its name in the navigation; empty: it is not there"""
    text: str
    """Markdown; links that begin with a slash lead from the root of the repository"""
    home: str = ""
    """place in the repository that stands for the page when others link to it; empty: none"""
    chapter: str = ""
    """title under which the navigation has it; empty: right below its tab"""
    also: str = ""
    """a further place of the repository that the page stands for, such as a folder"""
    base: str = ""
    """place in the repository from which its links lead; empty: its own in the site, as if that were docs/"""


class Site:
    """All pages, and which place of the repository each stands for."""

    def __init__(self, root: Path, made: Iterable[Made]) -> None:
        """Find the pages of docs/, add the made ones, then one for each other file that any of them links to."""
        self.root = root
        self.made = {page.uri: page for page in made}
        own = {path.relative_to(root / "docs").as_posix(): path for path in (root / "docs").rglob("*.md")}
        self.homes = {f"docs/{uri}": uri for uri in own} | {"README.md": "index.md", "docs": "index.md"}
        self.homes |= {place: uri for uri, page in self.made.items() for place in (page.home, page.also) if place}
        self.sources: dict[str, str] = {}
        self.pictures: dict[str, Path] = {}
        written = {uri: path.read_text(encoding="utf-8") for uri, path in own.items()} | {
            u: p.text for u, p in self.made.items()
        }
        for uri, text in written.items():
            for target in self.targets(text, uri):
                self.add_source(target)

    def base(self, uri: str) -> str:
        """The place in the repository from which a page's links lead."""
        made, place = self.made.get(uri), uri.removeprefix("source/").removesuffix(".md")
        if place in self.sources:
            return place
        return made.base if made is not None and made.base else f"docs/{uri}"

    def targets(self, text: str, uri: str) -> Iterator[str]:
        """The places of the repository to which a page links."""
        for piece in FENCE.split(text)[::3]:
            for found in LINK.finditer(piece):
                yield from self.targets(found[1], uri)  # a picture within a link's words
                if (place := self.place(found[2], uri)) is not None:
                    yield place

    def place(self, target: str, uri: str) -> str | None:
        """The place of the repository that a link names; None: it leads elsewhere, or stays within its page."""
        path = target.partition("#")[0]
        if not path or re.match(r"\w+:", path):
            return None
        near = path[1:] if path.startswith("/") else posixpath.join(posixpath.dirname(self.base(uri)), path)
        return posixpath.normpath(near)

    def add_source(self, place: str) -> None:
        """Have a page for a file or folder that is no page by itself, and is in the repository."""
        path, known = self.root / place, place in self.homes or place in self.sources
        if known or place.startswith("docs/") or not path.exists():
            return
        if path.suffix in PICTURES:
            self.pictures[f"source/{place}"] = path
            self.homes[place] = f"source/{place}"
            return
        self.sources[place] = uri = f"source/{place}.md"
        self.homes[place] = uri
        for target in self.targets(path.read_text(encoding="utf-8"), uri) if path.suffix == ".md" else ():
            self.add_source(target)
        inside = sorted(path.iterdir()) if path.is_dir() else []
        for inner in inside:
            if inner.suffix in LANGUAGES or (inner.is_dir() and any(inner.glob("*.py"))):
                self.add_source(f"{place}/{inner.name}")

    def source_text(self, place: str) -> str:
        """The page of a file, its text, or of a folder, what is in it."""
        path, title = self.root / place, f"{HIDDEN}# {Path(place).name}\n\n`{place}`\n\n"
        if path.suffix == ".md":
            return HIDDEN + path.read_text(encoding="utf-8")
        if path.is_file():
            return title + code_block(path.read_text(encoding="utf-8"), LANGUAGES.get(path.suffix, "text"))
        known = sorted(each for each in self.homes if posixpath.dirname(each) == place)
        return title + bullets(f"[{posixpath.basename(each)}](/{each})" for each in known)

    def texts(self) -> dict[str, str]:
        """Each made page's place in the site -> its Markdown."""
        return {uri: page.text for uri, page in self.made.items()} | {
            uri: self.source_text(place) for place, uri in self.sources.items()
        }

    def led(self, text: str, uri: str) -> str:
        """A page's Markdown, with links that lead to pages of the site."""
        pieces = FENCE.split(text)
        for i in range(0, len(pieces), 3):
            pieces[i] = LINK.sub(lambda found: self.link(found, uri), pieces[i])
        return "".join(piece for i, piece in enumerate(pieces) if i % 3 != 2)

    def link(self, found: re.Match[str], uri: str) -> str:
        """One link, led to its page."""
        words, target, end = LINK.sub(lambda inner: self.link(inner, uri), found[1]), found[2], found[3]
        place = self.place(target, uri)
        if place is None:
            return words + target + end
        there = self.homes.get(place) or place.removeprefix("docs/")
        _, hash_sign, anchor = target.partition("#")
        return words + posixpath.relpath(there, posixpath.dirname(uri) or ".") + hash_sign + anchor + end

    def nav(self, pages: Iterable[Made]) -> list[Any]:
        """The navigation of made pages, chapters where they have one."""
        tree: list[Any] = []
        chapters: dict[str, list[Any]] = {}
        for page in pages:
            if not page.title:
                continue
            if page.chapter and page.chapter not in chapters:
                chapters[page.chapter] = []
                tree.append({page.chapter: chapters[page.chapter]})
            place = chapters[page.chapter] if page.chapter else tree
            place.append(page.uri if page.uri.endswith("index.md") else {page.title: page.uri})
        return tree
