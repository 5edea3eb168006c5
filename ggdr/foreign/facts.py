"""What a file says of itself, as JSON can hold it."""

from __future__ import annotations

from math import isfinite
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.stand_ins import Module, Namespace
from ggdr.foreign.torch_files import Stored

MOST_FACTS = 10_000
"""values worth keeping; a file of a few bytes can stand for billions, by repeating what it holds"""
DEEPEST = 16
LONGEST = 4096
"""characters of a text"""


def as_json(value: Any) -> Any:
    """Nested dicts and lists of numbers and texts; UserError if there are absurdly many."""
    return Budget().spent_on(value, 0)


class Budget:
    """How many values may still be kept."""

    def __init__(self) -> None:
        self.left = MOST_FACTS

    def spent_on(self, value: Any, depth: int) -> Any:
        """The value, as JSON can hold it."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise UserError("it says more of itself than a checkpoint could")
        match value:
            case None | bool():
                return value
            case str():
                return value[:LONGEST]
            case Stored() if not value.shape and value.storage.dtype.is_floating_point:
                return self.spent_on(float(value.tensor()), depth)
            case int() | float():
                return value if abs(value) < 1 << 63 and isfinite(value) else shown(value)
            case dict():
                return {str(key)[:LONGEST]: self.spent_on(item, depth + 1) for key, item in value.items()}
            case list() | tuple():
                return [self.spent_on(item, depth + 1) for item in value]
            case set() | frozenset():
                return [self.spent_on(item, depth + 1) for item in sorted(value, key=str)]
            case Namespace():
                return self.spent_on(value.attributes, depth)
            case Module():
                return {"class_name": value.class_name}
        return shown(value)
