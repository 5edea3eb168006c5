"""The command line of a recipe: parts are swapped, added and dropped by registered name; tyro reads all the rest."""

from __future__ import annotations

import dataclasses
import shlex
import typing
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from ggdr.about import About, Description, about_source
from ggdr.recipe import Recipe
from ggdr.recipe_files import load_recipe
from ggdr.registry import REGISTRIES, Part, discover, use

Owner = TypeVar("Owner")
USAGE = """RECIPE.py [--out DIR] [--dry-run] [flags]

Any field of the recipe is a flag, a part's field is --PART.FIELD. A part is swapped by its registered name:
  --generator dcgan --generator.channels 32      swap, then set
  --regularizers.r2 r2  --regularizers.r1 none   add (under any name), drop
  --use my_regularizer.py                        also find the parts that this file registers
`ggdr list` shows what is registered."""


@dataclass(frozen=True)
class Command:
    """What `train` was asked to do."""

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    out: Path
    """the run's folder; the same command finds it again and goes on from its last checkpoint"""
    about: Description = Description()
    """what model cards are to say of the images"""
    allow_changes: bool = False
    """go on although settings have changed that make it another run"""
    dry_run: bool = False
    """build everything, run one step, print parameters, peak memory and time per kimg, and stop"""
    use: tuple[Path, ...] = ()
    """files that register parts of your own"""
    notes: Annotated[tuple[str, ...], tyro.conf.Suppress] = ()
    """what to say before the run begins"""


def parse(argv: list[str], program: str) -> Command:
    """The command for `RECIPE.py [flags]`; ValueError or SystemExit with what is wrong and what to type instead."""
    if not argv or argv[0].startswith("-"):
        if {"-h", "--help"} & set(argv):
            raise SystemExit(print(f"usage: {program} {USAGE}"))
        raise ValueError(f"no recipe given; type: {program} recipes/digits.py --out runs/digits")
    path, flags = argv[0], argv[1:]
    files, flags = take_use(flags)
    for file in files:
        use(file)
    written = load_recipe(path)
    recipe, flags = swap_parts(written, flags)
    default = Command(recipe, out=Path("runs") / Path(path).stem, use=tuple(files))
    command = tyro.cli(
        Command,
        prog=f"{program} {path}",
        description=f"usage: {program} {USAGE}\n\n{registered() if {'-h', '--help'} & set(flags) else ''}",
        default=default,
        args=flags,
        config=(tyro.conf.AvoidSubcommands,),
    )
    if command.out.exists() and not command.out.is_dir():
        raise ValueError(f"--out {command.out} is a file; give a folder.")
    return described(command, written.about)


def described(command: Command, about: About | None) -> Command:
    """The command, its recipe with what is known of the images that it has: of `about`, what holds for them."""
    recipe = command.recipe
    known = about_source(recipe.data.identity(), about, command.about)
    notes = () if known or not about else (left_out(about),)
    return dataclasses.replace(command, recipe=dataclasses.replace(recipe, about=known), notes=notes)


def left_out(about: About) -> str:
    """That what a recipe says of its images is not said of these, and what to type."""
    own = (
        f"its own, {about.name} (if these are it: --about.name {shlex.quote(about.name)})" if about.name else "its own"
    )
    return (
        f"about: what the recipe says of images is of {own}, and nobody has described these: say it by"
        " --about.images '...' and --about.licence '...'"
    )


def registered() -> str:
    """All registered names, a kind a line."""
    discover()
    return "\n".join(f"  {plural + ':':16} {', '.join(sorted(registry))}" for plural, registry in REGISTRIES.items())


def take_use(flags: list[str]) -> tuple[list[Path], list[str]]:
    """The files after each `--use`, and the other flags; ValueError if there is none after one."""
    files, rest = take(flags, "--use", "the path of a Python file: --use my_regularizer.py")
    return [Path(file) for file in files], rest


def take(flags: list[str], name: str, wanted: str) -> tuple[list[str], list[str]]:
    """The values after each flag `name`, and the other flags; ValueError, saying what is wanted, if there are none."""
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
            raise ValueError(f"{name} takes {wanted}")
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
            raise ValueError(f"{name} takes the name of a part: {name} NAME; `ggdr list` shows them.")
        owner = swapped(owner, path, value, name)
    return owner, rest


def part_kind(owner: Any, field: str) -> tuple[type[Part] | None, bool]:
    """The base class of the part that a field holds (None: it holds none), and whether it holds a dict of them."""
    hint = typing.get_type_hints(type(owner)).get(field)
    many = typing.get_origin(hint) is dict
    kind = typing.get_args(hint)[1] if many else hint
    return (kind, many) if isinstance(kind, type) and issubclass(kind, Part) else (None, False)


def names_part(owner: Any, path: list[str]) -> bool:
    """Whether the path ends at a field that holds a part, or at a key of a dict of parts."""
    kind, many = part_kind(owner, path[0])
    if kind is None:
        return False
    inner = path[2:] if many else path[1:]
    if many and len(path) == 1:
        return False
    if not inner:
        return True
    held = getattr(owner, path[0])
    held = held.get(path[1]) if many else held
    return held is not None and names_part(held, inner)


def swapped(owner: Any, path: list[str], name: str, flag: str) -> Any:
    """A copy of `owner` in which the part at `path` is the one called `name`, as it comes; "none" drops it."""
    kind, many = part_kind(owner, path[0])
    assert kind is not None
    held = getattr(owner, path[0])
    inner = path[2:] if many else path[1:]
    old = held.get(path[1]) if many else held
    if inner:
        new = swapped(old, inner, name, flag)
    elif many and name.lower() == "none":
        if old is None:
            raise ValueError(f"{flag} none: there is no {path[1]!r} to drop; there are: {', '.join(held) or 'none'}.")
        return dataclasses.replace(owner, **{path[0]: {key: item for key, item in held.items() if key != path[1]}})
    else:
        part = kind.registry.find(name)
        if not issubclass(part, kind):
            raise ValueError(f"{flag} {name}: nothing but {kind.name} goes there; set its fields, or leave it out.")
        new = fresh(part, flag)
    return dataclasses.replace(owner, **{path[0]: {**held, path[1]: new} if many else new})


def fresh(part: Any, flag: str) -> Any:
    """The part with its default settings."""
    needed = [f.name for f in dataclasses.fields(part) if f.default is f.default_factory is dataclasses.MISSING]
    if needed:
        raise ValueError(
            f"{flag} {part.name}: {part.__name__} has no default for {', '.join(needed)}; set it in the recipe."
        )
    return part()
