"""U-Net GAN's discriminator: a logit for each pixel."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.registry import Capability

BRIEFS = {
    "8": ImageSpec(8, 8),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "tall RGBA": ImageSpec(48, 16, 4, 5),
    "24, five channels": ImageSpec(24, 24, 5),
}


def judged(config, spec: ImageSpec, samples: int = 2):
    torch.manual_seed(0)
    net = config.build(spec)
    labels = torch.eye(spec.labels)[:samples] if spec.labels else None
    return net, net(torch.randn(samples, spec.channels, spec.height, spec.width), labels)


def duel_of(config, turn: str, requires: frozenset[Capability]) -> Duel:
    torch.manual_seed(0)
    g, d = tiny.STYLEGAN2.build(ImageSpec(16, 16)), config.build(ImageSpec(16, 16))
    return Duel(g, d, torch.randn(4, 3, 16, 16), None, StepContext(turn, requires, kimg=1.0))


@pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)
def test_every_pixel_has_a_logit_and_only_duels_that_ask_see_it(spec):
    _, verdict = judged(UNetGANDiscriminatorConfig.tiny(), spec)
    assert verdict.pixel_logits.shape == (2, 1, spec.height, spec.width)
    for requires in (frozenset(), frozenset({Capability.PIXEL_LOGITS})):
        assert (duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires).on_real.pixel_logits is None) == (
            not requires
        )


def test_a_pixels_logit_sees_fine_detail_past_the_bottleneck():
    net, _ = judged(UNetGANDiscriminatorConfig.tiny(), ImageSpec(32, 32))
    image = torch.randn(1, 3, 32, 32)
    maps = net.pyramid(image)[1]
    changed = {**maps, 16: maps[16] + torch.randn_like(maps[16])}
    assert not torch.allclose(net.pixels(maps, None), net.pixels(changed, None))
