"""What folders and archives share: named files, of which the images are picked by their endings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ggdr import folders
from ggdr.data.reading.file_types import (
    ARRAY_ENDINGS,
    FileGroups,
    group_files,
    image_endings,
    list_by_ending,
    system_folder,
)
from ggdr.data.reading.labels.base import Kind, Labels
from ggdr.data.reading.labels.folders import FOLDERS, TOP_FOLDERS, labels_from_folders, select_split, split_folders
from ggdr.data.reading.labels.label_file import TABLES, USUAL_NAMES, read_labels
from ggdr.data.reading.reader import HEAD_BYTES, MOST_BYTES, Reader, read_file_bytes
from ggdr.errors import UserError


class FileReader(Reader):
    """A reader whose items are files with names; labels come from their folders or from a file, in it or beside it."""

    source: str
    names: list[str]
    splits: list[str]

    def select_images(self, names: Iterable[str]) -> None:
        """Make the images among the files of these names the items; UserError if there are none."""
        names, made = folders.exclude_own_output(names)
        self.names, self.unread, self.hidden = require_images(names, self.source, self.kind, made)
        if sheets := {item for item in range(len(self)) if self.is_sheet(item)}:
            made["grid"] = len(sheets)
            self.names = [name for item, name in enumerate(self.names) if item not in sheets]
        self.own_output = made
        if not self.names:
            raise UserError(only_own_output(made, self.source, self.kind))

    def is_sheet(self, item: int) -> bool:
        """Whether a file is a grid, a plot or a film that was made here."""
        if PurePosixPath(self.names[item]).suffix.lower() not in (".png", ".gif", ".webp"):
            return False
        try:
            return folders.is_sheet(self.read_start(self.names[item], folders.HEAD_BYTES), lambda: self.read(item))
        except Exception:  # a broken file may raise anything; it is named when its turn comes
            return False

    has_fingerprints = True

    def fingerprint(self, item: int) -> tuple[str, str]:
        return self.names[item], self.stamp(self.names[item])

    def stamp(self, name: str) -> str:
        """What changes with a file's bytes: their number, or a checksum; empty: it is not known."""
        return ""

    def read_start(self, name: str, most: int) -> bytes:
        """The first `most` bytes of a file; any exception if they cannot be had."""
        raise NotImplementedError

    def head(self, item: int) -> bytes:
        return self.read_start(self.names[item], HEAD_BYTES)

    def read(self, item: int) -> bytes:
        return self.read_file(self.names[item])

    def __len__(self) -> int:
        return len(self.names)

    def name(self, item: int) -> str:
        return self.names[item]

    def paths(self) -> Iterable[str]:
        """The names of all its files, images or not."""
        return self.names

    def read_file(self, name: str) -> bytes:
        """The bytes of a file, image or not; any exception if they cannot be had."""
        return self.read_start(name, MOST_BYTES)

    def keep_split(self, split: str) -> None:
        """Keep the images of a split, where the folders are splits; UserError if there is no such split."""
        self.splits = [*split_folders(self.names)]
        self.names, note = select_split(self.names, split, self.source)
        self.notes = (note,) if note else ()

    def split_names(self) -> list[str]:
        return self.splits

    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        """Labels from sub-folders or from a file, as `how` says; UserError if they cannot be had."""
        if how in (FOLDERS, TOP_FOLDERS):
            return labels_from_folders(self.names, forced=how == TOP_FOLDERS)
        path, columns = split_columns(how)
        if not path.lower().endswith(TABLES):
            raise UserError(
                f"labels {how!r} mean nothing for a {self.kind}; type 'folders' or the path of a file of labels: a"
                " .csv, .tsv or .jsonl, or a dataset.json."
            )
        file = Path(path).expanduser()
        data = read_file_bytes(file) if file.is_file() else self.read_file(self.find_file(path))
        home = Path(os.path.abspath(Path(self.source).expanduser()))
        home = home if home.is_dir() else home.with_suffix("")  # an archive is unpacked to a folder of its name
        return read_labels(path, data, self.names, home.parts[1:], columns, kind)

    def find_file(self, path: str) -> str:
        """The file within that ends so, near the images that are kept; UserError if there is none, or several."""
        wanted = PurePosixPath(path).parts
        folder = os.path.commonpath([PurePosixPath(name).parent for name in self.names])
        found = [name for name in self.paths() if PurePosixPath(name).parts[-len(wanted) :] == wanted]
        found = [
            name for name in found if is_related(str(PurePosixPath(name).parent), folder) and not system_folder(name)
        ]
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
        customary = [name for name in USUAL_NAMES if name in found]
        try:
            return customary + ([FOLDERS] if labels_from_folders(self.names).width > 1 else [])
        except UserError:
            return customary


def split_columns(how: str) -> tuple[str, list[str]]:
    """The path of a label file, and the columns that are named behind it."""
    path, colon, columns = how.rpartition(":")
    if colon and path.lower().endswith(TABLES):
        return path, [column.strip() for column in columns.split(",")]
    return how, []


def is_related(one: str, other: str) -> bool:
    """Whether one of two folders lies in the other, or is it."""
    first, second = ("" if folder == "." else folder for folder in (one, other))
    return not first or not second or f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def require_images(names: Iterable[str], source: str, kind: str, made: Mapping[str, int]) -> FileGroups:
    """The names that end like images, and what else there is; UserError that says what if there are no images.

    `own_output`: what was left out of the source before, since it was made here.
    """
    chosen = group_files(names)
    if chosen.images:
        return chosen
    if made:
        raise UserError(only_own_output(made, source, kind))
    if not chosen.unread:
        raise UserError(f"{kind} {source!r} is empty; put images into it.")
    found, ends = ", ".join(list_by_ending(chosen.unread, of="of ")), " ".join(sorted(image_endings() | ARRAY_ENDINGS))
    raise UserError(f"{kind} {source!r} holds no images, only {found}; images end in {ends}.")


def only_own_output(made: Mapping[str, int], source: str, kind: str) -> str:
    """What to say of a source where all images were made here."""
    return (
        f"{kind} {source!r} holds only images that ggdr made ({folders.describe_skipped(made)}); give a folder of"
        " images, or, to measure generated ones, the folder itself that they lie in."
    )
