"""The U-Net discriminator: what its decoder draws, when it runs, and what it refuses."""

from dataclasses import replace

import pytest
import torch

from ggdr.networks.base import Brief, DiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminator
from ggdr.networks.stylegan2 import StyleGAN2Discriminator
from ggdr.networks.unet import UNet

JUDGE = StyleGAN2Discriminator.tiny()
ENCODERS = {
    "resnet": JUDGE,
    "skip": replace(JUDGE, architecture="skip"),
    "dcgan": DCGANDiscriminator.tiny(),
}


def build(encoder=JUDGE, guide=None, **how):
    return UNet(encoder=encoder, **how).build(Brief(32, 32, guide={8: 8, 16: 5} if guide is None else guide))


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_it_draws_what_is_asked_with_the_generators_channels(encoder):
    network = build(encoder, {8: 7, 16: 5, 32: 3})
    drawn = network(torch.randn(2, 3, 32, 32), sides=(8, 32)).features
    assert {side: tuple(x.shape) for side, x in drawn.items()} == {8: (2, 7, 8, 8), 32: (2, 3, 32, 32)}


def test_the_decoder_runs_only_where_asked():
    network, image = build(), torch.randn(2, 3, 32, 32)
    passes = []
    network.decoder.register_forward_hook(lambda *_: passes.append("decoder"))
    network.decoder.b16.register_forward_hook(lambda *_: passes.append("b16"))
    assert network(image).features == {}
    assert passes == []
    network(image, sides=(8,))
    assert passes == ["decoder"]
    network(image, sides=(16,))
    assert passes == ["decoder", "b16", "decoder"]


def test_nothing_is_built_without_a_guide():
    assert not list(build(guide={}).decoder.parameters())
    names = {name.split(".")[0] for name, _ in build(guide={8: 8}).decoder.named_parameters()}
    assert names == {"b8"}


def test_drawing_is_the_encoders_judgement_too():
    network, image = build(), torch.randn(2, 3, 32, 32)
    assert torch.equal(network(image, sides=(16,)).logits, network.encoder(image).logits)


def test_drawn_maps_teach_encoder_and_decoder():
    network = build()
    network(torch.randn(2, 3, 32, 32), sides=(16,)).features[16].square().sum().backward()
    assert network.encoder.b32.conv0.weight.grad.abs().sum() > 0
    assert network.decoder.b8.weight.grad.abs().sum() > 0


def test_a_side_out_of_reach_is_refused_with_those_in_reach():
    with pytest.raises(ValueError, match=r"64.*\[8, 16, 32\]"):
        build(guide={64: 8})


def test_a_side_that_was_not_built_is_refused():
    with pytest.raises(ValueError, match=r"\[32\].*\[8, 16\]"):
        build()(torch.randn(2, 3, 32, 32), sides=(32,))


def test_an_encoder_without_a_pyramid_is_refused():
    class Blind(DiscriminatorConfig):
        name = "blind"

    with pytest.raises(ValueError, match="'blind'.*pyramid"):
        build(Blind())


def test_it_gives_what_its_encoder_gives_and_features():
    assert UNet().gives == {"d_features", "pyramid"}
