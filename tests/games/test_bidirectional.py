"""The game of BiGAN and ALI: pairs of image and code, by whom they are judged and who learns what from them."""

from __future__ import annotations

import dataclasses

import coded
import pytest
import tiny
import torch
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.losses.hinge import Hinge
from ggdr.losses.least_squares import LeastSquares
from ggdr.recipe.fitting import fit
from ggdr.regularizers.bcr import BCR

RECIPE = dataclasses.replace(coded.recipe("bidirectional"), regularizers={})


def duels(run, turn: str):
    (batch,) = next(run.reals())
    phase = next(phase for phase in run.phases if phase.turn == turn)
    torch.manual_seed(3)
    return run.recipe.game.duels(run.networks, batch, run.context(phase, batch)), batch["real"]


def run_of(tmp_path, **changes):
    run = tiny.tiny_run(dataclasses.replace(RECIPE, augment=NONE, **changes), tmp_path)
    for network in run.networks.named().values():
        network.eval()
    return run


NONE = type(RECIPE.augment)(fixed_p=0.0)


def test_reals_come_with_the_codes_that_are_found_and_fakes_with_theirs(tmp_path):
    run = run_of(tmp_path)
    (duel,), reals = duels(run, "d")
    judge, labels = run.networks["discriminator_joint"], reals.labels
    assert judge.spec.labels == 10 + 3
    real, fake = duel.on_real.logits, duel.on_fake.logits
    codes = torch.cat([labels, duel.encoded.codes], 1)
    torch.testing.assert_close(real, judge(reals.images, codes).logits)
    torch.testing.assert_close(fake, judge(duel.fake.image, torch.cat([labels, duel.z], 1)).logits)
    assert not torch.allclose(real, judge(reals.images, torch.cat([labels, duel.z], 1)).logits)


def test_the_encoder_is_to_make_reals_pass_for_fakes(tmp_path):
    run = run_of(tmp_path)
    found, _ = duels(run, "g")
    joint, encoders = found
    loss = run.terms["non_saturating"]
    total = loss.total(found)
    wanted = F.softplus(-joint.on_fake.logits).mean() + F.softplus(joint.on_real.logits).mean()
    torch.testing.assert_close(total, wanted)
    for network in run.networks.learning["g"].values():
        network.requires_grad_(True)
    encoder, generator = run.networks["encoder"], run.networks["generator"]
    (again, turned), _ = duels(run, "g")
    loss.loss(turned).backward()
    assert all(p.grad is None for p in generator.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())
    assert encoders.offers == frozenset() and again.offers > encoders.offers


def test_a_real_passes_for_a_fake_by_any_symmetric_loss(tmp_path):
    run = run_of(tmp_path, loss=Hinge())
    found, _ = duels(run, "g")
    wanted = -found[0].on_fake.logits.mean() + found[0].on_real.logits.mean()
    torch.testing.assert_close(run.terms["hinge"].total(found), wanted)


def test_what_the_game_cannot_play_is_refused():
    domains = RECIPE.data.open().domains
    with pytest.raises(UserError, match=r"loss 'least_squares' does not ask .*: take one of hinge, minimax"):
        fit(dataclasses.replace(RECIPE, loss=LeastSquares()), domains)
    with pytest.raises(UserError, match=r"images of one kind, and the data has a, b"):
        fit(RECIPE, {"a": domains["real"], "b": domains["real"]})
    with pytest.raises(UserError, match=r"regularizer 'bcr' requires images"):
        fit(dataclasses.replace(RECIPE, regularizers={"bcr": BCR()}), domains)
