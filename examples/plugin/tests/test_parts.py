"""What this package promises: its parts are found, agree with their equations, and train."""

from __future__ import annotations

import importlib.metadata
import pkgutil
from dataclasses import replace
from pathlib import Path

import ggdr
import pytest
import torch
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe.files import load_recipe
from ggdr.registry import discover, generators, metrics, regularizers
from ggdr.regularizers.ggdr import GGDR

import ggdr_example
from ggdr_example.coordinates import CoordinatesGeneratorConfig
from ggdr_example.spectrum import decibels, power_spectrum
from ggdr_example.total_variation import total_variation

PARTS = {"total_variation": regularizers, "spectrum": metrics, "coordinates": generators}
RECIPE = Path(__file__).parent.parent / "recipe.py"


def test_each_file_registers_a_part_that_ggdr_finds():
    (entry,) = [each for each in importlib.metadata.entry_points(group="ggdr") if each.dist.name == "ggdr-example"]
    assert entry.load() is ggdr_example
    discover()
    assert {info.name for info in pkgutil.iter_modules(ggdr_example.__path__)} == set(PARTS)
    assert all(name in registry for name, registry in PARTS.items())


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_total_variation_is_that_of_a_slope(beta):
    slope = torch.arange(5.0).mul(0.3).expand(2, 1, 4, 5)  # each pixel 0.3 brighter than its left neighbour
    assert float(total_variation(slope, beta)) == pytest.approx(0.3**beta)


def test_total_variation_of_a_flat_image_has_a_gradient():
    flat = torch.zeros(1, 1, 4, 4, requires_grad=True)
    total_variation(flat, beta=1.0).backward()
    assert flat.grad.isfinite().all()


def test_a_wave_has_its_power_at_its_frequency():
    wave = torch.sin(torch.arange(16) * 2 * torch.pi * 3 / 16).expand(4, 3, 8, 16)  # 3 on 16 px are 1.5 on 8
    power = power_spectrum([wave.mul(127.5).add(127.5).round().to(torch.uint8)])
    assert len(power) == 4 and power.argmax() == 1
    assert decibels(power)[1] > decibels(power)[3] + 20


@pytest.mark.parametrize("spec", [ImageSpec(16, 16), ImageSpec(24, 8, channels=1, labels=3)])
def test_the_generator_makes_images_and_maps_of_any_size(spec):
    net = CoordinatesGeneratorConfig.tiny().build(spec)
    labels = torch.eye(spec.labels)[:2] if spec.labels else None
    made = net(torch.randn(2, net.z_dim), labels, resolutions=(spec.height,))
    assert made.image.shape == (2, spec.channels, spec.height, spec.width) and made.image.abs().max() <= 1
    assert made.features[spec.height].shape == (2, 8, spec.height, spec.width)
    with pytest.raises(ValueError, match="11"):
        net(torch.randn(2, net.z_dim), labels, resolutions=(11,))


def test_a_decoder_can_draw_the_generators_maps():
    decoder = UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny())
    drawn = decoder.build(ImageSpec(16, 16), ExtraOutputs({16: 8}))(torch.randn(2, 3, 16, 16), resolutions=(16,))
    assert drawn.features[16].shape == (2, 8, 16, 16)


@pytest.mark.parametrize("with_ggdr", [False, True], ids=["alone", "with GGDR"])
def test_the_recipe_trains_and_its_model_is_read_again(with_ggdr, tmp_path):
    recipe = load_recipe(RECIPE)
    small = replace(
        recipe,
        generator=CoordinatesGeneratorConfig.tiny(),
        metrics={"spectrum": replace(recipe.metrics["spectrum"], images=64)},
        total_kimg=0.064,
        log_kimg=0.032,
        metric_kimg=0.064,
    )
    if with_ggdr:
        guided = UNetDiscriminatorConfig(encoder=recipe.discriminator)
        terms = recipe.regularizers | {"ggdr": GGDR(resolutions=(16,))}
        small = replace(small, discriminator=guided, regularizers=terms)
    trained = ggdr.train(small, out=tmp_path / "run")
    assert trained.done and trained.metrics()["spectrum/mean"] > 0
    assert trained.log()[0]["loss/g/total_variation"] > 0
    assert trained.pipeline()(seeds=[0, 1]).images[1].size == (16, 16)
