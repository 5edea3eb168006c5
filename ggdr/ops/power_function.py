"""Means of weights with the profile t^gamma: their decays, their inner products, and one profile made of others.

From Karras et al. 2024 (arXiv 2312.02696), section 3. A profile says how much each moment of a training weighs in the
mean at a time T: p(t) = (gamma + 1) t^gamma / T^(gamma + 1), 0 <= t <= T. Its width, sigma_rel, is its standard
deviation as a share of T. Weights that stay as they are from update to update make the running mean by `decay` the
integral over p exactly, whatever the steps between updates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ggdr.errors import UserError, setting

if TYPE_CHECKING:
    import numpy as np

WIDEST = 12**-0.5
"""the greatest sigma_rel: gamma is 0, and all moments weigh the same"""


class Profile(NamedTuple):
    """How much each moment of a training, from 0 to `time`, weighs in a mean of its weights."""

    time: float
    """above 0, in any unit that all profiles share"""
    exponent: float
    """gamma, 0 or more"""


class Combination(NamedTuple):
    """A profile as a sum of others."""

    coefficients: list[float]
    """factors of the profiles, which add up to 1"""
    error: float
    """L2 norm of what the sum lacks, as a share of that of the profile; 0: it is the profile"""


def check_sigma_rel(path: str, sigma_rel: float) -> None:
    """UserError, naming the setting at `path`, if no profile has this width."""
    if not 0 < sigma_rel <= WIDEST:
        raise UserError(
            f"{setting(path)} is {sigma_rel}; give a number above 0, at most {math.floor(WIDEST * 1e4) / 1e4:g}, the"
            " width of the plain mean of all weights."
        )


def exponent_of(sigma_rel: float) -> float:
    """Gamma of the profile of this width, above 0 and at most `WIDEST`.

    sigma_rel^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)), a cubic in gamma; 1 / sigma_rel lies above its root, where
    it is convex, so that Newton's steps only go down.
    """
    inverse = sigma_rel**-2
    gamma, before = 1 / sigma_rel, math.inf
    while gamma < before:
        before = gamma
        value = ((gamma + 7) * gamma + 16 - inverse) * gamma + 12 - inverse
        gamma -= value / ((3 * gamma + 14) * gamma + 16 - inverse)
    return max(before, 0.0)


def decay(exponent: float, before: float, now: float) -> float:
    """Weight of the old mean, of the time `before`, in the mean of the time `now`: beta of the paper's eq. 2."""
    return (before / now) ** (exponent + 1)


def combine(wanted: Profile, known: Sequence[Profile]) -> Combination:
    """The sum of known profiles that is nearest to the wanted one in L2, of those whose coefficients add up to 1.

    Unlike the paper: they add up to 1, so that what has not moved in training is reconstructed exactly.
    """
    import numpy as np

    times, exponents = (np.array(column, dtype=np.float64) for column in zip(*known, strict=True))
    gram = inner_products(times[:, None], exponents[:, None], times, exponents)
    right = inner_products(times, exponents, *wanted)
    norms, count = np.sqrt(np.diag(gram)), len(known)  # scaled by them the system is far better conditioned
    system = np.ones((count + 1, count + 1))
    system[:count, :count], system[count, count] = gram / norms / norms[:, None], 0.0
    system[count, :count] = system[:count, count] = 1 / norms
    solution = np.linalg.lstsq(system, np.append(right / norms, 1.0), rcond=1e-13)[0][:count] / norms
    square = float(inner_products(*wanted, *wanted))
    lack = max(square - 2 * solution @ right + solution @ gram @ solution, 0.0)
    return Combination(solution.tolist(), math.sqrt(lack / square))


def inner_products(
    time: np.ndarray | float, exponent: np.ndarray | float, other_time: np.ndarray | float, other: np.ndarray | float
) -> np.ndarray:
    """The integral of one profile times another, of exponent `other`, elementwise; through logarithms: powers are high.

    (a + 1) (b + 1) min(t, u)^(a + b + 1) / ((a + b + 1) t^(a + 1) u^(b + 1))
    """
    import numpy as np

    powers = (exponent + other + 1) * np.log(np.minimum(time, other_time))
    powers = powers - (exponent + 1) * np.log(time) - (other + 1) * np.log(other_time)
    return (exponent + 1) * (other + 1) / (exponent + other + 1) * np.exp(powers)
