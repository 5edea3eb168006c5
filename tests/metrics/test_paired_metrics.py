"""Numbers of pairs, held against other ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from ggdr.errors import UserError
from ggdr.features.cache import FeatureCache
from ggdr.features.digits import Digits
from ggdr.metrics.data import EvalData
from ggdr.metrics.diversity import Diversity
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.lpips import PerceptualDistance
from ggdr.metrics.psnr import PSNR
from ggdr.metrics.ssim import SSIM

COUNT = 70  # of more than one chunk


def images(seed: int, channels: int = 3, amplitude: int = 256) -> torch.Tensor:
    """Random images [COUNT, C, 20, 24] uint8."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, amplitude, (COUNT, channels, 20, 24)).astype(np.uint8))


def measured(metric, fake: torch.Tensor, truth: torch.Tensor) -> float:
    """A metric of images and their truths."""
    caches = [FeatureCache(lambda places, given=given: given[list(places)], COUNT) for given in (fake, truth)]
    return metric.measure(EvalData(FeatureCache(lambda places: fake, 0), caches[0], truth=caches[1]))["mean"]


def test_l1_is_the_mean_absolute_difference_of_pixels_from_0_to_1():
    a, b = images(0), images(1)
    assert measured(MeanAbsoluteError(), a, b) == pytest.approx((a.double() - b.double()).abs().mean().item() / 255)
    assert measured(MeanAbsoluteError(), torch.zeros_like(a), torch.full_like(a, 255)) == 1


def test_psnr_is_the_mean_of_each_pair_in_decibels_and_never_infinite():
    a = torch.full((COUNT, 1, 16, 16), 100, dtype=torch.uint8)
    b = a + 10
    assert measured(PSNR(), a, b) == pytest.approx(20 * np.log10(255 / 10))
    b[:35] = a[:35] + 40
    assert measured(PSNR(), a, b) == pytest.approx((20 * np.log10(255 / 10) + 20 * np.log10(255 / 40)) / 2)
    assert measured(PSNR(), a, a) == 100


def ssim_by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    """Eq. 13 of Wang et al. 2004, of one channel [H, W], by another library's filter."""
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))

    def mean(values: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(values, taps / taps.sum(), 0), taps / taps.sum(), 1)[5:-5, 5:-5]

    a, b, c1, c2 = a.astype(float), b.astype(float), (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = mean(a), mean(b)
    va, vb, ab = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    return float((((2 * ma * mb + c1) * (2 * ab + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def test_ssim_is_that_of_the_paper():
    a = images(0)
    b = (a.float() + images(1, amplitude=60).float() - 30).clamp(0, 255).to(torch.uint8)
    expected = np.mean(
        [ssim_by_scipy(*(each[n, c].numpy() for each in (a, b))) for n in range(COUNT) for c in range(3)]
    )
    assert measured(SSIM(), a, b) == pytest.approx(expected, rel=1e-9)
    assert measured(SSIM(), a, a) == pytest.approx(1)


def test_ssim_is_what_scikit_image_measured_once():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (3, 32, 40)).astype(np.uint8)
    b = np.clip(a.astype(int) + rng.integers(-40, 40, (3, 32, 40)), 0, 255).astype(np.uint8)
    fake, truth = (torch.from_numpy(each)[None].expand(COUNT, -1, -1, -1) for each in (a, b))
    assert measured(SSIM(), fake, truth) == pytest.approx(0.9550548024444545)  # with Gaussian windows, sigma 1.5
    assert measured(PSNR(), fake, truth) == pytest.approx(21.252004050752475)


def test_lpips_is_the_squared_distance_of_features():
    a, b = images(0, 1), images(1, 1)
    cache = FeatureCache(lambda places: a, COUNT)
    rows = [cache.embedder(Digits())(each).rows for each in (a, b)]
    found = measured(PerceptualDistance(extractor=Digits()), a, b)
    assert found == pytest.approx((rows[0] - rows[1]).square().sum(1).mean().item(), rel=1e-5)
    assert measured(PerceptualDistance(extractor=Digits()), a, a) == 0


def test_diversity_is_the_distance_of_two_answers_and_zero_where_nothing_is_drawn():
    one, other = images(0), images(1)
    caches = [FeatureCache(lambda places, given=given: given[list(places)], COUNT) for given in (one, other)]
    none = FeatureCache(lambda places: one, 0)
    network, metric = Digits().load(torch.device("cpu")), Diversity(extractor=Digits())
    expected = (network(one).rows - network(other).rows).square().sum(1).mean().item()
    assert metric.measure(EvalData(none, caches[0], other_draws=caches[1]))["mean"] == pytest.approx(expected, rel=1e-5)
    assert metric.measure(EvalData(none, caches[0], other_draws=caches[0]))["mean"] == 0
    with pytest.raises(UserError, match="these images are no answers; measure a translator"):
        metric.prepare(EvalData(none, caches[0], truth=caches[1]))
