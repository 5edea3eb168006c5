"""Sources of the images that are measured: a saved generator, a diffusers pipeline, or images in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ggdr.data.base import Images
from ggdr.data.images import ImageFiles
from ggdr.data.reading.files.patterns import is_address_or_pattern
from ggdr.documents import file_hash
from ggdr.errors import UserError, at, setting
from ggdr.evaluation.diffusion import UnconditionalPipeline, fetch, read_index
from ggdr.features.cache import CHUNK
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import SamplingOptions, forward_arguments, seeded_latents
from ggdr.sampling.grid import as_data
from ggdr.sampling.labels import describe_labels
from ggdr.saving import checkpoint
from ggdr.saving.model import SavedNetwork, read_description
from ggdr.saving.pretrained import INDEX, PARTS, Hub, SavedModel, download, is_own, loaded, open_model
from ggdr.seeding import WORDS, seed_of

SEED_SCHEME = "image i of repeat r: the seed blake2b(seed, r) + i"
"""how images are seeded; of two seeds or repeats of 50,000 images, some are shared with a chance of 2e-5"""


class SamplingSettings(NamedTuple):
    """How a source makes images, apart from their seeds."""

    device: torch.device
    view: SamplingOptions = SamplingOptions(noise="random")
    """truncation and noise of generators"""
    steps: int | None = None
    """denoising steps of pipelines; None: their default"""


class ImageSource:
    """Makes or reads the images that are measured: an image is a function of its place, the repeat and the seed."""

    kind: str
    """"generator", "translator", "pipeline" or "images", as records say"""
    shape: tuple[int, int, int]
    """channels, height, width of its images"""
    count: int | None = None
    """number of images; None: unlimited"""
    generator: Generator | None = None
    """the network that makes the images, if ggdr can walk in its latent space"""
    once: str = ""
    """why its images are measured once, however many repeats are wanted; empty: each repeat has others"""
    files: Images | None = None
    """the opened files, if images are read from files"""

    def make(self, places: range, repeat: int, seed: int, batch_size: int) -> Tensor:
        """Return the images at these places, the first a multiple of CHUNK, as [N, C, H, W] as data hold them.

        `batch_size`: images that are made at once, 1 to CHUNK.
        """
        raise NotImplementedError

    def labels(self, places: range, repeat: int) -> Tensor | None:
        """Return the label vectors [N, L] of its images at these places; None if it takes none."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return what a record says of the source, as JSON can hold it."""
        raise NotImplementedError


class SeededSource(ImageSource):
    """Makes images from seeds, in batches that begin at the same places however many images are wanted."""

    def __init__(self, sampling: SamplingSettings):
        self.sampling = sampling

    def make(self, places: range, repeat: int, seed: int, batch_size: int) -> Tensor:
        batches = batches_of(places, batch_size)
        return torch.cat([self.make_batch(batch, repeat, seed) for batch in batches])[: len(places)]

    @torch.no_grad()
    def make_batch(self, places: range, repeat: int, seed: int) -> Tensor:
        """Make a whole batch; noise is drawn for this batch alone, and torch's random state stays as it was."""
        device = self.sampling.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed_of(seed, repeat, places.start))
            first = seed_of(seed, repeat)
            return self.sample([(first + place) % WORDS for place in places], self.labels(places, repeat))

    def sample(self, seeds: Sequence[int], labels: Tensor | None) -> Tensor:
        """Make the images of these seeds, with labels [N, L] or None, as [N, C, H, W] uint8."""
        raise NotImplementedError


class GeneratorSource(SeededSource):
    """Makes images by a saved generator; a conditional one takes the labels of the reals at the same places."""

    kind = "generator"

    def __init__(self, saved: SavedNetwork, sampling: SamplingSettings, reals: Images):
        """Load the generator; UserError if it cannot be read, lacks truncation, or the reals lack its labels."""
        super().__init__(sampling)
        self.saved, self.reals = saved, reals
        self.generator = self.network = loaded(saved, Generator).to(sampling.device)
        spec = self.network.spec
        self.shape = (spec.channels, spec.height, spec.width)
        self.arguments = forward_arguments(self.network.config, without_missing_noise(sampling.view, self.network))
        if spec.labels:
            check_labels(spec, reals.spec)

    def labels(self, places: range, repeat: int) -> Tensor | None:
        return self.reals.at(list(places), repeat).labels if self.network.spec.labels else None

    def sample(self, seeds: Sequence[int], labels: Tensor | None) -> Tensor:
        device = self.sampling.device
        z = seeded_latents(seeds, self.network.z_dim).to(device)
        made = self.network(z, None if labels is None else labels.to(device), **self.arguments).image
        return as_data(made, self.network.spec)

    def describe(self) -> dict[str, Any]:
        """Return the weights' file and hash, the network's settings and progress, truncation and noise."""
        progress, psi = self.saved.file.parent / "progress.json", self.sampling.view.truncation_psi
        return {
            "file": str(self.saved.file),
            "weights": file_hash(self.saved.file),
            "network": self.saved.description,
            "progress": read_description(progress) if progress.is_file() else None,
            "truncation": {"psi": 1.0 if psi is None else psi, "cutoff": self.sampling.view.truncation_cutoff},
            "noise": self.arguments.get("noise", "none"),
            "quantisation": "round((x + 1) * 127.5), clamped to 0 .. 255, no file format between",
        }


class PipelineSource(SeededSource):
    """Makes images by an unconditional pipeline of diffusers."""

    kind = "pipeline"

    def __init__(self, folder: Path, sampling: SamplingSettings):
        """Load the pipeline; UserError if it cannot be read, or is to truncate."""
        super().__init__(sampling)
        if (sampling.view.truncation_psi, sampling.view.truncation_cutoff) != (None, None):
            raise UserError(
                f"pipelines of diffusers have no truncation; leave {setting('truncation_psi')} and"
                f" {setting('truncation_cutoff')} out."
            )
        self.pipeline = UnconditionalPipeline(folder, sampling.steps, sampling.device)
        self.shape = self.pipeline.shape

    def sample(self, seeds: Sequence[int], labels: Tensor | None) -> Tensor:
        return self.pipeline.sample(seeds)

    def describe(self) -> dict[str, Any]:
        return self.pipeline.describe() | {
            "quantisation": "round(x * 255), clamped to 0 .. 255, no file format between"
        }


class StoredImages(ImageSource):
    """Reads images from files."""

    kind, once = "images", "images in files are measured once"

    def __init__(self, settings: ImageFiles):
        """Open the files; UserError if no image can be read from them."""
        with at("read"):
            self.files = self.images = settings.open()
        spec = self.images.spec
        self.shape, self.count = (spec.channels, spec.height, spec.width), len(self.images)

    def make(self, places: range, repeat: int, seed: int, batch_size: int) -> Tensor:
        return self.images.at(list(places), 0).images

    def describe(self) -> dict[str, Any]:
        return {"quantisation": "as in the files"}


def find_model(name: str, revision: str | None = None) -> SavedModel | None:
    """The networks of a run, a checkpoint, a model or a Hub repository; None: it is another's pipeline, or images.

    UserError if there is no such place.
    """
    here, hub = Path(name), Hub(revision)
    if is_address_or_pattern(name):
        return None
    if here.exists():
        return open_model(name, hub) if holds_model(here) and not is_foreign(here) else None
    return None if is_foreign(download(name, [INDEX], hub)) else open_model(name, hub)


def find_source(
    settings: ImageFiles,
    sampling: SamplingSettings,
    reals: Images,
    model: SavedModel | None,
    revision: str | None = None,
) -> ImageSource:
    """Open what `settings.source` names: a folder or file here, or a repository of the Hub.

    `settings`: how files are read, if they are images. `model`: what `find_model` found. UserError if it is nothing
    that can be measured.
    """
    if model is not None:
        return GeneratorSource(model.choose(PARTS[:1])["generator"], sampling, reals)
    name, here = settings.source, Path(settings.source)
    if is_address_or_pattern(name):
        return StoredImages(settings)
    if not here.exists():
        return PipelineSource(fetch(name, revision), sampling)
    if is_foreign(here):
        return PipelineSource(here, sampling)
    if (here / "recipe.json").is_file():
        raise UserError(f"the run {name!r} has no checkpoint yet; wait for its first, at `checkpoint_kimg`.")
    return StoredImages(settings)


def check_no_view(view: str, name: str) -> None:
    """Raise UserError if a view is chosen of what has none."""
    if view:
        raise UserError(
            f"{name!r} makes no images of images, and has no view {view!r}: those are of translators; leave"
            f" {setting('view')} out."
        )


def is_foreign(folder: Path) -> bool:
    """Return whether a folder holds a pipeline of diffusers that is not ggdr's own."""
    return (folder / INDEX).is_file() and not is_own(read_index(folder))


def holds_model(folder: Path) -> bool:
    """Return whether a folder is that of a run with a checkpoint, of a checkpoint, or of a saved model."""
    signs = ("model", "networks.json", "config.json")
    found = any((folder / sign).exists() for sign in signs) or any(folder.glob("*/config.json"))
    return found or checkpoint.latest(folder) is not None


def check_labels(own: ImageSpec, real: ImageSpec) -> None:
    """Raise UserError if the reals' labels, which the fakes take, are not those the generator was trained with."""
    names, others = (f" ({describe_labels(spec)})" if spec.label_names else "" for spec in (own, real))
    named = own.label_names and real.label_names and not own.label_ranges
    if own.labels != real.labels or named and own.label_names != real.label_names:
        raise UserError(
            f"this generator was trained with labels of width {own.labels}{names}, and the data has"
            f" {real.labels or 'none'}{others}; choose the labels it was trained with by --data.labels."
        )


def without_missing_noise(view: SamplingOptions, network: Generator) -> SamplingOptions:
    """Return the view, without fresh noise if the generator has no noise inputs."""
    return view if Capability.NOISE in network.config.provides else view._replace(noise="const")


def batches_of(places: range, batch_size: int) -> Iterator[range]:
    """Cut the places into whole batches; the last one may go on beyond them, to the end of its chunk."""
    for first in range(places.start, places.stop, batch_size):
        yield range(first, min(first + batch_size, places.start + CHUNK))
