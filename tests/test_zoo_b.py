"""Progressive GAN's line and AutoGAN at sizes, channels and labels of all kinds, alone and below a decoder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from ggdr.fitting import fit
from ggdr.networks.autogan import AutoGANGenerator
from ggdr.networks.base import Brief
from ggdr.networks.msg_gan import MSGGANDiscriminator, MSGGANGenerator
from ggdr.networks.progan import ProGANDiscriminator, ProGANGenerator
from ggdr.networks.stylegan import StyleGANGenerator
from ggdr.networks.unet import UNet
from ggdr.recipe_files import load_recipe

GENERATORS = [config.tiny() for config in (ProGANGenerator, StyleGANGenerator, MSGGANGenerator, AutoGANGenerator)]
DISCRIMINATORS = [ProGANDiscriminator.tiny(), MSGGANDiscriminator.tiny()]
BRIEFS = {
    "smallest": Brief(8, 8),
    "wide gray, labels": Brief(16, 32, 1, 3),
    "tall": Brief(48, 16, 3, 5),
    "6 px base, RGBA": Brief(24, 24, 4),
}
RECIPES = [
    Path(__file__).parent.parent / f"recipes/zoo/{name}.py" for name in "progan stylegan msg_gan autogan".split()
]
every_brief = pytest.mark.parametrize("brief", BRIEFS.values(), ids=BRIEFS)


def labels(brief: Brief, n: int) -> torch.Tensor | None:
    return torch.eye(brief.labels)[torch.arange(n) % brief.labels] if brief.labels else None


@every_brief
@pytest.mark.parametrize("config", GENERATORS, ids=lambda config: config.name)
def test_images_and_maps_are_of_the_promised_shapes(config, brief):
    network = config.build(brief)
    made = network(torch.randn(2, network.z_dim), labels(brief, 2), sides=tuple(network.feature_channels))
    assert made.image.shape == (2, brief.channels, brief.height, brief.width) and made.image.dtype == torch.float32
    wide = {
        side: (channels, side, side * brief.width // brief.height)
        for side, channels in network.feature_channels.items()
    }
    assert {side: tuple(x.shape[1:]) for side, x in made.features.items()} == wide


@every_brief
@pytest.mark.parametrize("config", DISCRIMINATORS, ids=lambda config: config.name)
def test_a_decoder_draws_every_side_the_encoder_leads_to(config, brief):
    encoder = config.build(brief).map_channels
    sides = {side: 5 for side in (min(encoder), *(2 * side for side in encoder))}
    network = UNet(encoder=config).build(brief._replace(guide=sides))
    verdict = network(torch.randn(2, brief.channels, brief.height, brief.width), labels(brief, 2), sides=tuple(sides))
    assert verdict.logits.shape == (2,) and verdict.maps.keys() == encoder.keys()
    assert {side: x.shape[1] for side, x in verdict.features.items()} == sides


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_recipes_name_their_paper_and_their_parts_go_together(file):
    recipe = load_recipe(file)
    assert recipe.generator.paper in (ast.get_docstring(ast.parse(file.read_text())) or "")
    assert max(fit(recipe, Brief(32, 32, 1)).parameters.values()) < 0.3e6
