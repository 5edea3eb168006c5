"""Few labels beside many images: who judges what, who learns classes, and which images keep their labels."""

from __future__ import annotations

import dataclasses
from collections import Counter

import coded
import pytest
import tiny
import torch
from torch.nn import functional as F

from ggdr.augment.none import NoAugmentation
from ggdr.data.digits import Digits
from ggdr.data.semi_supervised import SemiSupervised
from ggdr.errors import UserError
from ggdr.losses.none import NoLoss
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.structured import Structured
from ggdr.recipe.fitting import fit
from ggdr.train import train_step

RECIPE = coded.recipe("semi_supervised")
DATA = RECIPE.data
NOBODY = {"discriminator": NoDiscriminatorConfig(), "loss": NoLoss(), "augment": NoAugmentation()}


def duels(run, turn: str):
    (batch,) = next(run.reals())
    phase = next(phase for phase in run.phases if phase.turn == turn)
    return run.recipe.game.duels(run.networks, batch, run.context(phase, batch)), batch


def test_classes_and_style_have_a_judge_each(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    style, classes = duels(run, "d")[0]
    assert run.networks["discriminator_y"].spec[:3] == (1, 1, 10) == classes.reals.shape[:0] + (1, 1, 10)
    assert classes.D is run.networks["discriminator_y"] and style.D is run.networks["discriminator_z"]
    assert classes.reals.shape[1] == 10 and style.reals.shape[1] == 3
    assert set(classes.reals.flatten().tolist()) == {0.0, 1.0} and (classes.reals.sum(1) == 1).all()
    found = classes.fake.image.flatten(1)
    torch.testing.assert_close(found.sum(1), torch.ones(len(found)))
    assert style.fake.image.shape == style.reals.shape and style.labels is classes.labels is None
    prior = run.networks["generator"].config.prior
    assert prior == Structured(categories=(10,), rest=Gaussian(std=2.0))


def test_the_classifier_learns_of_the_labelled_digits_alone(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    (again, known), batch = duels(run, "e")
    assert torch.equal(again.reals, batch["unlabelled"].images) and torch.equal(known.reals, batch["labelled"].images)
    loss = run.terms["classification"].total([again, known])
    torch.testing.assert_close(loss, F.cross_entropy(known.class_logits, batch["labelled"].labels.argmax(1)))
    assert run.networks["encoder"].config.class_names == tuple("0123456789")


def test_a_plain_classifier_is_the_same_encoder_without_judge_and_reconstruction(tmp_path):
    terms = {"classification": RECIPE.regularizers["classification"]}
    run = tiny.tiny_run(dataclasses.replace(RECIPE, **NOBODY, regularizers=terms), tmp_path)
    before = [p.clone() for p in run.networks["generator"].parameters()]
    assert train_step(run, next(run.reals()))["loss/e/classification"].isfinite()
    assert all(torch.equal(p, old) for p, old in zip(run.networks["generator"].parameters(), before, strict=True))


def test_as_many_images_of_each_class_keep_their_labels_and_a_seed_draws_others():
    images = DATA.open()
    assert [*images.domains] == ["labelled", "unlabelled"] and images.count("labelled") == 20
    assert images.spec.labels == 0 and images.domains["labelled"].labels == 10 and len(images) == 64
    batch = images.domain_batches(list(range(20)), 0)["labelled"]
    assert Counter(batch.labels.argmax(1).tolist()) == dict.fromkeys(range(10), 2)
    again = DATA.open().domain_batches(list(range(20)), 0)["labelled"]
    assert torch.equal(batch.images, again.images)
    other = dataclasses.replace(DATA, label_seed=1).open().domain_batches(list(range(20)), 0)["labelled"]
    one, two = ({bytes(image.numpy().tobytes()) for image in each.images} for each in (batch, other))
    assert len(one) == 20 and one != two
    whole = DATA.images.open().at(list(range(64)), 0)
    numbers = whole.labels.argmax(1).tolist()
    known = {bytes(i.numpy().tobytes()): number for i, number in zip(whole.images, numbers, strict=True)}
    assert all(
        known[bytes(image.numpy().tobytes())] == int(label)
        for image, label in zip(batch.images, batch.labels.argmax(1), strict=True)
    )


def test_all_images_that_are_held_out_have_labels():
    held_out = DATA.held_out().open()
    assert held_out.count("labelled") == 32 == len(held_out)
    labels = held_out.domain_batches(list(range(32)), 0)["labelled"].labels
    assert labels.shape == (32, 10) and dataclasses.replace(DATA, images=Digits(labels=True)).held_out() is None


def test_digits_that_are_held_out_are_others_and_the_same_each_time():
    train, test = DATA.images.open(), DATA.images.held_out().open()
    assert len(test) == 32 and DATA.images.held_out().held_out() is None
    whole = dataclasses.replace(DATA.images, subset=None).open()
    seen = {bytes(i.numpy().tobytes()) for i in whole.at(list(range(len(whole))), 0).images}
    held = {bytes(i.numpy().tobytes()) for i in test.at(list(range(32)), 0).images}
    assert len(whole) == 1797 - 32 and len(train) == 64 and len(held - seen) >= 30
    for settings in ({"split": "test"}, {"hold_out": 1797}, {"hold_out": -1}):
        with pytest.raises(UserError, match=r"hold_out.* of 1797 digits"):
            Digits(**settings).open()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (SemiSupervised(images=Digits()), "takes images of one kind with labels of classes, and these have none"),
        (SemiSupervised(labelled=25), "labelled.* is 25, and there are 10 classes"),
        (SemiSupervised(labelled=5), "give a multiple of 10, or 0 for all"),
        (SemiSupervised(labelled=5000), r"500 of a class, and class \d has \d+: give \d+ or fewer"),
    ],
)
def test_labels_that_are_not_there_are_asked_for_in_one_sentence(data, message):
    with pytest.raises(UserError, match=message):
        data.open()


def test_what_the_game_cannot_play_is_refused():
    domains = DATA.open().domains
    with pytest.raises(UserError, match="codes of 10 classes and a style, and the generator takes 10 numbers"):
        fit(dataclasses.replace(RECIPE, generator=dataclasses.replace(RECIPE.generator, z_dim=10)), domains)
    with pytest.raises(UserError, match="has parts of 10 numbers, and the generator takes codes of 4"):
        fit(dataclasses.replace(RECIPE, generator=dataclasses.replace(RECIPE.generator, z_dim=4)), domains)
    with pytest.raises(UserError, match="tells classes where a domain has labels and another none: take --data"):
        fit(dataclasses.replace(RECIPE, data=DATA.images), DATA.images.open().domains)
