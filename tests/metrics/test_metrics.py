"""Metrics: the sliced Wasserstein distance."""

import pytest
import torch
from pictures import blurred, noisy, pictures

from ggdr.metrics.swd import SlicedWasserstein, blur, laplacian_pyramid, normalize, sliced_gaps, upsample

QUICK = SlicedWasserstein(patches=16, directions=32)


@pytest.fixture(scope="module")
def halves():
    return pictures(768).split(384)


def test_an_equal_set_is_at_no_distance_and_a_like_one_near(halves):
    assert QUICK.compare(halves[0], halves[0]) == {"mean": 0, "32": 0, "16": 0}
    near, posterised = (QUICK.compare(halves[0], other)["mean"] for other in (halves[1], halves[1] // 64 * 64))
    assert 0 < near < 40 and posterised > 1.5 * near


@pytest.mark.parametrize(("harm", "strengths"), [(noisy, (10, 30, 60, 100)), (blurred, (3, 5, 7, 9))])
def test_distance_grows_with_the_harm_done(halves, harm, strengths):
    distances = [
        QUICK.compare(*halves)["mean"],
        *(QUICK.compare(halves[0], harm(halves[1], s))["mean"] for s in strengths),
    ]
    assert distances == sorted(distances) and distances[-1] > 2 * distances[0]


def test_fine_noise_shows_at_the_fine_level(halves):
    clean, harmed = (QUICK.compare(halves[0], other) for other in (halves[1], noisy(halves[1], 60)))
    assert harmed["32"] - clean["32"] > 3 * abs(harmed["16"] - clean["16"])


def test_it_is_symmetric_and_repeatable_and_leaves_torch_randomness_alone(halves):
    state = torch.get_rng_state()
    assert QUICK.compare(*halves) == QUICK.compare(*halves) == QUICK.compare(*halves[::-1])
    assert torch.equal(torch.get_rng_state(), state)


def test_mean_is_over_the_levels(halves):
    found = QUICK.compare(halves[0], noisy(halves[1], 30))
    assert found["mean"] == pytest.approx((found["32"] + found["16"]) / 2)


@pytest.mark.parametrize(
    ("channels", "height", "width", "levels"),
    [
        (1, 8, 8, [8]),
        (3, 4, 6, [4]),
        (4, 16, 16, [16]),
        (2, 32, 48, [32, 16]),
        (3, 65, 66, [65, 33, 17]),
        (5, 96, 96, [96, 48, 24]),
    ],
)
def test_any_size_and_channel_count(channels, height, width, levels):
    real, fake = pictures(32, channels, height, width).split(16)
    found = SlicedWasserstein(patches=8, directions=16).compare(real, fake)
    assert list(found) == ["mean", *(str(level) for level in levels)]
    assert all(0 < value < 1000 for value in found.values())


def test_flat_pictures_are_no_trouble():
    flat = torch.full((8, 1, 16, 16), 7, dtype=torch.uint8)
    assert SlicedWasserstein().compare(flat, flat)["mean"] == 0
    assert SlicedWasserstein().compare(flat, pictures(8, 1, 16, 16))["mean"] > 100


def test_only_as_many_images_as_asked_for_are_looked_at(halves):
    swd = SlicedWasserstein(images=16)
    assert swd.compare(halves[0], halves[1]) == swd.compare(halves[0][:16], halves[1][:20])


def test_the_pyramid_adds_up_to_the_image():
    image = pictures(2, 3, 70, 64).float()
    fine, middle, coarse = laplacian_pyramid(image)
    half = middle + upsample(coarse, *middle.shape[2:])
    assert torch.allclose(fine + upsample(half, *fine.shape[2:]), image, atol=1e-3)


def test_a_flat_image_has_no_bands():
    bands = laplacian_pyramid(torch.full((1, 1, 64, 64), 0.5))
    assert torch.allclose(bands[0], torch.zeros_like(bands[0]), atol=1e-6)
    assert torch.allclose(bands[-1], torch.full_like(bands[-1], 0.5))


def test_images_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape; given real \[4, 3, 32, 32\] and fake \[4, 3, 16, 16\]"):
        SlicedWasserstein().compare(pictures(4), pictures(4, 3, 16, 16))


def test_patches_are_normalised_channel_by_channel_over_all_of_them():
    patches = torch.randn(5, 3, 2, 4, generator=torch.Generator().manual_seed(0)) * 7 + 2
    each = patches.transpose(0, 1).flatten(1)
    expected = (each - each.mean(1, keepdim=True)) / each.std(1, correction=0, keepdim=True)
    assert torch.allclose(normalize(patches).transpose(0, 1).flatten(1), expected, atol=1e-5)


def test_the_distance_along_an_axis_is_that_of_sorted_places():
    a, b = torch.tensor([[3.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), torch.tensor([[1.0, 6.0, 2.0], [0.0, 3.0, 0.0]])
    axes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert sliced_gaps(a, b, axes).tolist() == [1.0, 1.0, 1.0]


def test_the_low_pass_is_binomial_and_mirrors_at_the_edges():
    point = torch.zeros(1, 1, 7, 9)
    point[0, 0, 3, 4] = 256
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0])
    assert torch.allclose(blur(point)[0, 0, 1:6, 2:7], torch.outer(taps, taps))
    ramp = torch.arange(5.0).expand(1, 1, 4, 5)
    assert torch.allclose(blur(ramp)[0, 0, 2], torch.tensor([0.75, 1.125, 2.0, 2.875, 3.25]))
