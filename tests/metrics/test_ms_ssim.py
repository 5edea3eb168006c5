"""MS-SSIM: against the published formula in NumPy, and what it says of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import blurred, noisy, pictures
from scipy.signal import convolve2d

from ggdr.metrics.ms_ssim import MSSSIM, WEIGHTS, scales, similarity

SIZES = [(11, 11, 1), (21, 40, 1), (22, 30, 2), (64, 64, 3), (96, 120, 4), (176, 180, 5), (256, 256, 5)]


def published(a, b, count):
    """Wang et al. 2003, eq. 7, of one channel: a Gaussian window of 11 px, halving by the mean of four."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window, parts = np.outer(line, line) / line.sum() ** 2, []
    for level in range(count):
        m, n, aa, bb, ab = (convolve2d(x, window, mode="valid") for x in (a, b, a * a, b * b, a * b))
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        structure = (2 * (ab - m * n) + c2) / ((aa - m * m) + (bb - n * n) + c2)
        whole = (2 * m * n + c1) / (m * m + n * n + c1) * structure
        parts.append(max((whole if level == count - 1 else structure).mean(), 0))
        a, b = (x[: len(x) // 2 * 2, : x.shape[1] // 2 * 2] for x in (a, b))
        a, b = ((x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4 for x in (a, b))
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    return np.prod(np.array(parts) ** weights)


@pytest.mark.parametrize(("height", "width", "count"), SIZES)
def test_it_agrees_with_the_published_formula(height, width, count):
    a = pictures(3, 2, height, width).double()
    b = noisy(a, 40).double()
    assert scales(min(height, width)) == count
    planes = zip(a.flatten(0, 1).numpy(), b.flatten(0, 1).numpy(), strict=True)
    expected = np.reshape([published(x, y, count) for x, y in planes], (3, 2)).mean(axis=1).tolist()
    assert similarity(a, b).tolist() == pytest.approx(expected, rel=1e-6)


def test_constants_are_the_published_ones():
    """Wang et al. 2003, sec. 3.2, and of a flat image the luminance of Wang et al. 2004, eq. 6, alone."""
    assert WEIGHTS == (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    dark, bright = torch.full((1, 1, 16, 16), 2.0).double(), torch.full((1, 1, 16, 16), 20.0).double()
    c1 = (0.01 * 255) ** 2
    assert similarity(dark, bright).item() == pytest.approx((2 * 40 + c1) / (4 + 400 + c1), rel=1e-9)


@pytest.mark.parametrize("resolution", [1, 4, 10, 16, 200])
def test_an_image_is_most_like_itself(resolution):
    images = pictures(4, 3, resolution, resolution).double()
    assert similarity(images, images).tolist() == pytest.approx([1] * 4)
    assert (similarity(images, images.flip(0)) < 0.99).all()
    assert (similarity(images, 255 - images) >= 0).all()


def test_likeness_falls_with_the_harm_done():
    images = pictures(16, 3, 64, 64).double()
    for harm, strengths in ((noisy, (10, 30, 90)), (blurred, (3, 5, 9))):
        found = [float(similarity(images, harm(images, strength).double()).mean()) for strength in strengths]
        assert found == sorted(found, reverse=True) and found[0] < 1


def test_a_collapsed_generator_is_found_out():
    various, same = pictures(64), pictures(1).repeat(64, 1, 1, 1)
    metric = MSSSIM()
    few_modes = pictures(4).repeat(16, 1, 1, 1)
    found = [metric.similarity_of_pairs(each) for each in (various, few_modes, same)]
    assert found == sorted(found) and found[2] == pytest.approx(1) and found[1] > found[0] + 0.1


def test_each_image_is_in_one_pair_whatever_their_order():
    images = pictures(33)
    assert (
        MSSSIM().similarity_of_pairs(images)
        == MSSSIM().similarity_of_pairs(images)
        != MSSSIM(seed=1).similarity_of_pairs(images)
    )
    pair = pictures(2)
    assert MSSSIM().similarity_of_pairs(pair) == pytest.approx(float(similarity(*pair.double().split(1))))


def test_one_image_is_refused():
    with pytest.raises(ValueError, match="ms_ssim compares pairs of images; given fewer than two: take more"):
        MSSSIM().similarity_of_pairs(pictures(1))


def test_randomness_is_left_alone():
    state = torch.get_rng_state()
    MSSSIM().similarity_of_pairs(pictures(6))
    assert torch.equal(torch.get_rng_state(), state)
