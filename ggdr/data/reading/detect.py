"""From a source as typed to the reader for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ggdr.data.reading.arrays.hdf5 import HDF5File
from ggdr.data.reading.arrays.npy import NumpyFile
from ggdr.data.reading.files.folder import ImageFolder
from ggdr.data.reading.files.lmdb import LMDBFile
from ggdr.data.reading.files.patterns import is_address
from ggdr.data.reading.files.remote import download_source
from ggdr.data.reading.files.tar import TarArchive
from ggdr.data.reading.files.zip import ZipArchive
from ggdr.data.reading.reader import Columns, Reader
from ggdr.data.reading.tables.hub import HubTable
from ggdr.data.reading.tables.parquet import ParquetTable
from ggdr.data.reading.tables.saved import SavedTable
from ggdr.documents import HUB_ID, suggest_similar
from ggdr.errors import UserError, setting

READERS: tuple[type[Reader], ...] = (
    ZipArchive,
    TarArchive,
    LMDBFile,
    HDF5File,
    NumpyFile,
    SavedTable,
    ParquetTable,
    ImageFolder,
    HubTable,
)
"""the first that fits reads: a folder of tables or shards is no folder of images; each says how it is typed"""


def open_reader(source: str, columns: Columns) -> Reader:
    """The reader for a source; UserError, with all that can be read, if there is none."""
    place = place_of(source)
    try:
        return open_local(place, columns)
    except UserError as error:
        if not place:
            raise
        raise UserError(error.message.replace(place, source)) from error  # readers know the copy, users the address


def check_source(source: str) -> None:
    """UserError, as `open_reader` says it, if nothing here reads a source; nothing is fetched, no torch is imported."""
    if not is_address(source) and reader_for(place_of(source)) is None:
        raise UserError(no_reader_message(place_of(source)))


def place_of(source: str) -> str:
    """Where a source is on this machine: its copy in the cache if it is behind an address, else as it is typed."""
    return download_source(source) if is_address(source) else os.path.expanduser(source.removeprefix("file://"))


def open_local(place: str, columns: Columns) -> Reader:
    """The reader for a file, a folder or a Hub id."""
    reader = reader_for(place)
    if reader is not None:
        return reader(place, columns)
    raise UserError(no_reader_message(place))


def reader_for(place: str) -> type[Reader] | None:
    """The kind of reader for a file, a folder or a Hub id; None: there is none."""
    return next((reader for reader in READERS if place and reader.fits(place)), None)


def no_reader_message(source: str) -> str:
    """Why nothing can be read, in one sentence."""
    forms = [reader.form for reader in READERS]
    give = f"give {', '.join(forms[:-1])}, or {forms[-1]}"
    if not source:
        return f"no source of images; {give} with {setting('source')}."
    if Path(source).is_file():
        return f"{source!r} is no file of images of a known kind; {give}."
    here = f" (where no folder {str(Path(source).parent)!r} is)" if re.fullmatch(HUB_ID, source) else ""
    address = "each may stand behind https://, s3:// or gs://"
    return f"no file or folder {source!r}{suggest_similar(Path(source))}; {give}{here}; {address}."
