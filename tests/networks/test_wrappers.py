"""Discriminators around another: what the inner one gives is handed on, so GGDR goes with every part of the zoo."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest
import torch
from places import ROOT
from registered import own

from ggdr.networks.base import NO_EXTRA, ExtraOutputs, ImageSpec
from ggdr.networks.conditional import ConcatDiscriminatorConfig, UnconditionalDiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.dcgan.discriminator import DCGANDiscriminator
from ggdr.networks.fastgan import FastGANDiscriminatorConfig
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.pa_gan.discriminator import append_bits
from ggdr.networks.progan import ProGANDiscriminatorConfig
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discover, discriminators

sys.path.insert(0, str(ROOT / "scripts"))

from zoo_arms import arm, zoo

BRIEF, DRAWS = ImageSpec(16, 16, 1), ExtraOutputs({8: 4})
IMAGE = torch.linspace(-1, 1, 2 * 256).view(2, 1, 16, 16)
discover()
AROUND = sorted(name for name, part in own("discriminator").items() if issubclass(part, WrapperConfig))


@pytest.mark.parametrize("name", sorted(zoo()))
def test_every_recipe_of_the_zoo_carries_ggdr(name):
    recipe = arm(zoo()[name], True)
    assert any(term.name == "ggdr" for term in recipe.regularizers.values())


@pytest.mark.parametrize("name", AROUND)
def test_one_gives_what_is_its_own_and_its_encoder_s(name):
    kind = discriminators[name]
    own = kind.provides
    for encoder in (
        MSGGANDiscriminatorConfig.tiny(),
        FastGANDiscriminatorConfig.tiny(),
        UNetGANDiscriminatorConfig.tiny(),
    ):
        assert kind(encoder=encoder).provides == own | (encoder.provides - kind.hides)
    assert kind.provides == own  # which no instance changes


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (UnconditionalDiscriminatorConfig, True),
        (UNetDiscriminatorConfig, True),
        (ConcatDiscriminatorConfig, False),
        (PAGANDiscriminatorConfig, False),
    ],
)
def test_pictures_and_sizes_are_withheld_where_the_encoder_sees_further_channels(kind, whole):
    assert (Capability.RECONSTRUCTION in kind(encoder=FastGANDiscriminatorConfig.tiny()).provides) == whole
    assert (Capability.SCALES in kind(encoder=MSGGANDiscriminatorConfig.tiny()).provides) == whole


def test_clipping_reaches_the_encoder_and_leaves_the_decoder():
    network = UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny()).build(BRIEF, DRAWS)
    before = [parameter.clone() for parameter in network.decoder.parameters()]
    network.clip(1e-4)
    assert max(parameter.abs().max() for parameter in network.encoder.parameters()) <= 1e-4
    assert all(torch.equal(*pair) for pair in zip(before, network.decoder.parameters(), strict=True))


def test_bits_turn_the_pixels_as_they_turn_the_image():
    network = PAGANDiscriminatorConfig(encoder=UNetGANDiscriminatorConfig.tiny(), levels=1).build(BRIEF, DRAWS).eval()
    vars(network)["draw_bits"] = lambda image: torch.tensor([[1.0], [0.0]])
    said, inside = network(IMAGE), network.encoder(append_bits(IMAGE, network.draw_bits(IMAGE)))
    sign = torch.tensor([-1.0, 1.0])
    assert torch.equal(said.logits, sign * inside.logits)
    assert torch.equal(said.pixel_logits, sign.view(2, 1, 1, 1) * inside.pixel_logits)


@pytest.mark.parametrize("name", AROUND)
def test_the_pixels_of_one_are_those_of_its_encoder(name):
    network = discriminators[name](encoder=UNetGANDiscriminatorConfig.tiny()).build(BRIEF, DRAWS).eval()
    said = network(IMAGE)
    assert said.pixel_logits.shape == (2, 1, 16, 16)
    logits, maps = network.pyramid(IMAGE)
    assert torch.equal(logits, said.logits) and maps.keys() == network.map_channels.keys()


@dataclass(frozen=True, kw_only=True)
class SleeperConfig(DCGANDiscriminatorConfig):
    """A discriminator whose last layer learns nothing before a time."""

    def build(self, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA) -> Sleeper:
        return Sleeper(self, spec, extra)


class Sleeper(DCGANDiscriminator):
    def resting(self, kimg: float) -> list[torch.nn.Parameter]:
        return [*self.out.parameters()] if kimg < 2 else []


@pytest.mark.parametrize("name", AROUND)
def test_what_rests_in_an_encoder_rests_in_what_is_around_it(name):
    network = discriminators[name](encoder=SleeperConfig.tiny()).build(BRIEF, DRAWS)
    assert {*map(id, network.resting(1.0))} == {*map(id, network.encoder.out.parameters())}
    assert network.resting(2.0) == []


def test_bits_pictures_and_growth_go_through_a_unet():
    bits = UNetDiscriminatorConfig(encoder=PAGANDiscriminatorConfig.tiny()).build(BRIEF, DRAWS)
    bits.set_kimg(250.0)  # half of the first interval
    assert bits.encoder.level == 1
    fastgan = UNetDiscriminatorConfig(encoder=FastGANDiscriminatorConfig.tiny()).build(BRIEF, DRAWS).eval()
    torch.manual_seed(0)
    through = fastgan.reconstruct(fastgan(IMAGE).maps, IMAGE)
    torch.manual_seed(0)
    inside = fastgan.encoder.reconstruct(fastgan.encoder(IMAGE).maps, IMAGE)
    assert all(torch.equal(through[key].drawn, inside[key].drawn) for key in ("whole", "part"))
    growing = UNetDiscriminatorConfig(encoder=ProGANDiscriminatorConfig.tiny()).build(BRIEF, DRAWS)
    whole = growing(IMAGE).logits
    growing.grow(0.0)
    assert not torch.allclose(growing(IMAGE).logits, whole)


def test_a_unet_within_draws_for_what_is_around_it():
    network = ConcatDiscriminatorConfig(encoder=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny())).build(
        BRIEF._replace(labels=3), DRAWS
    )
    drawn = network(IMAGE, torch.eye(3)[:2], resolutions=(8,)).features
    assert drawn[8].shape == (2, 4, 8, 8)


@pytest.mark.parametrize("kind", [UnconditionalDiscriminatorConfig, UNetDiscriminatorConfig])
def test_opening_a_model_fetches_nothing_whatever_its_description_says(kind, tmp_path, monkeypatch):
    inner = TimmDiscriminatorConfig(model="test_efficientnet", weights="random")
    network = kind(encoder=inner).build(BRIEF).eval()
    network.save_pretrained(tmp_path)
    stranger = (tmp_path / "config.json").read_text().replace('"random"', '"pretrained"')
    (tmp_path / "config.json").write_text(stranger)
    monkeypatch.setattr("ggdr.networks.timm.backbone.own_weights", lambda name: pytest.fail("asked the Hub"))
    again = type(network).from_pretrained(tmp_path)
    assert torch.equal(again(IMAGE).logits, network(IMAGE).logits)
    assert '"pretrained"' in stranger and again.config.encoder.weights == "random"
