"""CycleGAN's generator with a code: what the code does, and the shape that Augmented CycleGAN gives it."""

from __future__ import annotations

import pytest
import torch

from ggdr.errors import UserError
from ggdr.layers.norm import ConditionalInstanceNorm2d
from ggdr.networks.base import ImageSpec
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.saving.model import load_model, save_model

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)
CODED = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1, z_dim=5)


def test_the_code_scales_and_shifts_what_was_normalized():
    norm = ConditionalInstanceNorm2d(3, 5)
    x, z = torch.randn(2, 3, 8, 8) * 4 + 2, torch.randn(2, 5)
    plain = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(norm(x), plain, atol=1e-5, rtol=1e-4)
    scale, shift = (z @ layer.weight.T for layer in (norm.scale, norm.shift))
    torch.testing.assert_close(
        norm(x, z), plain * (1 + scale)[:, :, None, None] + shift[:, :, None, None], atol=1e-5, rtol=1e-4
    )
    assert not [*ConditionalInstanceNorm2d(3, 0).parameters()]


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_each_layer_takes_the_code_and_one_image_has_many_results(norm):
    net = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1, widenings=1, z_dim=5, norm=norm).build(COLOUR, GRAY)
    x, z = torch.randn(2, 1, 16, 16), torch.randn(2, 5)
    net(x, z=z).image.square().sum().backward()
    coded = [p for name, p in net.named_parameters() if name.endswith(("scale.weight", "shift.weight"))]
    assert len(coded) == 2 * 7 and all(p.grad.abs().sum() > 0 for p in coded)
    assert not torch.allclose(net(x, z=z).image, net(x, z=-z).image, atol=1e-3)
    first, other = net.translate(x), net.translate(x)
    assert not torch.equal(first, other)
    assert torch.equal(net.translate(x, code=z), net.translate(x, code=z))


def test_one_that_takes_codes_is_not_run_without():
    net = CODED.build(COLOUR, GRAY)
    with pytest.raises(ValueError, match=r"takes codes beside images: pass z \[N, 5\]"):
        net(torch.randn(2, 1, 16, 16))
    assert CODED.without_code() == ResnetTranslatorConfig(channels=4, blocks=1, halvings=1)
    with pytest.raises(UserError, match="z_dim is -1"):
        ResnetTranslatorConfig(z_dim=-1)


def test_it_is_saved_and_loaded_with_its_code(tmp_path):
    net = CODED.build(COLOUR, GRAY).eval()
    save_model(net, tmp_path)
    x, z = torch.randn(2, 1, 16, 16), torch.randn(2, 5)
    assert torch.equal(load_model(tmp_path)(x, z=z).image, net(x, z=z).image)


def test_it_has_the_layers_of_augmented_cyclegan():
    config = ResnetTranslatorConfig(channels=32, widenings=1, halvings=1, blocks=3, z_dim=16)
    net = config.build(ImageSpec(64, 64), ImageSpec(64, 64))
    kernels = {name: tuple(p.shape) for name, p in net.named_parameters() if name.endswith("conv.weight")}
    assert [kernels[f"down.{n}.conv.weight"] for n in range(3)] == [(32, 3, 7, 7), (64, 32, 3, 3), (128, 64, 3, 3)]
    assert [net.down[n].conv.stride for n in range(3)] == [(1, 1), (1, 1), (2, 2)]
    assert kernels["up.0.conv.weight"] == (128, 64, 3, 3) and kernels["narrow.0.conv.weight"] == (32, 64, 3, 3)
    assert len(net.blocks) == 3 and net.toimage.weight.shape == (3, 32, 7, 7)
    assert net.feature_channels == {32: 128, 64: 64}
    x, z = torch.randn(1, 3, 64, 64), torch.randn(1, 16)
    made = net(x, z=z, resolutions=(32, 64))
    assert {r: tuple(maps.shape) for r, maps in made.features.items()} == {32: (1, 128, 32, 32), 64: (1, 64, 64, 64)}


def test_one_without_a_code_has_the_weights_it_had():
    net = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1).build(COLOUR, GRAY)
    assert [*net.state_dict()] == [
        *(f"{layer}.{kind}" for layer in ("down.0.conv", "down.1.conv") for kind in ("weight", "bias")),
        *(f"blocks.0.{layer}.{kind}" for layer in ("layer.conv", "conv") for kind in ("weight", "bias")),
        *(f"{layer}.{kind}" for layer in ("up.0.conv", "toimage") for kind in ("weight", "bias")),
    ]


def test_what_is_made_may_be_larger_and_is_narrowed_after_the_last_doubling():
    config = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1, widenings=2)
    net = config.build(ImageSpec(32, 32), GRAY)
    assert net.feature_channels == {8: 32, 16: 16, 32: 16}
    assert [layer.conv.out_channels for layer in net.narrow] == [8, 4]
    assert net(torch.randn(1, 1, 16, 16)).image.shape == (1, 3, 32, 32)
