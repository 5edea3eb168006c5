"""Duels of translators: what is made of what, what D sees, and where gradients go."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from translators import SmallEncoderConfig, SmallTranslatorConfig

from ggdr.augment.ada import ADA
from ggdr.games.paired import PairedGame
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.game import Game, Networks, Reals
from ggdr.registry import Capability

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)
DOMAINS = {"gray": GRAY, "colour": COLOUR}
BOTH = frozenset({Capability.REAL_GRAD, Capability.FAKE_GRAD})


def networks_of(game: Game, discriminator=None, domains=DOMAINS) -> Networks:
    torch.manual_seed(0)
    discriminator = discriminator or DCGANDiscriminatorConfig(channels=4)
    return game.build_networks(SmallTranslatorConfig(), discriminator, domains, NO_EXTRA)


def batch(domains=DOMAINS) -> dict[str, Reals]:
    """Smooth images, which two filters move alike."""
    torch.manual_seed(1)
    coarse = {name: torch.rand(4, spec.channels, 4, 4) * 2 - 1 for name, spec in domains.items()}
    return {name: Reals(F.interpolate(each, scale_factor=4, mode="bilinear")) for name, each in coarse.items()}


def augmentation(*pipeline) -> ADA:
    augment = ADA(fixed_p=1.0, pipeline=pipeline)
    augment.begin(torch.device("cpu"))
    return augment


def learning(networks: Networks, turn: str) -> None:
    for name, network in networks.named().items():
        network.requires_grad_(name in networks.learning[turn])


class TestPaired:
    """The source stands beside the image, wherever D sees one."""

    def duel(self, context: StepContext, **settings):
        game = PairedGame(**settings)
        networks = networks_of(game)
        (duel,) = game.duels(networks, batch(), context)
        return duel

    def test_the_fake_is_made_of_the_source_and_d_sees_both(self):
        duel = self.duel(StepContext("g"))
        assert torch.equal(duel.fake.image, duel.G(batch()["gray"].images).image)
        assert duel.D.spec == ImageSpec(16, 16, 4)
        assert torch.equal(duel.on_fake.image, torch.cat([batch()["gray"].images, duel.fake.image], 1))
        assert torch.equal(duel.on_real.image, torch.cat([batch()["gray"].images, batch()["colour"].images], 1))

    def test_one_that_is_not_conditional_sees_the_image_alone(self):
        duel = self.duel(StepContext("g"), conditional=False)
        assert duel.D.spec == COLOUR and torch.equal(duel.on_real.image, duel.reals)

    def test_a_part_of_a_batch_is_judged_beside_its_own_sources(self):
        duel = self.duel(StepContext("g"))
        judged = duel.judge(duel.reals[:2]).image
        assert torch.equal(judged, torch.cat([duel.source[:2], duel.reals[:2]], 1))

    def test_the_source_moves_as_the_image_does(self):
        duel = self.duel(StepContext("d", augment=augmentation("blit", "geometry")))
        duel.source = duel.reals[:, :1].clone()  # so that both can be compared
        source, image = duel.on_real.image.tensor_split([1], dim=1)
        assert not torch.allclose(image, duel.reals, atol=0.1)
        torch.testing.assert_close(source, image[:, :1], atol=0.2, rtol=0)  # by another filter

    def test_the_source_keeps_its_colours(self):
        duel = self.duel(StepContext("d", augment=augmentation("colour")))
        source, image = duel.on_real.image.tensor_split([1], dim=1)
        assert torch.equal(source, duel.source) and not torch.allclose(image, duel.reals, atol=0.1)

    def test_feature_maps_as_large_as_the_source_move_apart_from_it(self):
        duel = self.duel(StepContext("d", augment=augmentation("x_flip")))
        maps = {16: duel.reals[:, 1:].clone(), 8: torch.ones(4, 2, 8, 8)}
        judged = duel.judge(duel.reals, maps)
        assert {r: tuple(each.shape) for r, each in judged.target_features.items()} == {
            16: (4, 2, 16, 16),
            8: (4, 2, 8, 8),
        }
        torch.testing.assert_close(judged.target_features[16], judged.image[:, 2:], atol=0.05, rtol=0)


class TestUnpaired:
    """There and back."""

    def duels(self, turn: str = "g", requires=frozenset()):
        game = UnpairedGame()
        networks = networks_of(game)
        learning(networks, turn)
        return networks, game.duels(networks, batch(), StepContext(turn, requires))

    def test_each_direction_has_its_source_its_judge_and_its_name(self):
        networks, (there, back) = self.duels()
        assert (there.name, back.name) == ("gray_to_colour", "colour_to_gray")
        assert (there.G, there.D) == (networks["generator_ab"], networks["discriminator_b"])
        assert (back.G, back.D) == (networks["generator_ba"], networks["discriminator_a"])
        assert there.fake.image.shape == (4, 3, 16, 16) and back.fake.image.shape == (4, 1, 16, 16)

    def test_the_cycle_is_what_the_opposite_generator_makes_of_the_fake(self):
        networks, (there, back) = self.duels()
        a, b = (reals.images for reals in batch().values())
        to_b, to_a = (lambda x, n=n: networks[n](x).image for n in ("generator_ab", "generator_ba"))
        torch.testing.assert_close(there.cycled, to_a(to_b(a)))
        torch.testing.assert_close(back.cycled, to_b(to_a(b)))

    def test_the_identity_is_what_a_generator_makes_of_its_own_domain(self):
        game, domains = UnpairedGame(), {"a": COLOUR, "b": COLOUR}
        networks = networks_of(game, domains=domains)
        there, back = game.duels(networks, batch(domains), StepContext("g"))
        a, b = (reals.images for reals in batch(domains).values())
        torch.testing.assert_close(there.on_target.image, networks["generator_ab"](b).image)
        torch.testing.assert_close(back.on_target.image, networks["generator_ba"](a).image)

    def test_a_cycle_teaches_both_generators_and_on_ds_turn_nothing_leads_to_them(self):
        networks, (there, _) = self.duels()
        (there.cycled - there.source).abs().mean().backward()
        assert all(p.grad is not None for name in networks.learning["g"] for p in networks[name].parameters())
        networks, (there, back) = self.duels("d", BOTH)
        LeastSquares().total([there, back]).backward()
        assert there.fake.image.requires_grad and there.fake.image.is_leaf
        assert all(p.grad is None for name in networks.learning["g"] for p in networks[name].parameters())


class TestSharedEncoder:
    """Codes of the discriminators, which learn by judging alone."""

    def duels(self, turn: str, augment=None, requires=frozenset()):
        game = SharedEncoderGame()
        networks = networks_of(game, SmallEncoderConfig())
        learning(networks, turn)
        return networks, game.duels(networks, batch(), StepContext(turn, requires, augment=augment))

    def test_fakes_cycles_and_identities_are_made_of_codes(self):
        networks, (there, _) = self.duels("g")
        a, b = (reals.images for reals in batch().values())
        judge_a, judge_b = networks["discriminator_a"], networks["discriminator_b"]
        fake = networks["generator_ab"](judge_a.encode(a)).image
        torch.testing.assert_close(there.fake.image, fake)
        torch.testing.assert_close(there.cycled, networks["generator_ba"](judge_b.encode(fake)).image)
        torch.testing.assert_close(there.on_target.image, networks["generator_ab"](judge_b.encode(b)).image)

    def test_on_ds_turn_the_loss_of_one_judge_leaves_no_gradient_in_the_others_encoder(self):
        for requires in (frozenset(), BOTH):
            networks, (there, _) = self.duels("d", requires=requires)
            (there.on_fake.logits.mean() + there.on_fake.more_logits[0].mean()).backward()
            grads = {
                name: sum(float(p.grad.abs().sum()) for p in network.parameters() if p.grad is not None)
                for name, network in networks.named().items()
            }
            assert grads.pop("discriminator_b") > 0
            assert grads == {"discriminator_a": 0, "generator_ab": 0, "generator_ba": 0}

    def test_on_gs_turn_gradients_pass_through_the_encoders_to_the_generators_alone(self):
        networks, (there, _) = self.duels("g")
        (there.cycled - there.source).abs().mean().backward()
        touched = {
            n for n, network in networks.named().items() if any(p.grad is not None for p in network.parameters())
        }
        assert touched == {"generator_ab", "generator_ba"}

    @pytest.mark.parametrize("turn", ["g", "d"])
    def test_each_image_passes_its_judge_once_where_nothing_is_augmented(self, turn):
        networks, (there, back) = self.duels(turn)
        LeastSquares().total([there, back])
        if turn == "g":
            assert there.cycled is not None and back.on_target is not None
        assert {networks[f"discriminator_{domain}"].passes for domain in "ab"} == {2}

    def test_what_is_augmented_for_the_judge_is_encoded_as_it_is(self):
        networks, (there, _) = self.duels("g", augmentation("x_flip", "colour"))
        torch.testing.assert_close(there.shown_real, networks["discriminator_b"].encode(there.reals))
        code = networks["discriminator_a"].encode(there.source)
        torch.testing.assert_close(there.fake.image, networks["generator_ab"](code).image)
        torch.testing.assert_close(there.shown_fake, networks["discriminator_b"].encode(there.fake.image))
