"""Terms of translators, each against its formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from translators import SmallEncoderConfig, SmallTranslatorConfig

from ggdr.games.paired import PairedGame
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.game import Game, Reals
from ggdr.registry import Capability
from ggdr.regularizers.cam import ClassActivationMaps
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.l1 import L1Distance
from ggdr.regularizers.l2 import L2Distance
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching

SPEC = ImageSpec(16, 16, 3)
A, B = torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1


def duels(game: Game, discriminator=None, requires=frozenset(), translator=None):
    torch.manual_seed(0)
    judge = discriminator or DCGANDiscriminatorConfig(channels=4)
    networks = game.build_networks(translator or SmallTranslatorConfig(), judge, {"a": SPEC, "b": SPEC}, NO_EXTRA)
    return networks, game.duels(networks, {"a": Reals(A), "b": Reals(B)}, StepContext("g", requires))


def test_l1_is_the_mean_absolute_difference_from_the_truth():
    networks, (duel,) = duels(PairedGame())
    expected = (networks["generator"](A).image - B).abs().mean()
    torch.testing.assert_close(L1Distance().loss(duel), expected)


def test_l2_is_the_mean_squared_difference_from_the_truth():
    networks, (duel,) = duels(PairedGame())
    expected = (networks["generator"](A).image - B).square().mean()
    torch.testing.assert_close(L2Distance().loss(duel), expected)


def test_cycle_is_the_mean_absolute_difference_of_what_came_back_for_both_domains():
    networks, both = duels(UnpairedGame())
    to_b, to_a = networks["generator_ab"], networks["generator_ba"]
    expected = (to_a(to_b(A).image).image - A).abs().mean() + (to_b(to_a(B).image).image - B).abs().mean()
    torch.testing.assert_close(CycleConsistency().total(both), expected)


def test_identity_is_the_mean_absolute_difference_of_what_was_of_the_domain_already():
    networks, both = duels(UnpairedGame())
    to_b, to_a = networks["generator_ab"], networks["generator_ba"]
    expected = (to_b(B).image - B).abs().mean() + (to_a(A).image - A).abs().mean()
    torch.testing.assert_close(Identity().total(both), expected)


def test_cam_asks_each_translators_classifiers_to_tell_its_source_from_its_target():
    networks, both = duels(UnpairedGame(), translator=UGATITTranslatorConfig.tiny())
    expected = torch.zeros([])
    for name, source, target in (("generator_ab", A, B), ("generator_ba", B, A)):
        of_source, of_target = (networks[name](shown).head_outputs["cam"] for shown in (source, target))
        entropy = F.binary_cross_entropy_with_logits
        expected = expected + entropy(of_source, torch.ones(4, 2)) + entropy(of_target, torch.zeros(4, 2))
    torch.testing.assert_close(ClassActivationMaps().total(both), expected)
    assert ClassActivationMaps().weight == 1000.0


def test_squares_of_ugatits_discriminators_are_of_both_networks_and_of_the_classifiers_in_both():
    judge, translator = UGATITDiscriminatorConfig.tiny(), UGATITTranslatorConfig.tiny()
    networks, (duel, _) = duels(UnpairedGame(pool=0), judge, translator=translator)
    D, fake = networks["discriminator_b"], networks["generator_ab"](A).image
    real, false = ([said.logits, *said.more_logits] for said in (D(B), D(fake)))
    expected = sum((r - 1).square().mean() + f.square().mean() for r, f in zip(real, false, strict=True))
    assert len(real) == 4 and real[1].shape == real[3].shape == (4, 2)
    duel.context = duel.context._replace(turn="d")
    torch.testing.assert_close(2 * LeastSquares().loss(duel), expected)
    duel.context = duel.context._replace(turn="g")
    torch.testing.assert_close(2 * LeastSquares().loss(duel), sum((f - 1).square().mean() for f in false))


def test_with_shared_encoders_identity_is_what_nice_gan_calls_reconstruction():
    networks, both = duels(SharedEncoderGame(), SmallEncoderConfig())
    to_b, to_a = networks["generator_ab"], networks["generator_ba"]
    codes_a, codes_b = networks["discriminator_a"].encode(A), networks["discriminator_b"].encode(B)
    expected = (to_b(codes_b).image - B).abs().mean() + (to_a(codes_a).image - A).abs().mean()
    torch.testing.assert_close(Identity().total(both), expected)


def test_feature_matching_of_pairs_compares_map_by_map_and_pair_by_pair():
    networks, (duel,) = duels(PairedGame(), requires=frozenset({Capability.PYRAMID}))
    judge = networks["discriminator"]
    real = judge(torch.cat([A, B], 1)).maps
    fake = judge(torch.cat([A, networks["generator"](A).image], 1)).maps
    expected = sum((real[r] - fake[r]).abs().mean() for r in real)
    torch.testing.assert_close(PairedFeatureMatching().loss(duel), expected)


@pytest.mark.parametrize("wrapped", [False, True])
def test_feature_matching_of_pairs_sums_over_all_layers_of_all_scales(wrapped):
    patch = PatchDiscriminatorConfig(channels=4, halvings=1, scales=2)
    judge = UNetDiscriminatorConfig(encoder=patch) if wrapped else patch
    networks, (duel,) = duels(PairedGame(), judge, frozenset({Capability.PYRAMID}))
    inside = networks["discriminator"].encoder if wrapped else networks["discriminator"]
    pairs = [torch.cat([A, each], 1) for each in (B, networks["generator"](A).image)]
    expected = torch.zeros([])
    for scale, net in enumerate(inside.nets):
        real, fake = (F.avg_pool2d(p, 3, 2, 1, count_include_pad=False) if scale else p for p in pairs)
        for layer in net.layers:
            real, fake = layer(real), layer(fake)
            expected = expected + (real - fake).abs().mean()
    torch.testing.assert_close(PairedFeatureMatching().loss(duel), expected)
    assert sum(1 for net in inside.nets for _ in net.layers) == 4


def test_maps_that_no_term_reads_are_not_kept():
    _, (duel,) = duels(PairedGame(), PatchDiscriminatorConfig(channels=4, halvings=1, scales=2))
    assert duel.on_fake.layer_maps == () and duel.on_fake.maps == {}
