"""Progressive GAN's line and AutoGAN at sizes, channels and labels of all kinds, alone and below a decoder."""

from __future__ import annotations

import ast

import pytest
import torch
from places import ROOT

from ggdr.networks.autogan import AutoGANGeneratorConfig
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig, MSGGANGeneratorConfig
from ggdr.networks.progan import ProGANDiscriminatorConfig, ProGANGeneratorConfig
from ggdr.networks.stylegan import StyleGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit

GENERATORS = [
    config.tiny()
    for config in (ProGANGeneratorConfig, StyleGANGeneratorConfig, MSGGANGeneratorConfig, AutoGANGeneratorConfig)
]
DISCRIMINATORS = [ProGANDiscriminatorConfig.tiny(), MSGGANDiscriminatorConfig.tiny()]
BRIEFS = {
    "smallest": ImageSpec(8, 8),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "tall": ImageSpec(48, 16, 3, 5),
    "6 px base, RGBA": ImageSpec(24, 24, 4),
}
RECIPES = [ROOT / f"recipes/zoo/{name}.py" for name in "progan stylegan msg_gan autogan".split()]
every_brief = pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)


def labels(spec: ImageSpec, n: int) -> torch.Tensor | None:
    return torch.eye(spec.labels)[torch.arange(n) % spec.labels] if spec.labels else None


@every_brief
@pytest.mark.parametrize("config", DISCRIMINATORS, ids=lambda config: config.name)
def test_a_decoder_draws_every_side_the_encoder_leads_to(config, spec):
    encoder = config.build(spec).map_channels
    resolutions = {resolution: 5 for resolution in (min(encoder), *(2 * resolution for resolution in encoder))}
    network = UNetDiscriminatorConfig(encoder=config).build(spec, ExtraOutputs(resolutions))
    verdict = network(
        torch.randn(2, spec.channels, spec.height, spec.width), labels(spec, 2), resolutions=tuple(resolutions)
    )
    assert verdict.logits.shape == (2,) and verdict.maps.keys() == encoder.keys()
    assert {resolution: x.shape[1] for resolution, x in verdict.features.items()} == resolutions


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_recipes_name_their_paper_and_their_parts_go_together(file):
    recipe = load_recipe(file)
    assert recipe.generator.paper in (ast.get_docstring(ast.parse(file.read_text())) or "")
    assert max(fit(recipe, {"real": ImageSpec(32, 32, 1)}).parameters.values()) < 0.3e6
