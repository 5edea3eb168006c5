"""Discriminators around another: what the inner one gives is handed on, so GGDR goes with every part of the zoo."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from ggdr.networks.around import Around
from ggdr.networks.base import Brief
from ggdr.networks.conditional import Blind, Concat
from ggdr.networks.dcgan import DCGANDiscriminator
from ggdr.networks.fastgan import FastGANDiscriminator
from ggdr.networks.msg_gan import MSGGANDiscriminator
from ggdr.networks.pa_gan import PAGANDiscriminator
from ggdr.networks.pa_gan.discriminator import joined
from ggdr.networks.progan import ProGANDiscriminator
from ggdr.networks.timm import TimmDiscriminator
from ggdr.networks.unet import UNet
from ggdr.networks.unet_gan import UNetGANDiscriminator
from ggdr.registry import discover, discriminators

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from zoo_arms import arm, zoo

BRIEF = Brief(16, 16, 1, guide={8: 4})
IMAGE = torch.linspace(-1, 1, 2 * 256).view(2, 1, 16, 16)
discover()
AROUND = sorted(name for name, part in discriminators.items() if issubclass(part, Around))


@pytest.mark.parametrize("name", sorted(zoo()))
def test_every_recipe_of_the_zoo_carries_ggdr(name):
    recipe = arm(zoo()[name], True)
    assert any(term.name == "ggdr" for term in recipe.regularizers.values())


@pytest.mark.parametrize("name", AROUND)
def test_one_gives_what_is_its_own_and_its_encoder_s(name):
    kind = discriminators[name]
    for encoder in (MSGGANDiscriminator.tiny(), FastGANDiscriminator.tiny(), UNetGANDiscriminator.tiny()):
        assert kind(encoder=encoder).gives == kind.gives | (encoder.gives - kind.withholds)
    assert kind.tiny().gives == kind.gives  # which was not changed by the instances before


@pytest.mark.parametrize(("kind", "whole"), [(Blind, True), (UNet, True), (Concat, False), (PAGANDiscriminator, False)])
def test_pictures_and_sizes_are_withheld_where_the_encoder_sees_further_channels(kind, whole):
    assert ("reconstruction" in kind(encoder=FastGANDiscriminator.tiny()).gives) == whole
    assert ("scales" in kind(encoder=MSGGANDiscriminator.tiny()).gives) == whole


def test_clipping_reaches_the_encoder_and_leaves_the_decoder():
    network = UNet(encoder=DCGANDiscriminator.tiny()).build(BRIEF)
    before = [parameter.clone() for parameter in network.decoder.parameters()]
    network.clip(1e-4)
    assert max(parameter.abs().max() for parameter in network.encoder.parameters()) <= 1e-4
    assert all(torch.equal(*pair) for pair in zip(before, network.decoder.parameters(), strict=True))


def test_bits_turn_the_pixels_as_they_turn_the_image():
    network = PAGANDiscriminator(encoder=UNetGANDiscriminator.tiny(), levels=1).build(BRIEF).eval()
    vars(network)["drawn"] = lambda image: torch.tensor([[1.0], [0.0]])
    said, inside = network(IMAGE), network.encoder(joined(IMAGE, network.drawn(IMAGE)))
    sign = torch.tensor([-1.0, 1.0])
    assert torch.equal(said.logits, sign * inside.logits)
    assert torch.equal(said.dense, sign.view(2, 1, 1, 1) * inside.dense)


@pytest.mark.parametrize("name", AROUND)
def test_the_pixels_of_one_are_those_of_its_encoder(name):
    network = discriminators[name](encoder=UNetGANDiscriminator.tiny()).build(BRIEF).eval()
    said = network(IMAGE)
    assert said.dense.shape == (2, 1, 16, 16)
    logits, maps = network.pyramid(IMAGE)
    assert torch.equal(logits, said.logits) and maps.keys() == network.map_channels.keys()


def test_bits_pictures_and_growth_go_through_a_unet():
    bits = UNet(encoder=PAGANDiscriminator.tiny()).build(BRIEF)
    bits.reach(torch.tensor(1.0))
    assert bits.encoder.level == 1
    fastgan = UNet(encoder=FastGANDiscriminator.tiny()).build(BRIEF).eval()
    torch.manual_seed(0)
    through = fastgan.redraw(fastgan(IMAGE).maps, IMAGE)
    torch.manual_seed(0)
    inside = fastgan.encoder.redraw(fastgan.encoder(IMAGE).maps, IMAGE)
    assert all(torch.equal(through[key].drawn, inside[key].drawn) for key in ("whole", "part"))
    growing = UNet(encoder=ProGANDiscriminator.tiny()).build(BRIEF)
    whole = growing(IMAGE).logits
    growing.grow(0.0)
    assert not torch.allclose(growing(IMAGE).logits, whole)


def test_a_unet_within_draws_for_what_is_around_it():
    network = Concat(encoder=UNet(encoder=DCGANDiscriminator.tiny())).build(BRIEF._replace(labels=3))
    drawn = network(IMAGE, torch.eye(3)[:2], sides=(8,)).features
    assert drawn[8].shape == (2, 4, 8, 8)


@pytest.mark.parametrize("kind", [Blind, UNet])
def test_opening_a_model_fetches_nothing_whatever_its_description_says(kind, tmp_path, monkeypatch):
    inner = TimmDiscriminator(model="test_efficientnet", weights="random")
    network = kind(encoder=inner).build(BRIEF._replace(guide={})).eval()
    network.save_pretrained(tmp_path)
    stranger = (tmp_path / "config.json").read_text().replace('"random"', '"pretrained"')
    (tmp_path / "config.json").write_text(stranger)
    monkeypatch.setattr("ggdr.networks.timm.backbone.own_weights", lambda name: pytest.fail("asked the Hub"))
    again = type(network).from_pretrained(tmp_path)
    assert torch.equal(again(IMAGE).logits, network(IMAGE).logits)
    assert '"pretrained"' in stranger and again.config.encoder.weights == "random"
