"""MSG-GAN: images of all sizes reach D, gradients of all sizes reach G, and what cannot be augmented is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.augment.diffaug import DiffAugment
from ggdr.augment.none import NoAugmentation
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig, MSGGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.scales import downsample_average
from ggdr.play.duel import Duel, StepContext

G, D = MSGGANGeneratorConfig.tiny(), MSGGANDiscriminatorConfig.tiny()
BRIEF = ImageSpec(16, 32)
COMBINE = pytest.mark.parametrize("combine", ["simple", "lin_cat", "cat_lin"])


def duel(discriminator=D, turn="g", augment=None, *extra) -> Duel:
    torch.manual_seed(0)
    pair = G.build(BRIEF), discriminator.build(BRIEF, *extra)
    for network, learns in zip(pair, (turn == "g", turn == "d"), strict=True):
        network.requires_grad_(learns)
    return Duel(*pair, torch.randn(4, 3, BRIEF.height, BRIEF.width), None, StepContext(turn, augment=augment))


def touched(network) -> set[str]:
    return {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}


def test_an_image_is_made_at_each_size():
    made = tiny.moved(G.build(BRIEF))(torch.randn(2, 8))
    assert {resolution: tuple(x.shape) for resolution, x in made.scales.items()} == {4: (2, 3, 4, 8), 8: (2, 3, 8, 16)}
    assert not torch.allclose(downsample_average(made.image), made.scales[8])


@COMBINE
def test_an_image_alone_is_judged_with_the_smaller_ones_made_of_it(combine):
    network, image = tiny.moved(replace(D, combine=combine).build(BRIEF)), torch.randn(4, 3, 16, 32)
    scales = {16: image, 8: downsample_average(image), 4: downsample_average(image, 2)}
    torch.testing.assert_close(network(scales).logits, network(image).logits)
    for resolution in scales:
        other = network({**scales, resolution: torch.randn_like(scales[resolution])}).logits
        assert not torch.allclose(other, network(image).logits)


def test_maps_are_joined_as_the_three_functions_say():
    widths = {how: replace(D, combine=how).build(BRIEF).b8.join.outputs for how in ("simple", "lin_cat", "cat_lin")}
    assert widths == {"simple": 8 + 3, "lin_cat": 8 + 8, "cat_lin": 8}


@COMBINE
def test_gradients_reach_every_image_layer_of_the_generator(combine):
    fight = duel(replace(D, combine=combine))
    fight.on_fake.logits.sum().backward()
    assert {f"torgb{resolution}.weight" for resolution in (4, 8, 16)} <= touched(fight.G)


def test_they_do_so_through_a_decoders_encoder_too():
    fight = duel(UNetDiscriminatorConfig(encoder=D), "g", None, ExtraOutputs({8: 8}))
    fight.on_fake.logits.sum().backward()
    assert {f"torgb{resolution}.weight" for resolution in (4, 8, 16)} <= touched(fight.G)


def test_another_discriminator_sees_the_largest_image_alone():
    fight = duel(DCGANDiscriminatorConfig.tiny())
    fight.on_fake.logits.sum().backward()
    assert {name for name in touched(fight.G) if "torgb" in name} == {"torgb16.weight", "torgb16.bias"}


def test_reals_are_judged_and_every_weight_of_the_discriminator_learns():
    fight = duel(turn="d")
    (fight.on_real.logits.square() + fight.on_fake.logits).sum().backward()
    assert touched(fight.D) == {name for name, _ in fight.D.named_parameters()}


def test_augmentation_is_refused_where_it_would_leave_smaller_images_as_they_are():
    with pytest.raises(ValueError, match="discriminator 'msg_gan' judges the fakes at smaller sizes.*--augment none"):
        _ = duel(augment=DiffAugment()).on_fake
    assert duel(augment=NoAugmentation()).on_fake.logits.isfinite().all()
    assert duel(DCGANDiscriminatorConfig.tiny(), augment=DiffAugment()).on_fake.logits.isfinite().all()
