"""What this package makes, and how it is known again: folders by a mark in them, pictures by what they say."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ggdr.errors import UserError

RUNS = "runs"
"""folder of the runs that no --out sends elsewhere"""
MARK = ".ggdr"
"""file of a folder that was made here: what lies in it is no data of a source above it"""
RUN = frozenset(
    "recipe.json metrics.jsonl losses.png samples checkpoints model ema tensorboard failure.txt run_id.txt".split()
)
"""what a run writes into its folder, beside recipe.py, which people write there as well"""
BESIDE = RUN | frozenset("features metrics projected wandb aim mlruns swanlog".split())
"""what lies in a run's folder and is no data, where that is the folder of the images itself"""
SOFTWARE = "ggdr"
"""what a picture made here says it was made by: the field Software of a PNG"""
SHEET = "ggdr sheet"
"""mark of grids, plots and films, which are no data wherever they lie"""
HEAD_BYTES = 1024
"""bytes of a picture, within which a PNG or GIF says what made it"""
NOTES = frozenset(".py .ipynb .sh .txt .md .log .out .err .json .yaml .yml .toml".split())
"""endings of what people keep beside a run or what a verb makes"""
HERE = "the files of a run of ggdr in the folder itself"
"""what is skipped where a run writes into the folder of its images"""
BY_SYSTEM = ("lost+found", "__pycache__")
"""folders that file systems and Python put beside what a person has"""
FILMS = (".mp4", ".gif", ".webp")
"""endings of films"""
SHOWN = 3
"""names that a sentence gives of many"""
RECIPE, RESOLVED = "recipe.py", "resolved_recipe.py"


def mark(folder: Path) -> None:
    """Make a folder if it is not there, and mark it as made here; OSError if the disk refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARK).exists():
        (folder / MARK).write_text("{}\n", encoding="utf-8")


def make_marked(folder: Path) -> None:
    """Make a folder of images and mark it, if it is not there; one that a person made is not marked."""
    if not folder.is_dir():
        mark(folder)


def is_run(folder: Path) -> bool:
    """Whether a run has written to a folder: by its mark or, where there is none, by what else there is."""
    recipes = all((folder / name).is_file() for name in ("recipe.json", RECIPE))
    return (folder / MARK).is_file() or recipes or any(folder.glob("checkpoints/[0-9]*/progress.json"))


def check_run(folder: Path) -> None:
    """UserError if a folder holds what a run would replace, and no run has written to it."""
    theirs = [] if is_run(folder) else sorted(name for name in RUN if holds_something(folder / name))
    if theirs:
        raise UserError(
            f"{folder} holds {' and '.join(theirs)}, which no run wrote and this one would replace; give another --out."
        )


def other_entries(folder: Path) -> list[str]:
    """Names in a folder, sorted, that say it is for something else: all but hidden ones, notes and empty folders."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    seen = (entry for entry in entries if not entry.name.startswith(".") and entry.name not in BY_SYSTEM)
    return [entry.name for entry in seen if entry.suffix.lower() not in NOTES and holds_something(entry)]


def some_of(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(map(repr, names[:SHOWN]))}{more}"


def holds_something(path: Path) -> bool:
    """Whether a file is there, or a folder that is not empty."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def write_recipe(folder: Path, text: str) -> Path:
    """Write a run's recipe into its folder as recipe.py; beside it, if a person wrote or changed the one there."""
    known = written_recipes(folder)
    file = folder / RECIPE
    if file.exists() and digest(file.read_bytes()) not in known:
        file = folder / RESOLVED
    known[digest(text.encode())] = RECIPE
    (folder / MARK).write_text(
        json.dumps(known, indent=1) + "\n", encoding="utf-8"
    )  # first: a crash in between costs nothing then
    file.write_text(text, encoding="utf-8", newline="\n")  # its hash is that of the text
    return file


def written_recipes(folder: Path) -> dict[str, str]:
    """The recipes that runs have written to a folder: hash of the text -> name of the file."""
    try:
        known = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    earlier = {digest(copy.read_bytes()): RECIPE for copy in folder.glob(f"checkpoints/*/{RECIPE}")}
    return earlier | (known if isinstance(known, dict) else {})


def digest(data: bytes) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def exclude_own_output(names: Iterable[str]) -> tuple[list[str], Counter[str]]:
    """The files of a source that do not lie in folders made here, and how many folders those are, by their kind.

    `names`: paths within the source, with forward slashes. Of a run that writes into the source's own folder only
    what runs write there is left out.
    """
    names = list(names)
    beside: dict[str, set[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        if file in (MARK, RECIPE, "recipe.json"):
            beside.setdefault(folder, set()).add(file)
    made = {folder for folder, files in beside.items() if MARK in files or len(files) == 2}
    if not made:
        return names, Counter()
    here = "" in made and "recipe.json" in beside[""]
    kept = [name for name in names if not made & {*parent_folders(name)} and not (here and first_part(name) in BESIDE)]
    outermost = [
        each for each in made - {""} if not made & {*parent_folders(each)} and not (here and first_part(each) in BESIDE)
    ]
    found = Counter("run folder" if "recipe.json" in beside[each] else "made folder" for each in sorted(outermost))
    return kept, found | Counter([HERE] if here else [])


def first_part(name: str) -> str:
    """The first part of a path."""
    return name.partition("/")[0]


def parent_folders(name: str) -> Iterable[str]:
    """The folders that a path within a source lies in, without the source's own."""
    return (name[:place] for place, letter in enumerate(name) if letter == "/")


def is_sheet(first: bytes, read: Callable[[], bytes]) -> bool:
    """Whether a picture is a grid, a plot or a film made here, by its first `HEAD_BYTES`; or, a WebP film, by all."""
    if first[:4] == b"RIFF" and first[12:16] == b"VP8X" and first[20] & 2:  # an animation, which says so at its end
        return SHEET.encode() in read()[-HEAD_BYTES:]
    return SHEET.encode() in first


def link_or_copy(file: Path, new: Path) -> None:
    """A second name for a file that is never changed once written, which outlives the first; or a copy.

    OSError if the disk refuses.
    """
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, new)
    except OSError:  # a disk without such links
        shutil.copyfile(file, new)


def describe_skipped(made: Mapping[str, int]) -> str:
    """What of a source was left out since it was made here, in one clause."""
    counts = [kind if kind == HERE else f"{count:,} {kind}{'s' * (count > 1)} of ggdr" for kind, count in made.items()]
    return f"skipped {' and '.join(counts)}: what it made is no data"
