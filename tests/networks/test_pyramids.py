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


every_family = pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)


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
    assert fit(recipe, {"real": ImageSpec(32, 32, 1)}).parameters["discriminator"] > 0
