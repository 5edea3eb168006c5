"""The game of adversarial autoencoders: who learns what on which turn, what is shown, and what is refused."""

from __future__ import annotations

import dataclasses

import coded
import pytest
import tiny
import torch

from ggdr.augment.none import NoAugmentation
from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.games.autoencoder import AutoencoderGame
from ggdr.losses.none import NoLoss
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.networks.base import ImageSpec
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.mixture import Mixture
from ggdr.priors.swiss_roll import SwissRoll
from ggdr.recipe.fitting import fit
from ggdr.sampling import show
from ggdr.saving.model import find_saved, load_model, save_model
from ggdr.train import play, train_loop, train_step
from ggdr.training.trainer import Trainer

RECIPE = coded.recipe("autoencoder")
NOBODY = {"discriminator": NoDiscriminatorConfig(), "loss": NoLoss(), "augment": NoAugmentation()}


def game(**changes):
    return dataclasses.replace(RECIPE.game, **changes)


def recipe(**changes):
    return dataclasses.replace(RECIPE, **changes)


def moved(run, turn: str) -> set[str]:
    """The networks that a turn's main phase moves."""
    before = {name: [p.clone() for p in network.parameters()] for name, network in run.networks.named().items()}
    phase = next(phase for phase in run.phases if phase.turn == turn and phase.every == 1)
    play(run, phase, next(run.reals()))
    return {
        name
        for name, network in run.networks.named().items()
        if not all(torch.equal(p, old) for p, old in zip(network.parameters(), before[name], strict=True))
    }


def test_the_encoder_learns_on_two_turns_and_the_decoder_on_one(tmp_path):
    run = tiny.tiny_run(recipe(), tmp_path)
    assert [phase.turn for phase in run.phases if phase.every == 1] == ["e", "d", "g"]
    assert moved(run, "e") == {"encoder", "generator"}
    assert moved(run, "d") == {"discriminator_z"}
    assert moved(run, "g") == {"encoder"}


def test_reals_of_the_duel_of_codes_are_the_prior_of_their_labels_and_fakes_the_codes_that_were_found(tmp_path):
    run = tiny.tiny_run(recipe(game=game(encoder=coded.ENCODER)), tmp_path)
    (batch,) = next(run.reals())
    context = run.context(run.phases[1], batch)
    torch.manual_seed(5)
    (duel,) = run.recipe.game.duels(run.networks, batch, context)
    images, labels = batch["real"]
    torch.manual_seed(5)
    wanted = Mixture().codes(torch.randn(len(images), 2), labels)
    assert torch.equal(duel.reals, wanted[:, :, None, None]) and torch.equal(duel.labels, labels)
    assert run.networks["discriminator_z"].spec == ImageSpec(1, 1, 2, 10, tuple("0123456789"))
    encoder = run.networks["encoder"].eval()
    assert torch.equal(duel.fake.image.flatten(1), encoder(images).mean) and not duel.fake.image.requires_grad


def test_labels_are_the_decoders_or_choose_in_the_prior(tmp_path):
    told = tiny.tiny_run(recipe(game=game(labels="decoder", prior=Gaussian(std=2.0))), tmp_path / "a").networks
    assert told["generator"].generator.spec.labels == 10 and told["discriminator_z"].spec.labels == 0
    chosen = tiny.tiny_run(recipe(), tmp_path / "b").networks
    assert chosen["generator"].generator.spec.labels == 0 and chosen["discriminator_z"].spec.labels == 10
    assert chosen["encoder"].spec.labels == told["encoder"].spec.labels == 0
    plain = recipe(data=Digits(size=16, subset=64), game=AutoencoderGame(encoder=coded.ENCODER))
    assert tiny.tiny_run(plain, tmp_path / "c").networks["generator"].config == RECIPE.generator


def test_reconstructions_are_of_held_out_images_and_measured_against_them(tmp_path):
    measured = recipe(metrics={"l1": MeanAbsoluteError(images=32)}, metric_kimg=0.064, sample_kimg=0.064)
    with Trainer(tiny.tiny_run(measured, tmp_path)) as trainer:
        train_loop(trainer)
        run = trainer.run
    views = run.views()
    assert [*views] == ["fakes", "reconstruction"] and views["reconstruction"].paired
    batch = run.seen_by(views["reconstruction"], range(4))
    columns = show(views["reconstruction"], batch, 0)
    assert [*columns] == ["input", "output"] and torch.equal(columns["input"], batch["real"].images)
    test = run.recipe.data.held_out().open()
    assert len(run.shown) == len(test) == 32 and len(run.images) == 64
    encoder, generator = run.ema.mean["encoder"], run.ema.mean["generator"]
    wanted = generator.decode(encoder(batch["real"].images).mean).image
    torch.testing.assert_close(columns["output"], wanted, atol=1e-5, rtol=1e-4)
    assert "metric/l1/reconstruction/mean" in (tmp_path / "metrics.jsonl").read_text()


def test_a_saved_decoder_makes_images_of_the_priors_noise(tmp_path):
    run = tiny.tiny_run(recipe(), tmp_path)
    train_step(run, next(run.reals()))
    with Trainer(run) as trainer:
        trainer.save()
    saved = find_saved(tmp_path)
    assert {"generator", "encoder", "discriminator_z"} <= saved.keys() and "discriminator" not in saved
    generator = saved["generator"].load()
    assert generator.config.prior == Mixture() and generator.config.labels == "prior"
    save_model(generator, tmp_path / "again")
    z, labels = torch.randn(3, 2), torch.eye(10)[:3]
    assert torch.equal(load_model(tmp_path / "again")(z, labels).image, generator(z, labels).image)


def test_without_a_discriminator_it_is_an_autoencoder(tmp_path):
    terms = {"image_reconstruction": RECIPE.regularizers["image_reconstruction"]}
    run = tiny.tiny_run(recipe(**NOBODY, regularizers=terms), tmp_path)
    assert [*run.networks.learning] == ["e"] and "discriminator_z" not in run.networks.named()
    stats = train_step(run, next(run.reals()))
    assert stats["loss/e/image_reconstruction"].isfinite()


def test_what_does_not_go_together_is_refused():
    digits = RECIPE.data.open().domains
    with pytest.raises(UserError, match="prior 'swiss_roll' lies in the plane"):
        fit(recipe(generator=dataclasses.replace(RECIPE.generator, z_dim=5), game=game(prior=SwissRoll())), digits)
    with pytest.raises(UserError, match="images of one kind, or on .*, and the data has a, b"):
        fit(recipe(), {"a": digits["real"], "b": digits["real"]})
    with pytest.raises(UserError, match="nothing trains encoder and generator on e's turn"):
        fit(recipe(regularizers={}), digits)
    with pytest.raises(UserError, match="regularizer 'image_reconstruction' .*e, whose turn it never is"):
        fit(dataclasses.replace(tiny.recipe, regularizers=dict(RECIPE.regularizers)), digits)


def test_style_based_decoders_keep_their_running_mean(tmp_path):
    small = StyleGAN2GeneratorConfig(z_dim=2, w_dim=8, mapping_layers=2, channel_max=8, style_mixing=0.0)
    run = tiny.tiny_run(recipe(generator=small), tmp_path)
    before = run.networks["generator"].generator.mapping.w_avg.clone()
    train_step(run, next(run.reals()))
    assert not torch.equal(run.ema.mean["generator"].generator.mapping.w_avg, before)
