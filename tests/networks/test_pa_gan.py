"""PA-GAN's random bits: what they turn, whom they tell, and when they set in."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.pa_gan.discriminator import append_bits, parity
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.train import train_step


def test_bits_turn_the_verdict_and_in_evaluation_there_are_none():
    network = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), levels=3).build(ImageSpec(16, 16, 1))
    bits = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    assert parity(bits, torch.zeros(4)).tolist() == [1, -1, 1, -1]
    assert parity(bits, torch.zeros(4, 5)).shape == (4, 1)
    seen = append_bits(torch.full((4, 1, 2, 2), 7.0), bits)
    assert seen[:, 0].eq(7).all() and torch.equal(seen[:, 1:, 1, 0], bits)
    image = torch.zeros(4096, 1, 16, 16)
    network.level.fill_(1.5)
    torch.manual_seed(0)
    share = network.draw_bits(image).mean(0).tolist()
    assert share == pytest.approx([0.5, 0.25, 0.0], abs=0.03)
    network.eval()
    assert network.draw_bits(image).sum() == 0
    network.set_kimg(1e9)
    assert network.level == 3 and network.state_dict()["level"] == 3


def test_the_parity_exchanges_the_targets_of_symmetric_losses():
    """softplus(-(-l)) of a real whose bits are odd is the loss of a fake of logit l."""
    network = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), levels=1).build(ImageSpec(16, 16, 1))
    image = torch.randn(4, 1, 16, 16)
    vars(network)["draw_bits"] = lambda image: torch.tensor([[0.0], [1], [1], [0]])
    inside = network.encoder(append_bits(image, network.draw_bits(image))).logits
    sign = torch.tensor([1.0, -1, -1, 1])
    assert torch.equal(network(image).logits, sign * inside)
    assert torch.equal(network.pyramid(image)[0], sign * inside)


def test_bits_set_in_one_after_the_other_and_the_discriminator_is_told():
    times = {"start_kimg": 1.0, "interval_kimg": 4.0, "ramp_kimg": 2.0}
    config = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), levels=2, **times)
    network = UNetDiscriminatorConfig(encoder=config).build(ImageSpec(16, 16, 1), ExtraOutputs({8: 4}))
    levels = []
    for kimg in range(1, 13):
        network.after_update(kimg)  # also where another discriminator is around it
        levels.append(network.encoder.level.item())
    assert levels == [0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2, 2, 2]
    with pytest.raises(ValueError, match="give a shorter ramp"):
        PAGANDiscriminatorConfig(interval_kimg=1.0, ramp_kimg=2.0)


def test_a_discriminator_with_bits_draws_more_of_them_as_it_trains(tmp_path):
    config = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), interval_kimg=0.016, ramp_kimg=0.016)
    run = tiny.tiny_run(replace(tiny.dcgan(tiny.recipe), discriminator=config, regularizers={}), tmp_path)
    reals, levels = run.reals(), []
    for _ in range(4):
        train_step(run, next(reals))
        levels.append(float(run.networks["discriminator"].level))
    assert levels == [0, 0.5, 1, 1.5]
