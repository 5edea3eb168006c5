"""Whose turn comes first in a game of two domains, and what its domains and networks cannot do."""

from __future__ import annotations

import dataclasses

import pytest
import several
import tiny
import torch
from translators import TwoNoises

from ggdr.errors import UserError
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.games.unpaired import UnpairedGame
from ggdr.optimizers.adam import Adam
from ggdr.recipe.fitting import fit
from ggdr.regularizers.identity import Identity
from ggdr.train import train_step


def test_turns_are_in_the_order_that_the_settings_say():
    assert UnpairedGame().turns == SharedEncoderGame(first="g").turns == ("g", "d")
    assert UnpairedGame(first="d").turns == SharedEncoderGame().turns == ("d", "g")
    assert dataclasses.replace(UnpairedGame(first="d"), pool=0).turns == ("d", "g")


@pytest.mark.parametrize("first", ["g", "d"])
def test_where_d_comes_first_it_learns_from_what_generators_made_before_their_update(first, tmp_path):
    judges = []
    for lr in (1e-6, 1e-2):
        recipe = several.recipe("attentive")
        recipe = dataclasses.replace(recipe, game=UnpairedGame(pool=0, first=first), g_optimizer=Adam(lr=lr))
        run = tiny.tiny_run(recipe, tmp_path / str(lr))
        assert [phase.turn for phase in run.phases] == [*run.recipe.game.turns]
        train_step(run, next(run.reals()))
        judges.append(torch.cat([p.detach().flatten() for p in run.networks["discriminator_b"].parameters()]))
    assert torch.equal(*judges) == (first == "d")


@pytest.mark.parametrize(
    ("dropped", "said", "typed"),
    [
        ("cam", "regularizer 'identity' shows", "--regularizers.identity none."),
        ("", "regularizer 'cam' or 'identity' shows", "--regularizers.cam none --regularizers.identity none."),
    ],
)
def test_generators_are_shown_no_images_of_other_channels_than_they_take(dropped, said, typed):
    recipe = several.recipe("attentive")
    terms = {name: term for name, term in recipe.regularizers.items() if name != dropped} | {"identity": Identity()}
    recipe = dataclasses.replace(recipe, data=TwoNoises(), regularizers=terms)
    with pytest.raises(UserError, match=f"{said} each generator .*1 and 3 channels.*drop it: {typed}$"):
        fit(recipe, recipe.data.open().domains)


def test_cam_is_refused_beside_generators_without_classifiers_and_in_games_that_show_them_no_targets():
    recipe = several.recipe("attentive")
    without = dataclasses.replace(recipe, generator=several.recipe("unpaired").generator)
    with pytest.raises(
        UserError,
        match="regularizer 'cam' requires cam; generator 'small_translator' provides .*: take --generator ugatit; or"
        " drop it: --regularizers.cam none.$",
    ):
        fit(without, recipe.data.open().domains)
    pairs = dataclasses.replace(several.recipe("paired"), generator=recipe.generator)
    pairs = dataclasses.replace(pairs, regularizers={"cam": recipe.regularizers["cam"]})
    with pytest.raises(UserError, match="'cam' requires identity; .*: take --game .*unpaired; or drop it"):
        fit(pairs, pairs.data.open().domains)
