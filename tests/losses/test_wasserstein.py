"""Wasserstein GAN clips its critic."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.registry import discover, losses

discover()


def test_wasserstein_clips_the_critic_as_its_layers_use_it_and_nothing_else():
    term = losses["wasserstein"](clip=0.01)
    g, d = tiny.STYLEGAN2.build(ImageSpec(16, 16)), tiny.recipe.discriminator.build(ImageSpec(16, 16))
    before = [p.clone() for p in g.parameters()], [p.clone() for p in d.decoder.parameters()]
    (clipping,) = term.callbacks().values()
    clipping.after_update("g", [g])
    clipping.after_update("d", [d])
    after = g.parameters(), d.decoder.parameters()
    assert all(torch.equal(a, b) for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True))
    layer = d.encoder.b16.conv0
    assert (layer.weight * layer.weight_gain).abs().max().item() == pytest.approx(0.01)
    assert layer.weight.abs().max() > 0.05
