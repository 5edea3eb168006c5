"""The code whose image is nearest to a given one, found by gradient descent (StyleGAN2, arXiv 1912.04958, app. D)."""

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
from ggdr.latent.codes import Codes, gives_maps, images_of
from ggdr.latent.directions import number_of_codes, styles_drawn
from ggdr.networks.base.module import Generator
from ggdr.ops.precision import without_tf32
from ggdr.registry import Capability
from ggdr.seeding import word

Space = Literal["w", "w+", "z"]
Watch = Callable[[int, Tensor, Tensor], None]
"""is told of each step: its number, the images [N, C, H, W] that it saw and their distances [N]"""
RAMP_UP, RAMP_DOWN, JITTER_END = 0.05, 0.25, 0.75
"""shares of the search in which the learning rate rises and falls, and after which the code is no longer shaken"""
COARSEST_PX = 8
"""side of the smallest noise map that a larger one is averaged to"""
CANDIDATES = 256
"""latent codes of which the nearest is the start, where there is no mean style to start from"""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a code is searched for; the numbers are StyleGAN2's (appendix D) where it has any."""

    space: Space | None = None
    """one style code for all layers, one for each, or the latent code; None: "w" where there are styles, else "z" """
    steps: int = 1000
    """of the descent"""
    distance: Extractor = Pixels()
    """features whose squared difference is to become small; "lpips" is the paper's, "pixels" needs no weights"""
    pixels: float = 0.1
    """weight of plain pixels beside the features; 0: none, as in the paper"""
    learning_rate: float = 0.1
    """at its highest"""
    jitter: float = 0.05
    """noise on the code at the start, as a share of the codes' distance from their mean"""
    noise_weight: float = 1e5
    """how much noise maps must stay noise"""
    prior: float = 0.01
    """how much a latent code must stay likely: weight of its mean square"""
    seed: int = 0
    """of all that is drawn"""

    def __post_init__(self) -> None:
        above_zero(self, "steps", "learning_rate")
        not_negative(self, "pixels", "jitter", "noise_weight", "prior", "seed")
        if Capability.SMOOTH not in self.distance.provides:
            raise UserError(
                f"a search follows gradients, which feature extractor {self.distance.name!r} does not pass on; take"
                " pixels, lpips, vgg16, dinov2, timm or digits."
            )

    def measured(self) -> dict[Extractor, float]:
        """What is compared, and how much it counts."""
        beside = {Pixels(): self.pixels} if self.pixels and self.distance != Pixels() else {}
        return {self.distance: 1.0} | beside

    def rate(self, step: int) -> float:
        """The learning rate of a step: up in a line, down in half a cosine."""
        up = min(1.0, (step + 1) / (RAMP_UP * self.steps))
        down = min(1.0, (self.steps - step) / (RAMP_DOWN * self.steps))
        return self.learning_rate * up * (0.5 - 0.5 * math.cos(math.pi * down))

    def shake(self, step: int) -> float:
        """How much of the codes' distance from their mean is added as noise at a step."""
        return self.jitter * max(0.0, 1 - step / (JITTER_END * self.steps)) ** 2


class Projection(NamedTuple):
    """What was found for N images, on the host."""

    codes: Codes
    """with noise maps of their own, where the generator takes some"""
    images: Tensor
    """[N, C, H, W] float32 about [-1, 1], made from the codes"""
    distance: Tensor
    """[N] squared differences of features between the images and those that were given"""
    start: Tensor
    """[N] those where the search began"""


class Start(NamedTuple):
    """Where a search begins."""

    points: Tensor
    """[N, 1 or L, W] styles or [N, D] latent codes"""
    spread: Tensor
    """[N, 1, 1] or [N, 1]: root of the codes' mean squared distance from their mean"""


class Measure:
    """How far images are from the targets [N, C, H, W] in [-1, 1], by one network's features."""

    def __init__(self, network: Embedder, targets: Tensor):
        self.network = network
        with torch.no_grad():
            self.rows = self.features(targets)

    def features(self, images: Tensor) -> Tensor:
        """[N, F] of images [N, C, H, W] about [-1, 1], neither rounded nor clamped."""
        return self.network((images.float() + 1) * 127.5).rows

    def __call__(self, images: Tensor) -> Tensor:
        """Squared distances [N] of images [N, C, H, W]."""
        return (self.features(images) - self.rows).square().sum(dim=1)


def project(
    generator: Generator,
    targets: Tensor,
    search: Search | None = None,
    *,
    labels: Tensor | None = None,
    batch_size: int = 8,
    watch: Watch | None = None,
) -> Projection:
    """The codes of a generator in eval mode whose images are nearest to targets [N, C, H, W] in [-1, 1] of its size.

    `labels` [N, C]: of a generator that has some. `batch_size`: images searched for at once; what is found for one does
    not depend on the others. `watch` is told of each step of each batch. Torch's random state is left as it was.
    UserError if the generator has no such space, or the features' weights are not at hand.
    """
    search = search or Search()
    space_of(generator, search)
    if batch_size < 1:
        raise UserError(f"a batch of {batch_size} images holds none; give 1 or more.")
    if generator.spec.labels and labels is None:
        raise UserError(f"this generator was trained with labels; give labels [N, {generator.spec.labels}].")
    device = generator.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []), without_tf32():
        networks = [each.load(device) for each in search.measured()]
        found = [
            Descent(generator, search, networks, targets[part].to(device), None if labels is None else labels[part])
            .run(watch)
            for part in (slice(first, first + batch_size) for first in range(0, len(targets), batch_size))
        ]  # fmt: skip
    return Projection(joined([each.codes for each in found]), *map(torch.cat, list(zip(*found, strict=True))[1:]))


def space_of(generator: Generator, search: Search) -> Space:
    """The space that is searched; UserError if the generator has none of this name."""
    styled = Capability.WS in generator.config.provides
    if search.space == "z" and styled:
        raise UserError(f"generator {generator.config.name!r} is projected to by its styles; give space 'w' or 'w+'.")
    if search.space in ("w", "w+") and not styled:
        raise UserError(f"generator {generator.config.name!r} has no style codes; give space 'z', or leave it out.")
    if search.space not in (None, "w", "w+", "z"):
        raise UserError(f"space is {search.space!r}; give 'w', 'w+' or 'z'.")
    return search.space or ("w" if styled else "z")


def joined(codes: list[Codes]) -> Codes:
    """Codes of several batches as one."""
    labels = [each.labels for each in codes if each.labels is not None]
    noise = {name: torch.cat([each.noise[name] for each in codes]) for name in codes[0].noise}
    return Codes(torch.cat([each.points for each in codes]), torch.cat(labels) if labels else None, noise)


class Descent:
    """The search for the codes of one batch of targets [N, C, H, W] in [-1, 1]."""

    def __init__(
        self, generator: Generator, search: Search, networks: list[Embedder], targets: Tensor, labels: Tensor | None
    ):
        self.generator, self.search, self.labels = generator, search, labels
        self.dice = torch.Generator().manual_seed(word(search.seed))
        self.space = space_of(generator, search)
        self.layers = 0 if self.space == "z" else number_of_codes(generator)
        self.measures = [Measure(network, targets) for network in networks]
        with torch.no_grad():
            start = self.nearest(len(targets)) if self.space == "z" else self.mean_styles(len(targets))
            self.points, self.spread = start.points.clone().requires_grad_(), start.spread
            self.maps = self.fresh_maps(len(targets))
            self.first = [measure(self.made(self.points)) for measure in self.measures]

    def run(self, watch: Watch | None) -> Projection:
        """Descend, and hand over where that ends."""
        variables = [self.points, *self.maps.values()]
        adam = torch.optim.Adam(variables)
        for step in range(self.search.steps):
            adam.param_groups[0]["lr"] = self.search.rate(step)
            with torch.enable_grad():
                images = self.made(self.points + self.shaken(step))
                distances = [measure(images) for measure in self.measures]
                loss = (self.wrongness(distances) + self.unlikeliness()).sum()
            adam.zero_grad(set_to_none=True)
            loss.backward(inputs=variables)
            adam.step()
            for noise in self.maps.values():
                noise.data = standardised(noise.data)
            if watch is not None:
                watch(step, images.detach(), distances[0].detach())
        with torch.no_grad():
            images = self.made(self.points)
            distance = self.measures[0](images)
        return Projection(self.codes(self.points).kept(), *(x.cpu() for x in (images, distance, self.first[0])))

    def codes(self, points: Tensor) -> Codes:
        """The points as the generator takes them."""
        if self.space == "w":
            points = points.expand(-1, self.layers, -1)
        return Codes(points, self.labels if self.space == "z" else None, self.maps)

    def made(self, points: Tensor) -> Tensor:
        """Images of points."""
        return images_of(self.generator, self.codes(points))

    def wrongness(self, distances: list[Tensor]) -> Tensor:
        """The distances [N] in units of those at the start, which brings the features of any network to one scale."""
        # Unlike the paper: it has one distance, LPIPS, which needs no scale.
        parts = zip(self.search.measured().values(), distances, self.first, strict=True)
        return torch.stack([weight * now / first.clamp(min=1e-12) for weight, now, first in parts]).sum(dim=0)

    def unlikeliness(self) -> Tensor:
        """How far noise maps are from noise, and latent codes from the middle of a normal distribution: [N]."""
        noise = [likeness_of_neighbours(each) for each in self.maps.values()]
        total = self.search.noise_weight * torch.stack(noise).sum(dim=0) if noise else self.points.new_zeros([])
        return total + self.search.prior * self.points.square().mean(dim=1) if self.space == "z" else total

    def shaken(self, step: int) -> Tensor:
        """What is added to the points at a step, the same for each of them, so that batch-mates do not matter."""
        drawn = torch.randn(self.points.shape[1:], generator=self.dice).to(self.points.device)
        return drawn * self.spread * self.search.shake(step)

    def mean_styles(self, count: int) -> Start:
        """The mean style of each target's label."""
        rows, of = (None, [0] * count) if self.labels is None else self.labels.unique(dim=0, return_inverse=True)
        drawn = [styles_drawn(self.generator, row, self.search.seed) for row in ([None] if rows is None else rows)]
        means = torch.stack([styles.mean(dim=0) for styles in drawn])
        spreads = torch.stack([(each - each.mean(dim=0)).square().sum(dim=1).mean().sqrt() for each in drawn])
        points = means[of].unsqueeze(1).expand(-1, self.layers if self.space == "w+" else 1, -1)
        device = self.generator.device
        return Start(points.to(device), spreads[of].view(-1, 1, 1).to(device))

    def nearest(self, count: int) -> Start:
        """Of latent codes that are the same for all targets, that whose image is nearest to each."""
        generator, device = self.generator, self.generator.device
        z = torch.randn(CANDIDATES, generator.z_dim, generator=self.dice).to(device)
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

    def fresh_maps(self, count: int) -> dict[str, Tensor]:
        """Noise for each target, the same to begin with; none if the generator takes none."""
        if not gives_maps(self.generator):
            return {}
        sizes = {name: value.shape for name, value in self.generator.noise_maps().items()}
        drawn = {name: standardised(torch.randn(1, 1, *size, generator=self.dice)) for name, size in sizes.items()}
        device = self.generator.device
        return {name: value.repeat(count, 1, 1, 1).to(device).requires_grad_() for name, value in drawn.items()}


def standardised(noise: Tensor) -> Tensor:
    """Each map of noise [N, 1, H, W] with mean 0 and variance 1."""
    centred = noise - noise.mean(dim=(2, 3), keepdim=True)
    return centred * (centred.square().mean(dim=(2, 3), keepdim=True) + 1e-12).rsqrt()


def likeness_of_neighbours(noise: Tensor) -> Tensor:
    """How much pixels of noise maps [N, 1, H, W] tell of their neighbours, over all scales: [N], 0 for pure noise."""
    total = noise.new_zeros(len(noise))
    while True:
        for axis in (2, 3):
            total = total + (noise * noise.roll(1, axis)).mean(dim=(1, 2, 3)).square()
        if min(noise.shape[2:]) <= COARSEST_PX:
            return total
        noise = F.avg_pool2d(noise, 2) * 2  # the mean of four has a quarter of their variance
