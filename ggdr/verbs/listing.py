"""`ggdr list`: what is registered, with its source, and what it requires and provides; and the recipes.

ggdr list regularizers

ggdr list recipes --paper 2207.13320
"""

from __future__ import annotations

import difflib
import inspect
import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.parts import takers
from ggdr.recipe import Recipe
from ggdr.recipe.built_in import built_in
from ggdr.recipe.files import load_recipe, to_json
from ggdr.registry import REGISTRIES, Part, discover


@dataclass(frozen=True)
class List:
    """List the registered parts, or the recipes that come with ggdr."""

    kind: Annotated[str, tyro.conf.Positional] = ""
    """generators, discriminators, losses, ..., or recipes; none: all kinds of parts"""
    paper: str = ""
    """only what is of this paper (arXiv number or DOI)"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Print the parts that `argv` asks for; UserError if there is no such kind or no part of such a paper."""
    from ggdr.registry import use

    asked = parsed(List, argv, "ggdr list", None)
    for file in asked.use:
        use(file)
    if asked.kind == "recipes":
        print(recipes_table(asked.paper))
        return 0
    discover()
    kinds = [asked.kind] if asked.kind else list(REGISTRIES)
    if asked.kind and asked.kind not in REGISTRIES:
        raise UserError(no_kind_message(asked.kind))
    found = {
        kind: [part for part in [*sorted_parts(kind), *looked_for(kind)] if asked.paper in ("", part.paper)]
        for kind in kinds
    }
    if not any(found.values()):
        papers = sorted({part.paper for kind in kinds for part in REGISTRIES[kind].values() if part.paper})
        raise UserError(f"no part of paper {asked.paper!r}; there are parts of {', '.join(papers)}.")
    print("\n\n".join(section(kind, parts) for kind, parts in found.items() if parts))
    return 0


def no_kind_message(word: str) -> str:
    """That a word is no kind of parts, and what to type: of the kind that it is nearest to, or of the part's."""
    homes = {name: kind for kind, registry in REGISTRIES.items() for name in registry}
    flags = {registry.kind: flag for registry, flag in takers(Recipe)}
    close = difflib.get_close_matches(word, REGISTRIES, 1) or difflib.get_close_matches(word, homes, 1)
    if word in homes or (close and close[0] not in REGISTRIES):
        name = word if word in homes else close[0]
        kinds = [kind for kind, registry in REGISTRIES.items() if name in registry]
        own = [REGISTRIES[kind].kind for kind in kinds]
        used = " or ".join(f"{flags[kind].replace('NAME', name)} {name}" for kind in own if kind in flags)
        what = (
            f"no kind {word!r}" if word in homes else f"no kind {word!r}. Did you mean {name!r}? It is no kind either"
        )
        how = f" (`ggdr train` takes it by {used})" if used else ""
        return f"{what}: {name!r} is registered as {' and as '.join(own)}; type: ggdr list {' or '.join(kinds)}{how}."
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no kind {word!r}.{hint} Kinds: {', '.join(REGISTRIES)}, and recipes."


def recipes_table(paper: str) -> str:
    """The recipes that come with ggdr, or those of a paper, a line each; UserError if there is none of it."""
    rows = []
    for name, file in built_in().items():
        recipe = load_recipe(file)
        about = " ".join(inspect.cleandoc(sys.modules[name].__doc__ or "").partition("\n\n")[0].split())
        size = to_json(recipe.data).get("size")
        pixels = "x".join(map(str, size)) if isinstance(size, list) else size or "any size"
        if paper in about:
            rows.append(
                (name, recipe.data.name, f"{pixels} px" if size else "any size", f"{recipe.total_kimg:g} kimg", about)
            )
    if not rows:
        raise UserError(f"no recipe is of paper {paper!r}; `ggdr list recipes` shows all of them.")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def sorted_parts(kind: str) -> list[type[Part]]:
    """The parts of a kind, by name."""
    return [part for _, part in sorted(REGISTRIES[kind].items())]


def looked_for(kind: str) -> list[type[Part]]:
    """The parts of other kinds that people look for among those of this kind."""
    return [part for other in REGISTRIES for part in sorted_parts(other) if REGISTRIES[kind].kind in part.also]


def section(kind: str, parts: list[type[Part]]) -> str:
    """A kind's heading and its parts; then, with why and with their flags, those that are found elsewhere."""
    own, flags = REGISTRIES[kind].kind, {registry.kind: flag for registry, flag in takers(Recipe)}
    lines = [kind]
    for part in parts:
        lines.append(entry(part))
        if (home := part.registry.kind) != own:
            flag = f": {flags[home].replace('NAME', part.name)} {part.name}" if home in flags else ""
            lines.append(f"  {'':16} registered as {home}, since {part.also[own]}{flag}")
    return "\n".join(lines)


def entry(part: type[Part]) -> str:
    """Name, first line of the docstring, paper, what it requires and provides."""
    first = inspect.cleandoc(part.__doc__ or "").splitlines()[0]
    notes = [f"arXiv {part.paper}" if part.paper[:4].isdigit() else part.paper] if part.paper else []
    notes += [
        f"{word} {', '.join(sorted(each.value for each in capabilities))}"
        for word, capabilities in (("requires", part.requires), ("provides", part.provides))
        if capabilities
    ]
    return f"  {part.name:16} {first}" + (f"\n  {'':16} [{'; '.join(notes)}]" if notes else "")
