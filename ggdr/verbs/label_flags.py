"""The flag `--labels` of all verbs that make images: classes by name or number, all of them, or vectors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ggdr.figures import significant
from ggdr.verbs.model_flags import ModelFlags, numbers

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base import Brief

ALL = "all"


class Label(NamedTuple):
    """A label that was asked for."""

    values: tuple[float, ...]
    """its vector"""
    text: str
    """what names of files call it"""


class Odd(Exception):
    """A piece of `--labels` that means nothing to a generator."""


@dataclass(frozen=True)
class LabelFlags(ModelFlags):
    """Which generator, how it is to work, and which labels its images have."""

    labels: tuple[str, ...] = ()
    """classes by name or number (cat dog, 0,3-5), all, or vectors (0.2,0.8); a generator with labels needs some, and
    without them it is said which there are"""

    def asked_labels(self, brief: Brief) -> list[Label]:
        """The labels that are asked for; ValueError, with what to type, if they do not fit the generator."""
        typed = f"--labels {' '.join(self.labels)}"
        if not brief.labels:
            if self.labels:
                raise ValueError(f"this generator was trained without labels; leave {typed} out.")
            return []
        if not self.labels:
            raise ValueError(f"this generator was trained with labels; add --labels {choices(brief)}.")
        try:
            return [label for word in self.labels for label in of_word(word, brief)]
        except Odd as piece:
            raise ValueError(f"{typed} holds {piece}; give {choices(brief)}.") from None

    def label_rows(self, brief: Brief, count: int) -> Tensor | None:
        """Label vectors [count, L], of one label for all images or of one for each; None without labels.

        ValueError as above, or if there are as many as neither.
        """
        import torch

        found = self.asked_labels(brief)
        if not found:
            return None
        if len(found) not in (1, count):
            each = f", or {count}, one for each image" if count > 1 else ""
            raise ValueError(f"--labels {' '.join(self.labels)} are {len(found)} labels; give one{each}.")
        return torch.tensor([label.values for label in found]).expand(count, -1)


def choices(brief: Brief) -> str:
    """What `--labels` may be for a generator with labels."""
    from ggdr.labels import described

    if brief.label_ranges:
        middle = ",".join(significant((low + high) / 2, 3) for low, high in brief.label_ranges)
        return f"{middle}, or other numbers, of {described(brief)}"
    if brief.label_names and brief.label_names != tuple(map(str, range(brief.labels))):  # digits are their numbers
        return f"{ALL}, or some of {described(brief)} (or of 0-{brief.labels - 1})"
    return f"{ALL}, or some of 0-{brief.labels - 1}"


def of_word(word: str, brief: Brief) -> Iterator[Label]:
    """The labels of a word; `Odd` if it means nothing. Names of classes come before numbers, which may be names too."""
    from ggdr.labels import find_class

    pieces = [piece.strip() for piece in word.split(",")]
    if brief.label_ranges or not all(piece.isdecimal() for piece in pieces):
        vector = as_vector(pieces, brief.labels)
        if vector is not None:
            yield Label(vector, word.replace(",", "_"))
            return
    if brief.label_ranges:
        raise Odd(f"{word!r}, and a label is {brief.labels} number{'s with commas between' * (brief.labels > 1)}")
    if (place := find_class(brief, word)) is not None:
        yield of_class(place, brief)
        return
    if word == ALL:
        yield from (of_class(place, brief) for place in range(brief.labels))
        return
    for piece in pieces:
        yield from (of_class(place, brief) for place in places_of(piece, brief))


def as_vector(pieces: list[str], width: int) -> tuple[float, ...] | None:
    """The pieces as the numbers of a vector; None if they are none, or not as many as it has."""
    try:
        return tuple(map(float, pieces)) if len(pieces) == width else None
    except ValueError:
        return None


def places_of(piece: str, brief: Brief) -> list[int]:
    """The classes that a name, a number or a range of numbers means; `Odd` if there is none of them."""
    from ggdr.labels import find_class

    if (place := find_class(brief, piece)) is not None:
        return [place]
    if not re.fullmatch(r"\d+(-\d+)?", piece):
        raise Odd(repr(piece))
    found = []
    for number in numbers("labels", piece):
        place = find_class(brief, str(number))
        if place is None and number >= brief.labels:
            raise Odd(str(number))
        found.append(number if place is None else place)
    return found


def of_class(place: int, brief: Brief) -> Label:
    """A class as a label."""
    name = brief.label_names[place] if brief.label_names else ""
    plain = re.fullmatch(r"\w[\w.-]*", name) and not name.isdecimal()
    return Label(tuple(float(entry == place) for entry in range(brief.labels)), name if plain else f"label{place}")
