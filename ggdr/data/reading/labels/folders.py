"""What the folders of a source are: classes, the splits of a data set, or shards that only keep folders small."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from ggdr.data.reading.labels.base import Labels, class_labels, list_some
from ggdr.errors import UserError, setting

SPLITS = frozenset("train training val valid validation dev test testing".split())
"""what people call the folders of a data set's splits, in either case"""
FOLDERS, TOP_FOLDERS = "folders", "top-folders"
"""settings that make classes of folders: where they are some, and whatever they are called"""
ALL, TRAIN = "all", "train"
"""the setting that takes every split, and the one that is taken unless another is said"""
SPLIT_SYNONYMS = (("train", "training"), ("val", "valid", "validation", "dev"), ("test", "testing"))
"""names of one split"""
TESTS = ("test", "val")
"""splits that are for tests, the first one first"""
SHARD = re.compile(r"\d{5,}")


def select_split(files: list[str], split: str, source: str) -> tuple[list[str], str]:
    """The files of a split, where the folders are splits, and what to tell of it.

    UserError if there is no such split. Where the folders are none, the files as they are.
    """
    depth = shared_depth(files)
    folders = split_folders(files)
    if not folders:
        if split not in (TRAIN, ALL):
            raise UserError(
                f"{source!r} has no split {split!r}: no folders train, valid; leave {setting('split')} out."
            )
        return files, ""
    counted = ", ".join(f"{folder}: {count:,}" for folder, count in folders.items())
    if split == ALL:
        return files, f"the folders of {source!r} are splits ({counted}); all are read (--data.split all)."
    chosen = find_split(split, folders)
    if not chosen:
        raise UserError(f"{source!r} has the splits {counted}, and no {split!r}; type one, or {setting('split')} all.")
    kept = [file for file in files if top_folder(file, depth) in chosen]
    return kept, (
        f"the folders of {source!r} are splits ({counted}), of which {list_some(chosen)} is read; --data.split all"
        " reads all, and with --data.labels top-folders makes classes of them."
    )


def find_split(split: str, names: Iterable[str]) -> list[str]:
    """The names that a split has among some: its own, or else those that mean the same."""
    alike = next((each for each in SPLIT_SYNONYMS if split.casefold() in each), (split.casefold(),))
    found = list(names)
    return [name for name in found if name == split] or [name for name in found if name.casefold() in alike]


def split_folders(files: Sequence[str]) -> Counter[str]:
    """The folders of files that are splits, and how many files each has; none if any lies elsewhere."""
    depth = shared_depth(files)
    folders = Counter(top_folder(file, depth) for file in files)
    return folders if len(folders) > 1 and all(folder.casefold() in SPLITS for folder in folders) else Counter()


def top_folder(file: str, depth: int) -> str:
    """The folder of a file below the ones that all files share; empty: it lies in none."""
    parts = PurePosixPath(file).parts
    return parts[depth] if len(parts) > depth + 1 else ""


def labels_from_folders(files: Sequence[str], forced: bool = False) -> Labels:
    """The first sub-folder below the one that all files share is the class; folders of splits are looked into.

    `forced`: whatever it is called. UserError if a file lies in none, or if the folders are no classes.
    """
    depth = shared_depth(files)
    folders = [top_folder(file, depth) for file in files]
    if "" in folders:
        stray = files[folders.index("")]
        raise UserError(f"labels 'folders': {stray!r} lies in no sub-folder; give every class its own folder.")
    names = sorted(set(folders))
    if forced:
        return class_labels(folders)
    if are_shards(names):
        raise UserError(
            f"labels 'folders': the folders {list_some(names)} are shards, no classes; their labels are in a"
            f" dataset.json as a rule ({setting('labels')} dataset.json), and {setting('labels')} top-folders makes"
            " classes of them all the same."
        )
    if all(name.casefold() in SPLITS for name in names):
        within = [folder_within_split(file, depth) for file in files]
        if "" in within:
            raise UserError(
                f"labels 'folders': the folders {list_some(names)} are splits of a data set, no classes, and"
                f" {files[within.index('')]!r} lies in no folder below; leave {setting('labels')} out, or make classes"
                f" of them by {setting('split')} all {setting('labels')} top-folders."
            )
        return class_labels(within)
    return class_labels(folders)


def folder_within_split(file: str, depth: int) -> str:
    """The folder of a file below that of its split; empty: it lies in none."""
    return top_folder(file, depth + 1)


def are_shards(folders: Iterable[str]) -> bool:
    """Whether folders are called 00000, 00001, ... or 00000, 01000, ..., or one 00000: so tools keep folders small."""
    names = sorted(folders)
    if not all(SHARD.fullmatch(name) for name in names) or int(names[0]) != 0:
        return False
    numbers = [int(name) for name in names]
    return all(number == place * numbers[min(1, place)] for place, number in enumerate(numbers))


def shared_depth(files: Sequence[str]) -> int:
    """How many leading folders all files share, where sub-folders differ below them; 0 if none do."""
    folders = [PurePosixPath(file).parts[:-1] for file in files]
    first, last = min(folders), max(folders)  # what the least and the greatest share, all share
    depth = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return 0 if depth == len(first) == len(last) else depth
