"""From a source as typed to the reader for it."""

from __future__ import annotations

import os
from pathlib import Path

from ggdr.data.reading.arrays.hdf5 import HDF5
from ggdr.data.reading.arrays.npy import Arrays
from ggdr.data.reading.files.folder import Folder
from ggdr.data.reading.files.lmdb import LMDB
from ggdr.data.reading.files.patterns import is_address
from ggdr.data.reading.files.remote import copied
from ggdr.data.reading.files.tar import Tarred
from ggdr.data.reading.files.zip import Zipped
from ggdr.data.reading.reader import Columns, Reader
from ggdr.data.reading.tables.hub import Hub
from ggdr.data.reading.tables.parquet import Parquet
from ggdr.data.reading.tables.saved import Saved
from ggdr.errors import UserError, setting

READERS: tuple[type[Reader], ...] = (Zipped, Tarred, LMDB, HDF5, Arrays, Saved, Parquet, Folder, Hub)
"""the first that fits reads: a folder of tables or shards is no folder of images; each says how it is typed"""


def reader_of(source: str, columns: Columns) -> Reader:
    """The reader for a source; UserError, with all that can be read, if there is none."""
    place = copied(source) if is_address(source) else os.path.expanduser(source.removeprefix("file://"))
    try:
        return opened(place, columns)
    except UserError as error:
        if not place:
            raise
        raise UserError(error.message.replace(place, source)) from error  # readers know the copy, users the address


def opened(place: str, columns: Columns) -> Reader:
    """The reader for a file, a folder or a Hub id."""
    for reader in READERS:
        if place and reader.fits(place):
            return reader(place, columns)
    raise UserError(no_reader(place))


def no_reader(source: str) -> str:
    """Why nothing can be read, in one sentence."""
    forms = [reader.form for reader in READERS]
    give = f"give {', '.join(forms[:-1])}, or {forms[-1]}"
    if not source:
        return f"no source of images; {give} with {setting('source')}."
    if Path(source).is_file():
        return f"{source!r} is no file of images of a known kind; {give}."
    return f"no file or folder {source!r}; {give}; each may stand behind https://, s3:// or gs://."
