"""What is measured: a saved generator, a pipeline of diffusers, or images that lie there already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ggdr.data.base import Images
from ggdr.data.images import ImageFiles
from ggdr.data.reading.files.patterns import is_elsewhere
from ggdr.errors import UserError
from ggdr.evaluation.diffusion import Pipeline, fetched, index_at
from ggdr.features.cache import CHUNK
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import View, asked, latents
from ggdr.sampling.grid import to_uint8
from ggdr.sampling.labels import described
from ggdr.saving import checkpoint
from ggdr.saving.model import Saved, description_at
from ggdr.saving.pretrained import INDEX, OWN, PARTS, Hub, download, find, loaded
from ggdr.seeding import WORDS, seed_of

SCHEME = "image i of repeat r: the seed blake2b(seed, r) + i"
"""how images are drawn; of two seeds or repeats of 50,000 images, some are shared with a chance of 2e-5"""


class Draw(NamedTuple):
    """How images are made."""

    seed: int
    batch_size: int
    """images at once, at most CHUNK"""
    device: torch.device
    view: View
    """truncation and noise of generators"""
    steps: int | None = None
    """of pipelines; None: their own number"""


class Subject:
    """A source of images. What lies at a place depends on nothing but the place, the repeat and the `Draw`."""

    kind: str
    shape: tuple[int, int, int]
    """channels, height, width of its images"""
    count: int | None = None
    """images there are; None: as many as one asks for, others in each repeat"""
    generator: Generator | None = None
    files: Images | None = None
    """what they are read from, if they are"""

    def make(self, places: range, repeat: int) -> Tensor:
        """The images at these places, the first a multiple of CHUNK: [N, C, H, W] uint8."""
        raise NotImplementedError

    def labels(self, places: range, repeat: int) -> Tensor | None:
        """The label vectors [N, L] of its images at these places; None if it takes none."""
        return None

    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        raise NotImplementedError


class Drawn(Subject):
    """Images made from seeds, in passes that begin at the same places however many are asked for."""

    def __init__(self, draw: Draw):
        self.draw = draw

    def make(self, places: range, repeat: int) -> Tensor:
        passes = passes_of(places, self.draw.batch_size)
        return torch.cat([self.one_pass(each, repeat) for each in passes])[: len(places)]

    @torch.no_grad()
    def one_pass(self, places: range, repeat: int) -> Tensor:
        """A whole pass; whatever is drawn besides the latent codes is drawn for it alone."""
        seed, device = self.draw.seed, self.draw.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed_of(seed, repeat, places.start))
            first = seed_of(seed, repeat)
            return self.images([(first + place) % WORDS for place in places], places, repeat)

    def images(self, seeds: Sequence[int], places: range, repeat: int) -> Tensor:
        """The images of these seeds [N, C, H, W] uint8."""
        raise NotImplementedError


class Generated(Drawn):
    """Images of a saved generator; those of a conditional one have the labels of the reals at their places."""

    kind = "generator"

    def __init__(self, saved: Saved, draw: Draw, reals: Images):
        """UserError if the network cannot be read or does not take what is asked, or the reals lack its labels."""
        super().__init__(draw)
        self.saved, self.reals = saved, reals
        self.generator = self.network = loaded(saved, Generator).to(draw.device)
        spec = self.network.spec
        self.shape = (spec.channels, spec.height, spec.width)
        self.how = asked(self.network.config, possible(draw.view, self.network))
        if spec.labels:
            check_labels(spec, reals.spec)

    def labels(self, places: range, repeat: int) -> Tensor | None:
        return self.reals.at(list(places), repeat).labels if self.network.spec.labels else None

    def images(self, seeds: Sequence[int], places: range, repeat: int) -> Tensor:
        labels, device = self.labels(places, repeat), self.draw.device
        z = latents(seeds, self.network.z_dim).to(device)
        return to_uint8(self.network(z, None if labels is None else labels.to(device), **self.how).image)

    def about(self) -> dict[str, Any]:
        """What the record says of a saved generator: file, hash, settings, progress, truncation, noise."""
        progress, psi = self.saved.file.parent / "progress.json", self.draw.view.psi
        return {
            "file": str(self.saved.file),
            "weights": file_hash(self.saved.file),
            "network": self.saved.description,
            "progress": description_at(progress) if progress.is_file() else None,
            "truncation": {"psi": 1.0 if psi is None else psi, "cutoff": self.draw.view.cutoff},
            "noise": self.how.get("noise", "none"),
            "quantisation": "round((x + 1) * 127.5), clamped to 0 .. 255, no file format between",
        }


def check_labels(own: ImageSpec, real: ImageSpec) -> None:
    """UserError if the reals' labels, which a generator's images are to have, are others than it was trained with."""
    names, others = (f" ({described(spec)})" if spec.label_names else "" for spec in (own, real))
    named = own.label_names and real.label_names and not own.label_ranges
    if own.labels != real.labels or named and own.label_names != real.label_names:
        raise UserError(
            f"this generator was trained with labels of width {own.labels}{names}, and the data has"
            f" {real.labels or 'none'}{others}; choose the labels it was trained with by --data.labels."
        )


class Denoised(Drawn):
    """Images of an unconditional pipeline of diffusers."""

    kind = "pipeline"

    def __init__(self, folder: Path, draw: Draw):
        """UserError if it cannot be read or is asked for what it does not have."""
        super().__init__(draw)
        if (draw.view.psi, draw.view.cutoff) != (None, None):
            raise UserError("pipelines of diffusers have no truncation; leave --psi and --cutoff out.")
        self.pipeline = Pipeline(folder, draw.steps, draw.device)
        self.shape = self.pipeline.shape

    def images(self, seeds: Sequence[int], places: range, repeat: int) -> Tensor:
        return self.pipeline.images(seeds)

    def about(self) -> dict[str, Any]:
        return self.pipeline.about() | {"quantisation": "round(x * 255), clamped to 0 .. 255, no file format between"}


class Stored(Subject):
    """Images in files."""

    kind = "images"

    def __init__(self, settings: ImageFiles):
        """UserError if there are none that can be read."""
        try:
            self.files = self.opened = settings.open()
        except ValueError as error:
            raise UserError(str(error).replace("--data.", "--read.")) from error
        spec = self.opened.spec
        self.shape, self.count = (spec.channels, spec.height, spec.width), len(self.opened)

    def make(self, places: range, repeat: int) -> Tensor:
        return self.opened.at(list(places), 0).images

    def about(self) -> dict[str, Any]:
        return {"quantisation": "as in the files"}


def find_subject(settings: ImageFiles, draw: Draw, reals: Images, revision: str | None = None) -> Subject:
    """What `settings.source` names: a folder or file here, or a repository of the Hub.

    `settings`: how it is read if it is images. UserError if it is nothing that can be measured.
    """
    what, here = settings.source, Path(settings.source)
    if is_elsewhere(what):
        return Stored(settings)
    if not here.exists():
        folder = download(what, [INDEX], Hub(revision))
        if is_foreign(folder):
            return Denoised(fetched(what, revision), draw)
        return Generated(find(what, PARTS[:1], Hub(revision))["generator"], draw, reals)
    if is_foreign(here):
        return Denoised(here, draw)
    if holds_model(here):
        return Generated(find(what, PARTS[:1], Hub(revision))["generator"], draw, reals)
    if (here / "recipe.json").is_file():
        raise UserError(f"the run {what!r} has no checkpoint yet; wait for its first, at `checkpoint_kimg`.")
    return Stored(settings)


def is_foreign(folder: Path) -> bool:
    """Whether a folder holds a pipeline of diffusers that is not our own."""
    return (folder / INDEX).is_file() and index_at(folder).get("_class_name") != OWN


def holds_model(folder: Path) -> bool:
    """Whether a folder is that of a run with a checkpoint, of a checkpoint, or of a saved model."""
    signs = ("model", "networks.json", "config.json")
    there = any((folder / sign).exists() for sign in signs) or any(folder.glob("*/config.json"))
    return there or checkpoint.latest(folder) is not None


def possible(view: View, network: Generator) -> View:
    """The view, without noise if the generator has none to give."""
    return view if Capability.NOISE in network.config.provides else view._replace(noise="const")


def passes_of(places: range, batch_size: int) -> Iterator[range]:
    """The places in whole passes; the last one may go on beyond them, to the end of its chunk."""
    for first in range(places.start, places.stop, batch_size):
        yield range(first, min(first + batch_size, places.start + CHUNK))


def file_hash(file: Path) -> str:
    """sha256 of a file, the first 16 hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
