"""Command lines: what tyro reads, and for what it does not know one sentence that says what was meant."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import io
import operator
import sys
import types
import typing
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructTypeInfo

from ggdr.errors import UserError
from ggdr.registry import default_of
from ggdr.schedules.base import Schedule

Of = TypeVar("Of")
MOST = 3
"""flags that are suggested at once"""
LEAST, MARGIN = 0.7, 0.05
"""how alike a flag must be to be suggested, of 1, and how much less than the best"""
TAB = "--\0"
"""in place of a flag, what nobody can type: `parsed` raises FlagsAsked then, for a shell that completes one"""
FORMER = {"psi": "truncation-psi", "trunc": "truncation-psi", "cutoff": "truncation-cutoff", "features": "extractor"}
"""words that were flags, or are elsewhere -> those that are"""


class FlagsAsked(Exception):
    """What a shell wants to know that completes a flag: raised instead of reading the command line."""

    def __init__(self, owners: Sequence[Any], known: Iterable[str]) -> None:
        """`owners`: the dataclasses whose fields are flags, or what holds without flags. `known`: the flags."""
        super().__init__()
        self.owners, self.known = owners, tuple(known)


def parsed(
    kind: type[Of],
    argv: Sequence[str],
    program: str,
    description: str | None,
    default: Of | None = None,
    known: Iterable[str] | None = None,
    hint: Callable[[str], str] = lambda flag: "",
    unnamed: str = "",
    shown: Container[str] | None = None,
    all_flags: str = "--help",
) -> Of:
    """What a command line asks for, as a dataclass `kind`, by tyro.

    `program`: what was typed before `argv`. `default`: what holds without flags; None: the defaults of the fields.
    `known`: flags that may have been meant; None: those of the fields. `hint`: a sentence on an unknown flag, for those
    that only the caller knows; empty: none. `unnamed`: the field whose own fields are flags without its name. `shown`:
    fields that --help shows, where nothing but that is asked for; None: all. `all_flags`: what to type for all of them.
    UserError of a setting that a dataclass refuses, and with an unknown flag or word, and those that may have been
    meant; SystemExit after --help, and where tyro cannot read a value; FlagsAsked where TAB is among the words.
    """
    owner = kind if default is None else default
    known = list(flags_of(owner) if known is None else known)
    if TAB in argv:
        raise FlagsAsked([owner, *([vars(owner)[unnamed]] if unnamed else [])], known)
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            asked, unknown = tyro.cli(
                kind,
                prog=program,
                description=description,
                args=argv,
                default=tyro.MISSING_NONPROP if default is None else default,
                config=(tyro.conf.AvoidSubcommands,),
                return_unknown_args=True,
                registry=as_held(shown),
            )
    except SystemExit as ended:
        if (refusal := refused(ended, unnamed)) is not None:
            raise refusal from None
        sys.stderr.write(told.getvalue())
        raise
    if not unknown:
        return asked
    first = next((word for word in unknown if word.startswith("-")), unknown[0])
    flag = first.partition("=")[0]
    renamed, like = now_called(flag), suggestion(flag, known)
    meant = hint(flag) or switch(argv, first, known) or (f"Did you mean {like}?" if like else "")
    meant = f"It is {renamed} now." if renamed in known else meant
    what = f"no flag {flag}" if flag.startswith("-") else f"no place for {flag!r}"
    raise UserError(f"`{program}` has {what}.{f' {meant}' if meant else ''} {all_flags} lists what it takes.")


def switch(argv: Sequence[str], word: str, known: Container[str]) -> str:
    """What to type where True or False was put after a flag that is yes by itself; empty: that is not so."""
    flag = next((before for before, each in pairwise(argv) if each == word), "")
    if flag not in known or word.lower() not in ("true", "false"):
        return ""
    head, dot, name = flag.removeprefix("--").rpartition(".")
    return f"Type {flag if word.lower() == 'true' else f'--{head}{dot}no-{name}'} alone."


def as_held(shown: Container[str] | None = None) -> ConstructorRegistry:
    """How tyro takes a setting that is a number or a schedule: as what it holds, so that it has the flags of that.

    `shown`: names of the only fields that it sees; None: it sees all.
    """
    registry = ConstructorRegistry()
    inside: list[StructTypeInfo] = []

    def narrowed(info: StructTypeInfo) -> StructConstructorSpec | None:
        """What tyro makes of a dataclass, each such field with the type of its value."""
        if inside or not dataclasses.is_dataclass(info.type):
            return None
        inside.append(info)
        try:
            spec = ConstructorRegistry.get_struct_spec(info)
        finally:
            inside.pop()
        if not isinstance(spec, StructConstructorSpec):
            return None
        seen = (field for field in spec.fields if shown is None or field.name in shown)
        held = [dataclasses.replace(field, type=held_kind(field.type, field.default)) for field in seen]
        return dataclasses.replace(spec, fields=tuple(held))

    registry.struct_rule(narrowed)
    return registry


def held_kind(hint: Any, value: Any) -> Any:
    """A field's type; where it takes numbers and schedules, the one of them that `value` is."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return typing.Annotated[(held_kind(inner[0], value), *inner[1:])]
    if origin not in (typing.Union, types.UnionType) or Schedule not in inner:
        return hint
    plain = tuple(kind for kind in inner if kind is not Schedule)
    return type(value) if isinstance(value, Schedule) else functools.reduce(operator.or_, plain)


def refused(ended: SystemExit, unnamed: str) -> UserError | None:
    """The UserError of a dataclass, for which tyro has ended; None: it had another reason.

    What tyro raised of it in between knows at which path of the command that dataclass was to be.
    """
    path, error = "", ended.__context__
    while error is not None and not isinstance(error, UserError):
        where = vars(error).get("arg")
        path, error = where if isinstance(where, str) else path, error.__context__
    if error is not None:
        error.move(path.replace("-", "_").removeprefix(f"{unnamed}."))
    return error


def now_called(flag: str) -> str:
    """The flag with each of its words that was renamed as it is now."""
    return "--" + ".".join(FORMER.get(word, word) for word in flag.lstrip("-").split("."))


def suggestion(flag: str, known: Iterable[str]) -> str:
    """The known flags that one may have been meant for, in words: those that end as it does, else the most alike."""
    if not flag.startswith("-"):
        return ""
    plain, names = "--" + flag.lstrip("-").lower().replace("_", "-"), list(dict.fromkeys(known))
    found = [name for name in names if end(name) == end(plain)]
    likeness = {name: max(alike(plain, name), alike(end(plain), end(name))) for name in names if not found}
    best = max(likeness.values(), default=0.0)
    found += [name for name in likeness if best >= LEAST and likeness[name] >= best - MARGIN]
    return " or ".join(sorted(found, key=lambda name: -alike(plain, name))[:MOST])


def alike(one: str, other: str) -> float:
    """How alike two words are, 0 to 1."""
    return difflib.SequenceMatcher(None, one, other).ratio()


def end(flag: str) -> str:
    """The last word of a dotted flag."""
    return flag.lstrip("-").rpartition(".")[2]


def flags_of(owner: Any, head: str = "") -> Iterator[str]:
    """The flags of a dataclass, or of one of its instances, and of the dataclasses among its fields."""
    hints = typing.get_type_hints(owner if isinstance(owner, type) else type(owner), include_extras=True)
    for field in dataclasses.fields(owner):
        marks = hints[field.name].__metadata__ if typing.get_origin(hints[field.name]) is typing.Annotated else ()
        if tyro.conf.Positional in marks or tyro.conf.Suppress in marks:
            continue
        value = default_of(field) if isinstance(owner, type) else vars(owner)[field.name]
        yield from flags_at(f"{head}{field.name.replace('_', '-')}", value)


def flags_at(name: str, value: Any) -> Iterator[str]:
    """The flags of a field that holds a value."""
    if isinstance(value, bool):
        yield from (f"--{name}", "--" + ".".join([*name.split(".")[:-1], f"no-{end(name)}"]))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flags_at(f"{name}.{key.replace('_', '-')}", item)
    elif dataclasses.is_dataclass(value):
        yield from flags_of(value, f"{name}.")
    else:
        yield f"--{name}"
