"""The labels that a generator is asked for: classes by number or name, vectors of numbers, and what a model knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.data.reading.labels.text import text_vector
from ggdr.documents import printable
from ggdr.errors import UserError
from ggdr.formatting import significant
from ggdr.networks.base import ImageSpec
from ggdr.seeding import word

SHOWN = 8
"""names that a sentence holds"""
LabelInput = int | float | str | Sequence[int | str | float | Sequence[float]] | Tensor
"""a class by number or name, one for each image, or vectors"""


def label_rows(spec: ImageSpec, labels: LabelInput | None, count: int | None) -> Tensor | None:
    """Label vectors [count, L] float32 of one class for all images, a class for each, or vectors [count, L].

    `count`: None: as many as labels are given. Classes are numbers or names. Where labels are no classes, a vector [L]
    is one for all, and numbers are vectors of one. None for an unconditional network. UserError if they do not fit the
    network, or are missing.
    """
    width = spec.labels
    if labels is None and not width:
        return None
    if not width:
        raise UserError("this generator was trained without labels; leave labels out.")
    wanted = describe_choices(spec, count or 1)
    if labels is None:
        raise UserError(f"this generator was trained with labels of width {width}: {wanted}.")
    named = replace_names(spec, labels)
    try:
        given = torch.as_tensor(named).cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"labels are {labels!r:.40}, which are no numbers; {wanted}.") from error
    vectors = bool(spec.label_ranges) or given.is_floating_point()
    if count is None:
        one = given.ndim == 0 or vectors and given.shape == (width,)
        count = 1 if one else len(given)
    if vectors:
        given = expand_numbers(given.float(), width, count)
    elif given.ndim < 2:
        strange = given[(given < 0) | (given >= width)].flatten().tolist()
        if strange:
            raise UserError(f"there is no class {strange[0]}; {wanted}.")
        given = F.one_hot(given.long(), width).expand(-1 if given.ndim else count, -1)
    if given.shape != (count, width):
        raise UserError(f"labels of shape {list(given.shape)} do not fit; {wanted}.")
    if not (given := given.float()).isfinite().all():
        raise UserError(f"labels are {labels!r:.40}, which are not all finite; {wanted}.")
    return given


def expand_numbers(given: Tensor, width: int, count: int) -> Tensor:
    """Numbers as vectors, where they are meant as such: one vector [L] for all images, or one number an image."""
    if given.ndim == 0 and width == 1:
        return given.expand(count, 1)
    if given.ndim == 1 and len(given) == width:
        return given.expand(count, -1)
    return given[:, None] if given.ndim == 1 and width == 1 else given


def describe_choices(spec: ImageSpec, count: int) -> str:
    """What labels may be."""
    if spec.text_encoder:
        return f"give a text for all images or for each of {count}, in words such as {describe_labels(spec)}"
    if spec.label_ranges:
        one = f"a number for all images or for each of {count}" if spec.labels == 1 else f"a vector [{spec.labels}]"
        return f"give {one}, or vectors [{count}, {spec.labels}], of {describe_labels(spec)}"
    names = f" or by name ({describe_labels(spec)})" if spec.label_names else ""
    classes = f"a class from 0 to {spec.labels - 1}{names} for all images or for each of {count}"
    return f"give {classes}, or vectors [{count}, {spec.labels}]"


def describe_labels(spec: ImageSpec) -> str:
    """The names of its classes, or of the entries of its vectors with their ranges, as far as they are known."""
    if spec.label_ranges and not spec.text_encoder:
        names = spec.label_names or [f"number {place}" for place in range(spec.labels)]
        pairs = zip(names, spec.label_ranges, strict=True)
        texts = [f"{name} ({significant(low)} to {significant(high)})" for name, (low, high) in pairs]
    else:
        texts = list(spec.label_names)
    shown = ", ".join(map(printable, texts[:SHOWN]))
    return f"{shown} and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else shown


def replace_names(spec: ImageSpec, labels: Any) -> Any:
    """Labels with the numbers of classes for their names, or with the vectors of texts."""
    if spec.text_encoder:
        return vectors_of_texts(spec, labels)
    if isinstance(labels, str):
        return class_number(spec, labels)
    if isinstance(labels, list | tuple) and any(isinstance(label, str) for label in labels):
        return [class_number(spec, label) if isinstance(label, str) else label for label in labels]
    return labels


def vectors_of_texts(spec: ImageSpec, labels: Any) -> Any:
    """Labels with their vectors for texts; UserError if a text has no word that the generator was trained with."""
    if isinstance(labels, str):
        vector = text_vector(labels, spec.label_names)
        if not any(vector):
            raise UserError(
                f"this generator knows no word of {labels!r:.60}; it was trained with {len(spec.label_names):,} words,"
                f" such as {', '.join(map(printable, spec.label_names[:SHOWN]))}."
            )
        return vector
    if isinstance(labels, list | tuple) and any(isinstance(label, str) for label in labels):
        return [vectors_of_texts(spec, label) for label in labels]
    return labels


def example_text(spec: ImageSpec) -> str:
    """A text that a generator of texts knows, of two of its words."""
    return " ".join(spec.label_names[:2])


def class_number(spec: ImageSpec, name: str) -> int:
    """Find a class as `find_class` does; UserError, with those there are, if there is none."""
    if spec.label_ranges:
        raise UserError(
            f"this generator's labels are numbers, not classes, of {describe_labels(spec)}; {name!r} is none."
        )
    if (place := find_class(spec, name)) is not None:
        return place
    numbers = f"give a number from 0 to {spec.labels - 1}"
    known = f"its classes are {describe_labels(spec)}; give one, or its number" if spec.label_names else numbers
    raise UserError(f"this generator has no class {name!r:.60}; {known}.")


def find_class(spec: ImageSpec, name: str) -> int | None:
    """The number of the class of a name, in whichever case if only one has it; None if there is none."""
    if name in spec.label_names:
        return spec.label_names.index(name)
    alike = [place for place, each in enumerate(spec.label_names) if each.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def example_labels(spec: ImageSpec, places: Sequence[int]) -> Tensor | None:
    """A label vector [N, L] for each place, a function of the place: each class, or word, in turn, or numbers in their
    ranges.

    None for an unconditional network.
    """
    if not spec.labels:
        return None
    if not spec.label_ranges or spec.text_encoder:
        return F.one_hot(torch.tensor(places) % spec.labels, spec.labels).float()
    low, high = torch.tensor(spec.label_ranges).T
    draws = [torch.rand(spec.labels, generator=torch.Generator().manual_seed(word(place))) for place in places]
    return low + (high - low) * torch.stack(draws)
