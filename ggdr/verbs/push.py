"""`ggdr push RUN org/name`: share a run or a model on the Hub: networks, card, samples, records, recipe.

ggdr push runs/digits org/ggdr-digits

ggdr push models/cat org/cat --private --revision trial

ggdr push runs/mine org/mine --licence cc-by-4.0 --about.images "watercolours by myself" --about.licence "CC BY 4.0"
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.documents import suggest_similar
from ggdr.errors import UserError, check_licence
from ggdr.flags.command_line import parsed
from ggdr.progress import Bar
from ggdr.recipe.about import Description
from ggdr.verbs.model_flags import announce


@dataclass(frozen=True)
class Push:
    """What to share, and where."""

    source: Annotated[Path, tyro.conf.Positional]
    """folder of a run (its newest checkpoint), of a checkpoint, or of a model"""
    repo: Annotated[str, tyro.conf.Positional]
    """the repository, org/name; it is made if it is not there"""
    private: bool = False
    """if it is made, only its owners see it"""
    revision: str | None = None
    """branch, made if it is not there; None: main"""
    message: str | None = None
    """message of the commit; None: what it is, and how long it was trained"""
    licence: Annotated[str, tyro.conf.arg(aliases=("--license",))] = ""
    """licence of the weights, such as cc-by-4.0; empty: the recipe's `hub_licence`, else `unknown`"""
    about: Description = Description()
    """what the card is to say of the images that it learned from, beside what the recipe says"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Push what `argv` asks for and say where it is; UserError if it cannot be."""
    command = parsed(Push, argv, "ggdr push", __doc__)
    if not command.source.is_dir():
        raise UserError(
            f"there is no folder {str(command.source)!r}{suggest_similar(command.source)};"
            f" give that of a run or of a model."
        )
    announce(command.source)
    from ggdr.hub.repository import CardWords, Repository, publish
    from ggdr.registry import use

    for file in command.use:
        use(file)
    check_licence(command.licence)
    place, words = (
        Repository(command.repo, command.private or None, command.revision),
        CardWords(command.licence, command.about),
    )
    with Bar(f"pushing to {command.repo}"):
        pushed = publish(command.source, place, command.message, words)
    for line in pushed.unsaid:
        print(f"ggdr: WARNING: {line}", file=sys.stderr)
    if pushed.kept_card:
        print("its card was written by hand, and stays as it is")
    print(f"{pushed.address}{'' if pushed.changed else ': nothing has changed'}")
    return 0
