"""From a source as typed to the reader for it."""

from __future__ import annotations

import os
from pathlib import Path

from ggdr.data.reading.folder import Folder
from ggdr.data.reading.hub import Hub
from ggdr.data.reading.parquet import Parquet
from ggdr.data.reading.reader import Columns, Reader
from ggdr.data.reading.zipped import Zipped

READERS: tuple[type[Reader], ...] = (Zipped, Parquet, Folder, Hub)
"""the first that fits reads: a folder with parquet files in it is a table"""


def reader_of(source: str, columns: Columns) -> Reader:
    """The reader for a folder, a zip, a parquet file or a Hub id; ValueError if it is none of them."""
    source = os.path.expanduser(source)
    for reader in READERS:
        if source and reader.fits(source):
            return reader(source, columns)
    raise ValueError(no_reader(source))


def no_reader(source: str) -> str:
    """Why nothing can be read, in one sentence."""
    forms = "give a folder, a .zip, a .parquet file or a Hub id such as org/name"
    if not source:
        return f"no source of images; {forms} with --data.source."
    if Path(source).is_file():
        return f"{source!r} is neither a zip nor a parquet file; {forms}."
    return f"no file or folder {source!r}; {forms}."
