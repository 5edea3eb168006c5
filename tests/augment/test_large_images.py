"""Large images are augmented by filters, small ones by matrices: the same values, at a cost that grows as images do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ggdr.augment import ada, corruption
from ggdr.augment.ada import draw
from ggdr.ops import warp

EVERYTHING = ("blit", "geometry", "colour", "filter", "noise", "cutout")
SIZES = [(22, 31), (40, 23), (64, 64)]


def augmented(image: torch.Tensor) -> torch.Tensor:
    """By all that ADA has, drawn alike each time."""
    torch.manual_seed(3)
    draws = draw(image.detach(), torch.ones([]), EVERYTHING)
    return ada.apply(image, {}, draws)[0]


def orders(function: Callable[[torch.Tensor], torch.Tensor], image: torch.Tensor) -> list[torch.Tensor]:
    """Values, first and second derivatives."""
    image = image.clone().requires_grad_()
    y = function(image)
    weight = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    (first,) = torch.autograd.grad((y * y * weight).sum(), image, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), image)
    return [y, first, second]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "function",
    [
        augmented,
        warp.upsample_period,
        lambda x: corruption.filtered(x, torch.tensor([[3.0, 0.5, 2.0, 0.1], [1.0, 2.0, 0.3, 4.0]]).to(x)),
    ],
    ids=["everything", "warp", "bands"],
)
def test_filters_give_what_matrices_give_and_so_do_their_derivatives(function, size, monkeypatch):
    torch.manual_seed(0)
    image = torch.randn(2, 3, *size, dtype=torch.float64)
    plain = orders(function, image)
    monkeypatch.setattr(warp, "FILTERS_FROM", 8)
    ours = orders(function, image)
    for a, b in zip(ours, plain, strict=True):
        assert (a - b).abs().max() < 1e-6 * b.abs().max()  # taps are float32 in filters


def test_the_way_back_from_fine_samples_is_the_same(monkeypatch):
    moved = torch.randn(2, 3, 2 * 22 + 10, 2 * 31 + 10)
    plain = warp.downsample_samples(moved, 22, 31)
    monkeypatch.setattr(warp, "FILTERS_FROM", 8)
    torch.testing.assert_close(warp.downsample_samples(moved, 22, 31), plain)


@pytest.mark.parametrize("size", [(3, 900), (7, 900), (900, 21), (512, 22)])
def test_a_narrow_image_that_no_filter_fits_into_is_augmented_all_the_same(size):
    image = torch.randn(1, 1, *size)
    assert augmented(image).shape == image.shape


def test_which_way_is_taken_depends_on_the_longer_side():
    assert [warp.uses_filters(*size) for size in ((256, 256), (511, 511), (512, 256), (1024, 1024), (6, 1024))] == [
        False,
        False,
        True,
        True,
        False,
    ]


def gigaflop(resolution: int) -> float:
    """Of products and convolutions, to augment one image."""
    image = torch.randn(1, 3, resolution, resolution, device="meta")
    with FlopCounterMode(display=False) as counter:
        ada.apply(image, {}, draw(image, torch.ones([], device="meta"), EVERYTHING))
    return counter.get_total_flops() / 1e9


def test_an_image_of_1024_px_costs_four_times_one_of_512_and_not_eight():
    small, large = gigaflop(512), gigaflop(1024)
    assert large < 4.2 * small and large < 3


def test_filters_keep_an_image_for_which_nothing_was_drawn_bit_for_bit(monkeypatch):
    monkeypatch.setattr(warp, "FILTERS_FROM", 8)
    image = torch.randn(1, 3, 40, 40)
    assert torch.equal(corruption.filter_bands(image, torch.ones(1, 4)), image)
