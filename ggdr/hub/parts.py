"""The parts of a model, each with what it is, how it differs from its defaults, and its paper."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from ggdr.hub.bibliography import ARXIV
from ggdr.hub.facts import Facts
from ggdr.hub.markdown import escape, inline_code, markdown_table
from ggdr.recipe import Recipe
from ggdr.registry import Part, default_of

ROLES = ("game", "generator", "discriminator", "loss", "regularizers", "augment", "data")
"""fields of a recipe whose parts make the model what it is"""
WATCHING = ("metrics",)
"""fields whose parts look on while it is trained"""


class Piece(NamedTuple):
    """A part in its place."""

    part: Part
    inside: str = ""
    """name of the part that it is a part of; empty: of the recipe"""


def pieces(facts: Facts, roles: Iterable[str] = ROLES) -> list[Piece]:
    """The parts of the recipe in these roles, with what they are made of; without a recipe the saved networks'."""
    if facts.recipe is None:
        return [piece for part in facts.networks for piece in nested_pieces(part)]
    return [piece for role in roles for part in parts_in_role(facts.recipe, role) for piece in nested_pieces(part)]


def parts_in_role(recipe: Recipe, role: str) -> Iterator[Part]:
    """The parts in a field of a recipe."""
    value = vars(recipe)[role]
    yield from value.values() if isinstance(value, dict) else (value,)


def nested_pieces(part: Part, inside: str = "") -> Iterator[Piece]:
    """A part, then the parts among its settings."""
    yield Piece(part, inside)
    for value in vars(part).values():
        if isinstance(value, Part):
            yield from nested_pieces(value, part.name)


def parts_table(found: Iterable[Piece]) -> str:
    """A row for each part."""
    return markdown_table(("part", "name", "what it is", "settings beside its defaults", "paper"), map(part_row, found))


def part_row(piece: Piece) -> tuple[str, ...]:
    """Return the cells of a part's row in the card's table of parts."""
    part = piece.part
    kind = part.registry.kind + (f" in {piece.inside}" if piece.inside else "")
    changed = ", ".join(inline_code(f"{name}={short_value(value)}") for name, value in changed_settings(part))
    return escape(kind), inline_code(part.name), escape(first_line(part)), changed, paper_link(part.paper)


def changed_settings(part: Part) -> Iterator[tuple[str, Any]]:
    """The settings that are not as they come, by name."""
    for setting in dataclasses.fields(part):  # type: ignore[arg-type]  # every registered part is a dataclass
        value = vars(part)[setting.name]
        if value != default_of(setting) and not isinstance(value, Part):
            yield setting.name, value


def short_value(value: Any) -> str:
    """A setting's value, short; of a place on this disk its last word alone, which is nobody else's business."""
    text = repr(value)
    if isinstance(value, str) and re.search(r"^[/~.]|^\w:|\\|/.*/", value):
        text = repr(re.split(r"[/\\]", value.rstrip("/\\"))[-1])
    return text if len(text) <= 60 else text[:59] + "…"


def first_line(part: Part | type[Part]) -> str:
    """The sentence that opens its docstring."""
    return inspect.cleandoc(part.__doc__ or "").partition("\n")[0]


def paper_link(paper: str) -> str:
    """A link to a paper by its arXiv number or DOI; nothing without one."""
    if not paper:
        return ""
    if ARXIV.fullmatch(paper):
        return f"[arXiv {paper}](https://arxiv.org/abs/{paper})"
    return f"[{escape(paper)}](https://doi.org/{quote(paper)})"


def papers(facts: Facts) -> list[str]:
    """The papers behind the model: that of its experiment, then those of its parts, each once."""
    found = [facts.about.paper if facts.about else "", *(piece.part.paper for piece in pieces(facts))]
    return list(dict.fromkeys(paper for paper in found if paper))
