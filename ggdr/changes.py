"""What may change when a run goes on: settings that are marked so where they are declared, and no others."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar


class Mark:
    """Says of a setting that a run which goes on with another value is still the run that it was."""


Of = TypeVar("Of")
MayChange = Annotated[Of, Mark]
"""`keep: MayChange[int] = 2`: a resumed run may have another value. Unmarked, as in parts of one's own: it may not."""


def may_change(owner: Any, path: Sequence[str]) -> bool:
    """Whether the setting at `path` of a recipe, or of a part of one, is marked or lies within one that is."""
    name, *inner = path
    if dataclasses.is_dataclass(owner):
        hint = typing.get_type_hints(type(owner), include_extras=True).get(name)
        if Mark in typing.get_args(hint):
            return True
        owner = vars(owner)
    held = owner.get(name) if isinstance(owner, dict) else None
    return bool(inner) and held is not None and may_change(held, inner)
