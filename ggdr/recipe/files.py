"""A recipe as JSON, which is read without running code, and as Python that re-creates it."""

from __future__ import annotations

import dataclasses
import difflib
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ggdr.documents import one_line
from ggdr.errors import UserError
from ggdr.recipe import Recipe
from ggdr.recipe.built_in import find_recipe
from ggdr.registry import Part, default_of, use

GIVEN = "given"
"""how the value of a setting is told that is made of several"""


def load_recipe(path: str | Path) -> Recipe:
    """The `recipe` that a Python file binds, or one that comes with ggdr, by its name.

    UserError if there is no such file, or it binds none.
    """
    module = use(find_recipe(path))
    recipe = getattr(module, "recipe", None)
    if not isinstance(recipe, Recipe):
        found = "binds no `recipe`" if recipe is None else f"binds `recipe` to a {type(recipe).__name__}"
        raise UserError(f"{str(path)!r} {found}; write `recipe = Recipe(...)`, as recipes/digits.py does.")
    return recipe


def to_json(value: Any) -> Any:
    """Nested dicts and lists of numbers and strings; each part carries its registered name as `type`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": value.name, **fields} if isinstance(value, Part) else fields
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def flatten(settings: Mapping[str, Any], head: str = "") -> dict[str, str | int | float]:
    """What `to_json` gave as "a.b.c" -> value; what is no number as text."""
    found: dict[str, str | int | float] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{head}{key}.")
        else:
            found[f"{head}{key}"] = value if isinstance(value, int | float) else str(value)
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """What two recipes, as `to_json` gives them, do not share: a field's name, and a line that says it."""
    old, new = flatten(before), flatten(now)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    swapped = tuple(name.removesuffix("type") for name in names if name.endswith(".type"))
    filled = tuple(f"{name}." for name in names if {setting_of(old, name), setting_of(new, name)} & {GIVEN})
    names = [name for name in names if name.endswith(".type") or not name.startswith((*swapped, *filled))]
    return {name: f"{name} was {setting_of(old, name)}, is {setting_of(new, name)}" for name in names}


def setting_of(settings: Mapping[str, str | int | float], name: str) -> str | int | float:
    """What flat settings hold under a name; in words where that is several settings, or nothing."""
    several = any(key.startswith(f"{name}.") for key in settings)
    return settings.get(name, GIVEN if several else "not there")


def fill_defaults(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recipe's JSON with the fields that are newer than it at their defaults, if it can still be read as a recipe."""
    try:
        return to_json(from_json(Recipe, settings))
    except (TypeError, UserError):
        return settings


def from_json(kind: Any, value: Any, where: str = "recipe") -> Any:
    """What `to_json` gave, as `kind` again; UserError that names the place if it does not fit.

    `kind` is a type annotation: Recipe, a base class of parts, tuple[int, ...], float | None and the like.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return from_union(inner, value, where)
    if origin is typing.Literal:
        return expect(value in inner, value, where, f"one of {inner}")
    if origin is dict:
        expect(isinstance(value, dict), value, where, "an object")
        return {key: from_json(inner[1], item, f"{where}.{one_line(key, 80)}") for key, item in value.items()}
    if origin is tuple:
        expect(isinstance(value, list), value, where, "a list")
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        expect(len(kinds) == len(value), value, where, f"{len(kinds)} values")
        return tuple(
            from_json(each, item, f"{where}[{i}]") for i, (each, item) in enumerate(zip(kinds, value, strict=True))
        )
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Part)):
        return from_object(kind, value, where)
    if kind is float and type(value) is int:
        return float(value)
    return expect(type(value) is kind, value, where, f"a {getattr(kind, '__name__', kind)}")


def from_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """The first of the kinds that fits."""
    if value is None:
        return expect(type(None) in kinds, value, where, "a value")
    problems = []
    for kind in kinds:
        try:
            return from_json(kind, value, where)
        except UserError as error:
            problems.append(str(error))
    raise UserError(problems[0])


def from_object(kind: Any, value: Any, where: str) -> Any:
    """A dataclass from its fields; of parts, the one that `type` names."""
    expect(isinstance(value, dict), value, where, "an object")
    given = dict(value)
    if issubclass(kind, Part):
        expect(isinstance(given.get("type"), str), given.get("type"), f"{where}.type", "a registered name")
        kind = kind.registry.find(given.pop("type"))
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UserError(f"{where} has no field {name!r}.{hint} Fields: {', '.join(known)}.")
    free = (dataclasses.MISSING, dataclasses.MISSING)
    needed = [f.name for f in dataclasses.fields(kind) if (f.default, f.default_factory) == free]
    if lacking := [name for name in needed if name not in given]:
        raise UserError(f"{where} lacks {', '.join(lacking)}; add what is missing.")
    return kind(**{name: from_json(hints[name], item, f"{where}.{name}") for name, item in given.items()})


def expect(fits: bool, value: Any, where: str, wanted: str) -> Any:
    """The value, or UserError if it does not fit."""
    if not fits:
        raise UserError(f"{where} is {value!r}; it must be {wanted}.")
    return value


def to_python(
    recipe: Recipe, doc: str = "A resolved recipe: every field as this run used it.", *, whole: bool = True
) -> str:
    """Source, of a module that says `doc` of itself, that binds `recipe` to an equal one.

    `whole`: with all fields; otherwise with those that differ from their defaults.
    """
    imports: dict[tuple[str, str], str] = {}
    body = render(recipe, imports, 0, whole)
    lines = [f'"""{doc}"""', ""]
    outside = sorted({module for module, _ in imports if not module.startswith("ggdr.")})
    files = {module: vars(sys.modules[module]).get("__file__") for module in outside}
    used = [Path(file) for module, file in files.items() if file and "." not in module]
    if used:
        lines += ["from ggdr.registry import use", "", *(f"use({str(path)!r})" for path in used), ""]
    for (module, name), called in sorted(imports.items()):
        home = Path(files[module] or "").stem if module == "__main__" else module  # what a script defines itself
        name = name if name == called else f"{name} as {called}"
        lines.append(f"from {home} import {name}" if home else f"# {name} was defined in a notebook: import it here.")
    return "\n".join([*lines, "", f"recipe = {body}", ""])


def render(value: Any, imports: dict[tuple[str, str], str], depth: int, whole: bool) -> str:
    """An expression for the value, one field a line; what it needs is added to `imports`, module and class -> name.

    Classes of one name, such as the data and the features of digits, are numbered. `whole`: with all fields; otherwise
    with those that differ from their defaults.
    """
    pad, end = "    " * (depth + 1), "    " * depth
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__qualname__
        alike = sum(other == name for _, other in imports)
        called = imports.setdefault((type(value).__module__, name), f"{name}{alike + 1}" if alike else name)
        held = vars(value)
        told = [f.name for f in dataclasses.fields(value) if whole or held[f.name] != default_of(f)]
        fields = ((name, render(held[name], imports, depth + 1, whole)) for name in told)
        inner = "".join(f"{pad}{name}={text},\n" for name, text in fields)
        return f"{called}(\n{inner}{end})" if inner else f"{called}()"
    if isinstance(value, dict) and value:
        inner = "".join(f"{pad}{key!r}: {render(item, imports, depth + 1, whole)},\n" for key, item in value.items())
        return f"{{\n{inner}{end}}}"
    return repr(value)
