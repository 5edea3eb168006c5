"""A duel whose reals have a label map: what D is asked of it, and that it moves as the images do."""

from __future__ import annotations

import pytest
import tiny
import torch
from terms import CLASSES, label_map_of

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.games.paired import PairedGame
from ggdr.games.progressive import Progressive
from ggdr.games.standard import StandardGame
from ggdr.networks.base import NO_EXTRA, ExtraOutputs, ImageSpec
from ggdr.networks.oasis import OASISDiscriminatorConfig
from ggdr.networks.progan import ProGANDiscriminatorConfig, ProGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.play.duel import Duel, StepContext, class_logits, label_map
from ggdr.play.translation import PairedDuel
from ggdr.play.view import Reals
from ggdr.registry import Capability

SPEC = ImageSpec(16, 16, 3)
MAPS = SPEC._replace(channels=CLASSES + 1, classes=CLASSES)
"""with an edge channel behind the classes"""
DOMAINS = {"map": MAPS, "image": SPEC}
REAL = frozenset({Capability.CLASS_LOGITS, Capability.LABEL_MAP})
BOTH = REAL | {Capability.FAKE_CLASS_LOGITS}
EVERYTHING = frozenset({*BOTH, Capability.G_FEATURES, Capability.D_FEATURES})
JUDGES = {"unet": UNetDiscriminatorConfig.tiny(), "oasis": OASISDiscriminatorConfig.tiny()}


def batch(n: int = 4) -> dict[str, Reals]:
    torch.manual_seed(3)
    shown = torch.cat([label_map_of(SPEC, n), torch.ones(n, 1, 16, 16)], 1)
    return {"map": Reals(shown), "image": Reals(torch.rand(n, 3, 16, 16) * 2 - 1)}


def duel(requires, judge="unet", augment=None, resolutions=(), turn="d") -> Duel:
    torch.manual_seed(0)
    game = StandardGame()
    targets = {16: 8, 8: 8} if resolutions else {}
    extra = ExtraOutputs(targets, {}, CLASSES + 1)
    networks = game.build_networks(tiny.STYLEGAN2, JUDGES[judge], DOMAINS, extra)
    if augment is not None:
        augment.begin(torch.device("cpu"))
    (made,) = game.duels(networks, batch(), StepContext(turn, requires, resolutions, augment=augment))
    return made


def test_images_of_noise_meet_reals_whose_classes_are_known_without_the_edges_behind_them():
    made = duel(REAL)
    assert torch.equal(made.label_map, label_map_of(SPEC, 4)) and torch.equal(made.reals, batch()["image"].images)
    assert made.fake_label_map is None and made.fake.image.shape == (4, 3, 16, 16)
    assert Capability.LABEL_MAP in made.offers


def test_a_translation_of_label_maps_knows_the_classes_of_its_fakes_too():
    game = PairedGame(conditional=False)
    networks = game.build_networks(UNetTranslatorConfig.tiny(), JUDGES["oasis"], DOMAINS, ExtraOutputs({}, {}, 5))
    (made,) = game.duels(networks, batch(), StepContext("d", BOTH))
    assert isinstance(made, PairedDuel) and torch.equal(made.fake_label_map, label_map_of(SPEC, 4))
    assert torch.equal(made.on_fake.label_map, made.label_map) and class_logits(made.on_fake).shape == (4, 5, 16, 16)


def test_images_without_a_map_offer_none():
    game = StandardGame()
    networks = game.build_networks(tiny.STYLEGAN2, tiny.recipe.discriminator, {"real": SPEC}, NO_EXTRA)
    (made,) = game.duels(networks, {"real": batch()["image"]}, StepContext("d"))
    assert made.label_map is None and Capability.LABEL_MAP not in made.offers
    with pytest.raises(RuntimeError, match="no label map is known"):
        label_map(made.on_real)


@pytest.mark.parametrize("judge", JUDGES)
def test_d_tells_classes_of_reals_where_a_term_reads_them_and_of_fakes_where_it_reads_these(judge):
    made = duel(REAL, judge)
    assert made.on_real.class_logits.shape == (4, 5, 16, 16) and made.on_real.class_logits.dtype == torch.float32
    assert made.on_fake.class_logits is None
    assert duel(BOTH, judge).on_fake.class_logits.shape == (4, 5, 16, 16)
    without = duel(frozenset(), judge)
    with pytest.raises(RuntimeError, match="requires CLASS_LOGITS"):
        class_logits(without.on_real)


def test_a_growing_game_takes_maps_along():
    game = Progressive(stage_kimg=1.0, fade_kimg=1.0)
    networks = game.build_networks(ProGANGeneratorConfig.tiny(), ProGANDiscriminatorConfig.tiny(), DOMAINS, NO_EXTRA)
    (made,) = game.duels(networks, batch(), StepContext("d", kimg=0.5))
    assert torch.equal(made.label_map, label_map_of(SPEC, 4)) and not torch.equal(made.reals, batch()["image"].images)


@pytest.mark.parametrize("pipeline", ["x_flip", "quarter_turns", "integer_shift", "rotation", "scale", "colour"])
def test_the_map_moves_exactly_as_its_image_beside_maps_of_g_of_the_same_height(pipeline):
    """The reals are painted by their own maps, so that what has moved can be read off them."""
    made = duel(EVERYTHING, augment=ADA(fixed_p=1.0, pipeline=(pipeline,)), resolutions=(8, 16))
    made.reals = (made.label_map[:, :3] * 2 - 1).clone()
    seen = made.on_real
    assert seen.label_map.shape == made.label_map.shape
    painted = seen.label_map[:, :3] * 2 - 1
    if pipeline == "colour":
        assert torch.equal(seen.label_map, made.label_map) and not torch.equal(seen.image, made.reals)
    else:  # the image is filtered as it moves, and the map is not
        assert 2 * (seen.image - painted).abs().mean() < (seen.image - made.reals).abs().mean()
    fake = made.on_fake
    assert fake.label_map is None and {r: x.shape[1] for r, x in fake.target_features.items()} == {8: 8, 16: 8}


def test_what_moves_in_are_pixels_that_are_ignored_where_the_image_gets_none():
    made = duel(REAL, augment=DiffAugment(policy=("translation",)))
    seen = made.on_real
    empty = seen.image.abs().sum(1) == 0
    assert empty.any() and (seen.label_map.sum(1)[empty] == 0).all()


def test_a_map_moves_beside_what_a_conditional_d_is_shown():
    game = PairedGame()
    networks = game.build_networks(UNetTranslatorConfig.tiny(), UNetDiscriminatorConfig.tiny(), DOMAINS, NO_EXTRA)
    augment = ADA(fixed_p=1.0, pipeline=("x_flip", "quarter_turns"))
    augment.begin(torch.device("cpu"))
    (made,) = game.duels(networks, batch(), StepContext("d", frozenset({Capability.LABEL_MAP}), augment=augment))
    seen = made.on_real
    assert torch.equal(seen.image[:, :CLASSES], seen.label_map)
    assert seen.image.shape[1] == CLASSES + 1 + 3 and not torch.equal(seen.label_map, made.label_map)


def test_a_decoder_draws_classes_and_maps_of_g_by_the_same_layers():
    made = duel(EVERYTHING, resolutions=(8,))
    made.on_real.class_logits.square().mean().backward(retain_graph=True)
    touched = {name for name, weight in made.D.named_parameters() if weight.grad is not None and "decoder" in name}
    assert {"decoder.b8.weight", "decoder.b16.weight", "decoder.classes.weight"} <= touched
    assert not any("project" in name for name in touched)


@pytest.mark.parametrize("name", ["image", "map"])
def test_domains_that_are_no_map_of_the_images_are_refused(name):
    strange = DOMAINS | {name: DOMAINS[name]._replace(height=32, classes=0)}
    strange = strange | {"map": strange["map"]._replace(classes=0)}
    with pytest.raises(ValueError, match="label maps of their size may lie, and the data has map, image: take --game"):
        StandardGame().build_networks(tiny.STYLEGAN2, JUDGES["unet"], strange, NO_EXTRA)
