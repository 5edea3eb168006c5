"""The flag `--labels` of all verbs that make images: classes by name or number, all of them, or vectors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ggdr.errors import UserError
from ggdr.flags.ranges import parse_ranges
from ggdr.formatting import significant
from ggdr.verbs.model_flags import ModelFlags

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base import ImageSpec

ALL = "all"


class Label(NamedTuple):
    """A label that was asked for."""

    values: tuple[float, ...]
    """its vector"""
    text: str
    """what names of files call it"""


class BadLabel(Exception):
    """A piece of `--labels` that means nothing to a generator."""


@dataclass(frozen=True)
class LabelFlags(ModelFlags):
    """Which generator, how it is to work, and which labels its images have."""

    labels: tuple[str, ...] = ()
    """classes by name or number (cat dog, 0,3-5), all, or vectors (0.2,0.8); a generator with labels needs some, and
    without them it is said which there are"""

    text: tuple[str, ...] = ()
    """what images are to show, in words ("red heart" "black cat"), of a generator that was trained with texts"""

    def parse_labels(self, spec: ImageSpec, several: bool = True) -> list[Label]:
        """The labels that are asked for; UserError, with what to type, if they do not fit the generator.

        `several`: images are made of each of them; False: one is enough, which the message then asks for.
        """
        if self.text:
            return self.parse_texts(spec)
        if not spec.labels:
            if self.labels:
                typed = f"--labels {' '.join(self.labels)}"
                raise UserError(f"this generator was trained without labels; leave {typed} out.")
            return []
        if not self.labels and spec.text_encoder:
            from ggdr.sampling.labels import example_text

            some = f'--text "{example_text(spec)}"'
            raise UserError(f"this generator was trained with texts; add --text, in words, such as {some}.")
        if not self.labels:
            raise UserError(f"this generator was trained with labels; add --labels {label_choices(spec, several)}.")
        return parse_words("--labels", self.labels, spec)

    def parse_texts(self, spec: ImageSpec) -> list[Label]:
        """The vectors of the texts that are asked for; UserError if the generator takes none, or labels are given."""
        from ggdr.data.reading.labels.text import words_of
        from ggdr.sampling.labels import vectors_of_texts

        if not spec.text_encoder:
            instead = f"type --labels {label_choices(spec)}" if spec.labels else "leave --text out"
            raise UserError(f"this generator was not trained with texts; {instead}.")
        if self.labels:
            raise UserError("--labels and --text both say what the images are of; give one of them.")
        return [Label(tuple(vectors_of_texts(spec, text)), "_".join(words_of(text))) for text in self.text]

    def label_rows(self, spec: ImageSpec, count: int) -> Tensor | None:
        """Label vectors [count, L], of one label for all images or of one for each; None without labels.

        UserError as above, or if there are as many as neither.
        """
        import torch

        found = self.parse_labels(spec, several=False)
        if not found:
            return None
        if len(found) not in (1, count):
            each = f", or {count}, one for each image" if count > 1 else ""
            raise UserError(f"--labels {' '.join(self.labels)} are {len(found)} labels; give one{each}.")
        return torch.tensor([label.values for label in found]).expand(count, -1)


def parse_words(flag: str, words: tuple[str, ...], spec: ImageSpec) -> list[Label]:
    """The labels that the words of a flag mean to a generator with labels; UserError, with what to type, if none."""
    try:
        return [label for word in words for label in parse_word(word, spec)]
    except BadLabel as piece:
        raise UserError(f"{flag} {' '.join(words)} holds {piece}; give {label_choices(spec)}.") from None


def label_choices(spec: ImageSpec, several: bool = True) -> str:
    """What `--labels` may be for a generator with labels: one label, or also several."""
    from ggdr.sampling.labels import describe_labels

    if spec.label_ranges:
        middle = ",".join(significant((low + high) / 2, 3) for low, high in spec.label_ranges)
        return f"{middle}, or other numbers, of {describe_labels(spec)}"
    some = f"{ALL}, or some of" if several else "and one of"
    if spec.label_names and spec.label_names != tuple(map(str, range(spec.labels))):  # digits are their numbers
        return f"{some} {describe_labels(spec)} (or of 0-{spec.labels - 1})"
    return f"{some} 0-{spec.labels - 1}"


def parse_word(word: str, spec: ImageSpec) -> Iterator[Label]:
    """Yield the labels of a word, names of classes before numbers; `BadLabel` if it means nothing."""
    from ggdr.sampling.labels import find_class

    pieces = [piece.strip() for piece in word.split(",")]
    if spec.label_ranges or not all(piece.isdecimal() for piece in pieces):
        vector = parse_vector(pieces, spec.labels)
        if vector is not None:
            yield Label(vector, word.replace(",", "_"))
            return
    if spec.label_ranges:
        raise BadLabel(f"{word!r}, and a label is {spec.labels} number{'s with commas between' * (spec.labels > 1)}")
    if (place := find_class(spec, word)) is not None:
        yield class_label(place, spec)
        return
    if word == ALL:
        yield from (class_label(place, spec) for place in range(spec.labels))
        return
    for piece in pieces:
        yield from (class_label(place, spec) for place in parse_classes(piece, spec))


def parse_vector(pieces: list[str], width: int) -> tuple[float, ...] | None:
    """The pieces as the numbers of a vector; None if they are none, or not as many as it has."""
    try:
        return tuple(map(float, pieces)) if len(pieces) == width else None
    except ValueError:
        return None


def parse_classes(piece: str, spec: ImageSpec) -> list[int]:
    """The classes that a name, a number or a range of numbers means; `BadLabel` if there is none of them."""
    from ggdr.sampling.labels import find_class

    if (place := find_class(spec, piece)) is not None:
        return [place]
    if not re.fullmatch(r"\d+(-\d+)?", piece):
        raise BadLabel(repr(piece))
    found = []
    for number in parse_ranges("labels", piece):
        place = find_class(spec, str(number))
        if place is None and number >= spec.labels:
            raise BadLabel(str(number))
        found.append(number if place is None else place)
    return found


def class_label(place: int, spec: ImageSpec) -> Label:
    """A class as a label."""
    name = spec.label_names[place] if spec.label_names else ""
    plain = re.fullmatch(r"\w[\w.-]*", name) and not name.isdecimal()
    return Label(tuple(float(entry == place) for entry in range(spec.labels)), name if plain else f"label{place}")
