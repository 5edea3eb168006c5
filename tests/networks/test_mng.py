"""MNG: noise of each level, nested; what D sees of fakes, of reals, in evaluation; the same draws for all heads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.gat import GATGeneratorConfig
from ggdr.networks.mng import LEVELS, MNGDiscriminatorConfig
from ggdr.ops.nested_noise import nested_noise
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.r2_approximate import R2Approximate

SPEC = ImageSpec(16, 16, 3)
G, D = GATGeneratorConfig.tiny(), MNGDiscriminatorConfig.tiny()
ONE_DRAW = {"diffaug": DiffAugment(), "ada": ADA(fixed_p=1.0, pipeline=("geometry", "colour"))}


def duel(turn="d", config=D, augment=None, requires=frozenset()) -> Duel:
    torch.manual_seed(0)
    pair = tiny.moved(G.build(SPEC)), tiny.moved(config.build(SPEC))
    for network, learns in zip(pair, (turn == "g", turn == "d"), strict=True):
        network.requires_grad_(learns)
    if augment is not None:
        augment.begin(torch.device("cpu"))
    return Duel(*pair, torch.rand(4, 3, 16, 16), None, StepContext(turn, requires, augment=augment))


def seen_by(played: Duel) -> list[torch.Tensor]:
    """What the encoder is shown from here on."""
    seen = []
    played.D.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach()))
    return seen


def test_published_levels_follow_their_formula():
    assert LEVELS == pytest.approx([1 - 0.125 ** (1 - k / 3) + 0.01 for k in range(4)])


def test_noise_has_its_levels_and_each_contains_the_one_below():
    torch.manual_seed(0)
    draws = torch.randn(4, 200_000)
    levels = LEVELS[::-1]
    noise = nested_noise(draws, levels)
    assert [n.std().item() for n in noise] == pytest.approx(levels, rel=0.01)
    own = [noise[k] - (1 - levels[k]) / (1 - levels[k - 1]) * noise[k - 1] for k in range(1, 4)]
    assert [o.std().item() for o in own] == pytest.approx([0.510, 0.718, 0.807], abs=0.005)
    for mine, before in zip(own, noise, strict=False):
        assert abs(torch.corrcoef(torch.stack([mine, before]))[0, 1]) < 0.01


def test_in_training_each_head_is_noised_as_its_level_says_and_in_evaluation_none():
    config = replace(D, levels=(0.9, 0.0))
    network = config.build(ImageSpec(64, 64, 3))
    first, last = torch.rand(2, 8, 3, 64, 64)
    seen = network.noised(torch.cat([first, last], dim=1))
    assert torch.equal(seen[:, 3:], last)
    assert (seen[:, :3] - 0.1 * first).std().item() == pytest.approx(0.9, rel=0.02)
    network.eval()
    torch.testing.assert_close(network.noised(torch.cat([first, last], dim=1))[:, :3], 0.1 * first)
    torch.testing.assert_close(network.noised(last), torch.cat([(1 - 0.9) * last, last], dim=1))


def test_fakes_of_all_heads_are_judged_and_teach_every_head():
    played = duel("g")
    seen = seen_by(played)
    played.D.eval()
    played.on_fake.logits.sum().backward()
    made = played.fake
    shown = torch.cat([(1 - 0.5) * made.intermediates[0], (1 - 0.01) * made.image], dim=1)
    torch.testing.assert_close(seen[0], shown.detach())
    for head in played.G.heads:
        assert head.out.weight.grad.abs().sum() > 0
    played.on_real  # noqa: B018  (a pass of D)
    torch.testing.assert_close(seen[1], torch.cat([0.5 * played.reals, (1 - 0.01) * played.reals], dim=1))


def test_on_ds_turn_nothing_leads_back_to_the_heads():
    made = duel("d").fake
    assert not made.image.requires_grad and not made.intermediates[0].requires_grad
    G_learns = duel("d")
    G_learns.G.requires_grad_(True)
    assert not G_learns.fake.intermediates[0].requires_grad


@pytest.mark.parametrize("augment", ONE_DRAW.values(), ids=ONE_DRAW)
def test_one_draw_of_the_augmentation_moves_all_heads(augment):
    played = duel("d", augment=augment)
    vars(played)["fake"] = played.fake._replace(intermediates=(played.fake.image,))
    played.D.eval()
    seen = seen_by(played)
    image = played.on_fake.image
    first, last = seen[0].chunk(2, dim=1)
    torch.testing.assert_close(first / 0.5, image)
    torch.testing.assert_close(last / (1 - 0.01), image)
    assert not torch.allclose(image, played.fake.image)


def test_draws_of_images_are_those_of_a_discriminator_that_sees_no_earlier_heads():
    images = []
    for config in (D, DCGANDiscriminatorConfig.tiny()):
        played = duel("d", config, DiffAugment())
        torch.manual_seed(7)
        images.append(played.on_fake.image)
    assert torch.equal(*images)


def test_fakes_are_judged_again_under_the_same_noise_and_each_head_is_moved_by_its_own():
    term = R2Approximate(weight=1.0, sigma=0.1)
    played = duel("d", augment=DiffAugment(policy=("translation",)), requires=term.requires)
    seen = seen_by(played)
    before = played.on_fake
    again = played.judge_again(played.fake.image, before, intermediates=played.fake.intermediates)
    assert torch.equal(again.logits, before.logits) and torch.equal(seen[0], seen[1])
    term.loss(played).backward()
    first, last = (seen[2] - seen[0]).chunk(2, dim=1)
    first, last = first / 0.5, last / (1 - 0.01)
    inside = (first != 0) & (last != 0)
    assert first[inside].std().item() == pytest.approx(0.1, rel=0.1)
    assert last[inside].std().item() == pytest.approx(0.1, rel=0.1)
    assert abs(torch.corrcoef(torch.stack([first[inside], last[inside]]))[0, 1]) < 0.1


def test_a_part_of_a_batch_is_compared_with_its_own_earlier_heads():
    term = R2Approximate(weight=1.0, share=0.5)
    played = duel("d", requires=term.requires)
    seen = seen_by(played)
    played.on_fake  # noqa: B018  (a pass of D)
    term.loss(played)
    assert [len(each) for each in seen] == [4, 2, 2]


def test_settings_that_make_no_sense_are_refused():
    for wrong in ((), (0.1, 0.5), (1.0,), (0.5, -0.1)):
        with pytest.raises(UserError, match="numbers from 0 to below 1 that fall"):
            replace(D, levels=wrong)
    three = replace(tiny.recipe, generator=G, discriminator=replace(D, levels=(0.5, 0.1, 0.01)), regularizers={})
    with pytest.raises(UserError, match="3 levels of noise, and generator 'gat' makes 2 images"):
        fit(three, {"real": SPEC})
    fit(replace(three, discriminator=D), {"real": SPEC})
    fit(replace(three, generator=tiny.STYLEGAN2), {"real": SPEC})  # one image stands for each level
    assert Capability.INTERMEDIATES in D.provides
