"""The command line of a recipe: parts are swapped, added and dropped by registered name; tyro reads all the rest."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.overview import FIRST, overview
from ggdr.flags.parts import fields_of, held_at, part_flags, part_kind, parts_with, swap_parts, take_use
from ggdr.folders import RUNS
from ggdr.recipe import Recipe
from ggdr.recipe.about import About, Description, about_source
from ggdr.recipe.built_in import built_in
from ggdr.recipe.files import load_recipe
from ggdr.registry import REGISTRIES, Part, discover, schedules, use

ELSEWHERE = {
    "outdir": "--out FOLDER",
    "kimg": "--total-kimg N",
    "epochs": "--total-kimg N",
    "snap": "--checkpoint-kimg N",
    "batch_size": "--batch-size N",
    "gpus": "accelerate launch --multi_gpu --num_processes N -m ggdr.train RECIPE ...",
    "gamma": "--regularizers.r1.weight N",
    "lr": "--g-optimizer.lr N --d-optimizer.lr N",
    "cond": "--data.labels WHERE",
    "resume": "the same command again, which goes on by itself; another model to start from is --init-from MODEL",
}
"""flags that other trainers have -> what they are here"""
USAGE = """RECIPE [--out DIR] [--dry-run] [flags]

RECIPE is the name of one that comes with ggdr (`ggdr list recipes`), such as digits, or a file: mine.py.
Any field of the recipe is a flag, a part's field is --PART.FIELD. A part is swapped by its registered name:
  --generator dcgan --generator.channels 32      swap, then set
  --regularizers.r2 r2  --regularizers.r1 none   add (under any name), drop
  --use my_regularizer.py                        also find the parts that this file registers
`ggdr list` shows what is registered. --help explains what one needs first, --help-all every flag of this recipe."""
HELP, HELP_ALL = {"-h", "--help"}, "--help-all"
SWITCHES = {"--dry-run", "--allow-changes"}
"""flags that no value follows"""


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
    """The command for `RECIPE [flags]`; UserError or SystemExit with what is wrong and what to type instead."""
    path, flags = recipe_and_flags(argv, program)
    files, flags = take_use(flags)
    for file in files:
        use(file)
    written = load_recipe(path)
    recipe, flags = swap_parts(written, flags)
    default = Command(recipe, out=Path(RUNS) / Path(path).stem, use=tuple(files))
    everything = HELP_ALL in flags
    short = bool(HELP & {*flags}) and not everything
    about = overview(recipe, known_flags(default)) if short else registered() if everything else ""
    command = parsed(
        Command,
        ["--help" if flag == HELP_ALL else flag for flag in flags],
        f"{program} {path}",
        f"usage: {program} {USAGE}\n\n{about}",
        default,
        known_flags(default),
        partial(hint, recipe),
        unnamed="recipe",
        shown=FIRST if short else None,
        all_flags=HELP_ALL,
    )
    if command.out.exists() and not command.out.is_dir():
        raise UserError(f"--out {command.out} is a file; give a folder.")
    return described(command, written.about)


def recipe_and_flags(argv: list[str], program: str) -> tuple[str, list[str]]:
    """The recipe's name or file, which may also stand among flags if it is plain which word it is, and the flags."""
    if argv and not argv[0].startswith("-"):
        return argv[0], argv[1:]
    if {*HELP, HELP_ALL} & set(argv):
        raise SystemExit(print(f"usage: {program} {USAGE}"))
    files = [place for place, word in enumerate(argv) if word.endswith(".py") or is_named(argv, place)]
    if not files:
        raise UserError(f"no recipe given; type: {program} digits --out runs/digits")
    flags = [*argv[: files[-1]], *argv[files[-1] + 1 :]]
    if len(files) > 1 or "--use" in argv:  # which may take several files
        raise UserError(f"the recipe goes before the flags; type: {program} {shlex.join([argv[files[-1]], *flags])}")
    return argv[files[0]], flags


def is_named(argv: list[str], place: int) -> bool:
    """Whether a word is the name of a recipe of ggdr's, and no value of the flag before it."""
    before = argv[place - 1] if place else ""
    value = before.startswith("--") and "=" not in before and before not in SWITCHES
    return argv[place] in built_in() and not value


def known_flags(command: Command) -> Iterator[str]:
    """The flags of a command for its recipe, those of parts first."""
    yield from part_flags(command.recipe)
    yield from flags_of(command.recipe)
    yield from (flag for flag in flags_of(command) if not flag.startswith("--recipe."))


def hint(recipe: Recipe, flag: str) -> str:
    """What to type instead of an unknown flag, where what the recipe is made of tells it; empty where it does not."""
    first, *inner = flag.lstrip("-").replace("-", "_").split(".")
    if first in ELSEWHERE:
        return f"Type {ELSEWHERE[first]}."
    for field in (field.name for field in dataclasses.fields(recipe) if part_kind(recipe, field.name)[1]):
        held = vars(recipe)[field]
        if not inner and first.startswith("no_") and first.removeprefix("no_") in held:
            return f"Type --{field}.{first.removeprefix('no_').replace('_', '-')} none to leave it out."
        if field == first and (not inner or inner[0] not in held):
            name = inner[0].replace("_", "-") if inner else "NAME"
            drop = f" To drop one, type --{field}.{next(iter(held))} none." if held and not inner else ""
            return f"Add the part first: --{field}.{name} NAME; `ggdr list {field}` shows what is registered.{drop}"
    return lacking(recipe, [first, *inner])


def lacking(owner: Any, path: list[str]) -> str:
    """That the part at a path has no such field, and which others of its kind have it; empty if there are none."""
    held = held_at(owner, path[:-1])
    if held is None:
        return ""
    swap = ".".join(path[:-1]).replace("_", "-")
    discover()
    if isinstance(held, int | float):
        able = sorted(name for name, part in schedules.items() if path[-1] in fields_of(part))
        return f"It is a number; type --{swap} {' or '.join(able)} first for a schedule that has one." if able else ""
    if not isinstance(held, Part):
        return ""
    others = parts_with(held.registry, path[-1])
    if not others:
        return ""
    kind = held.registry.kind
    listed = " and ".join(filter(None, (", ".join(others[:-1]), others[-1])))
    have = f"{listed} {'have' if len(others) > 1 else 'has'} one"
    return f"The {kind} {held.name!r} has none; {have}: add --{swap} {others[0]}."


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
        f"about: what the recipe says of images is of {own}; nobody has described these: do it by --about.images '...'"
        " and --about.licence '...'"
    )


def registered() -> str:
    """All registered names, a kind a line."""
    discover()
    return "\n".join(f"  {plural + ':':16} {', '.join(sorted(registry))}" for plural, registry in REGISTRIES.items())
