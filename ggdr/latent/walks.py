"""Walks through latent space: smooth paths through the codes of some seeds, closed or open, a code for each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ggdr.errors import UserError, setting
from ggdr.latent.codes import Codes, codes_of_latents
from ggdr.latent.modes import Modes, truncated_codes
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import SamplingOptions, check_seeds, seeded_latents

Curve = Literal["spline", "slerp"]


def walk(
    generator: Generator,
    seeds: Sequence[int],
    steps: int,
    *,
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    modes: Modes | None = None,
    curve: Curve = "spline",
    loop: bool = True,
) -> Codes:
    """Return the codes of a walk through K seeds: K * steps in a loop, else (K - 1) * steps + 1.

    `steps`: codes from each seed to the next. "spline": cubic through the seeds' codes, style codes where the generator
    has some. "slerp": great arcs between their latent codes (White 2016, arXiv 1609.04468). Code i * `steps` is seed
    i's. `labels` [K, C] change along with the codes. `modes`: what psi pulls towards, of a spline. UserError if
    there are too few seeds or steps, or the generator does not take `view`.
    """
    seeds = check_seeds(seeds)
    if curve not in get_args(Curve):
        raise UserError(f"curve is {curve!r}; give 'spline' or 'slerp'.")
    if len(seeds) < 2 or steps < 1:
        raise UserError(f"a walk leads past 2 seeds or more in 1 step or more each; given {len(seeds)} and {steps}.")
    if curve == "slerp" and modes is not None:
        raise UserError(
            f"slerp goes between latent codes, which psi cannot pull towards a class; leave {setting('curve')} out."
        )
    if curve == "slerp":
        at = key_positions(len(seeds), steps, loop)
        z = interpolate_slerp(seeded_latents(seeds, generator.z_dim), at)
        return codes_of_latents(generator, z, None if labels is None else interpolate_linear(labels, at), view)
    (codes,) = walk_codes(generator, truncated_codes(generator, seeds, labels, view, modes), steps, loop=loop)
    return codes


def walk_codes(
    generator: Generator, keys: Codes, steps: int, *, loop: bool = True, batch_size: int | None = None
) -> Iterator[Codes]:
    """Yield the codes of a walk through K codes, by a cubic spline, `batch_size` (None: all) at a time.

    Code i * `steps` is key i. Labels and noise maps change along with the codes; maps stay as strong as noise is.
    UserError if there are too few keys or steps.
    """
    if len(keys.points) < 2 or steps < 1:
        raise UserError(
            f"a walk leads past 2 codes or more in 1 step or more each; given {len(keys.points)} and {steps}."
        )
    moments = key_positions(len(keys.points), steps, loop)
    for at in moments.split(batch_size or len(moments)):
        points = interpolate_spline(keys.points, at, loop)
        if Capability.WS not in generator.config.provides:  # on the shell of the Gaussian, where latent codes are
            lengths = interpolate_linear(keys.points.norm(dim=1, keepdim=True), at)
            points = points * lengths / points.norm(dim=1, keepdim=True).clamp(min=1e-12)
        noise = {
            name: interpolate_slerp(value.flatten(1), at).view(-1, *value.shape[1:])
            for name, value in keys.noise.items()
        }
        yield Codes(points, None if keys.labels is None else interpolate_linear(keys.labels, at), noise)


def key_positions(count: int, steps: int, loop: bool) -> Tensor:
    """Return the positions of a walk's codes between `count` keys: 0 is the first, 0.5 half way to the second."""
    total = count * steps if loop else (count - 1) * steps + 1
    return torch.arange(total) / steps


def interpolate_spline(keys: Tensor, at: Tensor, loop: bool) -> Tensor:
    """Interpolate keys [K, ...] at positions [F] by a cubic spline, periodic or natural."""
    from scipy.interpolate import CubicSpline

    known = keys.flatten(1).double().numpy()
    if loop:
        known = np.concatenate([known, known[:1]])
    spline = CubicSpline(np.arange(len(known)), known, bc_type="periodic" if loop else "natural")
    return torch.from_numpy(spline(at.double().numpy())).float().unflatten(1, keys.shape[1:])


def neighbouring_keys(keys: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each position [F] the key [F, D] before, the key after, and how far it is between them [F, 1]."""
    before = at.long().clamp(max=len(keys) - 1)
    return keys[before], keys[(before + 1) % len(keys)], (at - before)[:, None]


def interpolate_linear(keys: Tensor, at: Tensor) -> Tensor:
    """Interpolate keys [K, D] at positions [F] by straight lines."""
    start, end, share = neighbouring_keys(keys, at)
    return start + share * (end - start)


def interpolate_slerp(keys: Tensor, at: Tensor) -> Tensor:
    """Interpolate the directions of keys [K, D] at positions [F] by great arcs, and their lengths linearly."""
    start, end, share = neighbouring_keys(keys, at)
    lengths = [side.norm(dim=1, keepdim=True).clamp(min=1e-12) for side in (start, end)]
    start, end = start / lengths[0], end / lengths[1]
    angle = (start * end).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    flat = angle.sin() < 1e-4  # an arc too short to differ from a line; or any arc is the shortest
    turned = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin().clamp(min=1e-4)
    turned = torch.where(flat, start + share * (end - start), turned)
    return turned * (lengths[0] + share * (lengths[1] - lengths[0]))
