"""Pivotal tuning: a generator's weights, tuned so that codes that were found make their pictures (arXiv 2106.05744)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.latent.codes import Codes, images_of
from ggdr.latent.directions import draw_styles
from ggdr.latent.projection import Measure, Projection, Search
from ggdr.networks.base.module import Generator
from ggdr.ops.precision import without_tf32
from ggdr.registry import Capability
from ggdr.seeding import word

LATENTS = 1000
"""Number of latent codes that are drawn where there are no style codes."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a generator is tuned to pictures (Roich et al. 2022); steps and learning rate are the paper's."""

    steps: int = 350
    """Number of updates of the weights, each by all pictures."""
    learning_rate: float = 3e-4
    """Learning rate of Adam."""
    locality: float = 0.1
    """Weight of the term that keeps what other codes make as it was; 0: none."""
    radius: float = 1.0
    """How far from a picture's code the code is whose image is kept, relative to codes' distance from their mean."""

    def __post_init__(self) -> None:
        above_zero(self, "steps", "learning_rate", "radius")
        not_negative(self, "locality")


class Tuned(NamedTuple):
    """A generator that makes pictures of their codes."""

    generator: Generator
    """A copy with other weights, in eval mode."""
    images: Tensor
    """Images [N, C, H, W] float32 about [-1, 1] that it makes of the codes, on the host."""
    distance: Tensor
    """Squared differences [N] of features between these images and the pictures."""


def tune(
    generator: Generator,
    targets: Tensor,
    found: Projection,
    search: Search | None = None,
    tuning: Tuning | None = None,
    *,
    batch_size: int = 8,
    watch: Callable[[int], object] | None = None,
) -> Tuned:
    """Tune a copy of a generator in eval mode, so that codes that `project` found make targets [N, C, H, W] in [-1, 1].

    `search`: says which features are compared, as for `project`, and the seed. `batch_size`: pictures that pass at
    once, which changes sums by rounding alone. `watch` is told the number of each step. The generator itself, and
    torch's random state, stay as they were. UserError if there are not as many codes as targets.
    """
    search, tuning = search or Search(), tuning or Tuning()
    if len(found.codes.points) != len(targets):
        raise UserError(f"there are {len(found.codes.points)} codes for {len(targets)} pictures; give one for each.")
    device = generator.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []), without_tf32():
        return WeightDescent(generator, targets, found, search, tuning, batch_size).run(watch)


def draw_codes_of(generator: Generator, seed: int) -> Tensor:
    """Draw style codes [K, W] of a generator that has some, latent codes [K, z_dim] of any other, on the host."""
    if Capability.WS in generator.config.provides:
        with torch.no_grad():
            return draw_styles(generator, None, seed)
    return torch.randn(LATENTS, generator.z_dim, generator=torch.Generator().manual_seed(word(seed)))


class WeightDescent:
    """The search for the weights."""

    def __init__(
        self, generator: Generator, targets: Tensor, found: Projection, search: Search, tuning: Tuning, batch_size: int
    ):
        self.before, self.after = generator, deepcopy(generator).eval().requires_grad_(True)
        self.tuning, self.codes, device = tuning, found.codes, generator.device
        self.others = draw_codes_of(generator, search.seed)
        self.parts = [slice(first, first + batch_size) for first in range(0, len(targets), batch_size)]
        self.weights = [*search.distance_weights().values()]
        self.networks = [each.load(device) for each in search.distance_weights()]
        self.measures = [[Measure(each, targets[part].to(device)) for each in self.networks] for part in self.parts]
        with torch.no_grad():
            starts = [torch.stack(self.distances(codes, measures)) for codes, measures in self.batches()]
        self.start = torch.cat(starts, dim=1).mean(dim=1).clamp(min=1e-12)

    def batches(self) -> list[tuple[Codes, list[Measure]]]:
        """Return each batch's codes and what measures its pictures."""
        return [(self.codes.rows(part), each) for part, each in zip(self.parts, self.measures, strict=True)]

    def distances(self, codes: Codes, measures: list[Measure]) -> list[Tensor]:
        """Return the distances [N] by each network of what the codes make."""
        images = images_of(self.after, codes)
        return [measure(images) for measure in measures]

    def run(self, watch: Callable[[int], object] | None) -> Tuned:
        """Descend, and return the generator where that ends."""
        adam = torch.optim.Adam(self.after.parameters(), lr=self.tuning.learning_rate)
        count = len(self.codes.points)
        for step in range(self.tuning.steps):
            adam.zero_grad(set_to_none=True)
            with torch.enable_grad():
                for codes, measures in self.batches():
                    (self.loss(self.distances(codes, measures)).sum() / count).backward()
                if self.tuning.locality:
                    (self.tuning.locality * self.local_loss(step).sum()).backward()
            adam.step()
            if watch is not None:
                watch(step)
        self.after.requires_grad_(False)
        with torch.no_grad():
            images = [images_of(self.after, codes) for codes, _ in self.batches()]
            away = [measures[0](made) for made, (_, measures) in zip(images, self.batches(), strict=True)]
        return Tuned(self.after, torch.cat(images).cpu(), torch.cat(away).cpu())

    def loss(self, distances: list[Tensor]) -> Tensor:
        """Return the weighted distances [N] in units of their mean at the pivots."""
        # Unlike the paper: its two distances have one scale each, those of other features are brought to one.
        parts = zip(self.weights, distances, self.start, strict=True)
        return torch.stack([weight * now / start for weight, now, start in parts]).sum(dim=0)

    def local_loss(self, step: int) -> Tensor:
        """Return how far what a code near a picture's makes has moved [1] (eq. 4 and 5)."""
        codes = self.near(self.codes.rows([step % len(self.codes.points)]), self.others[step % len(self.others)])
        with torch.no_grad():
            kept = images_of(self.before, codes)
        made = images_of(self.after, codes)
        return self.loss([Measure(network, kept)(made) for network in self.networks])

    def near(self, pivot: Codes, other: Tensor) -> Codes:
        """Return the code on the way from a picture's to another [D], `radius` times the codes' spread away."""
        # Unlike the paper: it goes 30 units, which suits the style codes of its one generator.
        way = other - pivot.points
        length = self.tuning.radius * (self.others - self.others.mean(dim=0)).square().sum(dim=1).mean().sqrt()
        return Codes(pivot.points + way * length / way.norm(dim=-1, keepdim=True).clamp(min=1e-12), pivot.labels)
