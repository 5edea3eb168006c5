"""Images in a zip archive, read in place: nothing is ever unpacked to disk."""

from __future__ import annotations

import os
import zipfile

from ggdr.data.reading.files.base import FileReader
from ggdr.data.reading.reader import Columns, check_size, failure_reason
from ggdr.errors import UserError


class ZipArchive(FileReader):
    """The image entries of a zip archive, by their path within it."""

    kind = "zip"
    form = "a .zip"

    @staticmethod
    def fits(source: str) -> bool:
        return source.lower().endswith(".zip") and os.path.isfile(source)

    def __init__(self, source: str, columns: Columns):
        self.source = source
        self._archive: zipfile.ZipFile | None = None
        self._process = 0
        try:
            entries = [entry.filename for entry in self._open().infolist() if not entry.is_dir()]
        except Exception as error:  # an edited list of entries may raise anything
            raise UserError(
                f"{source!r} is no readable zip ({failure_reason(error)}); download or pack it again."
            ) from error
        self.select_images(dict.fromkeys(entries))  # of two of one name, the last counts
        self.keep_split(columns.split)

    def paths(self) -> list[str]:
        return self._open().namelist()

    def stamp(self, name: str) -> str:
        entry = self._open().getinfo(name)
        return f"{entry.file_size} {entry.CRC}"

    def read_start(self, name: str, most: int) -> bytes:
        entry = self._open().getinfo(name)
        check_size(entry.file_size)
        with self._open().open(entry) as stream:
            return stream.read(min(entry.file_size + 1, most))  # never more than it declares

    def _open(self) -> zipfile.ZipFile:
        if self._archive is None or self._process != os.getpid():  # forked workers would share one file position
            self._archive, self._process = zipfile.ZipFile(self.source), os.getpid()
        return self._archive

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_archive": None}
