"""Images of a data set on the Hugging Face Hub, downloaded once into the Hub's own cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ggdr.data.reading.file_types import ARRAY_ENDINGS, IMAGE_ENDINGS
from ggdr.data.reading.reader import Columns
from ggdr.data.reading.tables.base import TableReader, load_split
from ggdr.documents import is_hub_id

FILES = (*IMAGE_ENDINGS, *ARRAY_ENDINGS, *".zip .tar .tgz .gz .parquet .h5 .hdf5 .mdb .lmdb .csv".split())
"""how files are called that are not there, and no data set"""


class HubTable(TableReader):
    """The rows of one split of a Hub data set."""

    kind = "Hub data set"
    form = "a Hub id such as org/name"

    @staticmethod
    def fits(source: str) -> bool:
        return is_hub_id(source) and not source.lower().endswith(FILES)

    @staticmethod
    def load(source: str, columns: Columns):
        return load_hub(source, columns)

    def split_names(self) -> Sequence[str]:
        return tuple(self.table.info.splits or ())  # of the copy in the cache, so that no network changes them


def load_hub(source: str, columns: Columns, streaming: bool = False) -> Any:
    """One split of the data set `org/name`."""
    trouble = f"no file or folder {source!r} here, and the Hub data set cannot be read"
    return load_split(trouble, columns, loader=source, streaming=streaming)
