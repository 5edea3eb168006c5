"""Polarity sampling: latent codes chosen by how much the generator stretches space around them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import jvp

from ggdr.errors import UserError
from ggdr.networks.base.module import Generator
from ggdr.ops.device import in_float64
from ggdr.sampling import BATCH_SIZE, SamplingOptions, check_seeds, forward_arguments, seeded_latents
from ggdr.seeding import word


def polarity_sample(
    generator: Generator,
    candidates: Sequence[int],
    count: int,
    rho: float,
    *,
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    directions: int = 16,
) -> list[int]:
    """Draw `count` of the candidate seeds without replacement, with odds volume ** rho (Humayun et al. 2022, eq. 3).

    The generator maps Gaussian codes to images; where it stretches space little, images crowd. rho < 0 prefers those,
    its modes; rho > 0 the sparse rest; 0 takes the first `count`. `labels` [1, C]: one class for all. The draw depends
    on the candidates alone. UserError if there are fewer candidates than `count`.
    """
    seeds = check_seeds(candidates)
    if not 1 <= count <= len(seeds):
        raise UserError(f"{count} of {len(seeds)} seeds cannot be chosen; give as many candidates, better ten times.")
    if not rho:
        return seeds[:count]
    odds = rho * log_volumes(generator, seeds, labels, view, directions)
    # The largest of odds with Gumbel noise are a draw without replacement.
    uniform = torch.rand(len(seeds), generator=torch.Generator().manual_seed(word(seeds[0])), dtype=torch.float64)
    best = (odds - (-uniform.clamp(1e-300, 1 - 1e-16).log()).log()).topk(count).indices
    return [seeds[place] for place in best.tolist()]


@torch.no_grad()
def log_volumes(
    generator: Generator, seeds: Sequence[int], labels: Tensor | None, view: SamplingOptions | None, directions: int
) -> Tensor:
    """The logarithm of the volume [N] float64 that a small cube of latent space has among images, for each seed.

    # Unlike the paper, which takes the largest singular values of the whole Jacobian: of its product with the same
    # `directions` random orthonormal vectors for all seeds, so that as many forward derivatives are enough.
    """
    how = forward_arguments(generator.config, view or SamplingOptions())
    z = seeded_latents(seeds, generator.z_dim)
    width = min(directions, generator.z_dim)
    random = torch.randn(generator.z_dim, width, generator=torch.Generator().manual_seed(0))
    frame = torch.linalg.qr(random).Q.T.to(generator.device)
    row = None if labels is None else labels.to(generator.device)
    found = []
    for part in z.split(BATCH_SIZE):
        part = part.to(generator.device)
        worn = None if row is None else row.expand(len(part), -1)
        columns = torch.stack([directional_derivative(generator, part, worn, how, along) for along in frame], dim=1)
        columns = in_float64(columns.flatten(2))  # [n, directions, C H W]
        found.append(torch.linalg.slogdet(columns @ columns.mT).logabsdet.cpu() / 2)
    return torch.cat(found)


def directional_derivative(
    generator: Generator, z: Tensor, labels: Tensor | None, how: dict[str, Any], along: Tensor
) -> Tensor:
    """Return the derivative [n, C, H, W] of the images of z [n, z_dim] along one direction [z_dim]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own, at its first forward derivative
        return jvp(lambda codes: generator(codes, labels, **how).image, (z,), (along.expand_as(z),))[1]
