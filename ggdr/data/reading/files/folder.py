"""Images in a folder, at any depth."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from ggdr.data.reading.files.base import FileReader
from ggdr.data.reading.reader import Columns, failure_reason, read_file_bytes


class ImageFolder(FileReader):
    """The image files of a folder and all folders below it, by their path within it."""

    kind = "folder"
    form = "a folder of images"

    @staticmethod
    def fits(source: str) -> bool:
        return Path(source).is_dir()

    def __init__(self, source: str, columns: Columns):
        self.source = source
        self.select_images(files_below(source))
        self.keep_split(columns.split)

    def paths(self) -> Iterator[str]:
        return files_below(self.source)

    def stamp(self, name: str) -> str:
        try:
            return str(os.stat(Path(self.source, name)).st_size)
        except OSError:  # it is named when its turn comes
            return ""

    def read_start(self, name: str, most: int) -> bytes:
        return read_file_bytes(Path(self.source, name), most)


def files_below(folder: str) -> Iterator[str]:
    """Paths of all files below `folder`, relative to it, with forward slashes; linked folders are entered once.

    A folder that cannot be looked into is named in a warning.
    """
    seen = set()
    for root, folders, files in os.walk(folder, followlinks=True, onerror=warn_unreadable):
        real = os.path.realpath(root)
        if real in seen:  # a link back to where we have been
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(root, file).relative_to(folder).as_posix() for file in files)


def warn_unreadable(error: OSError) -> None:
    """Say that a folder's images are left out."""
    warnings.warn(f"a folder cannot be looked into, its images are left out: {failure_reason(error)}", stacklevel=2)
