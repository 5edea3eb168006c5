"""Where verbs may leave what they make: not over what is there, and not among somebody's images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ggdr.errors import UserError
from ggdr.folders import HEAD_BYTES, MARK, SOFTWARE

FEWEST = 2
"""images that make a folder one of images, if nothing else is as frequent in it"""


def check_out(files: Iterable[Path], overwrite: bool = True) -> None:
    """UserError if one of the files is there and may not be replaced, or would lie in a folder of images."""
    files = list(files)
    there = next((file for file in files if file.exists()), None)
    if there is not None and not overwrite:
        raise UserError(f"{there} is there already; give another --out, or add --overwrite.")
    for folder in dict.fromkeys(file.parent for file in files):
        check_apart(folder)


def check_free(out: Path) -> None:
    """UserError if there is something at `out`, the folder of a model to make, that would be lost."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise UserError(f"{str(out)!r} is there already; give the name of a new folder, or remove it first.")


def check_apart(folder: Path) -> None:
    """UserError if a folder is one of images that were not made here: what is put there would become data."""
    if (folder / MARK).is_file() or not folder.is_dir():
        return
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    found = list(image_names(entries))
    if len(found) >= max(FEWEST, len(entries) - len(found)):
        where = "here" if folder == Path() else f"in {folder}"
        raise UserError(
            f"there are {len(found):,} images {where}, such as {min(found)!r}, and nothing is put among somebody's"
            " images: give another folder by --out."
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
