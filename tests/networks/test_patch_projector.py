"""CUT's networks: what the encoder hands over, what the projector makes of it, and how weights begin."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ggdr.networks.base import ImageSpec
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.patch_projector import PatchProjectorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.ops.blur_pool import blur_down
from ggdr.saving.model import load_model, save_model

SPEC = ImageSpec(32, 32)


def normed(x: torch.Tensor) -> torch.Tensor:
    return F.relu(F.instance_norm(x))


@pytest.mark.parametrize("antialias", [True, False])
def test_maps_are_layers_0_4_8_12_and_16_of_the_published_list(antialias):
    net = ResnetTranslatorConfig(channels=4, antialias=antialias).build(SPEC, SPEC)
    x = torch.randn(2, 3, 32, 32)
    enter, first, second = (layer.conv for layer in net.down)
    blocks, stride = net.blocks, 1 if antialias else 2
    halve = blur_down if antialias else torch.nn.Identity()
    expected = [F.pad(x, (3, 3, 3, 3), mode="reflect")]  # 0: the layer that pads
    maps = normed(F.conv2d(expected[0], enter.weight, enter.bias))  # 1, 2, 3
    for conv in (first, second):  # 4 and 8 are convolutions, before normalization, ReLU and blur
        expected.append(F.conv2d(maps, conv.weight, conv.bias, stride, padding=1))
        maps = halve(normed(expected[-1]))
    maps = blocks[0](maps)
    expected.append(maps)  # 12: the first of nine blocks
    expected.append(blocks[4](blocks[3](blocks[2](blocks[1](maps)))))  # 16: the fifth
    for ours, theirs in zip(net.encoder_maps(x), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert net.encoder_channels == (3, 8, 16, 16, 16)


@pytest.mark.parametrize(("blocks", "places"), [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 1]), (6, [0, 3]), (9, [0, 4])])
def test_of_fewer_blocks_the_first_and_the_middle_one_are_compared(blocks, places):
    net = ResnetTranslatorConfig(channels=4, blocks=blocks).build(SPEC, SPEC)
    assert net.compared_blocks == places
    assert len(net.encoder_maps(torch.randn(1, 3, 32, 32))) == len(net.encoder_channels) == 3 + len(places)


def test_the_encoder_of_a_translator_that_takes_codes_is_that_of_a_code_of_zeros():
    net = ResnetTranslatorConfig(channels=4, blocks=1, z_dim=5).build(SPEC, SPEC)
    x, seen = torch.randn(2, 3, 32, 32), []
    net.blocks[0].register_forward_hook(lambda block, given, made: seen.append(made))
    maps = net.encoder_maps(x)
    net(x, z=torch.zeros(2, 5))
    torch.testing.assert_close(maps[-1], seen[1])


def test_a_unet_hands_over_the_image_and_halvings_that_leave_places_to_compare():
    net = UNetTranslatorConfig(channels=4).build(SPEC, SPEC)
    x = torch.randn(2, 3, 32, 32)
    maps = net.encoder_maps(x)
    assert [each.shape[2] for each in maps] == [32, 16, 8, 4] and torch.equal(maps[0], x)
    torch.testing.assert_close(maps[1], net.down[0](x))


def test_the_projector_is_two_layers_for_each_map_and_codes_have_length_1(tmp_path):
    net = PatchProjectorConfig(widths=(3, 8), channels=16).build(SPEC)
    features = [torch.randn(2, 5, width) for width in (3, 8)]
    for codes, x, layer in zip(net(features), features, net.layers, strict=True):
        by_hand = F.linear(F.relu(F.linear(x, layer[0].weight, layer[0].bias)), layer[2].weight, layer[2].bias)
        torch.testing.assert_close(codes, by_hand / by_hand.norm(dim=-1, keepdim=True))
    save_model(net, tmp_path)
    again = load_model(tmp_path)
    assert again.config == net.config and all(map(torch.equal, again(features), net(features)))


def test_the_published_projector_has_0_56_million_weights():
    with torch.device("meta"):
        widths = ResnetTranslatorConfig(antialias=True).build(ImageSpec(256, 256), ImageSpec(256, 256)).encoder_channels
        net = PatchProjectorConfig(widths=widths).build(ImageSpec(256, 256))
    assert widths == (3, 128, 256, 256, 256) and sum(p.numel() for p in net.parameters()) == 560384


@pytest.mark.parametrize(
    "config",
    [ResnetTranslatorConfig, UNetTranslatorConfig, PatchDiscriminatorConfig],
    ids=["resnet", "unet", "patch"],
)
def test_weights_begin_normal_or_as_in_cut_by_xavier(config):
    torch.manual_seed(0)
    for init in ("normal", "xavier"):
        settings = config(init=init)
        net = settings.build(
            ImageSpec(64, 64), *([ImageSpec(64, 64)] if config is not PatchDiscriminatorConfig else [])
        )
        large = [p for p in net.parameters() if p.ndim > 1 and p.numel() > 10000]
        assert large
        for weights in large:
            fans = (weights.shape[0] + weights.shape[1]) * weights[0, 0].numel()
            spread = 0.02 if init == "normal" else 0.02 * (2 / fans) ** 0.5
            assert float(weights.detach().std()) == pytest.approx(spread, rel=0.05)
