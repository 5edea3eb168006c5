"""MUNIT's translator: the paper's layers, content without contrast, a style code, and what both make."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ggdr.layers.adain import AdaIN, AdaINBlock, StyleMLP
from ggdr.layers.norm import InstanceNorm2d, LayerNorm
from ggdr.networks.base import ImageSpec
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.munit.translator import MUNITTranslator

PHOTO = ImageSpec(256, 256)
GRAY, COLOUR = ImageSpec(32, 32, 1), ImageSpec(32, 32, 3)


def small(spec: ImageSpec = COLOUR, source: ImageSpec = COLOUR) -> MUNITTranslator:
    torch.manual_seed(0)
    return MUNITTranslatorConfig(channels=8, blocks=2, mlp_channels=16).build(spec, source)


def plan(module: nn.Module) -> list[str]:
    """Each convolution and linear layer in the paper's shorthand: kernel, stride, channels."""
    convs = [each for each in module.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    return [
        f"fc{each.out_features}"
        if isinstance(each, nn.Linear)
        else f"c{each.kernel_size[0]}s{each.stride[0]}-{each.out_channels}"
        for each in convs
    ]


def test_the_layers_are_those_of_the_papers_appendix():
    with torch.device("meta"):
        net = MUNITTranslatorConfig().build(PHOTO, PHOTO)
    assert plan(net.content_encoder) == ["c7s1-64", "c4s2-128", "c4s2-256", *["c3s1-256"] * 8]
    assert plan(net.style_encoder) == ["c7s1-64", "c4s2-128", *["c4s2-256"] * 3, "fc8"]
    assert plan(net.blocks) == ["c3s1-256"] * 8 and plan(net.up) == ["c5s1-128", "c5s1-64"]
    assert plan(net.toimage) == ["c7s1-3"] and [type(layer.norm) for layer in net.up] == [LayerNorm, LayerNorm]
    assert [type(layer.norm) for layer in net.content_encoder[:3]] == [InstanceNorm2d] * 3
    x = torch.empty(1, 3, 256, 256, device="meta")
    assert net.encode_content(x).shape == (1, 256, 64, 64) and net.encode_style(x).shape == (1, 8)
    assert net.feature_channels == {64: 256, 128: 128, 256: 64} and net.size_divisor == 4


def test_an_image_is_made_of_its_own_content_and_style_unless_another_style_is_given():
    net = small()
    x, other = torch.randn(2, 2, 3, 32, 32).clamp(-1, 1)
    content, style = net.encode_content(x), net.encode_style(x)
    assert torch.equal(net(x).image, net.decode(content, style).image)
    in_other = net(x, z=net.encode_style(other)).image
    assert torch.equal(in_other, net.decode(content, net.encode_style(other)).image)
    assert not torch.allclose(in_other, net(x).image)


def test_contrast_is_style_and_not_content():
    net = small()
    x = torch.randn(2, 3, 32, 32).clamp(-1, 1)
    faint = 0.5 * x
    torch.testing.assert_close(net.encode_content(faint), net.encode_content(x), atol=1e-2, rtol=1e-2)
    assert (net.encode_style(faint) - net.encode_style(x)).abs().max() > 0.1


def test_a_style_may_be_seen_in_an_image_of_another_size():
    assert small().encode_style(torch.randn(2, 3, 48, 80)).shape == (2, 8)


def test_a_source_of_another_domain_shows_no_style():
    net = small(COLOUR, GRAY)
    x = torch.randn(2, 1, 32, 32)
    with pytest.raises(ValueError, match=r"the source is of another domain and shows no style: pass z \[N, 8\]"):
        net(x)
    assert net(x, z=torch.zeros(2, 8)).image.shape == (2, 3, 32, 32)
    assert net.encode_style(torch.randn(2, 3, 32, 32)).shape == (2, 8)


def test_adaptive_instance_normalization_gives_each_channel_the_mean_and_deviation_that_it_is_told():
    x, scale, shift = torch.randn(2, 5, 8, 8) * 3 + 1, torch.rand(2, 5) + 0.5, torch.randn(2, 5)
    deviation, mean = torch.std_mean(AdaIN()(x, scale, shift), dim=(2, 3), correction=0)
    torch.testing.assert_close(mean, shift, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(deviation, scale, atol=1e-5, rtol=1e-4)
    assert AdaIN()(x.bfloat16(), scale, shift).dtype == torch.bfloat16


def test_a_block_adds_what_two_normalized_convolutions_make_of_its_maps():
    torch.manual_seed(0)
    block, x = AdaINBlock(4), torch.randn(2, 4, 8, 8)
    scale0, shift0, scale1, shift1 = torch.rand(4, 2, 4) + 0.5
    y = torch.relu(AdaIN()(block.conv0(x), scale0, shift0))
    expected = x + AdaIN()(block.conv1(y), scale1, shift1)
    torch.testing.assert_close(block(x, torch.stack([scale0, shift0, scale1, shift1], 1)), expected)


def test_scales_begin_about_one_and_every_block_has_its_share_of_the_code():
    torch.manual_seed(0)
    mlp = StyleMLP(8, 16, 3, 5)
    nn.init.zeros_(mlp.out.bias)
    mlp.begin_neutral()
    modulation = mlp(torch.randn(64, 8))
    assert modulation.shape == (64, 3, 4, 5)
    assert (modulation[:, :, ::2].mean() - 1).abs() < 0.1 and modulation[:, :, 1::2].mean().abs() < 0.1
    assert (modulation.std(dim=0) > 0).all()
    net = small()
    assert (net.mlp(torch.zeros(1, 8))[:, :, ::2].mean() - 1).abs() < 0.1
    x, z = torch.randn(1, 3, 32, 32), torch.randn(1, 8)
    for block in net.blocks:
        net.zero_grad()
        net(x, z=z).image.sum().backward()
        assert block.conv0.weight.grad.abs().sum() > 0
    assert (net.mlp.out.weight.grad.view(2, 4, -1).abs().sum(dim=2) > 0).all()


def test_weights_are_drawn_for_relu_so_that_maps_keep_their_size():
    net = small().style_encoder.layers
    weights = net[0].conv.weight
    assert weights.std().item() == pytest.approx((2 / (3 * 7 * 7)) ** 0.5, rel=0.05)
    assert all(not each.conv.bias.any() for each in net)


def test_no_layer_has_a_bias_that_normalization_takes_out_again():
    net, x = small(), torch.randn(2, 3, 32, 32)
    made = net(x).image
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith("bias"):
                kept = parameter.clone()
                parameter.add_(torch.randn_like(parameter))
                assert not torch.allclose(net(x).image, made, atol=1e-4), name
                parameter.copy_(kept)


def test_small_images_are_halved_as_often_as_they_can_be():
    net = MUNITTranslatorConfig.tiny().build(ImageSpec(4, 4), ImageSpec(4, 4))
    assert net(torch.randn(1, 3, 4, 4)).image.shape == (1, 3, 4, 4)
    deep = MUNITTranslatorConfig(channels=4, halvings=1, style_halvings=9).build(ImageSpec(8, 8), ImageSpec(8, 8))
    assert deep.encode_style(torch.randn(1, 3, 8, 8)).shape == (1, 8)
