"""The recipes that come with ggdr, by name: `ggdr train digits`, `ggdr train ffhq256`, `ggdr train dcgan`."""

from __future__ import annotations

import difflib
from pathlib import Path

from ggdr.errors import UserError

PACKAGE = Path(__file__).resolve().parent.parent


def built_in() -> dict[str, Path]:
    """Name -> file of each, those of the zoo too; they lie in an installed package, and beside it in a checkout."""
    for folder in (PACKAGE / "recipes", PACKAGE.parent / "recipes"):
        if folder.is_dir():
            return {file.stem: file for file in sorted([*folder.glob("*.py"), *folder.glob("zoo/*.py")])}
    return {}


def find_recipe(given: str | Path) -> Path:
    """The file of a recipe: a path, or the name of one that comes with ggdr.

    UserError, with what is near, if there is neither.
    """
    name, path, ours = str(given), Path(given).expanduser(), built_in()
    if name in ours:
        return ours[name]
    if path.exists():
        return path
    if name == path.stem:  # neither a folder before it nor an ending
        close = difflib.get_close_matches(name, ours, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UserError(
            f"no recipe of ggdr is called {name!r}, and no file.{hint} `ggdr list recipes` shows them; of your own give"
            " the path, such as mine.py."
        )
    if path.stem in ours:
        raise UserError(f"{name!r} is not there; ggdr brings a recipe of that name: type {path.stem} alone.")
    return path  # whoever reads it says that it is not there
