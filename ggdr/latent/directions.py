"""Directions along which a generator's images change most, found without labels: SeFa and GANSpace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.latent.codes import Codes
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling.labels import example_labels
from ggdr.seeding import word

Method = Literal["sefa", "pca"]
NUM_CODES = 10_000
"""Number of latent codes on which spreads and principal components are measured; GANSpace takes a million."""
NUM_MAPS = 1_000
"""Number of latent codes whose feature maps are made."""
BATCH_SIZE = 500
"""Number of codes in one pass of the generator."""


class Directions(NamedTuple):
    """K directions in the space of a generator's codes, the strongest first; on the host, float32."""

    vectors: Tensor
    """Vectors [K, D] of unit length; the largest entry of each is positive."""
    strengths: Tensor
    """Strengths [K], descending: each direction's share of all change, by the method's own measure."""
    spreads: Tensor
    """Standard deviations [K] of the generator's codes along the vectors, the unit of an amount; 1 for latent codes."""
    layers: tuple[int, ...] | None = None
    """Indices of the style codes that they move; None: latent codes, which enter at one place."""

    def move(self, codes: Codes, which: int, amounts: Sequence[float]) -> Codes:
        """Move each of N codes along direction `which` by each of A amounts: N * A codes, those of one code in a row.

        An amount counts standard deviations; 0 leaves a code as it is. UserError if there is no such direction.
        """
        if not 0 <= which < len(self.vectors):
            raise UserError(f"there is no direction {which}; there are 0 to {len(self.vectors) - 1}.")
        step = self.vectors[which] * self.spreads[which]
        by = torch.as_tensor(amounts, dtype=torch.float32).repeat(len(codes.points))
        repeated = codes.repeat(len(amounts))
        if self.layers is None:
            return repeated._replace(points=repeated.points + by[:, None] * step)
        takes_part = torch.zeros(repeated.points.shape[1], 1)
        takes_part[list(self.layers)] = 1
        return repeated._replace(points=repeated.points + by[:, None, None] * takes_part * step)


def find_directions(
    generator: Generator,
    method: Method = "sefa",
    count: int = 5,
    *,
    layers: Iterable[int] | None = None,
    labels: Tensor | None = None,
    seed: int = 0,
) -> Directions:
    """Find the `count` strongest directions of a generator in eval mode; fewer, if its codes are narrower.

    `method`: "sefa" reads weights alone, "pca" draws codes. `layers`: indices of the style codes that take part, the
    coarsest is 0; None: all. `labels` [1, C]: class of the codes that are drawn; None: all classes. `seed`: of the
    draw, whose spreads both methods use. UserError if the generator does not provide what the method requires.
    """
    if method not in get_args(Method):
        raise UserError(f"method is {method!r}; give 'sefa' or 'pca'.")
    if count < 1:
        raise UserError(f"{count} directions are none; ask for 1 or more.")
    with torch.no_grad():
        return (sefa if method == "sefa" else pca)(generator, count, layers, labels, seed)


def sefa(
    generator: Generator, count: int, layers: Iterable[int] | None, labels: Tensor | None, seed: int
) -> Directions:
    """Return eigenvectors of A^T A, where A stacks the matrices these codes enter by (Shen & Zhou 2021, arXiv
    2007.06600)."""
    if Capability.INPUT_MATRICES not in generator.config.provides:
        raise UserError(
            f"generator {generator.config.name!r} does not say by which weights its code enters, which sefa reads;"
            " take method 'pca'."
        )
    matrices = [matrix.double().cpu() for matrix in generator.input_matrices()]
    places = resolve_layers(generator, layers)
    entered = torch.cat([matrices[place] for place in places] if places else matrices)
    return principal_directions(
        entered.T @ entered, count, draw_styles(generator, labels, seed) if places else None, places
    )


def pca(generator: Generator, count: int, layers: Iterable[int] | None, labels: Tensor | None, seed: int) -> Directions:
    """Return principal components of style codes; for latent codes, those of the first feature maps, regressed to them.

    GANSpace (Haerkoenen et al. 2020, arXiv 2004.02546, sec. 2). The regressed ones need not be orthogonal.
    """
    places = resolve_layers(generator, layers)
    if places is None:
        return regress_directions(generator, count, labels, seed)
    points = draw_styles(generator, labels, seed)
    centred = (points - points.mean(dim=0)).double()
    return principal_directions(centred.T @ centred, count, points, places)


def principal_directions(gram: Tensor, count: int, points: Tensor | None, places: tuple[int, ...] | None) -> Directions:
    """Return the strongest eigenvectors of a symmetric matrix [D, D] float64, and the spreads of points [M, D]."""
    values, vectors = torch.linalg.eigh(gram)
    values, vectors = values.flip(0)[:count].clamp(min=0), vectors.T.flip(0)[:count]
    return make_directions(vectors, values / gram.trace(), points, places)


def make_directions(
    vectors: Tensor, strengths: Tensor, points: Tensor | None, places: tuple[int, ...] | None
) -> Directions:
    """Build directions from unit vectors [K, D], their signs made unique, with the spreads of points [M, D]; None:
    1."""
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    vectors = (vectors * largest.sign()).float()
    spreads = torch.ones(len(vectors)) if points is None else (points @ vectors.T).std(dim=0)
    return Directions(vectors, strengths.float(), spreads, places)


def regress_directions(generator: Generator, count: int, labels: Tensor | None, seed: int) -> Directions:
    """Return latent directions [K, D] that move the first feature maps along their principal components."""
    if Capability.G_FEATURES not in generator.config.provides:
        raise UserError(
            f"generator {generator.config.name!r} gives neither style codes nor feature maps, which pca takes;"
            " take method 'sefa'."
        )
    r = min(generator.feature_channels)
    z, rows = draw_latents(generator, NUM_MAPS, labels, seed)
    maps = torch.cat([
        generator(part, worn, resolutions=(r,)).features[r].flatten(1).cpu() for part, worn in latent_batches(z, rows)
    ]).double()  # fmt: skip
    maps -= maps.mean(dim=0)
    values, along = torch.linalg.eigh(maps @ maps.T)  # there are fewer maps than features
    kept = slice(-min(count, generator.z_dim), None)
    vectors = torch.linalg.lstsq(along[:, kept].flip(1), z.double().cpu()).solution
    return make_directions(F.normalize(vectors, dim=1), values[kept].flip(0) / values.sum(), None, None)


def draw_styles(generator: Generator, labels: Tensor | None, seed: int) -> Tensor:
    """Draw NUM_CODES style codes [NUM_CODES, W] and copy them to the host."""
    z, rows = draw_latents(generator, NUM_CODES, labels, seed)
    return torch.cat([generator.styles(part, worn)[:, 0].cpu() for part, worn in latent_batches(z, rows)])


def latent_batches(z: Tensor, rows: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield latent codes [M, D] and their labels [M, C], BATCH_SIZE at a time."""
    for first in range(0, len(z), BATCH_SIZE):
        part = slice(first, first + BATCH_SIZE)
        yield z[part], None if rows is None else rows[part]


def draw_latents(generator: Generator, count: int, labels: Tensor | None, seed: int) -> tuple[Tensor, Tensor | None]:
    """Draw latent codes [count, z_dim], and labels [count, C] if it takes some: the given row, or those of
    `labels_at`."""
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(word(seed))).to(generator.device)
    rows = example_labels(generator.spec, range(count)) if labels is None else labels.expand(count, -1)
    return z, rows if rows is None else rows.to(generator.device)


def resolve_layers(generator: Generator, layers: Iterable[int] | None) -> tuple[int, ...] | None:
    """Return the indices of the style codes that take part, in order; None without style codes.

    UserError if one of them does not exist.
    """
    if Capability.WS not in generator.config.provides:
        if layers is not None:
            raise UserError(
                f"generator {generator.config.name!r} has no style codes, its latent code enters at one place;"
                " leave layers out."
            )
        return None
    count = generator.num_style_codes()
    places = tuple(range(count) if layers is None else sorted(set(layers)))
    strange = [place for place in places if not 0 <= place < count]
    if strange or not places:
        what = f"there is no style code {strange[0]}" if strange else "no layers are given"
        raise UserError(f"{what}; give layers of 0 to {count - 1}, the coarsest is 0.")
    return places
