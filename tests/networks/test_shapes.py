"""R3GAN, FastGAN and StyleGAN3 at sizes that the contract of all networks leaves out."""

from __future__ import annotations

import pytest
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.fastgan import FastGANDiscriminatorConfig, FastGANGeneratorConfig
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig

GENERATORS = {
    part.name: part.tiny() for part in (R3GANGeneratorConfig, FastGANGeneratorConfig, StyleGAN3GeneratorConfig)
}


DISCRIMINATORS = {part.name: part.tiny() for part in (R3GANDiscriminatorConfig, FastGANDiscriminatorConfig)}


BRIEFS = [ImageSpec(96, 96, 4), ImageSpec(4, 6, 5)]


every_brief = pytest.mark.parametrize("spec", BRIEFS, ids=lambda spec: f"{spec.height}x{spec.width}")


def labels_of(spec: ImageSpec, n: int = 2):
    return torch.rand(n, spec.labels) if spec.labels else None


@every_brief
@pytest.mark.parametrize("name", GENERATORS)
def test_generators_make_every_size_with_maps_of_their_sides(name, spec):
    network = GENERATORS[name].build(spec)
    sample = network(torch.randn(2, network.z_dim), labels_of(spec), resolutions=tuple(network.feature_channels))
    assert sample.image.shape == (2, spec.channels, spec.height, spec.width) and sample.image.isfinite().all()
    for resolution, maps in sample.features.items():
        assert maps.shape == (
            2,
            network.feature_channels[resolution],
            resolution,
            resolution * spec.width // spec.height,
        )
    with pytest.raises(ValueError, match="11"):
        network(torch.randn(2, network.z_dim), labels_of(spec), resolutions=(11,))


@every_brief
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_judge_every_size_and_give_maps_to_half_of_it(name, spec):
    network = DISCRIMINATORS[name].build(spec)
    image = torch.randn(2, spec.channels, spec.height, spec.width)
    verdict = network(image, labels_of(spec))
    assert verdict.logits.shape == (2,) and max(verdict.maps) == spec.height // 2
    assert {resolution: maps.shape[1:] for resolution, maps in verdict.maps.items()} == {
        resolution: (channels, resolution, resolution * spec.width // spec.height)
        for resolution, channels in network.map_channels.items()
    }
    staged = [id(parameter) for stage in network.stages() for parameter in stage.parameters()]
    assert len(staged) == len(set(staged))
    apart = {name.split(".")[0] for name, parameter in network.named_parameters() if id(parameter) not in staged}
    assert apart <= {"embed", "whole", "part"}
