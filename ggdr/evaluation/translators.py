"""Translators as sources of images: each view of a saved game, made of the images that a data set holds out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ggdr.data.base import Images
from ggdr.documents import file_hash
from ggdr.errors import UserError, setting
from ggdr.evaluation.sources import ImageSource, SamplingSettings, batches_of
from ggdr.ops.pixels import network_input
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.view import Reals, View, check_label_names
from ggdr.sampling.grid import as_data
from ggdr.saving.model import SavedNetwork, read_description
from ggdr.saving.pretrained import SavedModel
from ggdr.seeding import seed_of

STYLED = "that of the target's real image at the same place"
"""whose style images are given by a way that makes nothing without one"""
DRAWN = 4
"""images that are made twice, to see whether the networks draw as they translate"""


class TranslatorSource(ImageSource):
    """Makes the images of one view of a translator: of each of the source domain's, once."""

    kind = "translator"

    def __init__(self, name: str, view: View, images: Images, device: torch.device):
        """Make a few images with two seeds, to see whether the networks draw. `images`: both domains'."""
        self.name, self.view, self.images, self.device = name, view, images, device
        self.source = view.source or view.target
        self.count = count = images.count(self.source)
        first, again = (self.make_batch(range(min(DRAWN, count)), repeat, 0) for repeat in (0, 1))
        self.shape = (first.shape[1], first.shape[2], first.shape[3])
        if torch.equal(first, again):
            self.once = "this model draws nothing and makes the same images with every seed, so they are measured once"

    def make(self, places: range, repeat: int, seed: int, batch_size: int) -> Tensor:
        count = self.images.count(self.source)
        batches = (range(batch.start, min(batch.stop, count)) for batch in batches_of(places, batch_size))
        return torch.cat([self.make_batch(batch, repeat, seed) for batch in batches])[: len(places)]

    @torch.no_grad()
    def make_batch(self, places: range, repeat: int, seed: int) -> Tensor:
        """Translate a whole batch; what is drawn is drawn for it alone, and torch's random state stays as it was.

        One too small for a view that reads images together is made beside the images before it, or after the first.
        """
        device, start = self.device, min(places.start, max(0, places.stop - self.view.least))
        read = range(start, min(max(places.stop, start + self.view.least), self.images.count(self.source)))
        batch = {
            name: Reals(
                network_input(images.to(device), self.images.domains[name].classes),
                None if labels is None else labels.to(device),
            )
            for name, (images, labels) in self.images.domain_batches(list(read), 0).items()
        }
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            made = self.view.make(batch, seed_of(seed, repeat, places.start)).float()
        spec = self.images.domains[self.view.target]
        return as_data(made[places.start - start : places.stop - start], spec).cpu()

    def describe(self) -> dict[str, Any]:
        """Return the domains that the view is between, how many images it is of, and how numbers become pixels."""
        return {
            "shape": list(self.shape),
            "source": self.view.source,
            "target": self.view.target,
            "images": self.count,
            "paired": self.view.paired,
            "draws": not self.once,
            "style": STYLED if self.view.way and self.view.way.needs_style else None,
            "quantisation": "round((x + 1) * 127.5), clamped to 0 .. 255, no file format between",
        }


class OpenTranslator(NamedTuple):
    """A saved model that makes images of images, on the device."""

    name: str
    domains: tuple[str, ...]
    """the domains that it was trained between"""
    views: dict[str, View]
    """all that it makes, by name"""
    about: dict[str, Any]
    """what a record says of its networks"""

    def choose(self, wanted: str, images: Images, data: str) -> dict[str, View]:
        """The views that are measured on these images, whose truth is known where they are pairs.

        `wanted`: a view, or the domain that is made; empty: all. `data`: what the images are called. UserError if
        there is no such view, or the images are not of its domains.
        """
        self.check_domains(images, data)
        found = {name: view for name, view in self.views.items() if wanted in ("", name, view.target)}
        if not found:
            raise UserError(
                f"{self.name!r} has no view {wanted!r}; give {' or '.join(self.views)}, or none: all are measured."
            )
        for name, view in found.items():
            check_way(name, view, images)
        return {name: replace(view, paired=images.paired) for name, view in found.items()}

    def check_domains(self, images: Images, data: str) -> None:
        """Raise UserError, with what to type, if the images lack a domain that the views are of."""
        there = [*images.domains]
        if missing := [domain for domain in self.domains if domain not in there]:
            kind = "pairs" if images.paired else "domains"
            instead = f"take --data {kind} --data.source FOLDER_OR_HUB_ID --data.names {' '.join(self.domains)}"
            if len(there) == len(self.domains):
                instead = f"add --data.names {' '.join(self.domains)} if they are the same, or give other data"
            raise UserError(
                f"{self.name!r} translates between {' and '.join(self.domains)}, and data {data!r} has no"
                f" {' and no '.join(missing)}, but {' and '.join(there)}; {instead}."
            )


def open_translator(model: SavedModel, sampling: SamplingSettings) -> OpenTranslator:
    """The translator that a saved model is, on the device; UserError if it cannot be read, or is to truncate."""
    if (sampling.view.truncation_psi, sampling.view.truncation_cutoff) != (None, None):
        raise UserError(
            f"translators have no truncation; leave {setting('truncation_psi')} and {setting('truncation_cutoff')} out."
        )
    pipeline = TranslationPipeline.of(model).to(sampling.device)
    read = {role: model.networks[role] for role in pipeline.used}
    chief = chief_of(model.networks)
    progress = chief.file.parent / "progress.json"
    about = {
        "file": str(chief.file),
        "weights": file_hash(chief.file),
        "network": chief.description,
        "networks": {role: file_hash(saved.file) for role, saved in read.items()},
        "progress": read_description(progress) if progress.is_file() else None,
    }
    return OpenTranslator(model.name, pipeline.domains, pipeline.views, about)


def chief_of(networks: Mapping[str, SavedNetwork]) -> SavedNetwork:
    """The first network that makes images, which records are known by."""
    return next(saved for saved in networks.values() if saved.description.get("kind") == "translator")


def check_way(name: str, view: View, images: Images) -> None:
    """Raise UserError, with what to type, if a view takes or makes others than the images of its domains."""
    way, source = view.way, view.source
    assert way is not None and source is not None
    if way.makes.classes:
        raise UserError(
            f"{name} makes label maps, and metrics compare images; choose another view by {setting('view')}."
        )
    for does, own, domain in (("takes", way.takes, source), ("makes", way.makes, view.target)):
        real = images.domains[domain]
        if own[:3] != real[:3]:
            size = f"{own.height}" if own.height == own.width else f"{own.height} {own.width}"
            raise UserError(
                f"{name} {does} images of {own.height} x {own.width} px with {own.channels} channels, and those of"
                f" {domain} are of {real.height} x {real.width} px with {real.channels}; add --data.size {size}, or"
                f" give data of such channels."
            )
    real = images.domains[view.target]
    if way.makes.labels not in (0, real.labels):  # one that takes no labels is told none
        raise UserError(
            f"{name} was trained with labels of width {way.makes.labels}, and the data has {real.labels or 'none'};"
            " choose the labels it was trained with by --data.labels."
        )
    check_label_names(way.makes, [real], f"images of {view.target}")
