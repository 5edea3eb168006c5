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
from ggdr.sampling.labels import labels_at
from ggdr.seeding import word

Method = Literal["sefa", "pca"]
DRAWN = 10_000
"""latent codes that spreads and principal components are measured on; GANSpace takes a million"""
MAPS_DRAWN = 1_000
"""those of which feature maps are made"""
AT_ONCE = 500
"""codes of a pass"""


class Directions(NamedTuple):
    """K directions in the space of a generator's codes, the strongest first; on the host, float32."""

    vectors: Tensor
    """[K, D] of unit length; each one's largest entry is positive"""
    strengths: Tensor
    """[K], descending: the share of all change, by the method's own measure"""
    spreads: Tensor
    """[K] standard deviations of the generator's codes along them, which an amount of 1 moves by; of latent codes 1"""
    layers: tuple[int, ...] | None = None
    """places of the style codes that they move; None: of latent codes, which enter at one place"""

    def moved(self, codes: Codes, which: int, amounts: Sequence[float]) -> Codes:
        """Each of N codes moved along direction `which` by each of the amounts: N * A codes, a code's own in a row.

        An amount counts standard deviations; 0 leaves a code as it is. UserError if there is no such direction.
        """
        if not 0 <= which < len(self.vectors):
            raise UserError(f"there is no direction {which}; there are 0 to {len(self.vectors) - 1}.")
        step = self.vectors[which] * self.spreads[which]
        by = torch.as_tensor(amounts, dtype=torch.float32).repeat(len(codes.points))
        repeated = codes.repeated(len(amounts))
        if self.layers is None:
            return repeated._replace(points=repeated.points + by[:, None] * step)
        takes_part = torch.zeros(repeated.points.shape[1], 1)
        takes_part[list(self.layers)] = 1
        return repeated._replace(points=repeated.points + by[:, None, None] * takes_part * step)


def find(
    generator: Generator,
    method: Method = "sefa",
    count: int = 5,
    *,
    layers: Iterable[int] | None = None,
    labels: Tensor | None = None,
    seed: int = 0,
) -> Directions:
    """The `count` strongest directions of a generator in eval mode; fewer, if its codes are narrower.

    `method`: "sefa" reads weights alone, "pca" draws codes. `layers`: places of the style codes that take part, the
    coarsest is 0; None: all. `labels` [1, C]: class of the codes that are drawn; None: all classes. `seed`: of the
    draw, whose spreads both methods need. UserError if the generator does not give what the method asks for.
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
    """Eigenvectors of A^T A, where A is all that the codes of these layers enter by (Shen & Zhou 2021, 2007.06600)."""
    if Capability.INPUT_MATRICES not in generator.config.provides:
        raise UserError(
            f"generator {generator.config.name!r} does not say by which weights its code enters, which sefa reads;"
            " take method 'pca'."
        )
    matrices = [matrix.double().cpu() for matrix in generator.input_matrices()]
    places = places_of(generator, layers)
    entered = torch.cat([matrices[place] for place in places] if places else matrices)
    return ordered(entered.T @ entered, count, styles_drawn(generator, labels, seed) if places else None, places)


def pca(generator: Generator, count: int, layers: Iterable[int] | None, labels: Tensor | None, seed: int) -> Directions:
    """Principal components of style codes; of latent codes, those of the first feature maps, regressed to them.

    GANSpace (Haerkoenen et al. 2020, 2004.02546, sec. 2). The regressed ones need not be at right angles.
    """
    places = places_of(generator, layers)
    if places is None:
        return regressed(generator, count, labels, seed)
    points = styles_drawn(generator, labels, seed)
    centred = (points - points.mean(dim=0)).double()
    return ordered(centred.T @ centred, count, points, places)


def ordered(gram: Tensor, count: int, points: Tensor | None, places: tuple[int, ...] | None) -> Directions:
    """The strongest eigenvectors of a symmetric matrix [D, D] float64, and the spreads of points [M, D]."""
    values, vectors = torch.linalg.eigh(gram)
    values, vectors = values.flip(0)[:count].clamp(min=0), vectors.T.flip(0)[:count]
    return made(vectors, values / gram.trace(), points, places)


def made(vectors: Tensor, strengths: Tensor, points: Tensor | None, places: tuple[int, ...] | None) -> Directions:
    """Directions of vectors [K, D] of unit length, brought to one sign, with the spreads of points [M, D]; None: 1."""
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    vectors = (vectors * largest.sign()).float()
    spreads = torch.ones(len(vectors)) if points is None else (points @ vectors.T).std(dim=0)
    return Directions(vectors, strengths.float(), spreads, places)


def regressed(generator: Generator, count: int, labels: Tensor | None, seed: int) -> Directions:
    """Latent directions [K, D] that move the first feature maps along their principal components the straightest."""
    if Capability.G_FEATURES not in generator.config.provides:
        raise UserError(
            f"generator {generator.config.name!r} gives neither style codes nor feature maps, which pca takes;"
            " take method 'sefa'."
        )
    r = min(generator.feature_channels)
    z, rows = latents_drawn(generator, MAPS_DRAWN, labels, seed)
    maps = torch.cat([
        generator(part, worn, resolutions=(r,)).features[r].flatten(1).cpu() for part, worn in in_passes(z, rows)
    ]).double()  # fmt: skip
    maps -= maps.mean(dim=0)
    values, along = torch.linalg.eigh(maps @ maps.T)  # there are fewer maps than features
    kept = slice(-min(count, generator.z_dim), None)
    vectors = torch.linalg.lstsq(along[:, kept].flip(1), z.double().cpu()).solution
    return made(F.normalize(vectors, dim=1), values[kept].flip(0) / values.sum(), None, None)


def styles_drawn(generator: Generator, labels: Tensor | None, seed: int) -> Tensor:
    """DRAWN style codes [DRAWN, W] on the host."""
    z, rows = latents_drawn(generator, DRAWN, labels, seed)
    return torch.cat([generator.styles(part, worn)[:, 0].cpu() for part, worn in in_passes(z, rows)])


def in_passes(z: Tensor, rows: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Latent codes [M, D] and their labels [M, C], AT_ONCE at a time."""
    for first in range(0, len(z), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        yield z[part], None if rows is None else rows[part]


def latents_drawn(generator: Generator, count: int, labels: Tensor | None, seed: int) -> tuple[Tensor, Tensor | None]:
    """Latent codes [count, z_dim], and labels [count, C] if it takes some: the given row's, or those of `labels_at`."""
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(word(seed))).to(generator.device)
    rows = labels_at(generator.spec, range(count)) if labels is None else labels.expand(count, -1)
    return z, rows if rows is None else rows.to(generator.device)


def places_of(generator: Generator, layers: Iterable[int] | None) -> tuple[int, ...] | None:
    """The style codes that take part, in order; None for a generator without; UserError if one is not there."""
    if Capability.WS not in generator.config.provides:
        if layers is not None:
            raise UserError(
                f"generator {generator.config.name!r} has no style codes, its latent code enters at one place;"
                " leave layers out."
            )
        return None
    count = number_of_codes(generator)
    places = tuple(range(count) if layers is None else sorted(set(layers)))
    strange = [place for place in places if not 0 <= place < count]
    if strange or not places:
        what = f"there is no style code {strange[0]}" if strange else "no layers are given"
        raise UserError(f"{what}; give layers of 0 to {count - 1}, the coarsest is 0.")
    return places


def number_of_codes(generator: Generator) -> int:
    """How many style codes make an image."""
    label = torch.zeros(1, generator.spec.labels, device=generator.device) if generator.spec.labels else None
    return generator.styles(torch.zeros(1, generator.z_dim, device=generator.device), label).shape[1]
