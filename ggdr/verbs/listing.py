"""`ggdr list`: what is registered, with its source, and what it requires and provides."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.parts import takers
from ggdr.recipe import Recipe
from ggdr.registry import REGISTRIES, Part, discover


@dataclass(frozen=True)
class List:
    """List the registered parts."""

    kind: Annotated[str, tyro.conf.Positional] = ""
    """generators, discriminators, losses, ...; none: all kinds"""
    paper: str = ""
    """only parts of this paper (arXiv number or DOI)"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Print the parts that `argv` asks for; UserError if there is no such kind or no part of such a paper."""
    from ggdr.registry import use

    asked = parsed(List, argv, "ggdr list", None)
    for file in asked.use:
        use(file)
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
    return f"no kind {word!r}.{hint} Kinds: {', '.join(REGISTRIES)}."


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
