"""Conditioning augmentation and mismatched texts: what StackGAN adds to a generator and to its discriminator."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from torch.nn import functional as F

from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.losses.hinge import Hinge
from ggdr.networks.base import ImageSpec
from ggdr.networks.conditioning_augmentation import ConditioningAugmentationGeneratorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.kl import KLDivergence
from ggdr.regularizers.mismatched import Mismatched
from ggdr.train import train_step

SPEC = ImageSpec(16, 16, 1, 3)
LABELS = torch.eye(3)[[0, 1, 1, 2]]
RECIPE = dataclasses.replace(
    tiny.dcgan(tiny.recipe),
    data=Digits(size=16, subset=64, labels=True),
    generator=ConditioningAugmentationGeneratorConfig.tiny(),
)
RECIPE = dataclasses.replace(RECIPE, regularizers={**RECIPE.regularizers, "kl": KLDivergence(), "wrong": Mismatched()})


def duel(turn: str = "g") -> Duel:
    torch.manual_seed(0)
    G, D = RECIPE.generator.build(SPEC), DCGANDiscriminatorConfig(channels=4, norm="none").build(SPEC)
    context = StepContext(turn, frozenset({Capability.POSTERIOR}))
    return Duel(G, D, torch.randn(4, 1, 16, 16), LABELS, context)


def test_a_code_is_drawn_about_the_label_and_the_draw_is_of_the_latent_code():
    fight = duel()
    G, z = fight.G.eval(), torch.randn(4, fight.G.z_dim)
    mean, log_variance = G.distribution(LABELS).chunk(2, 1)
    by_hand = G.generator(z[:, 3:], mean + (log_variance / 2).exp() * z[:, :3]).image
    assert torch.equal(G(z, LABELS).image, by_hand)
    moved = torch.cat([z[:, :3] + 1, z[:, 3:]], 1)
    assert not torch.allclose(G(moved, LABELS).image, by_hand)


def test_kl_is_of_what_the_generator_says_of_labels():
    fight = duel()
    mean, log_variance = fight.G.distribution(LABELS).chunk(2, 1)
    expected = ((mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2).mean()
    torch.testing.assert_close(KLDivergence().g_loss(fight), expected)
    assert torch.autograd.grad(KLDivergence().g_loss(fight), fight.G.distribution.weight)[0].abs().sum() > 0


def test_reals_under_the_labels_of_others_count_as_fakes_but_not_under_their_own():
    fight = duel("d")
    logits = fight.D(fight.real, LABELS.roll(1, 0)).logits
    others = [0, 1, 3]  # the third meets the second's label, which is its own
    torch.testing.assert_close(Mismatched().d_loss(fight), F.softplus(logits[others]).mean())
    same = dataclasses.replace(fight, labels=LABELS[[0, 0, 0, 0]])
    assert Mismatched().d_loss(same) == 0


def test_a_run_with_both_learns_and_ggdr_reads_the_maps_of_the_generator_inside(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    before = run.networks["generator"].distribution.weight.clone()
    stats = train_step(run, next(run.reals()))
    assert all(stats[name] > 0 for name in ("loss/g/kl", "loss/d/wrong", "loss/d/ggdr"))
    assert not torch.equal(run.networks["generator"].distribution.weight, before)


def test_codes_about_labels_need_labels(tmp_path):
    recipe = dataclasses.replace(RECIPE, data=Digits(size=16, subset=64), regularizers={"kl": KLDivergence()})
    run = tiny.tiny_run(recipe, tmp_path)
    with pytest.raises(UserError, match=r"draws about labels, and the data has no labels: give some"):
        train_step(run, next(run.reals()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": Digits(size=16)}, r"under wrong labels, and the data has none: give some .*mismatched none"),
        ({"loss": Hinge()}, r"loss 'hinge' is another: take --loss non_saturating, or drop it: .*wrong none"),
    ],
)
def test_mismatched_is_refused_where_it_means_nothing(changes, sentence):
    recipe = dataclasses.replace(RECIPE, **changes)
    with pytest.raises(UserError, match=sentence):
        fit(recipe, recipe.data.open().domains)
