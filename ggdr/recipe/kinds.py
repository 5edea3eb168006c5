"""Whether what a recipe in Python was given is of the kind that its fields hold: parts, and plain settings."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from numbers import Integral, Real
from typing import Any, Literal

from ggdr.errors import UserError, setting
from ggdr.registry import Part, discover, part_class
from ggdr.schedules.base import Schedule

NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text in quotes",
    type(None): "None",
}
"""kinds of plain settings, in words"""


def check_kinds(owner: Any) -> None:
    """UserError, one sentence, if a field of a dataclass, or of its parts, holds no such thing as it says."""
    hints = typing.get_type_hints(type(owner))
    inner = {
        name: typing.get_args(hint)[1] if typing.get_origin(hint) is dict else hint for name, hint in hints.items()
    }
    homes = {kind.registry.kind: name for name, hint in inner.items() if (kind := part_class(hint))}
    for field in dataclasses.fields(owner):
        hint, value = hints[field.name], vars(owner)[field.name]
        kind = part_class(inner[field.name])
        if kind is None:
            check_plain(field.name, hint, value)
        elif typing.get_origin(hint) is dict:
            if not isinstance(value, dict):
                what = f"{{'NAME': {kind.__name__}}}"
                raise UserError(f"{setting(field.name)} is {value!r}; give a dict of parts by any name: {what}.")
            for name, part in value.items():
                check_part(f"{field.name}.{name}", kind, part, homes)
                check_fields(f"{field.name}.{name}", part)
        elif not isinstance(value, hint):
            check_part(field.name, kind, value, homes)
        elif value is not None:
            check_fields(field.name, value)


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


def check_fields(path: str, owner: Any) -> None:
    """UserError if a plain field of a part, or of a dataclass within it, holds none of the kinds that it says."""
    hints = field_types(type(owner))
    for field in dataclasses.fields(owner):
        value, inner = vars(owner)[field.name], f"{path}.{field.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            check_fields(inner, value)
        else:
            check_plain(inner, hints[field.name], value)


def field_types(kind: type[Any], marks: bool = False) -> dict[str, Any]:
    """The types of a dataclass's fields; those of its other attributes, which may import torch, are not looked at.

    `marks`: with what `Annotated` says of them.
    """
    names = {field.name for field in dataclasses.fields(kind)}
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        own = {name: text for name, text in inspect.get_annotations(base).items() if name in names}
        scope = vars(sys.modules[base.__module__])
        found |= typing.get_type_hints(types.SimpleNamespace(__annotations__=own), scope, include_extras=marks)
    return found


def check_plain(path: str, hint: Any, value: Any) -> None:
    """UserError if a field of numbers, text, yes or no, or words to choose from holds anything else, as 3.5 for 3."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if union else (hint,)
    if not all(kind in NAMES or kind is Schedule or typing.get_origin(kind) is Literal for kind in kinds):
        return
    if not any(fits(kind, value) for kind in kinds):
        possible = [name for kind in kinds for name in names_of(kind)]
        text = " or ".join(filter(None, (", ".join(possible[:-1]), *possible[-1:])))
        raise UserError(f"{setting(path)} is {value!r}; give {text}.")


def fits(kind: Any, value: Any) -> bool:
    """Whether a value is of a kind; True and False are no numbers, and whole numbers are numbers."""
    if typing.get_origin(kind) is Literal:
        return any(value == each and type(value) is type(each) for each in typing.get_args(kind))
    number = {int: Integral, float: Real}.get(kind)
    return isinstance(value, number or kind) and not (number is not None and isinstance(value, bool))


def names_of(kind: Any) -> list[str]:
    """What a field of a kind may hold, in words; schedules, which go wherever they do beside a number, are left out."""
    if typing.get_origin(kind) is Literal:
        return [repr(each) for each in typing.get_args(kind)]
    return [NAMES[kind]] if kind in NAMES else []
