"""Projection: the code whose image is nearest to a given one, by gradient descent (StyleGAN2, arXiv 1912.04958, app.
D)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.features.base import Embedder, Extractor
from ggdr.features.plain import Pixels
from ggdr.latent.codes import Codes, concatenate, has_noise_maps, images_of
from ggdr.latent.directions import draw_styles
from ggdr.networks.base.module import Generator
from ggdr.ops.precision import without_tf32
from ggdr.registry import Capability
from ggdr.seeding import word

Space = Literal["w", "w+", "z"]
Watch = Callable[[int, Tensor, Tensor], None]
"""Callback that is told of each step: its number, the images [N, C, H, W] that it saw and their distances [N]."""
RAMP_UP, RAMP_DOWN, JITTER_END = 0.05, 0.25, 0.75
"""shares of the search in which the learning rate rises and falls, and after which the code is no longer shaken"""
COARSEST_PX = 8
"""Resolution of the smallest noise map that a larger one is averaged to, pixels."""
CANDIDATES = 256
"""Number of latent codes, the nearest of which is the start, where there is no mean style to start from."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a code is searched for; the numbers are StyleGAN2's (appendix D) where it has any."""

    space: Space | None = None
    """Space that is searched: one style code ("w"), one for each layer ("w+"), latent code ("z"); None: "w", or else
    "z"."""
    steps: int = 1000
    """Number of gradient steps; 0: what the search starts from is what it finds."""
    extractor: Extractor = Pixels()
    """What makes the features whose squared difference is minimized; the paper's is "lpips", "pixels" needs no
    weights."""
    pixels: float = 0.1
    """Weight of plain pixels beside the features; 0: none, as in the paper."""
    learning_rate: float = 0.1
    """Highest learning rate of the search."""
    jitter: float = 0.05
    """Noise on the code at the start, relative to the codes' distance from their mean."""
    noise_weight: float = 1e5
    """Weight of the term that keeps noise maps free of correlation."""
    prior: float = 0.01
    """Weight of a latent code's mean square, which keeps it likely."""
    seed: int = 0
    """Seed of all that is drawn."""

    def __post_init__(self) -> None:
        above_zero(self, "learning_rate")
        not_negative(self, "steps", "pixels", "jitter", "noise_weight", "prior", "seed")
        if Capability.SMOOTH not in self.extractor.provides:
            raise UserError(
                f"a search follows gradients, which feature extractor {self.extractor.name!r} does not pass on; take"
                " pixels, lpips, vgg16, dinov2, timm or digits."
            )

    def distance_weights(self) -> dict[Extractor, float]:
        """Return the features that are compared, with their weights."""
        beside = {Pixels(): self.pixels} if self.pixels and self.extractor != Pixels() else {}
        return {self.extractor: 1.0} | beside

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step: linear up, half a cosine down."""
        up = min(1.0, (step + 1) / (RAMP_UP * self.steps))
        down = min(1.0, (self.steps - step) / (RAMP_DOWN * self.steps))
        return self.learning_rate * up * (0.5 - 0.5 * math.cos(math.pi * down))

    def jitter_at(self, step: int) -> float:
        """Return the noise that is added at a step, relative to the codes' distance from their mean."""
        return self.jitter * max(0.0, 1 - step / (JITTER_END * self.steps)) ** 2


class Projection(NamedTuple):
    """The codes found for N images, on the host, with what they are worth."""

    codes: Codes
    """Codes that were found, with noise maps where the generator takes some."""
    images: Tensor
    """Images [N, C, H, W] float32 about [-1, 1] of these codes."""
    distance: Tensor
    """Squared differences [N] of features between the images and the targets."""
    start: Tensor
    """Squared differences [N] where the search began."""


class Start(NamedTuple):
    """The point at which a search begins."""

    points: Tensor
    """Style codes [N, 1 or L, W], or latent codes [N, D]."""
    spread: Tensor
    """Root of the codes' mean squared distance from their mean, [N, 1, 1] or [N, 1]."""


class Measure:
    """The distance of images from the targets [N, C, H, W] in [-1, 1], by one network's features."""

    def __init__(self, network: Embedder, targets: Tensor):
        self.network = network
        with torch.no_grad():
            self.rows = self.features(targets)

    def features(self, images: Tensor) -> Tensor:
        """Return features [N, F] of images [N, C, H, W] about [-1, 1], neither rounded nor clamped."""
        return self.network((images.float() + 1) * 127.5).rows

    def __call__(self, images: Tensor) -> Tensor:
        """Return squared distances [N] of images [N, C, H, W]."""
        return (self.features(images) - self.rows).square().sum(dim=1)


def project(
    generator: Generator,
    targets: Tensor,
    search: Search | None = None,
    *,
    labels: Tensor | None = None,
    batch_size: int = 8,
    watch: Watch | None = None,
    start: Tensor | None = None,
) -> Projection:
    """Find the codes of a generator in eval mode whose images are nearest to targets [N, C, H, W] in [-1, 1] of its
    size.

    `labels` [N, C]: of a generator that has some. `batch_size`: images searched for at once; what is found for one does
    not depend on the others. `watch` is told of each step of each batch. `start`: style codes [N, 1 or L, W], or latent
    codes [N, z_dim], where the search begins, such as an encoder finds (`ggdr.latent.encoding.starts`); None: the mean
    style, or the nearest of a few latent codes. Torch's random state is left as it was.
    UserError if the generator has no such space, or the features' weights are not available.
    """
    search = search or Search()
    space_of(generator, search)
    if batch_size < 1:
        raise UserError(f"a batch of {batch_size} images holds none; give 1 or more.")
    if generator.spec.labels and labels is None:
        raise UserError(f"this generator was trained with labels; give labels [N, {generator.spec.labels}].")
    if start is not None and len(start) != len(targets):
        raise UserError(f"there are {len(start)} codes to start from for {len(targets)} images; give one for each.")
    device = generator.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []), without_tf32():
        networks = [each.load(device) for each in search.distance_weights()]
        found = [
            Descent(
                generator, search, networks, targets[part].to(device),
                None if labels is None else labels[part], None if start is None else start[part],
            ).run(watch)
            for part in (slice(first, first + batch_size) for first in range(0, len(targets), batch_size))
        ]  # fmt: skip
    return join(found)


def join(found: list[Projection]) -> Projection:
    """Return what was found for several batches as one."""
    return Projection(concatenate([each.codes for each in found]), *map(torch.cat, list(zip(*found, strict=True))[1:]))


def space_of(generator: Generator, search: Search) -> Space:
    """Return the space that is searched; UserError if the generator has none of this name."""
    styled = Capability.WS in generator.config.provides
    if search.space == "z" and styled:
        raise UserError(f"generator {generator.config.name!r} is projected to by its styles; give space 'w' or 'w+'.")
    if search.space in ("w", "w+") and not styled:
        raise UserError(f"generator {generator.config.name!r} has no style codes; give space 'z', or leave it out.")
    if search.space not in (None, "w", "w+", "z"):
        raise UserError(f"space is {search.space!r}; give 'w', 'w+' or 'z'.")
    return search.space or ("w" if styled else "z")


class Descent:
    """The search for the codes of one batch of targets [N, C, H, W] in [-1, 1]."""

    def __init__(
        self,
        generator: Generator,
        search: Search,
        networks: list[Embedder],
        targets: Tensor,
        labels: Tensor | None,
        given: Tensor | None = None,
    ):
        self.generator, self.search, self.labels = generator, search, labels
        self.rng = torch.Generator().manual_seed(word(search.seed))
        self.space = space_of(generator, search)
        self.layers = 0 if self.space == "z" else generator.num_style_codes()
        self.measures = [Measure(network, targets) for network in networks]
        with torch.no_grad():
            start = self.given(given) if given is not None else self.begin(len(targets))
            self.points, self.spread = start.points.clone().requires_grad_(), start.spread
            self.maps = self.initial_noise(len(targets))
            self.first = [measure(self.render(self.points)) for measure in self.measures]

    def run(self, watch: Watch | None) -> Projection:
        """Descend, and return the codes where that ends."""
        variables = [self.points, *self.maps.values()]
        adam = torch.optim.Adam(variables)
        for step in range(self.search.steps):
            adam.param_groups[0]["lr"] = self.search.learning_rate_at(step)
            with torch.enable_grad():
                images = self.render(self.points + self.jitter(step))
                distances = [measure(images) for measure in self.measures]
                loss = (self.distance_loss(distances) + self.prior_loss()).sum()
            adam.zero_grad(set_to_none=True)
            loss.backward(inputs=variables)
            adam.step()
            for noise in self.maps.values():
                noise.data = standardize(noise.data)
            if watch is not None:
                watch(step, images.detach(), distances[0].detach())
        with torch.no_grad():
            images = self.render(self.points)
            distance = self.measures[0](images)
        return Projection(self.codes(self.points).to_host(), *(x.cpu() for x in (images, distance, self.first[0])))

    def codes(self, points: Tensor) -> Codes:
        """Return the points as codes that the generator takes."""
        if self.space == "w":
            points = points.expand(-1, self.layers, -1)
        return Codes(points, self.labels if self.space == "z" else None, self.maps)

    def render(self, points: Tensor) -> Tensor:
        """Return the images [N, C, H, W] of points."""
        return images_of(self.generator, self.codes(points))

    def distance_loss(self, distances: list[Tensor]) -> Tensor:
        """Return the weighted distances [N] in units of those at the start, which brings any network's features to
        one scale."""
        # Unlike the paper: it has one distance, LPIPS, which needs no scale.
        parts = zip(self.search.distance_weights().values(), distances, self.first, strict=True)
        return torch.stack([weight * now / first.clamp(min=1e-12) for weight, now, first in parts]).sum(dim=0)

    def prior_loss(self) -> Tensor:
        """Return how far noise maps are from white noise, and latent codes from a normal distribution's centre: [N]."""
        noise = [noise_autocorrelation(each) for each in self.maps.values()]
        total = self.search.noise_weight * torch.stack(noise).sum(dim=0) if noise else self.points.new_zeros([])
        return total + self.search.prior * self.points.square().mean(dim=1) if self.space == "z" else total

    def jitter(self, step: int) -> Tensor:
        """Return the noise of a step, the same for each point, so that the other images of the batch do not matter."""
        drawn = torch.randn(self.points.shape[1:], generator=self.rng).to(self.points.device)
        return drawn * self.spread * self.search.jitter_at(step)

    def begin(self, count: int) -> Start:
        """Start where nothing better is known: from the mean style, or the nearest of a few latent codes."""
        return self.nearest_latents(count) if self.space == "z" else self.mean_styles(count)

    def given(self, points: Tensor) -> Start:
        """Start from codes that are given; UserError if the space has other codes."""
        device = self.generator.device
        if self.space == "z":
            wanted, fits = ["N", self.generator.z_dim], points.shape[1:] == (self.generator.z_dim,)
            spread = torch.full((len(points), 1), math.sqrt(self.generator.z_dim))
        else:
            rows = (1,) if self.space == "w" else (1, self.layers)
            wanted = ["N", rows[-1], self.generator.w_dim]
            fits = points.ndim == 3 and points.shape[1] in rows and points.shape[2] == self.generator.w_dim
            spread = self.mean_styles(len(points)).spread
        if not fits:
            raise UserError(f"codes to start from are {list(points.shape)}; in space {self.space!r} give {wanted}.")
        if self.space == "w+":
            points = points.expand(-1, self.layers, -1)
        return Start(points.to(device), spread.to(device))

    def mean_styles(self, count: int) -> Start:
        """Start from the mean style of each target's label."""
        rows, of = (None, [0] * count) if self.labels is None else self.labels.unique(dim=0, return_inverse=True)
        drawn = [draw_styles(self.generator, row, self.search.seed) for row in ([None] if rows is None else rows)]
        means = torch.stack([styles.mean(dim=0) for styles in drawn])
        spreads = torch.stack([(each - each.mean(dim=0)).square().sum(dim=1).mean().sqrt() for each in drawn])
        points = means[of].unsqueeze(1).expand(-1, self.layers if self.space == "w+" else 1, -1)
        device = self.generator.device
        return Start(points.to(device), spreads[of].view(-1, 1, 1).to(device))

    def nearest_latents(self, count: int) -> Start:
        """Start from the nearest of CANDIDATES latent codes, which are the same for all targets."""
        generator, device = self.generator, self.generator.device
        z = torch.randn(CANDIDATES, generator.z_dim, generator=self.rng).to(device)
        points, measure = [], self.measures[0]
        for place in range(count):
            row = None if self.labels is None else self.labels[place : place + 1].to(device)
            away = torch.cat([
                (measure.features(generator(part, row if row is None else row.expand(len(part), -1)).image)
                 - measure.rows[place]).square().sum(dim=1)
                for part in z.split(32)
            ])  # fmt: skip
            points.append(z[away.argmin()])
        return Start(torch.stack(points), torch.full((count, 1), math.sqrt(generator.z_dim), device=device))

    def initial_noise(self, count: int) -> dict[str, Tensor]:
        """Return noise maps for each target, the same to begin with; none if the generator takes none."""
        if not has_noise_maps(self.generator):
            return {}
        sizes = {name: value.shape for name, value in self.generator.noise_maps().items()}
        drawn = {name: standardize(torch.randn(1, 1, *size, generator=self.rng)) for name, size in sizes.items()}
        device = self.generator.device
        return {name: value.repeat(count, 1, 1, 1).to(device).requires_grad_() for name, value in drawn.items()}


def standardize(noise: Tensor) -> Tensor:
    """Scale each map of noise [N, 1, H, W] to mean 0 and variance 1."""
    centred = noise - noise.mean(dim=(2, 3), keepdim=True)
    return centred * (centred.square().mean(dim=(2, 3), keepdim=True) + 1e-12).rsqrt()


def noise_autocorrelation(noise: Tensor) -> Tensor:
    """Return the squared correlation [N] of noise maps [N, 1, H, W] with their neighbours, over all scales; 0 for
    pure noise."""
    total = noise.new_zeros(len(noise))
    while True:
        for axis in (2, 3):
            total = total + (noise * noise.roll(1, axis)).mean(dim=(1, 2, 3)).square()
        if min(noise.shape[2:]) <= COARSEST_PX:
            return total
        noise = F.avg_pool2d(noise, 2) * 2  # the mean of four has a quarter of their variance
