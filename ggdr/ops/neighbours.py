"""Nearest neighbours among feature vectors, in blocks, so that memory does not grow with the square of their number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 2**22
"""Number of distances in memory at once."""
ZERO = 1e-12
"""Share of a vector's squared length below which a squared distance is a rounding error between equal vectors."""
SLACK = 1e-12
"""Share by which squared radii are enlarged, so that rounding puts no vector outside of the ball it is on the edge
of."""


def nearest_neighbours(points: Tensor, others: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return distances and indices [N, k] of the k points nearest to each of points [N, D] among others [M, D].

    The nearest comes first; equal vectors are at distance 0 exactly. Computed in float64; 1 <= k <= M.
    """
    found = [squares.topk(k, dim=1, largest=False, sorted=True) for squares in squared_distances(points, others)]
    return torch.cat([values for values, _ in found]).sqrt(), torch.cat([places for _, places in found])


def neighbour_radii(points: Tensor, k: int) -> Tensor:
    """Return the distance [N] from each of points [N, D] to its k-th nearest other point, k < N."""
    return nearest_neighbours(points, points, k + 1)[0][:, k]


def count_covering_balls(points: Tensor, centres: Tensor, radius: Tensor) -> Tensor:
    """Count for each of points [N, D] the closed balls about centres [M, D] of radius [M] that contain it: [N]."""
    reach = radius.double().square() * (1 + SLACK)
    return torch.cat([(squares <= reach).sum(dim=1) for squares in squared_distances(points, centres)])


def squared_distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    """Yield squared Euclidean distances [n, M] from blocks of points [N, D] to all others [M, D], in float64.

    A block is overwritten when the next one is requested: they share their memory.
    """
    centre = others.double().mean(dim=0)  # near the origin less is lost to rounding
    points, others = points.double() - centre, others.double() - centre
    lengths, ones = points.square().sum(dim=1, keepdim=True), points.new_ones(len(others), 1)
    # |x - y|^2 = (-2 x, |x|^2, 1) (y, 1, |y|^2)': one product, and no pass over the distances but its own
    left = torch.cat([-2 * points, lengths, torch.ones_like(lengths)], dim=1)
    right = torch.cat([others, ones, others.square().sum(dim=1, keepdim=True)], dim=1).T
    size = max(1, BLOCK // len(others))
    block = points.new_empty(min(size, len(points)), len(others))
    for rows, own in zip(left.split(size), lengths.split(size), strict=True):
        squares = torch.mm(rows, right, out=block[: len(rows)])
        yield squares.masked_fill_(squares <= ZERO * own, 0.0)
