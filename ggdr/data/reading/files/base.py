"""What folders and archives share: named files, of which the images are picked by their endings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ggdr import folders
from ggdr.data.reading.file_types import ARRAYS, Chosen, choose, endings, listed, of_system
from ggdr.data.reading.labels.folders import FOLDERS, TOP, from_folders, of_split
from ggdr.data.reading.labels.label_file import CUSTOMARY, TABLES, read_labels
from ggdr.data.reading.labels.labels import Kind, Labels
from ggdr.data.reading.reader import HEAD_BYTES, MOST_BYTES, Reader, file_bytes
from ggdr.errors import UserError


class Files(Reader):
    """A reader whose items are files with names; labels come from their folders or from a file, in it or beside it."""

    source: str
    names: list[str]

    def take(self, names: Iterable[str]) -> None:
        """Make the images among the files of these names the items; UserError if there are none."""
        names, made = folders.without_made(names)
        self.names, self.others, self.hidden = images_among(names, self.source, self.kind, made)
        if sheets := {item for item in range(len(self)) if self.is_sheet(item)}:
            made["grid"] = len(sheets)
            self.names = [name for item, name in enumerate(self.names) if item not in sheets]
        self.made = made
        if not self.names:
            raise UserError(nothing_but(made, self.source, self.kind))

    def is_sheet(self, item: int) -> bool:
        """Whether a file is a grid, a plot or a film that was made here."""
        if PurePosixPath(self.names[item]).suffix.lower() not in (".png", ".gif", ".webp"):
            return False
        try:
            return folders.is_sheet(self.first(self.names[item], folders.HEAD_BYTES), lambda: self.read(item))
        except Exception:  # a broken file may raise anything; it is named when its turn comes
            return False

    lists = True

    def listed(self, item: int) -> tuple[str, str]:
        return self.names[item], self.stamp(self.names[item])

    def stamp(self, name: str) -> str:
        """What changes with a file's bytes: their number, or a checksum; empty: it is not known."""
        return ""

    def first(self, name: str, most: int) -> bytes:
        """The first `most` bytes of a file; any exception if they cannot be had."""
        raise NotImplementedError

    def head(self, item: int) -> bytes:
        return self.first(self.names[item], HEAD_BYTES)

    def read(self, item: int) -> bytes:
        return self.contents(self.names[item])

    def __len__(self) -> int:
        return len(self.names)

    def name(self, item: int) -> str:
        return self.names[item]

    def paths(self) -> Iterable[str]:
        """The names of all its files, images or not."""
        return self.names

    def contents(self, name: str) -> bytes:
        """The bytes of a file, image or not; any exception if they cannot be had."""
        return self.first(name, MOST_BYTES)

    def keep_split(self, split: str) -> None:
        """Keep the images of a split, where the folders are splits; UserError if there is no such split."""
        self.names, note = of_split(self.names, split, self.source)
        self.notes = (note,) if note else ()

    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        """Labels from sub-folders or from a file, as `how` says; UserError if they cannot be had."""
        if how in (FOLDERS, TOP):
            return from_folders(self.names, forced=how == TOP)
        path, columns = pieces(how)
        if not path.lower().endswith(TABLES):
            raise UserError(
                f"labels {how!r} mean nothing for a {self.kind}; type 'folders' or the path of a file of labels: a"
                " .csv, .tsv or .jsonl, or a dataset.json."
            )
        file = Path(path).expanduser()
        data = file_bytes(file) if file.is_file() else self.contents(self.one_called(path))
        home = Path(os.path.abspath(Path(self.source).expanduser()))
        home = home if home.is_dir() else home.with_suffix("")  # an archive is unpacked to a folder of its name
        return read_labels(path, data, self.names, home.parts[1:], columns, kind)

    def one_called(self, path: str) -> str:
        """The file within that ends so, near the images that are kept; UserError if there is none, or several."""
        wanted = PurePosixPath(path).parts
        folder = os.path.commonpath([PurePosixPath(name).parent for name in self.names])
        found = [name for name in self.paths() if PurePosixPath(name).parts[-len(wanted) :] == wanted]
        found = [name for name in found if is_related(str(PurePosixPath(name).parent), folder) and not of_system(name)]
        shallow = min((len(PurePosixPath(name).parts) for name in found), default=0)
        found = [name for name in found if len(PurePosixPath(name).parts) == shallow]
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"there are several {path!r}: {found[0]!r} and {found[1]!r}; give one by its path.")
        raise UserError(
            f"no label file {path!r}, here or in {self.source!r}; give the path of a .csv, .tsv or .jsonl, or of a"
            " dataset.json."
        )

    def label_choices(self) -> list[str]:
        found = {PurePosixPath(name).name for name in self.paths()}
        customary = [name for name in CUSTOMARY if name in found]
        try:
            return customary + ([FOLDERS] if from_folders(self.names).width > 1 else [])
        except UserError:
            return customary


def pieces(how: str) -> tuple[str, list[str]]:
    """The path of a label file, and the columns that are named behind it."""
    path, colon, columns = how.rpartition(":")
    if colon and path.lower().endswith(TABLES):
        return path, [column.strip() for column in columns.split(",")]
    return how, []


def is_related(one: str, other: str) -> bool:
    """Whether one of two folders lies in the other, or is it."""
    first, second = ("" if folder == "." else folder for folder in (one, other))
    return not first or not second or f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def images_among(names: Iterable[str], source: str, kind: str, made: Mapping[str, int]) -> Chosen:
    """The names that end like images, and what else there is; UserError that says what if there are no images.

    `made`: what was left out of the source before, since it was made here.
    """
    chosen = choose(names)
    if chosen.images:
        return chosen
    if made:
        raise UserError(nothing_but(made, source, kind))
    if not chosen.others:
        raise UserError(f"{kind} {source!r} is empty; put images into it.")
    found, ends = ", ".join(listed(chosen.others, of="of ")), " ".join(sorted(endings() | ARRAYS))
    raise UserError(f"{kind} {source!r} holds no images, only {found}; images end in {ends}.")


def nothing_but(made: Mapping[str, int], source: str, kind: str) -> str:
    """What to say of a source where all images were made here."""
    return (
        f"{kind} {source!r} holds no images of its own ({folders.skipped(made)}); give a folder of images, or, to"
        " measure generated ones, the folder itself that they lie in."
    )
