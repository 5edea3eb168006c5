"""`ggdr new FILE.py --like RECIPE`: a recipe of your own, which begins as another one.

ggdr new mine.py --like ffhq256

ggdr train mine.py --data.source photos

The file names what differs from the defaults, part by part, to be read and changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.recipe.about import About
from ggdr.recipe.files import load_recipe, to_python


@dataclass(frozen=True)
class New:
    """Where the recipe is written to, and what it begins as."""

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.py")]
    """the new file; one that is there is left as it is"""
    like: str = "digits"
    """the recipe that it begins as: the name of one that comes with ggdr (`ggdr list recipes`), or a file"""


def main(argv: list[str]) -> int:
    """Write the file that `argv` asks for and say what to type next; UserError if it cannot be written there."""
    asked = parsed(New, argv, "ggdr new", __doc__)
    file = asked.file.expanduser()
    if file.suffix != ".py":
        raise UserError(f"{str(file)!r} is no name of a Python file; give one that ends in .py, such as mine.py.")
    if not file.parent.is_dir():
        raise UserError(f"there is no folder {str(file.parent)!r}; make it, or give another FILE.py.")
    recipe = replace(load_recipe(asked.like), about=About())  # which says of the other's images what may not hold here
    doc = f"Like {asked.like}, to begin with.\n\nFields that are not here have their defaults, which `ggdr train {file}"
    text = to_python(recipe, f"{doc} --help-all` shows.\n", whole=False)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise UserError(f"{str(file)!r} is there; give another name, for it is left as it is.") from None
    print(f"{file}: begins as {asked.like}; change it, and type: ggdr train {file}")
    return 0
