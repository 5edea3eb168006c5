"""A page for each registered part: what it is, its equation, settings, paper, and where it is used."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe
from equations import equations
from linking import Made
from prose import paragraph, prose

from ggdr.flags.parts import takers
from ggdr.hub.bibliography import citation
from ggdr.hub.markdown import code_block, escape, inline_code, markdown_table
from ggdr.hub.parts import nested_pieces, paper_link, short_value
from ggdr.recipe import Recipe
from ggdr.recipe.built_in import built_in
from ggdr.recipe.files import load_recipe
from ggdr.registry import REGISTRIES, Part, default_of, discover

TITLES = {"datasets": "Data sets", "extractors": "Feature extractors"}
"""plural names of kinds that make no title by themselves"""
SHARED = {"ggdr/networks"}
"""folders of parts of several kinds"""


def part_pages(root: Path) -> Iterator[Made]:
    """The table of all kinds, then for each kind its table and its parts."""
    discover()
    kinds = {kind: own_parts(kind) for kind in REGISTRIES}
    rows = [(f"[{title(kind)}](/parts/{kind})", str(len(parts))) for kind, parts in kinds.items()]
    intro = (
        "Whatever a recipe composes is a part, found by its registered name: these pages are made from the"
        " registries, and say what `ggdr list` says. One of your own is a file: [a regularizer in one"
        " file](/docs/tutorials/regularizer.md).\n\n"
    )
    table = markdown_table(("kind", "parts"), rows)
    yield Made("parts/index.md", "Parts", f"# Parts\n\n{intro}{table}\n", "parts", also="ggdr/registry")
    for kind, parts in kinds.items():
        yield kind_page(kind, parts)
        yield from (part_page(root, kind, part) for part in parts)


def own_parts(kind: str) -> list[type[Part]]:
    """The parts of a kind that come with ggdr, by name."""
    return [part for _, part in sorted(REGISTRIES[kind].items()) if part.__module__.startswith("ggdr.")]


def title(kind: str) -> str:
    """A kind as a title."""
    return TITLES.get(kind, kind.capitalize())


def kind_page(kind: str, parts: list[type[Part]]) -> Made:
    """The parts of a kind, a row each."""
    rows = [(f"[`{part.name}`](/parts/{kind}/{part.name})", first(part), paper_link(part.paper)) for part in parts]
    flag = flags().get(REGISTRIES[kind].kind)
    how = f"`{flag} NAME` takes one into a run.\n\n" if flag else ""
    text = f"# {title(kind)}\n\n{how}{markdown_table(('name', 'what it is', 'paper'), rows)}\n"
    folder = REGISTRIES[kind].package.replace(".", "/")
    also = folder if folder not in SHARED else ""
    return Made(f"parts/{kind}/index.md", title(kind), text, f"parts/{kind}", title(kind), also)


def first(part: type[Part]) -> str:
    """The first line of a part's docstring, in a cell of a table."""
    return paragraph(inspect.cleandoc(part.__doc__ or "").partition("\n")[0])


@cache
def flags() -> dict[str, str]:
    """Kind of part -> the flag of a recipe that takes it; NAME stands for a name that one chooses."""
    return {registry.kind: flag for registry, flag in takers(Recipe)}


def part_page(root: Path, kind: str, part: type[Part]) -> Made:
    """All that is known of a part."""
    own = REGISTRIES[kind].kind
    source = Path(inspect.getfile(part)).resolve().relative_to(root).as_posix()
    cited = f", {paper_link(part.paper)}" if part.paper else ""
    pieces = [f"# {part.name}", f"{escape(own)}{cited}, [{source}](/{source})", prose(part.__doc__ or "")]
    if (equation := equations(root).get((kind, part.name))) is not None:
        pieces += ["## Equation", equation]
    if part.name in REGISTRIES[kind] and (typed := flags().get(own)):
        name = typed.replace("NAME", part.name)
        pieces += ["## Flags", code_block(f"{name} {part.name}", "text")]
        prefix = name
    else:
        prefix = ""
    if settings := settings_table(part, prefix):
        pieces += ["## Settings", settings]
    if met := capabilities(part):
        pieces += ["## Requires and provides", met]
    if used := users().get((kind, part.name)):
        pieces += ["## Recipes with it", ", ".join(f"[{name}](/recipes/{path})" for name, path in used)]
    if part.paper:
        pieces += ["## Cite", code_block(citation(part.paper), "bibtex")]
    text = "\n\n".join(pieces) + "\n"
    return Made(f"parts/{kind}/{part.name}.md", part.name, text, f"parts/{kind}/{part.name}", title(kind))


@cache
def package() -> Any:
    """The package as griffe reads it, with the docstrings under fields."""
    return griffe.load("ggdr", submodules=True)


def settings_table(part: type[Part], prefix: str) -> str:
    """Flag or name of each field, its default, and what it is."""
    members = package()[f"{part.__module__}.{part.__qualname__}".removeprefix("ggdr.")].all_members
    rows = []
    for field in dataclasses.fields(part):  # type: ignore[arg-type]  # every registered part is a dataclass
        member = members.get(field.name)
        said = member.docstring.value if member is not None and member.docstring else ""
        name = f"{prefix}.{field.name.replace('_', '-')}" if prefix else field.name
        rows.append((inline_code(name), shown(default_of(field)), paragraph(said)))
    return markdown_table(("flag" if prefix else "setting", "default", "what it is"), rows)


def shown(value: Any) -> str:
    """A default: a part by its name, anything else as Python writes it."""
    if value is dataclasses.MISSING:
        return "to be given"
    return inline_code(value.name if isinstance(value, Part) else short_value(value))


def capabilities(part: type[Part]) -> str:
    """What a part reads from others and lets others read, with what is handed over."""
    rows = [
        (word, f"`{each.value}`", inline_code(each.shape), escape(each.meaning))
        for word, found in (("requires", part.requires), ("provides", part.provides))
        for each in sorted(found, key=lambda each: each.value)
    ]
    return markdown_table(("", "capability", "what is handed over", "meaning"), rows)


@cache
def users() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(Kind, name) of a part -> name and place of each recipe that has it."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    kinds = {id(registry): kind for kind, registry in REGISTRIES.items()}
    for name, file in built_in().items():
        place = f"zoo/{file.name}" if file.parent.name == "zoo" else file.name
        for part in recipe_parts(load_recipe(file)):
            used = found.setdefault((kinds[id(part.registry)], part.name), [])
            if (name, place) not in used:
                used.append((name, place))
    return found


def recipe_parts(recipe: Recipe) -> Iterator[Part]:
    """Each part of a recipe, with those that it is made of."""
    for value in vars(recipe).values():
        for part in value.values() if isinstance(value, dict) else (value,):
            if isinstance(part, Part):
                yield from (piece.part for piece in nested_pieces(part))
