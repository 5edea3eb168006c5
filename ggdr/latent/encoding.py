"""Codes of images, as a saved encoder finds them, and the classes that it tells, where it does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ggdr.data.base import Images
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Encoder
from ggdr.ops.pixels import network_input


class Encodings(NamedTuple):
    """What an encoder says of images, on the host."""

    codes: Tensor
    """[N, K] float32, the mean where there is a variance; without the numbers of classes"""
    images: tuple[str, ...]
    """what each image is called"""
    probabilities: Tensor | None = None
    """[N, C], of each class that the encoder tells; None: it tells none"""
    class_names: tuple[str, ...] = ()
    """names of these classes"""
    labels: tuple[str, ...] = ()
    """the classes that the images are known to be of; empty: they are not known"""

    @property
    def classes(self) -> tuple[str, ...]:
        """The likeliest class of each image; empty: none is told."""
        if self.probabilities is None:
            return ()
        return tuple(self.class_names[place] for place in self.probabilities.argmax(dim=1).tolist())

    @property
    def error(self) -> float | None:
        """The share of images whose class is told wrong, 0 to 1; None: it is not known."""
        if not self.classes or not self.labels:
            return None
        return sum(told != known for told, known in zip(self.classes, self.labels, strict=True)) / len(self.labels)


@torch.no_grad()
def encode(encoder: Encoder, batches: Iterable[tuple[Tensor, Tensor | None]], images: tuple[str, ...]) -> Encodings:
    """What an encoder says of batches of images [n, C, H, W] in [-1, 1], with labels [n, L] or None.

    `images`: what each is called. It learns nothing, and draws nothing.
    """
    codes, labels = [], []
    device, named = encoder.device, encoder.config.class_names
    for shown, known in batches:
        told = None if known is None or not encoder.spec.labels else known.to(device)
        codes.append(encoder.codes(encoder(shown.to(device), told), draw=False).cpu())
        labels += [] if known is None else [str(place) for place in known.argmax(dim=1).tolist()]
    found = torch.cat(codes)
    probabilities = found[:, : len(named)] if named else None
    return Encodings(found[:, len(named) :], images, probabilities, named, tuple(labels))


def encode_data(encoder: Encoder, images: Images, batch_size: int = 64) -> Encodings:
    """What an encoder says of all images of a data set: of its domain with labels, if there is one, else of the last.

    Images are called by their places in the order of seed 0. UserError if they are none of its kind.
    """
    labelled = [name for name, spec in images.domains.items() if spec.labels and not spec.label_ranges]
    domain = labelled[0] if labelled else [*images.domains][-1]
    spec = images.domains[domain]
    check_shape(encoder, spec)
    count = images.count(domain)
    found = encode(encoder, batches_of(images, domain, count, batch_size), tuple(map(str, range(count))))
    names = spec.label_names
    return found._replace(labels=tuple(names[int(label)] for label in found.labels)) if names else found


def batches_of(images: Images, domain: str, count: int, batch_size: int) -> Iterable[tuple[Tensor, Tensor | None]]:
    """The images of a domain as networks see them, and their labels, if they are classes."""
    spec = images.domains[domain]
    for first in range(0, count, batch_size):
        batch = images.domain_batches(list(range(first, min(first + batch_size, count))), 0)[domain]
        yield network_input(batch.images, spec.classes), None if spec.label_ranges else batch.labels


def check_shape(encoder: Encoder, spec: ImageSpec) -> None:
    """UserError if images have other channels, or another size, than an encoder was built for."""
    own = encoder.spec
    if own[:3] != spec[:3]:
        raise UserError(
            f"the encoder reads images of {own.height} x {own.width} px with {own.channels} channels, and these are of"
            f" {spec.height} x {spec.width} px with {spec.channels}: name pictures or folders, which are made as large."
        )


def save_encodings(found: Encodings, file: Path) -> None:
    """Write codes and what is known beside them, as .npz or .parquet by the file's ending."""
    texts = {"image": found.images, "class": found.classes, "label": found.labels}
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet

        columns = {name: pa.array(list(values)) for name, values in texts.items() if values}
        columns["code"] = pa.array(found.codes.tolist(), pa.list_(pa.float32()))
        if found.probabilities is not None:
            columns["probabilities"] = pa.array(found.probabilities.tolist(), pa.list_(pa.float32()))
        pyarrow.parquet.write_table(pa.table(columns), file)
        return
    arrays = {name: np.array(values) for name, values in texts.items() if values}
    if found.probabilities is not None:
        arrays |= {"probabilities": found.probabilities.numpy(), "class_names": np.array(found.class_names)}
    with file.open("wb") as stream:
        np.savez(stream, allow_pickle=False, codes=found.codes.numpy(), **arrays)
