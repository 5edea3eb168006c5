"""Folders as `save_to_disk` of Hugging Face datasets writes them: Arrow files, read in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ggdr.data.reading.reader import Columns, failure_reason
from ggdr.data.reading.tables.base import TableReader
from ggdr.documents import read_object
from ggdr.errors import UserError, setting

SPLITS = "dataset_dict.json"
"""names the splits of a folder that holds several"""
STATE, INFO = "state.json", "dataset_info.json"
"""name the files, and the columns, of a folder that holds one"""


class SavedTable(TableReader):
    """The rows of a saved data set, or of one split of several."""

    kind = "saved data set"
    form = "a folder of save_to_disk"

    @staticmethod
    def fits(source: str) -> bool:
        path = Path(source)
        return (path / SPLITS).is_file() or all((path / part).is_file() for part in (STATE, INFO))

    @staticmethod
    def load(source: str, columns: Columns):
        """Return the split that is asked for, as `datasets` reads it; UserError if the folder is broken."""
        import datasets

        try:
            folder = split_folder(Path(source), columns.split)
            check_files(folder)
            return datasets.Dataset.load_from_disk(str(folder)).with_format(None)
        except UserError as error:
            raise UserError(f"{source!r} is no readable saved data set: {error.message}.") from error
        except Exception as error:  # an edited folder may raise anything in what reads it
            raise UserError(f"{source!r} is no readable saved data set: {failure_reason(error)}.") from error

    @staticmethod
    def list_splits(source: str, config: str) -> Sequence[str]:
        folder = Path(source)
        return split_names(folder) if (folder / SPLITS).is_file() else ()


def split_names(folder: Path) -> list[str]:
    """The splits that a folder of several names; UserError if it does not."""
    names = read_object(folder / SPLITS).get("splits")
    if not isinstance(names, list) or not all(map(is_plain, names)):
        raise UserError(f"{SPLITS} does not name its splits")
    return names


def split_folder(folder: Path, wanted: str) -> Path:
    """The folder itself, or that of the wanted split if it holds several; UserError with those there are."""
    if not (folder / SPLITS).is_file():
        return folder
    names = split_names(folder)
    if wanted not in names:
        raise UserError(f"it has no split {wanted!r}; choose one with {setting('split')} {' or '.join(names)}")
    return folder / wanted


def check_files(folder: Path) -> None:
    """UserError if the state names files elsewhere: a folder that was downloaded has no say in what is opened."""
    files = read_object(folder / STATE).get("_data_files")
    named = [file.get("filename") if isinstance(file, dict) else None for file in files or [None]]
    if not all(map(is_plain, named)):
        raise UserError(f"{STATE} does not name files of the same folder")


def is_plain(name: object) -> bool:
    """Whether it is the name of something within a folder, and no path."""
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name
