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
from ggdr.latent.projection import Space
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Encoder, Generator
from ggdr.ops.pixels import network_input
from ggdr.registry import Capability
from ggdr.saving.pretrained import Hub, SavedModel, loaded, open_model

OF_THIS_ONE = "train one for this generator, by game `encoder`: ggdr train digits_encoder --game.generator MODEL"
"""What to do about an encoder of another generator."""


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


def open_encoder(name: str | Path, hub: Hub, device: torch.device) -> tuple[SavedModel, Encoder]:
    """A model and its encoder, on a device; UserError if it has none that reads images."""
    model = open_model(name, hub)
    if "encoder" not in model.networks:
        raise UserError(
            f"{str(name)!r} holds {', '.join(map(repr, model.networks))} and no encoder: give a model of one of the"
            " games that train one, encoder, autoencoder or bidirectional, or find codes by `ggdr project`."
        )
    model.fetch("encoder", *({"generator"} & model.networks.keys()))
    return model, loaded(model.networks["encoder"], Encoder).to(device)


def encoder_of(name: str | Path, generator: Generator) -> Encoder:
    """The encoder at a place, on the device of the generator that it was trained for; UserError if it is another's."""
    model, encoder = open_encoder(name, Hub(), generator.device)
    check_encoder(encoder, generator)
    if "generator" in model.networks:
        check_same(loaded(model.networks["generator"], Generator), generator)
    return encoder


@torch.no_grad()
def starts(encoder: Encoder, generator: Generator, targets: Tensor) -> Tensor:
    """The codes that an encoder finds in targets [N, C, H, W] in [-1, 1], as a projection starts from them.

    Style codes [N, 1 or L, W], or latent codes [N, z_dim], on the host. UserError if the generator takes other codes.
    """
    check_encoder(encoder, generator)
    parts = [encoder(part.to(encoder.device)) for part in targets.split(64)]
    found = torch.cat([encoder.codes(said, draw=False).cpu() for said in parts])
    return found if encoder.config.space == "z" else found.unflatten(1, (-1, generator.w_dim))


def space_from(encoder: Encoder, asked: Space | None) -> Space:
    """The space of a search that starts from an encoder's codes; UserError if these are of another than `asked` is."""
    own = encoder.config.space
    if asked not in (None, own) and (own, asked) != ("w", "w+"):
        raise UserError(f"the encoder finds codes of space {own!r}; give space {own!r}, or leave it out.")
    return asked or own


def check_encoder(encoder: Encoder, generator: Generator) -> None:
    """UserError if an encoder reads other images than a generator makes, or finds other codes than it takes."""
    own, made = encoder.spec, generator.spec
    if own[:3] != made[:3]:
        raise UserError(
            f"the encoder reads images of {own.height} x {own.width} px with {own.channels} channels, and the generator"
            f" makes {made.height} x {made.width} px with {made.channels}: {OF_THIS_ONE}."
        )
    settings = encoder.config
    if settings.class_names or Capability.PRIOR in generator.config.provides:
        raise UserError(
            "the encoder finds codes of a prior, which are not the noise that a projection looks for: find them by"
            " `ggdr encode`, or project without an encoder."
        )
    styled = Capability.WS in generator.config.provides
    widths = {"z": 0 if styled else generator.z_dim, "w": generator.w_dim}
    if settings.space == "w+" and styled:
        widths["w+"] = generator.w_dim * generator.num_style_codes()
    if settings.code_dim != widths.get(settings.space, 0):
        raise UserError(
            f"the encoder finds codes of {settings.code_dim} numbers in space {settings.space!r}, and generator"
            f" {generator.config.name!r} is projected to by others: {OF_THIS_ONE}."
        )


def check_same(known: Generator, generator: Generator) -> None:
    """UserError if the generator that an encoder learned to invert is another than this one."""
    there, here = known.state_dict(), generator.state_dict()
    alike = there.keys() == here.keys() and all(value.shape == here[name].shape for name, value in there.items())
    if not alike or not all(torch.equal(value.cpu(), here[name].cpu()) for name, value in there.items()):
        raise UserError(
            f"the encoder was trained for another generator ({known.config.name}) than this one"
            f" ({generator.config.name}), or for other weights of it: {OF_THIS_ONE}."
        )


def check_shape(encoder: Encoder, spec: ImageSpec) -> None:
    """UserError if images have other channels, or another size, than an encoder was built for."""
    own = encoder.spec
    if own[:3] != spec[:3] and own.continuous and spec.continuous:
        raise UserError(f"the encoder reads vectors of {own.channels} numbers, and these have {spec.channels}.")
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
