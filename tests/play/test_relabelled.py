"""Duels between the labels of one domain: what is made of what, under which labels, and what terms ask of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.games.relabelled import RelabelledGame
from ggdr.networks.base import ExtraOutputs, Head, ImageSpec
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.view import Reals
from ggdr.registry import Capability
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity

SPEC = ImageSpec(16, 16, 3, 4)
IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1
LABELS = torch.eye(4)[[2, 0, 1, 3]]
HEADS = frozenset({Capability.HEADS})


def play(turn: Any, labels: torch.Tensor = LABELS):
    torch.manual_seed(0)
    heads = ExtraOutputs(heads={"classes": Head(4)})
    game, judge = RelabelledGame(), StarGANDiscriminatorConfig.tiny()
    networks = game.build_networks(ResnetTranslatorConfig.tiny(), judge, {"real": SPEC}, heads)
    (duel,) = game.duels(networks, {"real": Reals(IMAGES, labels)}, StepContext(turn, HEADS))
    return networks["generator"], networks["discriminator"], duel


def test_each_real_is_made_into_the_label_of_the_next():
    G, _, duel = play("g")
    for place in range(4):
        before = IMAGES[place - 1 : place or None][:1]
        torch.testing.assert_close(duel.fake.image[place], G(before, LABELS[place : place + 1]).image[0])


def test_the_way_back_is_that_of_the_same_generator_under_the_sources_own_labels():
    G, _, duel = play("g")
    source, own = IMAGES[[3, 0, 1, 2]], LABELS[[3, 0, 1, 2]]
    back = G(G(source, LABELS).image, own).image
    torch.testing.assert_close(CycleConsistency(weight=1.0).loss(duel), F.l1_loss(back, source))


def test_identity_is_each_real_under_its_own_label():
    G, _, duel = play("g")
    torch.testing.assert_close(Identity(weight=1.0).loss(duel), F.l1_loss(G(IMAGES, LABELS).image, IMAGES))


def test_d_learns_the_classes_of_reals_alone_and_g_those_it_was_to_make():
    told = AuxiliaryClassifier(fakes=False)
    G, D, duel = play("d")
    of_reals = F.cross_entropy(D(IMAGES).head_outputs["classes"], LABELS)
    torch.testing.assert_close(told.loss(duel), of_reals)
    assert "fake" not in vars(duel)  # no pass that nobody reads
    source = IMAGES[[3, 0, 1, 2]]
    of_fakes = F.cross_entropy(D(G(source, LABELS).image).head_outputs["classes"], LABELS)
    torch.testing.assert_close(AuxiliaryClassifier().loss(duel), of_reals + of_fakes)
    torch.testing.assert_close(told.loss(play("g")[2]), of_fakes)


def test_attributes_are_told_one_by_one_and_minus_one_is_none():
    labels = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]])
    ranged = SPEC._replace(label_ranges=((0, 1), (-1, 1), (0, 1), (0, 1)))
    term, why = AuxiliaryClassifier(fakes=False).resolve(ranged, 4)
    assert term.attributes and "attributes" in why
    signed = labels.clone()
    signed[:, 1] = 2 * labels[:, 1] - 1
    _, D, duel = play("d", signed)
    answers = D(IMAGES).head_outputs["classes"]
    chances = torch.where(labels > 0, answers.sigmoid(), 1 - answers.sigmoid())
    torch.testing.assert_close(term.loss(duel), -chances.log().sum(1).mean())


def test_classes_stay_classes_and_numbers_are_no_attributes():
    assert AuxiliaryClassifier().resolve(SPEC, 4) == (AuxiliaryClassifier(attributes=False), "")
    ages = SPEC._replace(label_names=("smile", "age", "c", "d"), label_ranges=((0, 1), (18, 80), (0, 1), (0, 1)))
    with pytest.raises(UserError, match=r"'age' of the labels goes from 18 to 80: choose others \(--data.labels\)"):
        AuxiliaryClassifier().resolve(ages, 4)
    assert AuxiliaryClassifier(attributes=False).resolve(ages, 4)[0].attributes is False
