"""Where verbs may leave what they make: not over what is there, and not among somebody's images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ggdr.errors import UserError
from ggdr.folders import HEAD_BYTES, MARK, SOFTWARE, other_entries, some_of

ENDING = re.compile(r"\.(?!v\d)[A-Za-z][A-Za-z0-9]{1,10}")
"""how names of files end"""
SAVED = ("recipe.json", "progress.json", "networks.json", "model_index.json", "config.json")
"""files, any of which a folder of a run, of a checkpoint or of a model has"""
MADE = (".png", ".safetensors", ".mp4", ".gif", ".webp")
"""endings of what verbs make"""
FEWEST = 2
"""images that make a folder one of images, if nothing else is as frequent in it"""


def check_folder(folder: Path, give: str = "the name of a folder") -> None:
    """UserError if a folder of pictures cannot have this name, or it is that of a run or a model.

    `give`: what --out may be, as the sentence ends.
    """
    if is_file_name(folder):
        raise UserError(f"--out {folder} ends in {folder.suffix}, as no folder does; give {give}.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file; give {give}.")
    if any((folder / name).is_file() for name in SAVED):
        raise UserError(f"--out {folder} is the folder of a run or a model; give one in it: --out {folder / 'made'}.")


def check_contents(folder: Path, files: Iterable[Path]) -> None:
    """UserError if a folder, to which files are to be written, holds others that no verb made."""
    if (folder / MARK).is_file():
        return
    known = {file.name for file in files}
    names = [name for name in other_entries(folder) if name not in known and not name.lower().endswith(MADE)]
    if names := [name for name in names if not (folder / name / MARK).is_file()]:
        raise UserError(
            f"--out {folder} holds {some_of(names)}, which no verb made; give a new one, such as --out"
            f" {folder / 'made'}."
        )


def is_file_name(path: Path) -> bool:
    """Whether a path that is no folder ends as names of files do, unlike psi0.7 and model.v2."""
    return bool(ENDING.fullmatch(path.suffix)) and not path.is_dir()


def check_out(files: Iterable[Path], overwrite: bool = True, by: str = "--out") -> None:
    """UserError if one of the files is there and may not be replaced, or would lie in a folder of images.

    `by`: what names the files on the command line, for the sentence.
    """
    files = list(files)
    if folder := next((file for file in files if file.is_dir()), None):
        raise UserError(f"{folder} is a folder; give the name of a file by {by}.")
    there = next((file for file in files if file.exists()), None)
    if there is not None and not overwrite:
        raise UserError(f"{there} is there already; give another {by}, or add --overwrite.")
    for folder in dict.fromkeys(file.parent for file in files):
        check_apart(folder, by)


def check_inputs(files: Iterable[Path], inputs: Iterable[Path]) -> None:
    """UserError if a file that is to be written is one of those that are read, which would be lost."""
    given = {file.resolve() for file in inputs}
    if lost := next((file for file in files if file.resolve() in given), None):
        raise UserError(f"{lost} is one of the pictures that are given, and would be lost; give another --out.")


def check_model_folder(out: Path) -> None:
    """UserError if something at `out`, the folder of a model to make, would be lost, or it is a file's name."""
    if is_file_name(out):
        raise UserError(f"{str(out)!r} ends in {out.suffix}, and a model is a folder; give the name of one.")
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise UserError(f"{str(out)!r} is there already; give the name of a new folder, or remove it first.")


def check_apart(folder: Path, by: str = "--out") -> None:
    """UserError if a folder is one of images that were not made here: what is put there would become data.

    `by`: what names it on the command line, for the sentence.
    """
    if (folder / MARK).is_file() or not folder.is_dir():
        return
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    found = list(image_names(entries))
    if len(found) >= max(FEWEST, len(entries) - len(found)):
        where = "here" if folder == Path() else f"in {folder}"
        raise UserError(
            f"there are {len(found):,} images {where}, such as {min(found)!r}, and nothing is put among somebody's"
            f" images: give another folder by {by}."
        )


def image_names(entries: Iterable[Path]) -> Iterator[str]:
    """Names of the images that were not made here."""
    from ggdr.data.reading.file_types import image_endings

    found = (entry for entry in entries if entry.suffix.lower() in image_endings() and entry.is_file())
    return (entry.name for entry in found if f"Software\0{SOFTWARE}".encode() not in first_bytes(entry))


def first_bytes(file: Path) -> bytes:
    """The first bytes of a file."""
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES)
