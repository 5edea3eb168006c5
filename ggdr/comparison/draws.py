"""Hyperparameters that are drawn: which of a recipe's settings have a range, and their values in a sample.

A draw is a function of (seed, sample, name): of whatever else is drawn, and of the number of samples, it knows nothing.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ggdr.errors import UserError, at, flag
from ggdr.ranges import WRITTEN, Range, read_range
from ggdr.recipe import Recipe
from ggdr.recipe.kinds import check_plain, field_types
from ggdr.seeding import WORDS, seed_of

BITS = 53
"""bits of a hash that count: a float of 64 bits keeps as many, so that none is rounded up to 1"""


class Drawn(NamedTuple):
    """A setting of a recipe that is drawn."""

    path: str
    """such as "g_optimizer.lr" """
    name: str
    """what the draw belongs to: settings of one name have one draw, in a recipe and in all arms"""
    range: Range
    whole: bool
    """whether it takes whole numbers alone"""


class Override(NamedTuple):
    """A range that a person gives: `--range g_optimizer.lr,d_optimizer.lr=log:1e-4:1e-3`."""

    paths: tuple[str, ...]
    """settings that share a draw"""
    range: Range

    @property
    def name(self) -> str:
        """What its draw belongs to."""
        return ",".join(self.paths)


def read_override(text: str) -> Override:
    """The settings and the range of "PATH=RANGE" or "PATH,PATH=RANGE"; UserError if it is not written so."""
    paths, equals, range_ = text.partition("=")
    names = tuple(path.strip().removeprefix("--").replace("-", "_") for path in paths.split(","))
    if not equals or not all(names):
        raise UserError(
            f"--range {text!r}: write PATH=RANGE, such as g_optimizer.lr=log:1e-5:1e-3; RANGE is {WRITTEN}."
        )
    return Override(names, read_range(range_))


def drawn_settings(recipe: Recipe, fixed: Collection[str], overrides: Sequence[Override]) -> list[Drawn]:
    """The settings of a recipe that are drawn: those that an override names, then those whose field declares a range.

    `fixed`: flags that are given, and whose settings stay. A value that its field's range could not have drawn stays
    too, but an override draws whatever is there.
    """
    here = {path: value for path, value, _, _ in settings(recipe)}
    found: dict[str, Drawn] = {}
    for override in overrides:
        for path in override.paths:
            if path in here:
                found[path] = Drawn(path, override.name, override.range, whole(here[path]))
    for path, value, name, range_ in settings(recipe):
        if range_ is not None and value in range_:
            found.setdefault(path, Drawn(path, name, range_, whole(value)))
    return [setting for setting in found.values() if flag(setting.path) not in fixed]


def settings(owner: Any, head: str = "") -> Iterator[tuple[str, Any, str, Range | None]]:
    """The path of each setting of a dataclass and of those in it, its value, CLASS.FIELD that declares it, its range.

    The range is None where none is declared.
    """
    hints = field_types(type(owner), marks=True)
    for field in dataclasses.fields(owner):
        value, path = vars(owner)[field.name], f"{head}{field.name}"
        marks = hints[field.name].__metadata__ if typing.get_origin(hints[field.name]) is typing.Annotated else ()
        declaring = next(base for base in type(owner).__mro__ if field.name in inspect.get_annotations(base))
        range_ = next((mark for mark in marks if isinstance(mark, Range)), None)
        yield path, value, f"{declaring.__name__}.{field.name}", range_
        held = value if isinstance(value, dict) else {}
        for key, item in ({f"{path}.{key}": item for key, item in held.items()} | {path: value}).items():
            if dataclasses.is_dataclass(item) and not isinstance(item, type):
                yield from settings(item, f"{key}.")


def whole(value: Any) -> bool:
    """Whether a setting with this value takes whole numbers alone."""
    return isinstance(value, int) and not isinstance(value, bool)


def flags_in(words: Sequence[str]) -> set[str]:
    """The flags among the words of a command, each as that which sets to yes: `--x.no-y` counts as `--x.y`."""
    found = {word.partition("=")[0].replace("_", "-") for word in words if word.startswith("--")}
    parts = [name.removeprefix("--").rpartition(".") for name in found]
    return {f"--{head}{dot}{last}" for head, dot, name in parts for last in {name, name.removeprefix("no-")}}


def draw(settings: Sequence[Drawn], seed: int, sample: int) -> dict[str, Any]:
    """Path -> value of each setting that is drawn."""
    return {setting.path: setting.range.draw(chance(seed, sample, setting.name), setting.whole) for setting in settings}


def chance(seed: int, sample: int, name: str) -> float:
    """A number from 0 to below 1, as good as random, which is always the same."""
    return (seed_of("sweep", seed, sample, name) >> (56 - BITS)) / 2**BITS


def seed_of_training(seed: int, sample: int) -> int:
    """The seed of a sample's training, below 2**32."""
    return seed_of("sweep", seed, sample, "seed") % WORDS


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with other values, by path; UserError if a part refuses one."""
    for path, value in values.items():
        recipe = replaced(recipe, path.split("."), value)
    return recipe


def replaced(owner: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of a dataclass, or of a dict, with another value at a path; UserError if it is of another kind."""
    name, *inner = path
    held = owner if isinstance(owner, dict) else vars(owner)
    if not inner and dataclasses.is_dataclass(owner):
        check_plain(name, field_types(type(owner))[name], value)
    with at(name):
        new = replaced(held[name], inner, value) if inner else value
    return {**owner, name: new} if isinstance(owner, dict) else dataclasses.replace(owner, **{name: new})


def words_of(values: Mapping[str, Any]) -> list[str]:
    """Flags of `ggdr train` that set these values, by path."""
    return [word for path, value in values.items() for word in flag_words(path, value)]


def flag_words(path: str, value: Any) -> list[str]:
    """The flag of a setting, and its value."""
    if not isinstance(value, bool):
        return [flag(path), str(value)]
    head, dot, name = path.rpartition(".")
    return [flag(path if value else f"{head}{dot}no_{name}")]
