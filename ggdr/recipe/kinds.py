"""Whether what a recipe in Python was given is of the kind that its fields hold: parts, dicts of parts, numbers."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from ggdr.errors import UserError, setting
from ggdr.registry import Part, discover, part_class


def check_kinds(owner: Any) -> None:
    """UserError, one sentence, if a field of a dataclass holds no such part, dict of parts or number as it says."""
    hints = typing.get_type_hints(type(owner))
    inner = {
        name: typing.get_args(hint)[1] if typing.get_origin(hint) is dict else hint for name, hint in hints.items()
    }
    homes = {kind.registry.kind: name for name, hint in inner.items() if (kind := part_class(hint))}
    for field in dataclasses.fields(owner):
        hint, value = hints[field.name], vars(owner)[field.name]
        kind = part_class(inner[field.name])
        if kind is None:
            check_number(field.name, {hint, *typing.get_args(hint)}, value)
        elif typing.get_origin(hint) is dict:
            if not isinstance(value, dict):
                what = f"{{'NAME': {kind.__name__}}}"
                raise UserError(f"{setting(field.name)} is {value!r}; give a dict of parts by any name: {what}.")
            for name, part in value.items():
                check_part(f"{field.name}.{name}", kind, part, homes)
        elif not isinstance(value, hint):
            check_part(field.name, kind, value, homes)


def check_part(path: str, kind: type[Part], value: Any, homes: dict[str, str]) -> None:
    """UserError if a value is no part of a kind; `homes`: the recipe's fields, by the kind of part that they hold."""
    if isinstance(value, kind):
        return
    wanted = kind.registry.kind
    if isinstance(value, type) and issubclass(value, kind):
        raise UserError(f"{setting(path)} is the class {value.__name__}; give {value.__name__}().")
    if isinstance(value, Part):
        other = value.registry.kind
        why = f", since {reason}" if (reason := value.also.get(wanted)) else ""
        home = f"; give it as {homes[other]}" if other in homes else ""
        raise UserError(f"{setting(path)}: {value.name!r} is registered as {other}, not as {wanted}{why}{home}.")
    if isinstance(value, str):
        discover()
        if part := kind.registry.get(value):
            example = f"from {part.__module__} import {part.__name__}, and {part.__name__}()"
            raise UserError(f"{setting(path)} is the name {value!r}; give the part itself: {example}.")
    raise UserError(f"{setting(path)} is {value!r}; give a {wanted}, such as `ggdr list` shows.")


def check_number(name: str, kinds: set[Any], value: Any) -> None:
    """UserError if a field of numbers holds none of its kinds, such as 3.5 where a whole number belongs."""
    if not kinds & {int, float} or type(value) is int:
        return
    if not isinstance(value, bool) and any(isinstance(value, kind) for kind in kinds if isinstance(kind, type)):
        return
    raise UserError(f"{setting(name)} is {value!r}; give a {'' if float in kinds else 'whole '}number.")
