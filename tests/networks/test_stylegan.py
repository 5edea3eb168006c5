"""StyleGAN: each style scales and shifts normalized maps, noise is a channel's own, styles mix among layers in use."""

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan import StyleGANGeneratorConfig
from ggdr.networks.stylegan.generator import StyledLayer
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.registry import Capability

CONFIG = StyleGANGeneratorConfig.tiny()


def network(**changes):
    torch.manual_seed(0)
    return tiny.moved(replace(CONFIG, **changes).build(ImageSpec(16, 16)))


def test_the_mean_and_deviation_of_each_map_are_what_the_style_says():
    layer, x, w = StyledLayer(6, 8, (5, 7)), torch.randn(3, 6, 5, 7) * 4 + 1, torch.randn(3, 8)
    scale, shift = layer.affine(w).chunk(2, dim=1)  # eq. 1
    y = layer(x, w, "none")
    torch.testing.assert_close(y.mean(dim=(2, 3)), shift, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(y.std(dim=(2, 3), correction=0), scale.abs(), rtol=1e-3, atol=1e-5)


def test_it_starts_from_ones_scales_of_one_and_no_noise():
    fresh = CONFIG.build(ImageSpec(16, 16)).synthesis
    assert (fresh.b4.const == 1).all()
    for layer in (layer for layer in fresh.modules() if isinstance(layer, StyledLayer)):
        scale, shift = layer.affine.bias.chunk(2)
        assert (scale == 1).all() and not shift.any()
        assert not layer.noise_strength.any() and layer.noise_strength.shape == layer.bias.shape


def test_noise_reaches_a_channel_by_its_own_strength():
    layer, x, w = StyledLayer(4, 8, (8, 8)), torch.randn(2, 4, 8, 8), torch.randn(2, 8)
    torch.nn.init.constant_(layer.noise_strength[1].detach(), 2.0)
    changed = (layer(x, w, "const") - layer(x, w, "none")).abs().amax(dim=(0, 2, 3))
    assert changed[1] > 0.1 and not changed[[0, 2, 3]].any()


def test_there_are_two_codes_a_size_each_with_its_entry():
    with torch.device("meta"):
        whole = StyleGANGeneratorConfig().build(ImageSpec(1024, 1024))
    assert whole.synthesis.num_ws == 18 and [m.shape for m in whole.input_matrices()][-1] == (32, 512)
    assert sum(p.numel() for p in whole.parameters()) == pytest.approx(26.2e6, rel=0.005)  # fig. 1: 26.2 M
    assert len(network().input_matrices()) == network().synthesis.num_ws == 6


def test_each_code_drives_its_layer_and_those_after_it_alone():
    net = network().eval()
    ws = net.styles(torch.randn(2, 8))
    before = net.synthesis(ws, resolutions=(4, 8, 16), noise="none")[1]
    for code, first in ((0, 4), (2, 8), (5, 16)):
        other = ws.clone()
        other[:, code] += 1
        after = net.synthesis(other, resolutions=(4, 8, 16), noise="none")[1]
        assert [resolution for resolution in (4, 8, 16) if not torch.equal(before[resolution], after[resolution])] == [
            resolution for resolution in (4, 8, 16) if resolution >= first
        ]


def test_styles_are_mixed_among_the_layers_in_use():
    net, z = network(style_mixing=1.0), torch.randn(3, 8)
    for level, layers in ((1.0, 4), (1.5, 6), (0.0, 2)):
        net.grow(level)
        places = set()
        for seed in range(40):
            torch.manual_seed(seed)
            ws = net.styles(z)
            places.add(int((ws != ws[:, :1]).any(dim=2).all(dim=0).int().argmax()))
        assert places == set(range(1, layers))


def test_codes_noise_and_truncation_are_as_those_of_its_successor():
    net = network().eval()
    shared = StyleGAN2GeneratorConfig.provides - {Capability.FORWARD_FROM, Capability.STAGES}
    assert StyleGANGeneratorConfig.provides == shared | {Capability.GROW}
    z = torch.randn(2, 8)
    ws = net.styles(z, psi=0.5, cutoff=2)
    torch.testing.assert_close(ws[:, :2], (net.styles(z)[:, :2] + net.mapping.w_avg) / 2)
    kept = net.synthesize(ws)
    torch.testing.assert_close(net(z, psi=0.5, cutoff=2, noise="const").image, kept)
    maps = net.noise_maps()
    assert {tuple(value.shape) for value in maps.values()} == {(4, 4), (8, 8), (16, 16)} and len(maps) == 6
    assert not torch.allclose(net.synthesize(ws, {"b8.style0.noise_const": torch.zeros(8, 8)}), kept)
