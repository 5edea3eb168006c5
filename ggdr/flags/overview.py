"""The short help of `ggdr train`: what one needs first, the parts with the names of their settings, all other flags."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from ggdr.flags.parts import fields_of, held_parts
from ggdr.registry import Part

FIRST = (
    *("recipe", "out", "total_kimg", "batch_size", "precision", "seed", "init_from", "sample_kimg", "checkpoint_kimg"),
    *("dry_run", "allow_changes", "use"),
)
"""fields of the command and its recipe that the short help explains"""
WIDTH = 80
"""characters of a line"""


def overview(recipe: Any, flags: Iterable[str]) -> str:
    """List a recipe's parts, a line each, and the names of all flags that --help does not explain."""
    rows = list(parts_of(recipe))
    flag, name = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = (f"  {row[0]:{flag}} {row[1]:{name}} {shortened(row[2], WIDTH - flag - name - 4)}" for row in rows)
    shown = {row[0] for row in rows} | {f"--{field.replace('_', '-')}" for field in FIRST}
    others = [each for each in dict.fromkeys(flags) if each not in shown and "." not in each and each[:5] != "--no-"]
    named = textwrap.fill(" ".join(others), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(["parts, and their settings:", *lines, "", "further flags:", named, ""])


def parts_of(recipe: Any) -> Iterator[tuple[str, str, list[str]]]:
    """The flag of each part that a recipe holds, also of those inside, the part's name, and those of its settings."""
    for flag, part in held_parts(recipe):
        if isinstance(part, Part):
            names = fields_of(part)
            own = [name for name, value in vars(part).items() if name in names and not isinstance(value, Part)]
            yield flag, part.name, [name.replace("_", "-") for name in own]


def shortened(words: list[str], width: int) -> str:
    """Join as many words as go into a line of this width, with three dots for the others."""
    return textwrap.shorten(" ".join(words), width, placeholder=" ...", break_on_hyphens=False)
