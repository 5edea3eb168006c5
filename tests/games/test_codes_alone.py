"""An adversarial autoencoder, as somebody may write it: a game whose only discriminator judges codes (1511.05644)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import pytest
import several
import tiny
import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.games.standard import StandardGame
from ggdr.networks.base import EncoderConfig, ImageSpec
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.play.codes import CodeDuel, as_images, code_spec
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.view import Reals
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability, games
from ggdr.regularizers.bcr import BCR
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.r1 import R1
from ggdr.train import train_step


@dataclass
class DecodedDuel(CodeDuel):
    """Codes that a decoder makes images of again."""

    decoder: Any = field(kw_only=True)
    source: Tensor = field(kw_only=True)
    provides: ClassVar = CodeDuel.provides | {Capability.CYCLE}

    @cached_property
    def cycled(self) -> Tensor:
        return self.decoder(self.fake.image.flatten(1), self.labels).image


@games.register("codes_alone")
@dataclass(frozen=True, kw_only=True)
class CodesAlone(StandardGame):
    """An encoder and a generator redraw images by codes, which a discriminator holds to a normal prior."""

    encoder: EncoderConfig = field(default_factory=lambda: ConvEncoderConfig(channels=4, stochastic=True))
    turns: ClassVar = ("d", "g")
    provides: ClassVar = DecodedDuel.provides

    def build_networks(self, generator, discriminator, domains: Mapping[str, ImageSpec], extra) -> Networks:
        (spec,) = domains.values()
        decoder = self.of_noise(generator).build(spec)
        encoder = dataclasses.replace(self.encoder, code_dim=decoder.z_dim).build(spec)
        judge = discriminator.build(code_spec(decoder.z_dim, of=spec), extra)
        return Networks({"d": {"discriminator": judge}, "g": {"generator": decoder, "encoder": encoder}})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        ((images, labels),) = batch.values()
        encoder, decoder = networks["encoder"], networks["generator"]
        prior = as_images(torch.randn(len(images), decoder.z_dim, device=images.device))
        how = {"find": lambda: encoder(images, labels).sample(), "decoder": decoder, "source": images}
        return [DecodedDuel(encoder, networks["discriminator"], prior, labels, context, name="codes", **how)]


def recipe(**changes):
    settings = {
        "game": CodesAlone(),
        "discriminator": MLPDiscriminatorConfig.tiny(),
        "regularizers": {"cycle": CycleConsistency(), "r1": R1(weight=0.1, every=2)},
    }
    return dataclasses.replace(several.recipe("found_codes"), **(settings | changes))


def test_a_discriminator_of_codes_may_be_the_only_one(tmp_path):
    run = tiny.tiny_run(recipe(), tmp_path)
    before = {name: [p.clone() for p in network.parameters()] for name, network in run.networks.named().items()}
    assert run.augment.acts and run.networks["discriminator"].spec[:3] == (1, 1, 8)
    stats = train_step(run, next(run.reals()))
    assert {"loss/d/r1", "loss/g/cycle", "signs/real", "spread/fake", "logits/real/codes"} <= stats.keys()
    assert all(torch.isfinite(value).all() for value in stats.values())
    for name, network in run.networks.named().items():
        assert not all(torch.equal(p, old) for p, old in zip(network.parameters(), before[name], strict=True))


def test_what_moves_images_is_refused_before_the_run(tmp_path):
    odd = recipe(regularizers={"bcr": BCR()})
    with pytest.raises(UserError, match=r"regularizer 'bcr' requires images; .* drop it: --regularizers\.bcr none"):
        fit(odd, odd.data.open().domains)
