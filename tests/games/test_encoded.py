"""Game `paired` with an encoder: the code of a fake is found in its truth, and later taken from any image."""

from __future__ import annotations

import dataclasses
import math

import pytest
import several
import tiny
import torch
from translator_runs import photo

import ggdr
from ggdr.errors import UserError
from ggdr.games.augmented import AugmentedGame
from ggdr.games.paired import PairedGame
from ggdr.networks.base import Code, ImageSpec
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.none import NoEncoderConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.view import Reals
from ggdr.recipe.fitting import fit
from ggdr.regularizers.kl import KLDivergence
from ggdr.train import main
from ggdr.verbs.translate import main as translate

RECIPE = several.recipe("encoded")
DOMAINS = {"gray": ImageSpec(16, 16, 1), "colour": ImageSpec(16, 16)}


def duel(tmp_path):
    """A run, and its duel on two pairs on G's turn."""
    run = tiny.tiny_run(RECIPE, tmp_path)
    batches = run.images.domain_batches([0, 1], 0)
    shown = {name: Reals(each.images.float() / 127.5 - 1, each.labels) for name, each in batches.items()}
    return run, RECIPE.game.duels(run.networks, shown, StepContext("g"))[0]


def test_the_code_is_drawn_from_what_the_encoder_says_of_the_truth(tmp_path):
    run, played = duel(tmp_path)
    run.networks["encoder"].requires_grad_(True)
    mean, log_variance = run.networks["encoder"](played.reals)
    torch.testing.assert_close(played.posterior.mean, mean)
    torch.manual_seed(4)
    wanted = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    torch.manual_seed(4)
    torch.testing.assert_close(played.z, wanted)
    made = run.networks["generator"](played.source, z=played.z).image
    torch.testing.assert_close(played.fake.image, made)
    played.fake.image.sum().backward()
    assert all(p.grad is not None for p in run.networks["encoder"].parameters())


def test_the_divergence_is_that_of_normal_distributions(tmp_path):
    _, played = duel(tmp_path)
    mean, log_variance = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, math.log(4)], [0.0, 0.0]])
    vars(played)["posterior"] = Code(mean, log_variance)
    normal = torch.distributions.Normal
    each = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(KLDivergence().g_loss(played), each.sum(1).mean())
    vars(played)["posterior"] = Code(mean)
    torch.testing.assert_close(KLDivergence().g_loss(played), mean.square().sum(1).mean() / 2)


def test_without_an_encoder_nothing_has_it_and_what_needs_it_says_so():
    plain = dataclasses.replace(RECIPE, game=PairedGame(), regularizers={})
    assert fit(plain, DOMAINS).parameters.keys() == {"generator", "discriminator"}
    assert fit(RECIPE, DOMAINS).parameters.keys() == {"generator", "encoder", "discriminator"}
    with pytest.raises(UserError, match="take --game.encoder conv --game.encoder.stochastic, or drop the term"):
        fit(dataclasses.replace(plain, regularizers={"kl": KLDivergence()}), DOMAINS)
    no_code = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1)
    with pytest.raises(UserError, match="'resnet_translator' takes no code for it to find: take one that does"):
        fit(dataclasses.replace(RECIPE, generator=no_code), DOMAINS)
    with pytest.raises(UserError, match="encoder 'none' encodes nothing"):
        NoEncoderConfig().build(ImageSpec(16, 16))
    with pytest.raises(UserError, match="encoder 'none' encodes nothing"):
        game = AugmentedGame(encoder=NoEncoderConfig())
        fit(dataclasses.replace(several.recipe("augmented"), game=game), DOMAINS)


def test_the_encoder_is_as_wide_as_the_code_whatever_it_says():
    game = PairedGame(encoder=ConvEncoderConfig(channels=4, code_dim=99))
    networks = game.build_networks(SPADETranslatorConfig.tiny(), several.JUDGE, DOMAINS, several.NO_EXTRA)
    assert networks["encoder"].config.code_dim == networks["generator"].z_dim == 3


def test_a_trained_model_takes_the_style_of_a_picture_and_draws_without(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoded.py").write_text("import several\nrecipe = several.recipe('encoded')\n")
    assert main(["encoded.py", "--out", "run", "--total-kimg", "0.016"]) == 0
    pipe = ggdr.from_pretrained("run")
    pipe.set_progress_bar_config(disable=True)
    style = photo(16, 16)
    mean = pipe.networks()["encoder"](torch.zeros(1, 3, 16, 16)).mean
    assert pipe.encode_style(style).code.shape == mean.shape
    drawn, styled = (
        pipe(photo(16, 16, "L"), output_type="pt", **how).images for how in ({"seeds": 1}, {"style": style})
    )
    assert not torch.equal(drawn, styled)
    photo(16, 16, "L").save("map.png"), style.save("style.png")
    assert translate(["run", "map.png", "--out", "made", "--style", "style.png"]) == 0
