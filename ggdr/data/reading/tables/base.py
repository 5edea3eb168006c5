"""Tables with an image column, through Hugging Face datasets: what parquet files, Hub data sets and streams share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggdr.data.reading.labels.base import Kind, Labels
from ggdr.data.reading.labels.column import labels_from_column
from ggdr.data.reading.reader import MOST_BYTES, Columns, Reader, read_file_bytes
from ggdr.documents import one_line
from ggdr.errors import UserError, setting

if TYPE_CHECKING:
    import datasets

ARCHIVES = ("zip://", "tar://", "gzip://", "bz2://", "xz://", "zstd://")
"""how addresses of files in archives begin, where data sets of loose files are streamed"""


class TableReader(Reader):
    """The rows of a map-style data set; its Arrow copy in datasets' cache is read in place."""

    def __init__(self, source: str, columns: Columns):
        self.source, self.columns = source, columns
        self.table = self.load(source, columns)
        if not len(self.table):
            raise UserError(
                f"split {columns.split!r} of {source!r} has no rows; choose another one with {setting('split')}."
            )
        self.column = image_column(self.table.features, columns.image, source)
        self.images = keep_encoded(self.table.select_columns([self.column]), self.column)

    @staticmethod
    def load(source: str, columns: Columns) -> datasets.Dataset:
        """The whole table; UserError if it cannot be had."""
        raise NotImplementedError

    @staticmethod
    def list_splits(source: str, config: str) -> Sequence[str]:
        """Names of the splits that a source has; any exception if they cannot be had."""
        return ()

    def split_names(self) -> Sequence[str]:
        try:
            return tuple(self.list_splits(self.source, self.columns.config))
        except Exception:  # no network; what cannot be read is said where it is read
            return ()

    def __len__(self) -> int:
        return len(self.images)

    def name(self, item: int) -> str:
        return row_name(self.images[item][self.column], item)

    def read(self, item: int) -> bytes:
        return read_image_cell(self.images[item][self.column], self.source)

    def revision(self) -> str:
        return source_version(self.source)

    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        check_column(self.table.features, how, self.source)
        return labels_from_column(list(self.table[how]), how, class_names(self.table.features[how]), kind)

    def label_choices(self) -> list[str]:
        return [name for name, feature in self.table.features.items() if class_names(feature)]


def load_split(
    trouble: str,
    columns: Columns,
    *,
    streaming: bool,
    loader: str,
    file: str | None = None,
    folder: str | None = None,
) -> Any:
    """A split through `datasets.load_dataset`, map-style or streamed; UserError of `trouble` and why if it fails."""
    import datasets

    files = {columns.split: file} if file else None
    try:
        return datasets.load_dataset(
            loader,
            columns.config or None,
            data_files=files,
            data_dir=folder,
            split=columns.split,
            streaming=streaming,
        )
    except Exception as error:  # an edited file may raise anything in what reads it
        if "scripts are no longer supported" in str(error):
            raise UserError(
                f"{loader!r} is read by a program of the data set's own, which is not run; look on the Hub for a"
                " copy of it in parquet files, or download its images and give their folder."
            ) from error
        raise UserError(f"{trouble}: {one_line(error.__cause__ or error)}") from error


def image_column(features: Mapping[str, Any], wanted: str, source: str) -> str:
    """The column of the images: the wanted one, or the only one that can be; UserError with the columns there are."""
    if wanted:
        check_column(features, wanted, source)
        return wanted
    found = image_columns(features)
    if not found:
        raise UserError(f"{source!r} has no image column; its columns are {', '.join(features)}.")
    if len(found) > 1:
        raise UserError(f"{source!r} has several image columns; type {setting('image_column')} {' or '.join(found)}.")
    return found[0]


def image_columns(features: Mapping[str, Any]) -> list[str]:
    """The columns that hold images: those declared so, else those of bytes."""
    import datasets

    declared = [name for name, feature in features.items() if isinstance(feature, datasets.Image)]
    return declared or [name for name, feature in features.items() if _holds_bytes(feature)]


def _holds_bytes(feature: Any) -> bool:
    """Whether a plain column can hold encoded images: bytes, or a record of bytes and path."""
    import datasets

    if isinstance(feature, datasets.Value):
        return feature.dtype in ("binary", "large_binary")
    return isinstance(feature, Mapping) and "bytes" in feature


def keep_encoded(table: Any, column: str) -> Any:
    """The table with its image column left encoded."""
    import datasets

    if not isinstance(table.features[column], datasets.Image):
        return table
    return table.cast_column(column, datasets.Image(decode=False))


def read_image_cell(value: Any, source: str) -> bytes:
    """Encoded image of a cell: bytes, or a record of bytes and, where these are missing, a path or address.

    Nothing at all if the cell is empty. UserError if it names what does not belong to `source`: a table that was
    downloaded has no say in which files of this machine, or which addresses, are opened.
    """
    if not isinstance(value, Mapping):
        return value or b""
    if value["bytes"] is not None or not value.get("path"):
        return value["bytes"] or b""
    path = str(value["path"])
    if "://" in path:
        return read_hub_bytes(path, source)
    file = Path(os.path.realpath(table_folder(source) / path))
    if not any(file.is_relative_to(os.path.realpath(place)) for place in allowed_folders(source)):
        raise UserError(
            f"it names a file outside of the table's folder, which is not opened; embed the images: {path!r}"
        )
    return read_file_bytes(file)


def table_folder(source: str) -> Path:
    """The folder that a table's paths start from: its own."""
    here = Path(source)
    return here if here.is_dir() else here.parent


def allowed_folders(source: str) -> list[Path]:
    """Where files may lie that a table names: beside a table of this machine, in the caches for one of the Hub."""
    import datasets
    from huggingface_hub.constants import HF_HUB_CACHE

    if Path(source).exists():
        return [table_folder(source)]
    return [Path(HF_HUB_CACHE), Path(datasets.config.DOWNLOADED_DATASETS_PATH)]


def read_hub_bytes(address: str, source: str) -> bytes:
    """The bytes of a file in the Hub data set `source`, or in an archive there; UserError for any other address."""
    import fsspec

    *archives, file = address.split("::")
    ours = file.startswith((f"hf://datasets/{source}@", f"hf://datasets/{source}/"))
    if not ours or not all(archive.startswith(ARCHIVES) for archive in archives):
        raise UserError(f"it names an address outside of the data set, which is not opened: {address!r}")
    with fsspec.open(address, "rb") as stream:
        return stream.read(MOST_BYTES)


def row_name(value: Any, row: int) -> str:
    """What messages call a cell's image: the path it had, or its row."""
    path = value.get("path") if isinstance(value, Mapping) else None
    return str(path or f"row {row}")


def check_column(features: Mapping[str, Any], column: str, source: str) -> None:
    """UserError, with the columns there are, if `column` is not one."""
    if column not in features:
        raise UserError(f"{source!r} has no column {column!r}; its columns are {', '.join(features)}.")


def class_names(feature: Any) -> tuple[str, ...]:
    """Names of the classes of a column, where it declares them."""
    import datasets

    return tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else ()


def source_version(source: str) -> str:
    """What changes with a source of tables: a hash of its files' names and sizes, or the Hub's commit; empty: none."""
    here = Path(source)
    if here.exists():
        files = [file for file in (here, *here.rglob("*")) if file.suffix in (".parquet", ".arrow") and file.is_file()]
        sizes = sorted((file.relative_to(here.parent).as_posix(), file.stat().st_size) for file in files)
        return blake2b(repr(sizes).encode(), digest_size=8).hexdigest()
    try:
        from huggingface_hub import HfApi

        return HfApi().dataset_info(source).sha or ""
    except Exception:  # no network; what cannot be read is said where it is read
        return ""
