"""Images from a generator, outside training: drawn by seeds alone, whatever the batch or the number of processes."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError, setting
from ggdr.networks.base import GeneratorConfig, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.play.view import Reals, View
from ggdr.registry import Capability
from ggdr.sampling.grid import as_data
from ggdr.seeding import word

BATCH_SIZE = 16
"""images of a pass: a constant, since each pass draws again, and samples must not depend on the run's micro-batch"""
SEEDS = 2**64
"""seeds are below it"""


@torch.no_grad()
def show(view: View, batch: Mapping[str, Reals], seed: int) -> dict[str, Tensor]:
    """The columns of a game's view of a batch, by name: images [N, C, H, W] as networks see them. Seeds torch."""
    parts = [view.columns(part, seed + first) for first, part in passes(batch)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@torch.no_grad()
def make(view: View, batch: Mapping[str, Reals], seed: int, spec: ImageSpec) -> Tensor:
    """What a game's view makes of a batch, as data of `spec` hold it: [N, C, H, W] on the host. Seeds torch."""
    return torch.cat([as_data(view.make(part, seed + first), spec).cpu() for first, part in passes(batch)])


def passes(batch: Mapping[str, Reals]) -> Iterator[tuple[int, dict[str, Reals]]]:
    """The parts of a batch that pass the networks at once, each with the place of its first image."""
    count = len(next(iter(batch.values())).images)
    for first in range(0, count, BATCH_SIZE):
        part = slice(first, first + BATCH_SIZE)
        yield (
            first,
            {
                name: Reals(images[part], None if labels is None else labels[part])
                for name, (images, labels) in batch.items()
            },
        )


class SamplingOptions(NamedTuple):
    """How a generator is to make an image, beside latent code and label."""

    truncation_psi: float | None = None
    """truncation (arXiv 1812.04948, B): 1, as None, for the full variety, towards 0 for the mean image"""
    truncation_cutoff: int | None = None
    """number of style codes, from the coarsest on, that psi pulls; None: all"""
    noise: Literal["random", "const", "none"] = "const"
    """per-pixel noise of the layers: fresh, the same for all images, or none; without such layers it is no matter"""


def draw(
    generator: Generator,
    seeds: Sequence[int],
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Tensor]:
    """Images [n, C, H, W] float32 about [-1, 1] on the generator's device, n <= `batch_size` of them at a time.

    One for each seed, with the row of labels [N, L] of the same place. A seed's image is the same up to rounding in
    whatever batch it is made: its latent code comes from its own random stream on the host, and so does fresh
    noise, which therefore takes a pass for each image. UserError if the generator does not take what is asked.
    """
    seeds = check_seeds(seeds)
    how = forward_arguments(generator.config, view := view or SamplingOptions())
    at_once = 1 if view.noise == "random" else batch_size
    if at_once < 1:
        raise UserError(f"a pass of {at_once} images makes none; give 1 or more.")
    # Checks are made here, at the call, not at the first image.
    parts = [slice(first, first + at_once) for first in range(0, len(seeds), at_once)]
    return (draw_batch(generator, seeds[part], None if labels is None else labels[part], how) for part in parts)


@torch.no_grad()
def draw_batch(generator: Generator, seeds: Sequence[int], labels: Tensor | None, how: dict[str, Any]) -> Tensor:
    """Draw one batch with the keywords of `forward_arguments`; torch's own random state is left as it was."""
    device = generator.device
    z = seeded_latents(seeds, generator.z_dim).to(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(word(seeds[0]))
        return generator(z, None if labels is None else labels.to(device), **how).image


def seeded_latents(seeds: Sequence[int], z_dim: int) -> Tensor:
    """Latent codes [N, z_dim] ~ N(0, 1) float32 on the host, each a function of its seed alone."""
    return torch.stack([torch.randn(z_dim, generator=torch.Generator().manual_seed(word(seed))) for seed in seeds])


def check_seeds(seeds: int | Sequence[int] | Tensor) -> list[int]:
    """The seeds, or the one; UserError without one, or with one that is out of range or no whole number."""
    given: Any = seeds.tolist() if isinstance(seeds, Tensor) else seeds
    given = [given] if isinstance(given, numbers.Number) else list(given)
    strange = [seed for seed in given if not isinstance(seed, numbers.Integral) or not 0 <= int(seed) < SEEDS]
    if strange or not given:
        odd = f"{strange[0]!r} is none" if strange else "there is none"
        raise UserError(f"an image is made from a seed, and {odd}; give whole numbers from 0 to 2**64 - 1.")
    return [int(seed) for seed in given]


def forward_arguments(config: GeneratorConfig, view: SamplingOptions) -> dict[str, Any]:
    """A view as keywords of the generator's forward; UserError if it asks for what the generator does not give."""
    truncates, noisy = Capability.TRUNCATION in config.provides, Capability.NOISE in config.provides
    psi, cutoff = view.truncation_psi, view.truncation_cutoff
    names = setting("truncation_psi"), setting("truncation_cutoff")
    if not truncates and (psi, cutoff) != (None, None):
        raise UserError(f"generator {config.name!r} has no truncation; leave {' and '.join(names)} out.")
    if not noisy and view.noise == "random":
        raise UserError(f"generator {config.name!r} has no noise beside its latent code; leave {setting('noise')} out.")
    if view.noise not in ("random", "const", "none"):
        raise UserError(f"{setting('noise')} is {view.noise!r}; give 'const', 'random' or 'none'.")
    if psi is not None and not (isinstance(psi, numbers.Real) and math.isfinite(psi)):
        raise UserError(f"{names[0]} is {psi!r}; give a number such as 0.7.")
    if cutoff is not None and psi is None:
        raise UserError(f"{names[1]} {cutoff} says how many style codes psi pulls; give {names[0]} too.")
    if cutoff is not None and not (isinstance(cutoff, int) and cutoff >= 0):
        raise UserError(f"{names[1]} is {cutoff!r}; give the number of style codes that psi pulls.")
    truncation = {"psi": 1.0 if psi is None else psi, "cutoff": cutoff}
    return (truncation if truncates else {}) | ({"noise": view.noise} if noisy else {})
