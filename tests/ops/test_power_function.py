"""Power-function profiles: widths and exponents, decays that make them, inner products, and one as a sum of others."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ggdr.ops.power_function import WIDEST, Profile, check_sigma_rel, combine, decay, exponent_of, inner_products

STORED = [Profile(float(time), exponent_of(width)) for time in range(1, 17) for width in (0.05, 0.1)]


def profile(which: Profile, times: np.ndarray) -> np.ndarray:
    """Its values."""
    inside = times <= which.time
    return inside * (which.exponent + 1) * times**which.exponent / which.time ** (which.exponent + 1)


@pytest.mark.parametrize("width", [0.004, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.2886, WIDEST])
def test_the_exponent_gives_the_width(width):
    gamma = exponent_of(width)
    times = (np.arange(2_000_000) + 0.5) / 2_000_000
    weights = profile(Profile(1.0, gamma), times) / len(times)
    mean = (weights * times).sum()
    assert weights.sum() == pytest.approx(1, rel=1e-4) and gamma >= 0
    assert math.sqrt((weights * (times - mean) ** 2).sum()) == pytest.approx(width, rel=1e-4)


def test_the_exponents_of_the_paper():
    """Its section 3.1: 0.05 is gamma 16.97, 0.10 is 6.94."""
    assert exponent_of(0.05) == pytest.approx(16.97, abs=5e-3) and exponent_of(0.1) == pytest.approx(6.94, abs=5e-3)


@pytest.mark.parametrize("exponent", [0.0, 2.5, 17.0])
def test_the_decays_make_weights_that_are_integrals_of_the_profile(exponent):
    ends = np.cumsum([0.0, 1, 1, 1, 2, 3, 1])  # steps of several sizes
    weights = np.zeros(len(ends) - 1)
    for step in range(len(weights)):
        beta = decay(exponent, ends[step], ends[step + 1])
        weights *= beta
        weights[step] = 1 - beta
    expected = (ends[1:] ** (exponent + 1) - ends[:-1] ** (exponent + 1)) / ends[-1] ** (exponent + 1)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    assert decay(exponent, 9, 10) == pytest.approx((1 - 1 / 10) ** (exponent + 1))  # beta of the paper


def test_inner_products_are_the_integrals():
    a, b = Profile(3.0, 2.5), Profile(2.0, 7.0)
    times = (np.arange(1_000_000) + 0.5) / 1_000_000 * 3
    for one, other in ((a, b), (b, a), (a, a)):
        found = (profile(one, times) * profile(other, times)).mean() * 3
        assert inner_products(*one, *other) == pytest.approx(found, rel=1e-5)
    assert np.isfinite(inner_products(25e6, exponent_of(0.002), 25e6, 500.0))  # no power overflows


@pytest.mark.parametrize("width", [0.02, 0.05, 0.07, 0.1, 0.15, 0.25])
def test_a_profile_is_a_sum_of_stored_ones_as_nearly_as_it_says(width):
    wanted = Profile(16.0, exponent_of(width))
    found = combine(wanted, STORED)
    times = (np.arange(1_000_000) + 0.5) / 1_000_000 * 16
    pairs = zip(found.coefficients, STORED, strict=True)
    lack = profile(wanted, times) - sum(factor * profile(each, times) for factor, each in pairs)
    share = math.sqrt((lack**2).mean() / (profile(wanted, times) ** 2).mean())
    assert sum(found.coefficients) == pytest.approx(1) and found.error == pytest.approx(share, abs=1e-3)
    assert found.error < (1e-6 if width in (0.05, 0.1) else 0.13)


def test_more_snapshots_reach_further_and_none_is_better_than_its_own():
    narrow = [combine(Profile(float(n), exponent_of(0.03)), STORED[: 2 * n]).error for n in (1, 4, 16)]
    assert narrow[0] > narrow[1] > narrow[2] > 0 and narrow[0] > 0.15
    alone = combine(STORED[-1], STORED)
    assert alone.error < 1e-6 and alone.coefficients[-1] == pytest.approx(1)


@pytest.mark.parametrize("width", [0.0, -0.1, 0.3, math.nan])
def test_a_width_that_no_profile_has_is_refused(width):
    with pytest.raises(ValueError, match=r"sigma_rel is .*; give a number above 0, at most 0.2886, the width of the"):
        check_sigma_rel("sigma_rel", width)
