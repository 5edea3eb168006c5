"""Nearest neighbours among feature vectors, in blocks, so that memory does not grow with the square of their number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 2**22
"""distances held at once"""
ZERO = 1e-12
"""squared distances below that share of a vector's squared length are rounding, of vectors that are equal"""
SLACK = 1e-12
"""share by which squared radii are larger, so that rounding leaves nobody outside of the ball that he is the edge of"""


def nearest(points: Tensor, others: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Distances [N, k] of points [N, D] to their k nearest of others [M, D], nearest first, and those' places [N, k].

    Equal vectors are at distance 0 exactly. float64 inside; 1 <= k <= M.
    """
    found = [squares.topk(k, dim=1, largest=False, sorted=True) for squares in squared_distances(points, others)]
    return torch.cat([values for values, _ in found]).sqrt(), torch.cat([places for _, places in found])


def radii(points: Tensor, k: int) -> Tensor:
    """Distance [N] of each of points [N, D] to its k-th nearest other, k < N."""
    return nearest(points, points, k + 1)[0][:, k]


def cover(points: Tensor, centres: Tensor, radius: Tensor) -> Tensor:
    """In how many of the closed balls about centres [M, D] of radius [M] each of points [N, D] lies: [N]."""
    reach = radius.double().square() * (1 + SLACK)
    return torch.cat([(squares <= reach).sum(dim=1) for squares in squared_distances(points, centres)])


def squared_distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    """Squared Euclidean distances [n, M] of some of points [N, D] to all others [M, D], block by block, float64.

    A block is gone when the next one is asked for: they share their memory.
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
