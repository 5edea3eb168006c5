"""The facts that a checkpoint states about itself, converted to JSON."""

from __future__ import annotations

from math import isfinite
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.stand_ins import Module, Namespace
from ggdr.foreign.torch_files import Stored

MOST_FACTS = 10_000
"""Largest number of values that are kept; a file of a few bytes can stand for billions, by repeating what it holds."""
DEEPEST = 16
LONGEST = 4096
"""Largest number of characters of a text that are kept."""


def as_json(value: Any) -> Any:
    """Convert a value to nested dicts and lists of numbers and texts; UserError if there are absurdly many."""
    return Budget().convert(value, 0)


class Budget:
    """The number of values that may still be converted."""

    def __init__(self) -> None:
        self.left = MOST_FACTS

    def convert(self, value: Any, depth: int) -> Any:
        """Convert a value to JSON, and its items in turn; UserError beyond the budget."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise UserError("it says more of itself than a checkpoint could")
        match value:
            case None | bool():
                return value
            case str():
                return value[:LONGEST]
            case Stored() if not value.shape and value.storage.dtype.is_floating_point:
                return self.convert(float(value.tensor()), depth)
            case int() | float():
                return value if abs(value) < 1 << 63 and isfinite(value) else shown(value)
            case dict():
                return {str(key)[:LONGEST]: self.convert(item, depth + 1) for key, item in value.items()}
            case list() | tuple():
                return [self.convert(item, depth + 1) for item in value]
            case set() | frozenset():
                return [self.convert(item, depth + 1) for item in sorted(value, key=str)]
            case Namespace():
                return self.convert(value.attributes, depth)
            case Module():
                return {"class_name": value.class_name}
        return shown(value)
