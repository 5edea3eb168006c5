"""Flags that name parts: swapped, added and dropped by registered name, in a recipe or another dataclass of parts."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from ggdr.errors import UserError, at
from ggdr.registry import Part, Registry, part_class
from ggdr.schedules.base import Schedule

Owner = TypeVar("Owner")


def take_use(flags: list[str]) -> tuple[list[Path], list[str]]:
    """The files after each `--use`, and the other flags; UserError if there is none after one."""
    files, rest = take(flags, "--use", "the path of a Python file: --use my_regularizer.py")
    return [Path(file) for file in files], rest


def take(flags: list[str], name: str, wanted: str) -> tuple[list[str], list[str]]:
    """The values after each flag `name`, and the other flags; UserError, saying what is wanted, if there are none."""
    values: list[str] = []
    rest: list[str] = []
    waiting = deque(word for flag in flags for word in (flag.split("=", 1) if flag.startswith(f"{name}=") else [flag]))
    while waiting:
        flag = waiting.popleft()
        if flag != name:
            rest.append(flag)
            continue
        before = len(values)
        while waiting and not waiting[0].startswith("-"):
            values.append(waiting.popleft())
        if len(values) == before:
            raise UserError(f"{name} takes {wanted}")
    return values, rest


def swap_parts(owner: Owner, flags: list[str]) -> tuple[Owner, list[str]]:
    """Act on the flags that name a part (`--generator NAME`, `--regularizers.KEY NAME|none`); return the others.

    `owner`: a recipe, or another dataclass whose fields hold parts.
    """
    rest: list[str] = []
    waiting = iter(flags)
    for flag in waiting:
        name, equals, value = flag.partition("=")
        path = name[2:].replace("-", "_").split(".") if name.startswith("--") else []
        if not path or not names_part(owner, path):
            rest.append(flag)
            continue
        value = value if equals else next(waiting, "")
        if not value or value.startswith("--"):
            raise UserError(f"{name} takes the name of a part: {name} NAME; `ggdr list` shows them.")
        owner = swapped(owner, path, value, name)
    return owner, rest


def part_kind(owner: Any, field: str) -> tuple[type[Part] | None, bool]:
    """The base class of the part that a field holds (None: it holds none), and whether it holds a dict of them."""
    hint = typing.get_type_hints(owner if isinstance(owner, type) else type(owner)).get(field)
    if takes_schedule(hint):
        return Schedule, False
    many = typing.get_origin(hint) is dict
    kind = part_class(typing.get_args(hint)[1] if many else hint)
    return kind, many and kind is not None


def takes_schedule(hint: Any) -> bool:
    """Whether a field of this type takes a number or a schedule."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and Schedule in typing.get_args(hint)


def may_be_none(owner: Any, field: str) -> bool:
    """Whether None is among what a field holds."""
    return type(None) in typing.get_args(typing.get_type_hints(type(owner))[field])


def names_part(owner: Any, path: list[str]) -> bool:
    """Whether the path ends at a field that holds a part, or at a key of a dict of parts."""
    return taken_at(owner, path) is not None


def taken_at(owner: Any, path: list[str]) -> Registry | None:
    """The registry whose parts go where a path ends, at a field or at a key of a dict; None: no parts do."""
    kind, many = part_kind(owner, path[0])
    inner = path[2:] if many else path[1:]
    if kind is None or (many and len(path) == 1):
        return None
    if not inner:
        return kind.registry
    held = held_at(owner, path[: len(path) - len(inner)])
    return None if held is None else taken_at(held, inner)


def held_at(owner: Any, path: list[str]) -> Any:
    """What dataclasses and dicts hold at a path; None: nothing."""
    for name in path:
        holder = owner if isinstance(owner, dict) else vars(owner) if dataclasses.is_dataclass(owner) else {}
        owner = holder.get(name)
    return owner


def words_at(owner: Any, path: list[str]) -> list[str]:
    """The few words, one of which goes where a path ends; none where anything may."""
    held = held_at(owner, path[:-1])
    hint = typing.get_type_hints(held if isinstance(held, type) else type(held)).get(path[-1])
    kinds = (hint, *typing.get_args(hint))
    return [str(word) for kind in kinds if typing.get_origin(kind) is typing.Literal for word in typing.get_args(kind)]


def swapped(owner: Any, path: list[str], name: str, flag: str, whole: Any = None) -> Any:
    """A copy of `owner` in which the part at `path` is the one called `name`, as it comes; "none" drops it.

    `whole`: what `owner` is a part of, whose flags messages may name; None: `owner` itself.
    """
    whole = owner if whole is None else whole
    kind, many = part_kind(owner, path[0])
    assert kind is not None
    held = getattr(owner, path[0])
    inner = path[2:] if many else path[1:]
    old = held.get(path[1]) if many else held
    if inner:
        with at(".".join(path[: len(path) - len(inner)])):
            new = swapped(old, inner, name, flag, whole)
    elif many and name.lower() == "none":
        if old is None:
            raise UserError(f"{flag} none: there is no {path[1]!r} to drop; {instead(owner, path[1], held)}.")
        return dataclasses.replace(owner, **{path[0]: {key: item for key, item in held.items() if key != path[1]}})
    elif kind is Schedule and (plain := number(name)) is not None:
        new = plain
    elif kind is Schedule and name.lower() == "none" and may_be_none(owner, path[0]):
        new = None
    else:
        try:
            part = found(kind, name, flag, whole)
        except UserError as error:
            raise (UserError(f"{flag} takes a number or a schedule; {error}") if kind is Schedule else error) from None
        if kind.name and not issubclass(part, kind):
            raise UserError(f"{flag} {name}: nothing but {kind.name} goes there; set its fields, or leave it out.")
        if issubclass(part, Schedule):
            new = part(start=old.start if isinstance(old, Schedule) else old)
        else:
            new = fresh(part, flag)
    return dataclasses.replace(owner, **{path[0]: {**held, path[1]: new} if many else new})


def instead(owner: Any, name: str, held: dict[str, Any]) -> str:
    """What to type where a part that is not there was to be dropped: what every run has is left out by its interval."""
    interval = f"{name.rstrip('s')}_kimg"
    if interval not in fields_of(owner):
        return f"there are: {', '.join(held)}" if held else "there is none at all: leave it out"
    flag = f"--{interval.replace('_', '-')}"
    try:
        dataclasses.replace(owner, **{interval: 0.0})
    except UserError:
        return f"every run has it, at intervals of {flag} N"
    return f"type {flag} 0"


def number(word: str) -> float | None:
    """The number that a word is; None if it is none."""
    try:
        return float(word)
    except ValueError:
        return None


def found(kind: type[Part], name: str, flag: str, whole: Any) -> type[Part]:
    """The part of a kind called `name`.

    UserError if there is none, with what to type if it is a part of another kind that `whole` takes, or a place.
    """
    try:
        return kind.registry.find(name)
    except UserError:
        for other, where in takers(whole):
            if other is not kind.registry and name in other:
                why = f", since {reason}" if (reason := other[name].also.get(kind.registry.kind)) else ""
                homes = f"registered as {other.kind}, not as {kind.registry.kind}{why}"
                raise UserError(
                    f"{flag} {name}: {name!r} is {homes}; type: {where.replace('NAME', name)} {name}"
                ) from None
        reading = parts_with(kind.registry, "source")
        if not reading or not Path(name).exists():
            raise
        type_ = f"{flag} {reading[0]} {flag}.source {name}"
        raise UserError(f"{name!r} is a place, and {flag} takes a registered name; type: {type_}") from None


def parts_with(registry: Registry, field: str) -> list[str]:
    """The names of a registry's parts that have a setting, the plainest first: what derives from others is special."""
    found = [name for name, part in registry.items() if field in fields_of(part)]
    return sorted(found, key=lambda name: (len(registry[name].__mro__), name))


def takers(owner: Any) -> Iterator[tuple[Registry, str]]:
    """Each registry whose parts `owner`, or its class, takes, and the flag; where it takes many, one called NAME."""
    for field in dataclasses.fields(owner):
        kind, many = part_kind(owner, field.name)
        if kind is not None:
            yield kind.registry, f"--{field.name.replace('_', '-')}{'.NAME' if many else ''}"


def fields_of(part: Any) -> set[str]:
    """The names of a part's settings."""
    return {field.name for field in dataclasses.fields(part)}


def fresh(part: Any, flag: str) -> Any:
    """The part with its default settings."""
    needed = [f.name for f in dataclasses.fields(part) if f.default is f.default_factory is dataclasses.MISSING]
    if needed:
        raise UserError(
            f"{flag} {part.name}: {part.__name__} has no default for {', '.join(needed)}; set it in the recipe."
        )
    return part()


def part_flags(owner: Any) -> Iterator[str]:
    """The flags that swap the parts which `owner`, a dataclass, is made of, and those that they are made of."""
    return (flag for flag, _ in held_parts(owner))


def held_parts(owner: Any, head: str = "--") -> Iterator[tuple[str, Any]]:
    """Each of those flags, with what is there: a part, a number where a schedule may be, or None."""
    for field in dataclasses.fields(owner):
        kind, many = part_kind(owner, field.name)
        if kind is None:
            continue
        value, name = vars(owner)[field.name], f"{head}{field.name.replace('_', '-')}"
        for flag, part in {f"{name}.{key}": item for key, item in value.items()}.items() if many else [(name, value)]:
            yield flag, part
            if isinstance(part, Part):
                yield from held_parts(part, f"{flag}.")
