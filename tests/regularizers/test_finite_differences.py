"""R1 and R2 by finite differences: what they tend to, that draws are replayed, and that D learns from both passes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.ops.random_state import random_state, replayed
from ggdr.play.duel import Duel, StepContext
from ggdr.registry import Capability
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2 import R2
from ggdr.regularizers.r2_approximate import R2Approximate

SPEC = ImageSpec(16, 16, 3)
REQUIRED = frozenset({Capability.REPLAY, Capability.REAL_GRAD, Capability.FAKE_GRAD})
# Batch-mates are not compared, so that an image's logit has no slope in another's direction.
ALONE = StyleGAN2DiscriminatorConfig(channel_base=64, channel_max=8, mapping_layers=2, mbstd_channels=0)
BOTH = pytest.mark.parametrize(("approximate", "exact"), [(R1Approximate, R1), (R2Approximate, R2)])
EVERYTHING = ADA(fixed_p=1.0, pipeline=("blit", "geometry", "colour", "filter", "noise", "cutout"))


def duel(augment=None, n=3, config=ALONE) -> Duel:
    torch.manual_seed(0)
    G, D = DCGANGeneratorConfig.tiny().build(SPEC), config.build(SPEC)
    for weight in D.parameters():
        weight.data.mul_(3.0)  # a steeper D than a fresh one
    if augment is not None:
        augment.begin(torch.device("cpu"))
    return Duel(G, D, torch.rand(n, 3, 16, 16) * 2 - 1, None, StepContext("d", REQUIRED, augment=augment))


@BOTH
def test_its_mean_over_noise_is_the_exact_penalty(approximate, exact):
    played = duel()
    expected = exact(weight=1.0).loss(played).item()
    term = approximate(weight=1.0, sigma=1e-3)
    with torch.no_grad():
        values = torch.tensor([term.loss(played).item() for _ in range(600)])  # the pass over x itself is shared
    error = values.std().item() / len(values) ** 0.5
    assert abs(values.mean().item() - expected) < 4 * error and error < 0.05 * expected


@pytest.mark.parametrize("augment", [None, EVERYTHING, DiffAugment()], ids=["none", "ada", "diffaug"])
def test_the_same_images_are_judged_again_as_they_were(augment):
    played = duel(augment)
    first = played.judge(played.real)
    between = torch.rand(1)  # whatever is drawn in the meantime
    again = played.judge_again(played.real, first)
    assert torch.equal(first.logits, again.logits) and torch.equal(first.image, again.image)
    other = played.judge(played.real)
    assert torch.equal(other.logits, first.logits) == (augment is None)
    assert not torch.equal(between, torch.rand(1))


@BOTH
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_augmentation_by_itself_is_not_penalised(approximate, exact, share):
    plain, augmented = (
        approximate(weight=1.0, sigma=1e-3, share=share).loss(duel(augment)).item() for augment in (None, EVERYTHING)
    )
    assert augmented < 100 * plain  # with fresh draws it is some 1e5 times as much


@BOTH
def test_d_learns_from_both_passes(approximate, exact):
    played = duel(EVERYTHING)
    term = approximate(weight=1.0, sigma=0.05)
    term.loss(played).backward()
    found = [weight.grad.clone() for weight in played.D.parameters()]
    played.D.zero_grad()
    sample = duel(EVERYTHING)
    image, output = (sample.real, sample.on_real) if exact is R1 else (sample.fake.image, sample.on_fake)
    noise = torch.randn_like(image)
    with replayed(output.random_state):
        near = sample.judge(image + 0.05 * noise)
    (((output.logits - near.logits) / 0.05).square().mean() / 2).backward()
    for ours, weight in zip(found, sample.D.parameters(), strict=True):
        torch.testing.assert_close(ours, weight.grad)
    assert any(gradient.abs().sum() > 0 for gradient in found)


@BOTH
def test_a_share_is_the_first_images_judged_for_themselves(approximate, exact):
    played = duel(n=4)
    image = (played.real if exact is R1 else played.fake.image)[:2]
    torch.manual_seed(5)
    found = approximate(weight=1.0, sigma=0.05, share=0.5).loss(played)
    torch.manual_seed(5)
    noise = torch.randn_like(image)
    pair = played.judge(image).logits, played.judge(image + 0.05 * noise).logits
    torch.testing.assert_close(found, ((pair[0] - pair[1]) / 0.05).square().mean() / 2)
    assert approximate(weight=1.0, share=0.01).loss(played).isfinite()  # one image at least


def test_of_several_logits_the_sum_counts_as_in_r1():
    played = duel()
    D = played.D
    doubled = Duel(played.G, D, played.reals, None, played.context)
    torch.manual_seed(3)
    one = R1Approximate(weight=1.0).loss(played)
    output = doubled.on_real
    vars(doubled)["on_real"] = output._replace(logits=torch.stack([output.logits, output.logits], dim=1))
    judge_again = doubled.judge_again

    def twice(image, before, *others):
        near = judge_again(image, before, *others)
        return near._replace(logits=torch.stack([near.logits, near.logits], dim=1))

    doubled.judge_again = twice
    torch.manual_seed(3)
    torch.testing.assert_close(R1Approximate(weight=1.0).loss(doubled), 4 * one)


@pytest.mark.parametrize("kind", [R1Approximate, R2Approximate])
@pytest.mark.parametrize("setting", [{"sigma": 0.0}, {"share": 0.0}, {"share": 1.5}, {"sigma": float("nan")}])
def test_what_cannot_be_is_refused(kind, setting):
    with pytest.raises(ValueError, match=f"{next(iter(setting))} is .*; give a number above 0"):
        kind(**setting)


def test_gamma_has_the_rule_of_r1():
    assert R1Approximate().weight is None and R1Approximate().every == 1


def test_replayed_draws_leave_no_trace():
    torch.manual_seed(0)
    expected = [torch.rand(3) for _ in range(3)]
    torch.manual_seed(0)
    state = random_state(torch.device("cpu"))
    found = [torch.rand(3)]
    with replayed(state):
        assert torch.equal(torch.rand(3), expected[0])
    found += [torch.rand(3), torch.rand(3)]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))
    assert not any(torch.equal(*pair) for pair in pairwise(found))
