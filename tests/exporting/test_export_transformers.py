"""Exported transformers: fused attention, patches and style codes survive, for any batch and truncation."""

from __future__ import annotations

import pytest
import torch
from tiny import moved

from ggdr.exporting.files import FORMATS, TOLERANCE, export
from ggdr.exporting.graphs import DiscriminatorGraph, GeneratorGraph
from ggdr.networks.base import ImageSpec
from ggdr.networks.gat import GATDiscriminatorConfig, GATGeneratorConfig
from ggdr.networks.mng import MNGDiscriminatorConfig

SPEC = ImageSpec(8, 16, 3, 3)


@pytest.mark.parametrize("suffix", FORMATS)
@torch.no_grad()
def test_the_generator_makes_its_images(tmp_path, suffix):
    network = moved(GATGeneratorConfig.tiny().build(SPEC)).eval()
    found = export(GeneratorGraph(network), tmp_path / f"generator{suffix}")
    assert found.holds and found.difference <= TOLERANCE * found.largest


@pytest.mark.parametrize("config", [GATDiscriminatorConfig.tiny(), MNGDiscriminatorConfig.tiny()], ids=lambda c: c.name)
@torch.no_grad()
def test_the_discriminator_judges_as_before(tmp_path, config):
    network = moved(config.build(SPEC)).eval()
    found = export(DiscriminatorGraph(network), tmp_path / "judge.pt2")
    assert found.holds and found.difference <= TOLERANCE * found.largest
