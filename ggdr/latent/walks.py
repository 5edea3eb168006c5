"""Walks: a smooth way past the images of some seeds, closed or open, as many codes as a video has frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, seeded, styled
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import View, latents, whole

Curve = Literal["spline", "slerp"]


def walk(
    generator: Generator,
    seeds: Sequence[int],
    steps: int,
    *,
    labels: Tensor | None = None,
    view: View | None = None,
    curve: Curve = "spline",
    loop: bool = True,
) -> Codes:
    """Codes of a walk past K seeds, `steps` from each to the next: K * steps of a loop, else (K - 1) * steps + 1.

    "spline": cubic through the seeds' codes, style codes where the generator has some. "slerp": great arcs between
    their latent codes (White 2016, arXiv 1609.04468). Code i * `steps` is seed i's. `labels` [K, C], which change along
    with the codes. UserError if there are too few seeds or steps, or the generator does not take what is asked.
    """
    seeds = whole(seeds)
    if curve not in get_args(Curve):
        raise UserError(f"curve is {curve!r}; give 'spline' or 'slerp'.")
    if len(seeds) < 2 or steps < 1:
        raise UserError(f"a walk leads past 2 seeds or more in 1 step or more each; given {len(seeds)} and {steps}.")
    if curve == "slerp":
        z = arcs(latents(seeds, generator.z_dim), steps, loop)
        return styled(generator, z, None if labels is None else lines(labels, steps, loop), view)
    keys = seeded(generator, seeds, labels, view)
    points = splined(keys.points, steps, loop)
    if Capability.WS not in generator.config.provides:  # on the shell of the Gaussian, where latent codes are
        lengths = lines(keys.points.norm(dim=1, keepdim=True), steps, loop)
        points = points * lengths / points.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return Codes(points, None if keys.labels is None else lines(keys.labels, steps, loop))


def places(count: int, steps: int, loop: bool) -> Tensor:
    """Where between `count` keys the codes of a walk lie: 0 is the first, 0.5 half way to the second."""
    total = count * steps if loop else (count - 1) * steps + 1
    return torch.arange(total) / steps


def splined(keys: Tensor, steps: int, loop: bool) -> Tensor:
    """A cubic spline through keys [K, ...], periodic or natural."""
    from scipy.interpolate import CubicSpline

    known = keys.flatten(1).double().numpy()
    if loop:
        known = np.concatenate([known, known[:1]])
    spline = CubicSpline(np.arange(len(known)), known, bc_type="periodic" if loop else "natural")
    points = torch.from_numpy(spline(places(len(keys), steps, loop).double().numpy())).float()
    return points.unflatten(1, keys.shape[1:])


def between(keys: Tensor, steps: int, loop: bool) -> tuple[Tensor, Tensor, Tensor]:
    """For each code of a walk: the key [F, D] before it, the key after it, and how far it is between them [F, 1]."""
    at = places(len(keys), steps, loop)
    before = at.long().clamp(max=len(keys) - 1)
    return keys[before], keys[(before + 1) % len(keys)], (at - before)[:, None]


def lines(keys: Tensor, steps: int, loop: bool) -> Tensor:
    """Straight lines between keys [K, D]."""
    start, end, share = between(keys, steps, loop)
    return start + share * (end - start)


def arcs(keys: Tensor, steps: int, loop: bool) -> Tensor:
    """Great arcs between the directions of keys [K, D], their lengths changing evenly."""
    start, end, share = between(keys, steps, loop)
    lengths = [side.norm(dim=1, keepdim=True).clamp(min=1e-12) for side in (start, end)]
    start, end = start / lengths[0], end / lengths[1]
    angle = (start * end).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    flat = angle.sin() < 1e-4  # an arc too short to differ from a line; or any arc is the shortest
    turned = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin().clamp(min=1e-4)
    turned = torch.where(flat, start + share * (end - start), turned)
    return turned * (lengths[0] + share * (lengths[1] - lengths[0]))
