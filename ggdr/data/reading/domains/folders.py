"""Two folders within a folder or an archive: trainA and trainB, A and B, or any two, and what is for tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ggdr.data.reading.file_types import image_endings, system_folder
from ggdr.data.reading.labels.folders import ALL, SPLITS, TRAIN, find_split
from ggdr.errors import UserError

LETTERED = re.compile(rf"({'|'.join(sorted(SPLITS, key=len, reverse=True))})?[_-]?([AB])", re.IGNORECASE)
"""names such as trainA, test_B and A"""
TOP = PurePosixPath()
DEPTH = 3
"""folders below one another that are looked into"""


class Tree(NamedTuple):
    """The folders of a source, by their paths within it."""

    folders: set[PurePosixPath]
    images: set[PurePosixPath]
    """those folders that images lie in themselves"""

    def below(self, folder: PurePosixPath) -> list[str]:
        """The names of the folders in a folder, sorted."""
        return sorted(each.name for each in self.folders if each != TOP and each.parent == folder)


class TwoFolders(NamedTuple):
    """Where the two domains lie, by paths within the source."""

    a: PurePosixPath
    b: PurePosixPath
    names: tuple[str, str]
    """what the folders are called; empty: letters alone"""


def tree_of_folder(folder: str) -> Tree:
    """The folders in a folder, to some depth."""
    folders, images = set(), set()
    for root, inner, files in os.walk(folder, followlinks=True):
        here = PurePosixPath(Path(root).relative_to(folder).as_posix())
        inner[:] = [name for name in inner if not system_folder(name)] if len(here.parts) < DEPTH else []
        folders.add(here)
        if any(PurePosixPath(name).suffix.lower() in image_endings() for name in files):
            images.add(here)
    return Tree(folders, images)


def tree_of_names(names: Iterable[str]) -> Tree:
    """The folders of files, by the names of these."""
    images = {PurePosixPath(name).parent for name in names}
    return Tree({*images, *(above for folder in images for above in folder.parents)}, images)


def find_two_folders(tree: Tree, split: str, source: str) -> TwoFolders | None:
    """The two folders of the domains for a split; None: there are no two.

    UserError if there are trainA and trainB, or folders of splits, but none for that split.
    """
    top = TOP
    while top not in tree.images and len(inner := tree.below(top)) == 1 and not LETTERED.fullmatch(inner[0]):
        top = top / inner[0]
    inner = tree.below(top)
    letters = {name: (match[1] or "", match[2].upper()) for name in inner if (match := LETTERED.fullmatch(name))}
    if any(part for part, _ in letters.values()):
        return lettered_folders(top, letters, split, source)
    if are_splits(inner) and (chosen := find_split(split, inner)):  # train/A and train/B
        top = top / chosen[0]
        inner = tree.below(top)
    elif len(inner) == 2 and not are_splits(inner):  # A and B, or A/train and B/train
        one, other = (within_split(tree, top / name, split, source) for name in inner)
        return None if top in tree.images else TwoFolders(one, other, names_of(inner))
    if len(inner) != 2 or top in tree.images or are_splits(inner):
        return None
    return TwoFolders(top / inner[0], top / inner[1], names_of(inner))


def are_splits(names: list[str]) -> bool:
    """Whether folders are the splits of a data set."""
    return bool(names) and all(name.casefold() in SPLITS for name in names)


def lettered_folders(top: PurePosixPath, letters: dict[str, tuple[str, str]], split: str, source: str) -> TwoFolders:
    """The folders A and B of a split, as trainA and trainB; UserError if one is missing."""
    chosen = find_split(split, {part for part, _ in letters.values()})
    found = {letter: name for name, (part, letter) in letters.items() if part in chosen}
    if set(found) != {"A", "B"}:
        missing = " and ".join(f"{(chosen or [split])[0]}{letter}" for letter in "AB" if letter not in found)
        raise UserError(f"{source!r} has {', '.join(letters)}, but no {missing}; a set of two domains needs both.")
    return TwoFolders(top / found["A"], top / found["B"], ("", ""))


def within_split(tree: Tree, folder: PurePosixPath, split: str, source: str) -> PurePosixPath:
    """The folder of a split in a domain's folder, or that folder where it has none; UserError if it has others."""
    inner = tree.below(folder)
    if not are_splits(inner) or split == ALL:
        if split not in (TRAIN, ALL):
            raise UserError(f"{source!r} has no split {split!r}: {folder.name} holds no such folder.")
        return folder
    if chosen := find_split(split, inner):
        return folder / chosen[0]
    raise UserError(f"{source!r} has no split {split!r}: {folder.name} holds {', '.join(inner)}.")


def names_of(folders: list[str]) -> tuple[str, str]:
    """The names of two folders; those that only say A and B have none."""
    lettered = [match[2].upper() for name in folders if (match := LETTERED.fullmatch(name))] == ["A", "B"]
    return ("", "") if lettered else (folders[0], folders[1])
