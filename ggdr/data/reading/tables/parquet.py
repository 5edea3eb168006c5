"""Images in a parquet file, or in a folder of parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ggdr.data.reading.reader import Columns
from ggdr.data.reading.tables.base import TableReader, load_split
from ggdr.documents import one_line
from ggdr.errors import UserError


class ParquetTable(TableReader):
    """The rows of one parquet file, or of those files of a folder that belong to the split."""

    kind = "parquet"
    form = "a .parquet file"

    @staticmethod
    def fits(source: str) -> bool:
        path = Path(source)
        if path.is_file():
            return path.suffix.lower() == ".parquet"
        return any(any(path.glob(pattern)) for pattern in ("*.parquet", "data/*.parquet"))

    @staticmethod
    def load(source: str, columns: Columns):
        return load_parquet(source, columns)

    @staticmethod
    def list_splits(source: str, config: str) -> Sequence[str]:
        import datasets

        return [*map(str, datasets.load_dataset_builder("parquet", data_dir=source).config.data_files)]


def load_parquet(source: str, columns: Columns, streaming: bool = False) -> Any:
    """The table of a parquet file, whatever the split is called, or the split of a folder of them."""
    trouble = f"cannot read {source!r}"
    if Path(source).is_file():
        return load_split(trouble, columns, loader="parquet", file=source, streaming=streaming)
    return load_split(trouble, columns, loader="parquet", folder=source, streaming=streaming)


def count_rows(source: str, columns: Columns) -> int:
    """Rows of a file or of a folder's split, from the footers of its files."""
    import datasets
    from pyarrow.parquet import read_metadata

    files = [source]
    if Path(source).is_dir():
        files = datasets.load_dataset_builder("parquet", data_dir=source).config.data_files[columns.split]
    try:
        return sum(read_metadata(file).num_rows for file in files)
    except Exception as error:  # an edited footer may raise anything
        raise UserError(f"cannot read {source!r}: {one_line(error)}; download it again.") from error
