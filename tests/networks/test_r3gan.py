"""R3GAN: what its paper says of blocks, branches and resampling."""

from __future__ import annotations

import math

import pytest
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig


def test_residual_blocks_of_r3gan_start_as_the_identity_and_branches_shrink_with_depth():
    network = R3GANGeneratorConfig(channel_base=1024, channel_max=64, blocks=(2,)).build(ImageSpec(32, 32))
    block = network.b8[0]
    x = torch.randn(2, 64, 8, 8)
    assert torch.equal(block(x), x)
    blocks = 2 * 4
    gain = math.sqrt(2 / (1 + 0.2**2))
    for conv in (block.conv0, block.conv1):
        fan_in = conv.weight[0].numel()
        assert conv.weight.std().item() == pytest.approx(gain / math.sqrt(fan_in) * blocks**-0.25, rel=0.05)
    assert block.conv1.groups == 128 // 16 and block.conv0.out_channels == 128


def test_r3gan_resamples_bilinearly():
    network = R3GANGeneratorConfig(channel_base=64, channel_max=8, blocks=(1,)).build(ImageSpec(16, 16))
    x = torch.randn(1, 8, 4, 4)
    ours = network.up8(x)
    theirs = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(ours[:, :, 1:-1, 1:-1], theirs[:, :, 1:-1, 1:-1])


def test_r3gan_is_without_normalization_a_scaled_code_scales_what_enters():
    network = R3GANGeneratorConfig.tiny().build(ImageSpec(16, 16))
    z = torch.randn(2, network.z_dim)
    torch.testing.assert_close(network(2 * z).image, 2 * network(z).image)  # all branches are zero at the start
    judge = R3GANDiscriminatorConfig.tiny().build(ImageSpec(16, 16))
    image = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(judge(image).logits[:1], judge(image[:1]).logits)
