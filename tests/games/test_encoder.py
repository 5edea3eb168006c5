"""An encoder of a generator that is trained already: what it learns by, what stands still, and what is refused."""

from __future__ import annotations

import dataclasses
import re
import shutil

import coded
import pytest
import several
import tiny
import torch
from places import ROOT
from torch.nn import functional as F

from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.flags.recipe import parse
from ggdr.games.encoder import EncoderGame
from ggdr.hub.card import card_of, card_of_recipe
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.networks.none import NoGeneratorConfig
from ggdr.recipe.fitting import fit
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.saving.model import find_saved, load_model, save_model
from ggdr.train import check_sources, train_loop, train_step
from ggdr.training.trainer import Trainer, what_next

RECIPE = coded.recipe("encoder")
DOMAINS = RECIPE.data.open().domains
DCGAN = DCGANGeneratorConfig(z_dim=5, channels=4)


def played(tmp_path, game: EncoderGame = RECIPE.game):
    """A run, and the duels of its first batch; nothing is normalized over the batch."""
    run = tiny.tiny_run(dataclasses.replace(RECIPE, game=game), tmp_path)
    (batch,) = next(run.reals())
    run.networks["encoder"].eval().requires_grad_(True)
    torch.manual_seed(3)
    return run, run.recipe.game.duels(run.networks, batch, run.context(run.phases[0], batch)), batch["real"]


def of(settings, **changes) -> EncoderGame:
    return dataclasses.replace(RECIPE.game, generator=coded.saved_generator(settings), **changes)


def again(generator, codes, space, labels):
    """What a generator makes of codes, by hand."""
    if space == "z":
        return generator(codes, labels).image
    ws = codes.view(len(codes), -1, generator.w_dim)
    return generator.synthesize(ws.expand(-1, generator.num_style_codes(), -1))


@pytest.mark.parametrize("space", ["w", "w+", "z"])
def test_images_are_drawn_with_their_codes_and_both_kinds_are_made_again(space, tmp_path):
    game = of(DCGAN) if space == "z" else dataclasses.replace(RECIPE.game, space=space)
    run, (drawn, real), reals = played(tmp_path, game)
    generator, encoder = run.networks["generator"], run.networks["encoder"]
    width = {"z": generator.z_dim, "w": generator.w_dim, "w+": generator.w_dim * 6}[space]
    assert (encoder.config.code_dim, encoder.config.space, encoder.spec.labels) == (width, space, 0)
    torch.manual_seed(3)
    z = torch.randn(8, generator.z_dim)
    made = generator(z, reals.labels)
    known = {"z": z, "w": made.ws if made.ws is None else made.ws[:, 0]}
    wanted = known[space] if space in known else made.ws.flatten(1)
    assert (
        torch.equal(drawn.z, wanted) and torch.equal(drawn.reals, made.image) and torch.equal(real.reals, reals.images)
    )
    for duel in (drawn, real):
        codes = encoder(duel.reals).mean
        torch.testing.assert_close(duel.fake.image, again(generator, codes, space, reals.labels))
        assert torch.equal(duel.truth, duel.reals)
    torch.testing.assert_close(drawn.found_style, encoder(made.image).mean)


def test_the_losses_are_of_the_duels_that_know_the_answer(tmp_path):
    run, duels, _ = played(tmp_path)
    drawn, real = duels
    losses = {name: run.terms[name].total(duels) for name in run.terms}
    torch.testing.assert_close(losses["latent_regression"], F.mse_loss(drawn.found_style, drawn.z))
    parts = [F.mse_loss(duel.fake.image, duel.reals) for duel in duels]
    torch.testing.assert_close(losses["image_reconstruction"], parts[0] + parts[1])
    rows = run.terms["perceptual"].rows_of
    away = [
        (rows((d.fake.image + 1) * 127.5).rows - rows((d.reals + 1) * 127.5).rows).square().sum(1).mean() for d in duels
    ]
    torch.testing.assert_close(losses["perceptual"], away[0] + away[1])
    for loss in losses.values():
        found = torch.autograd.grad(loss, [*run.networks["encoder"].parameters()], allow_unused=True, retain_graph=True)
        assert any(each is not None and each.abs().sum() > 0 for each in found)
    assert not any(p.requires_grad for p in run.networks["generator"].parameters())


def test_reals_may_be_left_out(tmp_path):
    _, (drawn,), _ = played(tmp_path, dataclasses.replace(RECIPE.game, reals=False))
    assert drawn.known is drawn.z


def test_the_generator_that_plays_is_the_one_that_was_saved_and_goes_along(tmp_path):
    with Trainer(tiny.tiny_run(RECIPE, tmp_path / "run")) as trainer:
        train_loop(trainer)
    run = trainer.run
    saved = load_model(coded.saved_generator())
    assert {*find_saved(tmp_path / "run" / "model")} == {"encoder", "generator"}
    there = find_saved(tmp_path / "run")
    assert {*there} == {"encoder", "encoder_live", "generator"}
    for key, value in there["generator"].load().state_dict().items():
        assert torch.equal(value, saved.state_dict()[key])
    text = "\n".join(what_next(run))
    place = tmp_path / "run"
    assert f"ggdr encode {place}\n" in text and f"ggdr project MODEL PICTURE --encoder {place}\n" in text
    (view,) = run.views().values()
    columns = view.columns(run.seen_by(view, range(3)), 0)
    assert [*columns] == ["input", "output"] and view.paired


def test_a_run_goes_on_with_the_generator_that_it_began_with(tmp_path):
    folder = tmp_path / "generator"
    shutil.copytree(coded.saved_generator(), folder)
    game = dataclasses.replace(RECIPE.game, generator=str(folder))
    recipe = dataclasses.replace(RECIPE, game=game, total_kimg=0.016)
    with Trainer(tiny.tiny_run(recipe, tmp_path / "run")) as trainer:
        train_loop(trainer)
    before = trainer.run.networks["generator"].state_dict()
    shutil.rmtree(folder)
    torch.manual_seed(9)
    save_model(tiny.STYLEGAN2.build(DOMAINS["real"]).eval(), folder)
    more = dataclasses.replace(recipe, total_kimg=0.032)
    with Trainer(tiny.tiny_run(more, tmp_path / "run")) as trainer:
        train_loop(trainer)
    assert all(torch.equal(value, before[key]) for key, value in trainer.run.networks["generator"].state_dict().items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"game": EncoderGame()}, r"inverts a generator that is trained already, and game\.generator names none: give"),
        ({"game": EncoderGame(generator="runs/nothing")}, r"game\.generator: there is no folder 'runs/nothing' here"),
        ({"generator": DCGAN}, r"takes its generator from game\.generator, .*'dcgan', .*: take --generator none"),
        ({"generator": several.CODED}, r"'resnet_translator', which would not play: take --generator none"),
        (
            {"data": Digits(size=32, labels=True)},
            r"makes images of 16 x 16 px with 1 channel, and the data has 32 x 32",
        ),
        ({"data": Digits(size=16)}, r"with labels of width 10, and the data has none: choose those by --data\.labels"),
        ({"game": of(DCGAN, space="w")}, r"'dcgan' has no style codes; set game\.space to z"),
        ({"game": of(FromPriorGeneratorConfig.tiny())}, r"'from_prior' draws its codes from a prior"),
        ({"regularizers": {"style": StyleReconstruction()}}, r"a loss for g, whose turn it never is in game 'encoder'"),
        ({"loss": several.LeastSquares(), "discriminator": several.JUDGE}, "played without a discriminator"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(changes, said):
    recipe = dataclasses.replace(RECIPE, **changes)
    with pytest.raises(UserError) as caught:
        fit(recipe, recipe.data.open().domains)
    assert re.search(said, str(caught.value)), str(caught.value)


def test_two_domains_are_refused():
    with pytest.raises(UserError, match="images of one kind, and the data has a, b"):
        fit(RECIPE, {"a": DOMAINS["real"], "b": DOMAINS["real"]})


def test_a_generator_that_is_missing_is_told_before_torch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        check_sources(parse(["digits_encoder", "--out", "run", "--game.generator", "runs/lost"], "ggdr train"))
    assert "--game.generator: there is no folder 'runs/lost' here" in caught.value.in_flags()


def test_nothing_stands_for_a_generator_elsewhere():
    with pytest.raises(UserError, match="generator 'none' makes nothing, and here one is needed"):
        fit(dataclasses.replace(tiny.recipe, generator=NoGeneratorConfig(), regularizers={}), DOMAINS)


def test_a_card_says_that_it_is_an_encoder(tmp_path):
    assert "A recipe of ggdr: an encoder of images, for a generator that is trained already" in card_of_recipe(
        ROOT / "recipes/digits_encoder.py", []
    )
    run = tiny.tiny_run(RECIPE, tmp_path / "run")
    train_step(run, next(run.reals()))
    run.save()
    text = card_of(tmp_path / "run", "org/encoder")
    assert "An encoder of gray images, 16 x 16 px" in text and "for the generator (`stylegan2`) beside it" in text
