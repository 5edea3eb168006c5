"""The convolutional encoder: its shape at the paper's size, what it draws, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.conv import ConvEncoderConfig


def test_at_64_px_it_has_the_papers_layers():
    net = ConvEncoderConfig(code_dim=16).build(ImageSpec(64, 64, 6))
    shapes = [tuple(layer.conv.weight.shape) for layer in net.layers]
    assert shapes == [(32, 6, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (256, 128, 3, 3)]
    assert net.conv.weight.shape == (256, 256, 4, 4) and net.mean.weight.shape == (16, 256)
    x = torch.randn(2, 6, 64, 64)
    for layer in net.layers:
        x = layer(x)
    assert x.shape == (2, 256, 4, 4)


def test_what_is_left_is_seen_at_once_and_averaged_over_places():
    net = ConvEncoderConfig(channels=4, halvings=1, code_dim=5).build(ImageSpec(8, 8)).eval()
    images = torch.randn(2, 3, 8, 12)
    maps = F.conv2d(net.layers[0](images), net.conv.weight, net.conv.bias)
    assert maps.shape == (2, 4, 1, 3)
    torch.testing.assert_close(net(images).mean, net.mean(F.leaky_relu(maps, 0.2).mean((2, 3))))


def test_no_maps_are_wider_than_eight_times_the_first():
    net = ConvEncoderConfig(channels=4, halvings=6).build(ImageSpec(256, 256))
    assert [layer.conv.out_channels for layer in net.layers] == [4, 8, 16, 32, 32, 32]


@pytest.mark.parametrize(("side", "halvings"), [(4, 0), (8, 1), (15, 1), (16, 2), (32, 3), (256, 4)])
def test_it_halves_as_often_as_leaves_four_pixels(side, halvings):
    with torch.device("meta"):
        assert len(ConvEncoderConfig().build(ImageSpec(side, 2 * side)).layers) == halvings


def test_one_with_a_variance_draws_codes_and_one_without_says_them():
    x = torch.randn(4, 3, 16, 16)
    sure, unsure = (ConvEncoderConfig(channels=4, stochastic=s).build(ImageSpec(16, 16)) for s in (False, True))
    code = sure(x)
    assert code.log_variance is None and torch.equal(code.sample(), code.mean)
    code = unsure(x)
    torch.manual_seed(1)
    drawn = code.sample()
    torch.manual_seed(1)
    torch.testing.assert_close(drawn, code.mean + torch.randn(4, 8) * (code.log_variance / 2).exp())


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_what_is_normalized_after_the_strided_convolutions(norm):
    layer = ConvEncoderConfig(channels=4, norm=norm).build(ImageSpec(16, 16)).layers[0]
    x = torch.randn(8, 3, 16, 16) * 3 + 1
    axes = {"batch": (0, 2, 3), "instance": (2, 3), "none": ()}[norm]
    wanted = layer.conv(x)
    if axes:
        wanted = wanted - wanted.mean(axes, keepdim=True)
        wanted = wanted / (wanted.square().mean(axes, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), F.leaky_relu(wanted, 0.2), atol=1e-4, rtol=1e-4)


def test_images_below_four_pixels_are_refused():
    with pytest.raises(UserError, match=r"encoder 'conv' reads images from 4 px a side on, and these have 3 x 8 px"):
        ConvEncoderConfig().build(ImageSpec(3, 8))
