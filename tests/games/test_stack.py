"""A stack of generators inverts a frozen classifier: who is made of what, what is found again, and who learns of it."""

from __future__ import annotations

import dataclasses

import labelled
import pytest
import tiny
import torch
from torch.nn import functional as F

import ggdr
from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.features.plain import Pixels
from ggdr.games.stack import StackGame
from ggdr.networks.base import Head, ImageSpec
from ggdr.networks.mlp import MLPGeneratorConfig
from ggdr.networks.stacked import StackedGeneratorConfig
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.conditional import Conditional
from ggdr.regularizers.entropy import Entropy
from ggdr.saving.model import load_model
from ggdr.train import train_loop, train_step
from ggdr.training.trainer import Trainer

RECIPE = labelled.recipe("stack")
"""joint from 16 images on"""


def duels(tmp_path, kimg: float = 0.0, turn: str = "g", **changes):
    """The run, and the duels of its first micro-batch after so many reals."""
    run = tiny.tiny_run(dataclasses.replace(RECIPE, **changes), tmp_path)
    phase = next(phase for phase in run.phases if phase.turn == turn)
    batch = next(run.reals())[0]
    context = run.context(phase, batch)._replace(kimg=kimg, augment=None)
    torch.manual_seed(0)
    for network in run.networks.learning[turn].values():
        network.requires_grad_(True)
    return run, run.recipe.game.duels(run.networks, batch, context)


def gradient(loss, network) -> float:
    """How much of a loss a network's weights learn."""
    grads = torch.autograd.grad(loss, [*network.parameters()], allow_unused=True, retain_graph=True)
    return sum(float(grad.abs().sum()) for grad in grads if grad is not None)


def test_independent_training_inverts_what_the_classifier_finds_in_the_reals(tmp_path):
    run, (upper, lower) = duels(tmp_path, kimg=0.0)
    rows = run.recipe.game.encoder(torch.device("cpu"))((lower.reals + 1) * 127.5).rows
    assert torch.equal(lower.condition, rows) and torch.equal(upper.reals.flatten(1), rows)
    assert gradient(lower.fake.image.square().sum(), run.networks["generator"].features) == 0


def test_joint_training_makes_images_of_features_that_were_made_and_both_learn(tmp_path):
    run, (upper, lower) = duels(tmp_path, kimg=0.016)
    stack = run.networks["generator"]
    assert torch.equal(lower.condition, upper.fake.image.flatten(1))
    assert (
        gradient(Conditional().g_loss(lower), stack.features) > 0 < gradient(Conditional().g_loss(lower), stack.image)
    )
    torch.testing.assert_close(stack(torch.cat([upper.z, lower.z], 1), upper.labels).image, lower.fake.image)
    never = StackGame(features=RECIPE.game.features, joint_kimg=None)
    _, (upper, lower) = duels(tmp_path / "never", kimg=1e6, game=never)
    assert not torch.equal(lower.condition, upper.fake.image.flatten(1))


def test_the_classifier_finds_in_features_their_class_and_in_images_their_features(tmp_path):
    run, (upper, lower) = duels(tmp_path)
    encoder = run.recipe.game.encoder(torch.device("cpu"))
    told = encoder.classify(upper.fake.image.flatten(1))
    expected = F.nll_loss(told.log_softmax(1), upper.labels.argmax(1))
    torch.testing.assert_close(Conditional().g_loss(upper), expected)
    seen = encoder((lower.fake.image + 1) * 127.5).rows
    torch.testing.assert_close(Conditional().g_loss(lower), (seen - lower.condition).square().mean())


@pytest.mark.parametrize("turn", ["g", "d"])
def test_each_discriminator_finds_the_code_of_the_generator_that_it_judges(turn, tmp_path):
    run, (upper, lower) = duels(tmp_path, turn=turn)
    widths = [duel.z.shape[1] for duel in (upper, lower)]
    total = run.networks["generator"].z_dim
    assert widths == [4, 8] and run.extra.heads == {"latent": Head(total)} and total == 12
    for duel, width in zip((upper, lower), widths, strict=True):
        term, learner = Entropy(), duel.D if turn == "d" else duel.G
        loss = term.loss(duel)
        told = duel.on_fake.head_outputs["latent"]
        torch.testing.assert_close(loss, (told[:, :width] - duel.z).square().mean())
        assert gradient(loss, learner) > 0


def test_no_discriminator_of_a_stack_is_shown_labels(tmp_path):
    run, found = duels(tmp_path, turn="d")
    assert all(duel.labels_of(4) is None for duel in found)
    assert [network.spec.labels for network in run.networks.learning["d"].values()] == [0, 0]
    assert [*run.networks.learning["d"]] == ["discriminator", "discriminator_features"]


def test_terms_of_images_pass_over_features(tmp_path):
    terms = {**RECIPE.regularizers, "classes": AuxiliaryClassifier()}
    run, (upper, lower) = duels(tmp_path, turn="d", regularizers=terms)
    assert not terms["classes"].requires <= upper.offers and terms["classes"].requires <= lower.offers
    assert Capability.D_FEATURES not in upper.offers
    stats = train_step(run, next(run.reals()))
    assert all(stats[f"loss/d/{name}"] > 0 for name in ("classes", "entropy", "ggdr"))


def test_one_level_makes_images_of_classes_at_once(tmp_path):
    game = dataclasses.replace(RECIPE.game, levels=1)
    run, (duel,) = duels(tmp_path, game=game)
    assert run.networks["generator"].config == RECIPE.generator
    told = game.classes(duel.fake.image)
    torch.testing.assert_close(Conditional().g_loss(duel), F.cross_entropy(told, duel.labels))
    assert all(value.isfinite().all() for value in train_step(run, next(run.reals())).values())


def test_a_stack_is_one_generator_of_labels_wherever_it_is_served(tmp_path):
    with Trainer(tiny.tiny_run(RECIPE, tmp_path / "run")) as trainer:
        train_loop(trainer)
    saved = load_model(tmp_path / "run" / "model" / "generator")
    assert saved.config == StackedGeneratorConfig(image=RECIPE.generator, features=RECIPE.game.features, width=64)
    pipe = ggdr.Pipeline.from_pretrained(tmp_path / "run")
    made = pipe(labels=[3, 7], seeds=[0, 1], output_type="pt").images
    assert made.shape == (2, 1, 16, 16)
    z = torch.randn(2, saved.z_dim)
    above, below = z.split([4, 8], 1)
    labels = torch.eye(10)[[3, 7]]
    with torch.no_grad():
        by_hand = saved.image(below, saved.features(above, labels).image.flatten(1)).image
        assert torch.equal(saved(z, labels).image, by_hand)


def test_what_a_generator_in_a_stack_keeps_of_its_images_is_kept():
    inner = StyleGAN3GeneratorConfig.tiny()
    stack = StackedGeneratorConfig(image=inner, features=MLPGeneratorConfig.tiny(), width=5).build(ImageSpec(16, 16, 3))
    stack.train()
    stack(torch.randn(4, stack.z_dim))
    seen = stack.measure()
    assert {key.split("/")[0] for key in seen} == {"features", "image"}
    before = {name: buffer.clone() for name, buffer in stack.named_buffers()}
    stack.after_step({"images": torch.tensor(4.0), **seen})
    changed = {name.split(".")[0] for name, buffer in stack.named_buffers() if not torch.equal(buffer, before[name])}
    assert changed == {"features", "image"}


def test_vectors_have_no_bounds_and_images_may():
    labels, z = None, torch.randn(8, 4)
    made = {}
    for bounded in (False, True):
        torch.manual_seed(0)
        settings = dataclasses.replace(MLPGeneratorConfig.tiny(), bounded=bounded)
        made[bounded] = settings.build(ImageSpec(1, 1, 6))(z, labels).image
    assert torch.equal(made[False].tanh(), made[True]) and made[True].shape == (8, 6, 1, 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"data": Digits(size=16)},
            r"of classes, and the data has no labels: give classes, .*--game standard",
        ),
        ({"game": StackGame(extractor=Pixels())}, r"'pixels' provides no classes: set game.extractor to .*digits"),
        ({"generator": labelled.SmallTranslatorConfig()}, r"makes images of noise, and generator 'small_translator'"),
    ],
)
def test_what_cannot_be_a_stack_is_told_in_a_sentence(changes, sentence):
    recipe = dataclasses.replace(RECIPE, **changes)
    with pytest.raises(UserError, match=sentence):
        fit(recipe, recipe.data.open().domains)


def test_a_classifier_of_other_classes_is_refused():
    with pytest.raises(UserError, match=r"'digits' tells 10 classes where the data has 3: take one that was trained"):
        fit(RECIPE, {"real": ImageSpec(16, 16, 1, 3)})
    with pytest.raises(UserError, match="labels that are no classes"):
        fit(RECIPE, {"real": ImageSpec(16, 16, 1, 1, ("age",), ((0.0, 1.0),))})
    with pytest.raises(UserError, match="joint_kimg"):
        StackGame(joint_kimg=-1.0)


def test_what_a_frozen_encoder_finds_is_asked_for_in_this_game_alone():
    recipe = dataclasses.replace(tiny.recipe, regularizers={"conditional": Conditional()})
    with pytest.raises(UserError, match=r"'conditional' requires condition; .* take --game stack"):
        fit(recipe, recipe.data.open().domains)
