"""Label vectors: one-hot classes, several attributes at once or continuous values; some items may have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from ggdr.documents import one_line, printable
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

Kind = Literal["auto", "classes", "continuous", "text"]
"""how labels are understood: each value a class, numbers as they stand, or texts of which the words count"""
Policy = Literal["refuse", "skip", "class"]
"""what becomes of items without a label"""
UNLABELLED = "unlabelled"
"""the name of the class that such items may have"""
MOST_CLASSES = 1_000_000
"""largest of class numbers in a file: a larger one is a slip"""
SHOWN = 8
"""names that a message holds"""


class Labels(NamedTuple):
    """One label an item; classes are kept as numbers and become one-hot vectors when asked for."""

    values: np.ndarray
    """[N] int64 class numbers, or [N, L] float32 vectors; of items without a label zeros"""
    names: tuple[str, ...]
    """names of the vector's entries"""
    missing: np.ndarray | None = None
    """[N] whether an item has no label; None: all have one"""
    unused: str = ""
    """a name in the file of the labels that means no image"""
    notes: tuple[str, ...] = ()
    """how they were understood, where a person may have meant something else; whole sentences"""
    text_encoder: str = ""
    """how texts became vectors, as `ImageSpec` calls it; empty: they are no texts"""

    @property
    def width(self) -> int:
        """Entries of the label vector."""
        return len(self.names)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The least and greatest value of each entry of vectors; none of classes."""
        if self.values.ndim == 1:
            return ()
        there = self.values if self.missing is None else self.values[~self.missing]
        return tuple(zip(there.min(0).tolist(), there.max(0).tolist(), strict=True))

    def add_to(self, spec: ImageSpec) -> ImageSpec:
        """The spec with what networks need to know of the labels."""
        return spec._replace(
            labels=self.width, label_names=self.names, label_ranges=self.ranges, text_encoder=self.text_encoder
        )

    def select(self, items: np.ndarray) -> Labels:
        """The labels of some items, as wide as before."""
        missing = None if self.missing is None else missing_or_none(self.missing[items])
        return self._replace(values=self.values[items], missing=missing)

    def rows(self, items: Sequence[int]) -> np.ndarray:
        """Label vectors of these items, float32 [n, L]."""
        chosen = self.values[np.asarray(items)]
        if chosen.ndim > 1:
            return chosen
        rows = np.zeros((len(chosen), self.width), np.float32)  # not of np.eye: that is classes squared
        rows[np.arange(len(chosen)), chosen] = 1
        return rows

    def describe(self, item: int) -> str:
        """An item's label: the name of its class, or its numbers."""
        value = self.values[item]
        return self.names[int(value)] if self.values.ndim == 1 else " ".join(map(str, value.tolist()))

    def counts(self) -> dict[str, int]:
        """Name -> items of that class, or items for which that entry is not zero; and those that have no label."""
        there = self.values if self.missing is None else self.values[~self.missing]
        totals = np.bincount(there, minlength=self.width) if there.ndim == 1 else (there != 0).sum(axis=0)
        found = dict(zip(self.names, totals.tolist(), strict=True))
        return found if self.missing is None else found | {"no label": int(self.missing.sum())}


def class_labels(values: Sequence, names: Sequence[str] = ()) -> Labels:
    """One class an item: numbers into `names`, or, without them, any sortable values, each its own class.

    None, and a number below zero where there are names, as Hugging Face datasets writes them: no label.
    """
    missing = np.array([value is None or bool(names) and value < 0 for value in values], bool)
    if not names:
        try:
            kinds = sorted({value for value in values if value is not None})
        except TypeError as error:
            raise UserError(
                f"labels are no classes ({error}); give words, whole numbers or lists of numbers."
            ) from error
        number_of = {kind: number for number, kind in enumerate(kinds)}
        numbers = np.array([number_of.get(value, 0) for value in values], np.int64)
        return Labels(numbers, tuple(map(str, kinds)), missing_or_none(missing))
    numbers = np.array([0 if none else value for none, value in zip(missing, values, strict=True)], np.int64)
    if (strange := numbers >= len(names)).any():
        raise UserError(f"{strange.sum()} items have a class number without a name; there are names for {len(names)}.")
    return Labels(numbers, tuple(names), missing_or_none(missing))


def missing_or_none(missing: np.ndarray) -> np.ndarray | None:
    """Which items have no label; None if all have one."""
    return missing if missing.any() else None


def vector_labels(values: Sequence[Sequence[float] | None], names: Sequence[str], plain: bool = False) -> Labels:
    """Label vectors as they are: several attributes at once, or continuous conditions; UserError if not finite.

    Vectors of which each has a one and else zeros are what classes become, and therefore are classes; `plain`: not so.
    """
    zeros = [0.0] * len(names)
    missing = np.array([value is None for value in values], bool)
    try:
        rows = np.asarray([zeros if value is None else value for value in values], np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"labels {', '.join(names)} are not all numbers ({one_line(error, 80)}); correct them."
        ) from error
    if rows.ndim != 2:
        raise UserError(f"labels {', '.join(names)} are lists in lists; give every item one list of numbers.")
    if not np.isfinite(rows).all():
        raise UserError(f"labels {', '.join(names)} hold values that are not finite numbers; fill them in.")
    there = rows[~missing]
    if not plain and len(names) > 1 and len(there) and np.isin(there, (0, 1)).all() and (there.sum(1) == 1).all():
        return Labels(rows.argmax(1), tuple(names), missing_or_none(missing))
    return Labels(rows, tuple(names), missing_or_none(missing))


def apply_policy(labels: Labels, policy: Policy, name_of) -> tuple[Labels, np.ndarray]:
    """The labels as they are used, and the items that are; UserError, naming one, if some have none and must not.

    `name_of`: item -> what messages call it.
    """
    every = np.arange(len(labels.values))
    if labels.missing is None:
        return labels, every
    without = np.flatnonzero(labels.missing)
    if len(without) == len(every):
        raise UserError(f"no image has a label; give other labels, or leave {setting('labels')} out.")
    if policy == "skip":
        told = f"{len(without):,} of {len(every):,} images have no label and are left out (--data.unlabelled skip)."
        return labels._replace(notes=(*labels.notes, told)), np.flatnonzero(~labels.missing)
    if policy == "class" and labels.values.ndim == 1:
        numbers = np.where(labels.missing, labels.width, labels.values)
        return Labels(numbers, (*labels.names, UNLABELLED), notes=labels.notes), every
    ways = f"{setting('unlabelled')} skip leaves them out"
    ways += f", {setting('unlabelled')} class makes a class of them" if labels.values.ndim == 1 else ""
    named = printable(repr(name_of(int(without[0]))))
    other = f" (a line of the labels names {labels.unused!r:.120}, which is none of them)" if labels.unused else ""
    raise UserError(
        f"{len(without):,} of {len(every):,} images have no label, such as {named}: no line, an empty cell, NaN or"
        f" 'unknown'{other}; {ways}, or complete the labels."
    )


def list_some(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    shown = ", ".join(printable(name) for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN:,} more" if len(names) > SHOWN else shown
