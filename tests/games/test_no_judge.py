"""Games that nobody judges: D has no turn, and a recipe that is of two minds about it is refused."""

from __future__ import annotations

import dataclasses
import re

import pytest
import several
import tiny
import torch

from ggdr.errors import UserError
from ggdr.hub.card import card_of
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.recipe.fitting import fit
from ggdr.regularizers.feature_matching import FeatureMatching
from ggdr.regularizers.lecam import LeCam
from ggdr.regularizers.zcr import ZCR
from ggdr.train import main, train_loop, train_step
from ggdr.training.trainer import Trainer

ALONE = several.recipe("pairs_alone")


def refusal(**changes) -> str:
    with pytest.raises(UserError) as caught:
        fit(dataclasses.replace(ALONE, **changes), ALONE.data.open().domains)
    return str(caught.value)


def test_d_has_no_turn_no_network_and_no_numbers(tmp_path):
    run = tiny.tiny_run(ALONE, tmp_path)
    stats = train_step(run, next(run.reals()))
    assert [phase.name for phase in run.phases] == ["g"] and [*run.players] == ["g"]
    assert [*run.networks.named()] == ["generator"] and [*run.sizes] == ["generator"]
    assert {*stats} == {"loss/g/l1", "grad/g", "nonfinite/g", "images"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loss": LeastSquares()}, "loss 'least_squares' reads what a discriminator says.* --loss none as well"),
        ({"discriminator": several.JUDGE}, "loss 'none' trains no discriminator, and discriminator 'dcgan' is one"),
        (
            {"game": several.UnpairedGame()},
            "game 'unpaired' needs a discriminator.*without, --game autoencoder or encoder or paired",
        ),
        ({"game": several.StandardGame()}, "game 'standard' needs a discriminator"),
        ({"regularizers": {}}, "nothing trains generator on g's turn.*g_loss"),
        ({"regularizers": {"zcr": ZCR()}}, "regularizer 'zcr' reads a discriminator's logits.*--regularizers.zcr none"),
        ({"regularizers": {"lecam": LeCam()}}, "'lecam' reads a discriminator's logits"),
        ({"regularizers": {"match": FeatureMatching()}}, "requires pyramid; .* discriminator 'none' provides nothing"),
        ({"augment": tiny.recipe.augment}, "augment is of a discriminator, and there is none: leave it out"),
        ({"n_critic": 2, "freeze_d": 1}, "n_critic and .*freeze_d are of a discriminator.*leave them out"),
        ({"game": dataclasses.replace(ALONE.game, fresh_reals=True)}, "game.fresh_reals is of a discriminator"),
    ],
)
def test_what_does_not_go_without_a_judge_is_refused_in_one_sentence(changes, said):
    text = refusal(**changes)
    assert re.search(said, text), text
    assert text.count("\n") == 0


def test_a_term_of_ds_turn_alone_is_told_that_there_is_none():
    term = {"redraw": dataclasses.replace(several.recipe("found_codes").regularizers["redraw"])}
    text = refusal(regularizers=term)
    assert "a loss for e, whose turn it never is in game 'paired' without a discriminator, which has g:" in text


def test_a_game_without_a_judge_refuses_one():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Alone(several.PairedGame):
        """Pairs that nobody judges."""

        judges = "never"

    judged = {"loss": LeastSquares(), "discriminator": several.JUDGE, "game": Alone()}
    assert "played without a discriminator: take --discriminator none --loss none in place of" in refusal(**judged)
    fit(dataclasses.replace(ALONE, game=Alone()), ALONE.data.open().domains)


def test_whoever_asks_the_missing_discriminator_is_told():
    domains = ALONE.data.open().domains
    networks = ALONE.game.build_networks(ALONE.generator, ALONE.discriminator, domains, several.NO_EXTRA)
    images = {n: several.Reals(torch.zeros(2, s.channels, s.height, s.width)) for n, s in domains.items()}
    (duel,) = ALONE.game.duels(networks, images, StepContext("g"))
    with pytest.raises(UserError, match="discriminator 'none' judges nothing: drop the term"):
        _ = duel.on_fake
    with pytest.raises(UserError, match="here one is needed: take another, such as --discriminator patch"):
        NoDiscriminatorConfig().build(domains["colour"])
    with pytest.raises(UserError, match="provides no pyramid"):
        UNetDiscriminatorConfig(encoder=NoDiscriminatorConfig()).build(domains["colour"])


def test_pairs_of_unlike_sizes_need_no_conditional_where_nobody_judges():
    domains = {"small": several.ImageSpec(8, 8, 3), "large": several.ImageSpec(16, 16, 3)}
    assert [*ALONE.game.build_networks(ALONE.generator, ALONE.discriminator, domains, several.NO_EXTRA).named()] == [
        "generator"
    ]


def test_the_command_line_takes_a_recipe_of_pairs_without_its_judge(tmp_path, capsys):
    (tmp_path / "r.py").write_text("import several\nrecipe = several.recipe('paired')\n")
    flags = ["--discriminator", "none", "--loss", "none", "--augment", "none", "--regularizers.r1", "none"]
    main([str(tmp_path / "r.py"), *flags, "--regularizers.l1", "l1", "--dry-run", "--out", str(tmp_path / "out")])
    assert "phases of a step: g (l1)" in capsys.readouterr().out


def test_a_card_names_no_optimizer_of_a_discriminator_that_is_not_there(tmp_path):
    with Trainer(tiny.tiny_run(dataclasses.replace(ALONE, total_kimg=0.008), tmp_path / "out")) as trainer:
        train_loop(trainer)
    card = card_of(tmp_path / "out")
    assert "| optimizer of G |" in card and "optimizer of D" not in card
