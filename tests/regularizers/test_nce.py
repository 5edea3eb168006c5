"""PatchNCE against the published program and its formula: which places are compared with which, and who learns."""

from __future__ import annotations

import pytest
import torch
from golden_games import below
from torch.nn import functional as F

from ggdr.games.one_way import OneWayGame
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.patch_projector import PatchProjectorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.ops.contrast import patch_nce
from ggdr.play.duel import StepContext
from ggdr.play.game import Networks, Reals
from ggdr.play.one_way import OneWayDuel
from ggdr.regularizers.nce import IdentityPatchNCE, PatchNCE

SPEC = ImageSpec(16, 16, 3)
A, B = torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1


def played(turn: str = "g", generator=None, times: int = 1, **settings) -> tuple[Networks, OneWayDuel]:
    """Networks, and their duel on the same images each time."""
    torch.manual_seed(0)
    game = OneWayGame(projector=PatchProjectorConfig.tiny(), **settings)
    judge = DCGANDiscriminatorConfig(channels=4)
    generator = generator or ResnetTranslatorConfig(channels=4, blocks=3, halvings=1)
    networks = game.build_networks(generator, judge, {"a": SPEC, "b": SPEC}, NO_EXTRA)
    for name, network in networks.named().items():
        network.requires_grad_(name in networks.learning[turn])
    (duel,) = game.duels(
        networks, {"a": Reals(A.repeat(times, 1, 1, 1)), "b": Reals(B.repeat(times, 1, 1, 1))}, StepContext(turn)
    )
    return networks, duel


def test_the_loss_is_the_published_one():
    found = below("translators", "nce/")
    if not found:
        pytest.skip("GGDR_GOLDEN_GAMES names no folder whose translators.safetensors holds nce")
    loss = patch_nce(found["q"][None], found["k"][None], 0.07)
    torch.testing.assert_close(loss[0], found["loss"], rtol=1e-5, atol=1e-5)


def test_each_place_of_an_image_is_told_from_its_other_places_and_from_no_other_image():
    codes = F.normalize(torch.randn(2, 3, 5, 8), dim=-1)
    by_hand = torch.stack(
        [F.cross_entropy(q @ k.T / 0.1, torch.arange(5), reduction="none") for q, k in zip(*codes, strict=True)]
    )
    torch.testing.assert_close(patch_nce(*codes, 0.1), by_hand)


@pytest.mark.parametrize("term", [PatchNCE(patches=1000), IdentityPatchNCE(patches=1000)], ids=["nce", "identity"])
def test_the_term_is_the_mean_over_places_and_maps_of_what_was_made_and_what_it_was_made_of(term):
    networks, duel = played()
    net, project = networks["generator"], networks["projector"]
    source = A if term.name == "nce" else B
    codes = [
        project([each.flatten(2).mT for each in net.encoder_maps(images)]) for images in (net(source).image, source)
    ]
    losses = [
        F.cross_entropy(q @ k.T / 0.07, torch.arange(len(k)))
        for map_ in zip(*codes, strict=True)
        for q, k in zip(*map_, strict=True)
    ]
    torch.testing.assert_close(term.loss(duel), torch.stack(losses).mean())


def test_queries_and_keys_are_of_the_same_places_at_most_as_many_as_there_are():
    _, duel = played()
    for queries, keys in duel.compared(A, A, 20):
        torch.testing.assert_close(queries, keys)
    sizes = [queries.shape[1] for queries, _ in duel.patch_features(100)]
    assert sizes == [100, 64, 64, 64]


def test_the_generator_and_the_projector_learn_by_what_was_made_and_keys_teach_nothing():
    networks, duel = played()
    assert not any(keys.requires_grad for _, keys in duel.patch_features(8))
    PatchNCE().loss(duel).backward()
    grads = {name: [p.grad for p in net.parameters()] for name, net in networks.named().items()}
    assert all(grad is not None and grad.abs().sum() > 0 for grad in grads["projector"] if grad.ndim > 1)
    assert all(grad is not None for grad in grads["generator"]) and not any(
        p is not None for p in grads["discriminator"]
    )


def test_half_of_the_sources_are_shown_mirrored_and_what_is_said_of_the_fakes_is_mirrored_back():
    many = A.repeat(16, 1, 1, 1)
    networks, duel = played(generator=UNetTranslatorConfig.tiny(), times=16, flip_equivariance=True)
    made, plain = duel.fake.image, networks["generator"](many).image
    mirrored = networks["generator"](many.flip(3)).image
    which = duel.mirrored.flatten()
    assert 16 < which.sum() < 48
    torch.testing.assert_close(made[which], mirrored[which])
    torch.testing.assert_close(made[~which], plain[~which])
    duel.__dict__["fake"] = duel.fake._replace(image=torch.where(duel.mirrored, many.flip(3), many))
    queries, keys = duel.patch_features(1000)[0]
    torch.testing.assert_close(queries, keys)  # a fake that is the source itself, as it was shown


def test_no_source_is_mirrored_unless_it_is_asked_for_and_reals_never_are():
    networks, duel = played()
    assert duel.mirrored is None and torch.equal(duel.fake.image, networks["generator"](A).image)
    networks, duel = played(flip_equivariance=True)
    torch.testing.assert_close(duel.on_target.image, networks["generator"](B).image)


def test_nothing_leads_back_from_fakes_on_the_judges_turn():
    _, duel = played("d")
    assert not duel.fake.image.requires_grad
