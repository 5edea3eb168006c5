"""Encoders' maps at sizes, channels and labels of all kinds, and a decoder on top of them."""

from __future__ import annotations

import pytest
import torch
from places import ROOT

from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.recipe.fitting import fit

FAMILIES = {
    "autoencoder": AutoencoderDiscriminatorConfig.tiny(),
    "timm": TimmDiscriminatorConfig.tiny(),
    "unet_gan": UNetGANDiscriminatorConfig.tiny(),
}


BRIEFS = {
    "8": ImageSpec(8, 8),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "tall RGBA": ImageSpec(48, 16, 4, 5),
    "24, five channels": ImageSpec(24, 24, 5),
}


every_family = pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)


def judged(config, spec: ImageSpec, samples: int = 2):
    torch.manual_seed(0)
    net = config.build(spec)
    labels = torch.eye(spec.labels)[:samples] if spec.labels else None
    return net, net(torch.randn(samples, spec.channels, spec.height, spec.width), labels)


@every_family
@pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)
def test_maps_have_their_side_and_the_images_shape_from_the_base_to_half(config, spec):
    net, verdict = judged(config, spec)
    assert max(verdict.maps) == spec.height // 2 and verdict.logits.dtype == torch.float32
    for resolution, maps in verdict.maps.items():
        assert maps.shape == (2, net.map_channels[resolution], resolution, resolution * spec.width // spec.height)


@every_family
def test_a_decoder_for_features_goes_on_top_and_teaches_what_lies_below(config):
    net = UNetDiscriminatorConfig(encoder=config).build(ImageSpec(16, 16), ExtraOutputs({4: 3, 8: 5, 16: 3}))
    drawn = net(torch.randn(2, 3, 16, 16), resolutions=(4, 8, 16)).features
    assert {resolution: x.shape[1] for resolution, x in drawn.items()} == {4: 3, 8: 5, 16: 3}
    drawn[8].square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.encoder.parameters())


@pytest.mark.parametrize("file", ["ebgan", "began", "projected", "unet_gan"])
def test_recipes_fit_their_images(file):
    from ggdr.recipe.files import load_recipe

    recipe = load_recipe(ROOT / "recipes" / "zoo" / f"{file}.py")
    assert fit(recipe, ImageSpec(32, 32, 1)).parameters["discriminator"] > 0
