"""A column of values to labels: which cells hold no label, and whether the others are classes or numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggdr.data.reading.labels.base import Kind, Labels, class_labels, vector_labels
from ggdr.data.reading.labels.text import text_labels
from ggdr.errors import UserError
from ggdr.formatting import significant

MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "unknown", "unlabelled", "unlabeled", "?"})
"""what cells without a label hold, in either case: what tables write for nothing, and what people do"""
QUANTITIES = frozenset(
    "age ages year years month months day days hour hours score scores rating ratings angle angles degree degrees yaw"
    " pitch roll temperature price weight height width length depth size area distance time count value speed".split()
)
"""words in a column's name that say that its whole numbers are measured or counted"""
NUMBERED = frozenset(
    "class classes cls category categories label labels target targets type kind species y arr id ids identity".split()
)
"""words that say that they are the numbers of classes"""


def labels_from_column(values: Sequence, column: str, names: Sequence[str] = (), kind: Kind = "auto") -> Labels:
    """Labels from a column: words are classes, fractions and lists are vectors; whole numbers as `are_classes` says.

    `names`: of the classes, where the column declares them. `kind`: what they are, where that is said. UserError if
    the values are of no kind, or of another.
    """
    cells = [None if is_missing(value) else value for value in values]
    there = [cell for cell in cells if cell is not None]
    if not there:
        raise UserError(f"column {column!r} holds no label; choose another one.")
    if kind == "text":
        if not all(isinstance(cell, str) for cell in there):
            raise UserError(f"column {column!r} holds {there[0]!r:.60}, which is no text; give a column of texts.")
        return text_labels(cells)
    if isinstance(there[0], (list, tuple, np.ndarray)):
        return labels_from_lists(cells, column, kind)
    if names:
        return class_labels(cells, names)
    if not all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in there):
        if kind == "continuous":
            raise UserError(f"column {column!r} holds words, such as {there[0]!r:.60}; they can only be classes.")
        return class_labels([str(cell) if isinstance(cell, (bool, int, float)) else cell for cell in cells])
    whole = all(math.isfinite(cell) and float(cell).is_integer() for cell in there)
    chosen = kind
    if kind == "auto":
        chosen = "classes" if whole and are_classes([int(cell) for cell in there], column) else "continuous"
    if chosen == "continuous":
        labels = vector_labels([None if cell is None else [cell] for cell in cells], [column])
    else:
        labels = class_labels([int(cell) if whole and cell is not None else cell for cell in cells])
    return labels._replace(notes=(interpretation_note(labels, column),)) if kind == "auto" and whole else labels


def is_missing(value: Any) -> bool:
    """Whether a cell holds no label."""
    if isinstance(value, str):
        return value.strip().casefold() in MISSING
    return value is None or isinstance(value, float) and math.isnan(value)


def labels_from_lists(cells: Sequence, column: str, kind: Kind) -> Labels:
    """Labels from lists of numbers."""
    lists = [cell for cell in cells if cell is not None]
    if len({len(cell) if isinstance(cell, (list, tuple, np.ndarray)) else -1 for cell in lists}) > 1:
        raise UserError(f"column {column!r} holds lists of differing length; a label vector has one width.")
    labels = vector_labels(cells, [f"{column}_{entry}" for entry in range(len(lists[0]))])
    if kind == "classes" and labels.values.ndim > 1:
        raise UserError(f"column {column!r} holds vectors that are no classes: each must hold one 1 and else zeros.")
    return labels


def are_classes(values: list[int], column: str) -> bool:
    """Whether whole numbers are the numbers of classes: so says the column's name, or else the numbers do.

    They do if there are but two of them, or if they are all of 0 .. K-1 or of 1 .. K, each for two images or more on
    average.
    """
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).casefold()))
    if words & QUANTITIES:
        return False
    found = sorted(set(values))
    if words & NUMBERED or len(found) == 2:
        return True
    return found[0] in (0, 1) and found[-1] - found[0] == len(found) - 1 and 2 * len(found) <= len(values)


def interpretation_note(labels: Labels, column: str) -> str:
    """How whole numbers were understood, and how to say that they mean something else."""
    if labels.ranges:
        low, high = labels.ranges[0]
        between = f"{significant(low, 7)} to {significant(high, 7)}"
        return (
            f"labels: whole numbers {between} of column {column!r} are read as continuous, a vector of one number;"
            " --data.label-kind classes makes a class of each."
        )
    return (
        f"labels: whole numbers of column {column!r} are read as {labels.width:,} classes;"
        " --data.label-kind continuous keeps them as numbers."
    )
