"""What `ggdr compare` and `ggdr sweep` do first: read their flags, and refuse before torch is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from ggdr.comparison.budget import check_alone, split
from ggdr.flags.command_line import parsed
from ggdr.progress import say_loading
from ggdr.recipe.built_in import find_recipe
from ggdr.verbs.outputs import check_folder


class ManyRuns(Protocol):
    """What is asked of many trainings."""

    @property
    def out(self) -> Path:
        """Folder of all that is made."""

    @property
    def recipe(self) -> str:
        """The recipe of arms that name none."""

    @property
    def arms(self) -> Sequence[str]:
        """ "NAME: flags" or "NAME: RECIPE flags" of each."""


Asked = TypeVar("Asked", bound=ManyRuns)


def read_flags(kind: type[Asked], argv: list[str], program: str, description: str) -> tuple[Asked, list[str]]:
    """What is asked, as a dataclass `kind`, and the flags of `ggdr evaluate` that stand after `--`.

    UserError if there is no such recipe, the folder cannot be written to, or this is a launch of several processes;
    SystemExit after --help, and where a value cannot be read.
    """
    own, flags = split(argv)
    asked = parsed(kind, own, program, description)
    check_alone(program)
    check_folder(asked.out)
    find_recipe(asked.recipe)
    say_loading(f"{len(asked.arms)} arms of {asked.recipe}")
    return asked, flags
