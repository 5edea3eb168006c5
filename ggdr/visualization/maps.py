"""Feature maps of the same images in G and in D: gathered as directions, then clustered, coloured and compared.

Only the direction of a feature vector counts here, as in the cosine distance by which a decoder learns to draw them,
and as in the spherical k-means by which the parts of generated images were found (Collins et al. 2020,
arXiv 2004.14367, sec. 3.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.base import GeneratorOutput
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.registry import Capability
from ggdr.sampling import BATCH_SIZE, SamplingOptions, forward_arguments, seeded_latents
from ggdr.sampling.grid import to_uint8
from ggdr.sampling.labels import example_labels
from ggdr.seeding import word

ROWS = 16384
"""Number of feature vectors that clusters and components are fitted on, drawn over all samples."""
COLOR_QUANTILES = (0.01, 0.99)
"""Quantiles of each component that become black and full colour."""

Source = str
"""Network whose maps are shown: "generator", "encoder" or "decoder"."""


class Maps(NamedTuple):
    """The feature maps of one source at one resolution, as unit vectors."""

    shown: Tensor
    """Maps [S, C, h, w] of the images that are shown."""
    rows: Tensor
    """Feature vectors [M, C], from random positions of these and further images."""


class MapCollection(NamedTuple):
    """The images that were made, and the feature maps of the networks that made and judged them."""

    images: Tensor
    """Images [S, C, H, W] uint8 that are shown."""
    maps: dict[int, dict[Source, Maps]]
    """Maps by resolution (height in pixels) and source."""


class Basis(NamedTuple):
    """Three directions in feature space that become red, green and blue."""

    mean: Tensor
    """Mean feature vector [C]."""
    axes: Tensor
    """Orthonormal axes [3, C], the widest first; zero where there are fewer."""
    low: Tensor
    """Coordinates [3] that become black."""
    high: Tensor
    """Coordinates [3] that become full colour."""


def resolutions_of(
    generator: Generator, discriminator: Discriminator | None, wanted: tuple[int, ...]
) -> dict[Source, tuple[int, ...]]:
    """Return the wanted resolutions of each source (none wanted: all that the generator has).

    UserError, with the resolutions there are, if the generator provides no maps of one, or none at all.
    """
    if Capability.G_FEATURES not in generator.config.provides:
        raise UserError(f"generator {generator.config.name!r} hands over no feature maps, so there is nothing to see.")
    there = sorted(generator.feature_channels)
    if strange := sorted(set(wanted) - set(there)):
        raise UserError(
            f"no feature maps of resolution {format_list(strange)}; the generator has those of {format_list(there)} px."
        )
    have: dict[Source, Mapping[int, int]] = {"generator": generator.feature_channels}
    if discriminator is not None and Capability.PYRAMID in discriminator.config.provides:
        have["encoder"] = discriminator.map_channels
    if discriminator is not None and Capability.D_FEATURES in discriminator.config.provides:
        have["decoder"] = discriminator.extra.target_channels
    return {source: tuple(s for s in sorted(set(wanted or there)) if s in maps) for source, maps in have.items()}


def format_list(resolutions: list[int]) -> str:
    """Format resolutions in one line."""
    return ", ".join(map(str, resolutions))


@torch.no_grad()
def gather(
    generator: Generator,
    discriminator: Discriminator | None,
    resolutions: Mapping[Source, tuple[int, ...]],
    *,
    shown: int,
    pooled: int,
    seed: int,
) -> MapCollection:
    """Make the images of `pooled` seeds from `seed` on, and keep maps of `resolutions`; the first `shown` are shown.

    The images are what `sampling.draw` makes of these seeds; labels are those of `labels_at`.
    """
    images, kept, rows = [], defaultdict(list), defaultdict(list)
    dice = torch.Generator().manual_seed(word(seed))
    for first in range(0, pooled, BATCH_SIZE):
        places = range(first, min(first + BATCH_SIZE, pooled))
        sample, labels = generate_maps(generator, places, seed, resolutions["generator"])
        found = {("generator", resolution): maps for resolution, maps in sample.features.items()}
        if discriminator is not None:
            found |= discriminator_maps(discriminator, sample.image, labels, resolutions)
        images.append(to_uint8(sample.image).cpu())
        for key, maps in found.items():
            unit = F.normalize(maps.float(), dim=1).cpu()
            kept[key].append(unit[: max(shown - first, 0)])
            rows[key].append(sample_vectors(unit, ROWS * len(places) // pooled, dice))
    held: dict[int, dict[Source, Maps]] = {resolution: {} for resolution in resolutions["generator"]}
    for source, resolution in kept:
        held[resolution][source] = Maps(torch.cat(kept[source, resolution]), torch.cat(rows[source, resolution]))
    return MapCollection(torch.cat(images)[:shown], held)


def generate_maps(
    generator: Generator, places: range, seed: int, resolutions: tuple[int, ...]
) -> tuple[GeneratorOutput, Tensor | None]:
    """Return images and maps of the seeds `seed` + place, and their labels, those of `labels_at`."""
    labels = example_labels(generator.spec, places)
    labels = labels if labels is None else labels.to(generator.device)
    z = seeded_latents(range(seed + places.start, seed + places.stop), generator.z_dim).to(generator.device)
    return generator(
        z, labels, resolutions=resolutions, **forward_arguments(generator.config, SamplingOptions())
    ), labels


def discriminator_maps(
    discriminator: Discriminator, image: Tensor, labels: Tensor | None, resolutions: Mapping[Source, tuple[int, ...]]
) -> dict[tuple[Source, int], Tensor]:
    """Return the maps of encoder and decoder at their resolutions, while D judges image [N, C, H, W] in [-1, 1]."""
    found: dict[tuple[Source, int], Tensor] = {}
    if wanted := resolutions.get("encoder"):
        pyramid = discriminator.pyramid(image, labels)[1]
        found |= {("encoder", resolution): pyramid[resolution] for resolution in wanted}
    if wanted := resolutions.get("decoder"):
        drawn = discriminator(image, labels, resolutions=wanted).features
        found |= {("decoder", resolution): drawn[resolution] for resolution in wanted}
    return found


def sample_vectors(maps: Tensor, count: int, dice: torch.Generator) -> Tensor:
    """Draw `count` vectors [count, C] without repeats from maps [N, C, h, w]; all if there are fewer."""
    rows = maps.permute(0, 2, 3, 1).flatten(0, 2)
    return rows[torch.randperm(len(rows), generator=dice)[:count]]


def fit_clusters(rows: Tensor, clusters: int, seed: int) -> Tensor:
    """Fit unit vectors [K, C] at the centres of rows [M, C] by k-means, the largest cluster first.

    K is below `clusters` where there are fewer distinct rows. Mini-batch k-means of scikit-learn (Sculley 2010, doi
    10.1145/1772690.1772862).
    """
    from sklearn.cluster import MiniBatchKMeans

    distinct = len(torch.unique(rows.mul(1e4).round(), dim=0))
    means = MiniBatchKMeans(min(clusters, distinct), random_state=seed, n_init=3, batch_size=2048).fit(rows.numpy())
    centres = F.normalize(torch.from_numpy(means.cluster_centers_).float(), dim=1)
    sizes = torch.bincount(nearest(rows, centres), minlength=len(centres))
    return centres[sizes.argsort(descending=True, stable=True)]


def nearest(rows: Tensor, centres: Tensor) -> Tensor:
    """Return the index [M] of the centre [K, C] that each of rows [M, C] is nearest to."""
    return torch.cdist(rows, centres).argmin(dim=1)


def segment(maps: Tensor, centres: Tensor) -> Tensor:
    """Return the cluster [S, h, w] of each position of maps [S, C, h, w], by centres [K, C]."""
    count, _, height, width = maps.shape
    return nearest(maps.permute(0, 2, 3, 1).flatten(0, 2), centres).view(count, height, width)


def match_clusters(segments: Tensor, like: Tensor, clusters: int) -> Tensor:
    """Renumber clusters so that segments agree with those of `like` at as many positions as possible.

    Both [S, h, w], numbers below `clusters`. Solved exactly (Kuhn 1955, doi 10.1002/nav.3800020109).
    """
    from scipy.optimize import linear_sum_assignment

    overlap = torch.bincount((segments * clusters + like).flatten(), minlength=clusters**2).view(clusters, clusters)
    _, names = linear_sum_assignment(overlap.numpy(), maximize=True)
    return torch.from_numpy(names)[segments]


def fit_basis(rows: Tensor) -> Basis:
    """Fit the first three principal components of rows [M, C], and the range of colours along each."""
    mean = rows.mean(dim=0)
    centred = rows - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # the widest last
    axes = F.pad(vectors.T.flip(0)[:3], (0, 0, 0, max(3 - rows.shape[1], 0)))
    signs = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True)).sign()  # either is right; one is the same each time
    low, high = torch.quantile(centred @ (signs * axes).T, torch.tensor(COLOR_QUANTILES), dim=0)
    return Basis(mean, signs * axes, low, high)


def colorize(maps: Tensor, basis: Basis) -> Tensor:
    """Convert maps [S, C, h, w] to colours [S, h, w, 3] in [0, 1]; a component that does not vary is mid-gray."""
    places = (maps.permute(0, 2, 3, 1) - basis.mean) @ basis.axes.T
    room = basis.high - basis.low
    return torch.where(room > 1e-6, (places - basis.low) / room.clamp(min=1e-6), 0.5).clamp(0, 1)


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine similarity [S, h, w] in [-1, 1] of maps a and b [S, C, h, w]."""
    return F.cosine_similarity(a, b, dim=1)
