"""SAN: the last layer's direction has length 1, and learns from its own logit alone (arXiv 2301.12811)."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from image_specs import SPECS, every_spec, images_of, labels_of
from registered import own
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.losses.hinge import Hinge
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.fastgan import FastGANDiscriminatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.pa_gan.discriminator import append_bits
from ggdr.networks.progan import ProGANDiscriminatorConfig
from ggdr.networks.san import SANDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability, discover, discriminators
from ggdr.regularizers.san import SAN

discover()
PLAIN = SPECS["square"]
IMAGES = images_of(PLAIN, 2)
LINEAR = sorted(name for name, part in own("discriminator").items() if Capability.LOGIT_FACTORS in part.provides)


def san(name: str, spec=PLAIN):
    torch.manual_seed(0)
    network = SANDiscriminatorConfig(encoder=discriminators[name].tiny()).build(spec)
    for parameter in network.parameters():  # away from zero biases
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return network


@every_spec
@pytest.mark.parametrize("name", LINEAR)
def test_the_factors_of_every_linear_discriminator_multiply_to_its_logits(name, spec):
    encoder = san(name, spec).encoder
    images, labels = images_of(spec, 4), labels_of(spec, 4)
    factors, maps = encoder.factors(images, labels)
    logits, same = encoder.pyramid(images, labels)
    torch.testing.assert_close(factors.logits, logits)
    assert factors.code.dtype == torch.float32 and maps.keys() == same.keys()
    assert all(torch.equal(maps[r], same[r]) for r in maps)


@every_spec
@pytest.mark.parametrize("name", LINEAR)
def test_the_logit_is_the_encoders_with_a_direction_of_length_1(name, spec):
    network = san(name, spec)
    images, labels = images_of(spec, 4), labels_of(spec, 4)
    said, (code, direction, bias) = network(images, labels), network.encoder.factors(images, labels)[0]
    length = direction.norm(dim=-1)
    torch.testing.assert_close(said.logits, (code * direction).sum(1) / length + bias)
    torch.testing.assert_close(said.direction_logits, said.logits - bias)
    assert (direction.ndim == 2) == bool(spec.labels)  # each class has its own


def test_the_last_layer_learns_from_the_directions_logit_alone_and_all_else_from_the_other():
    network = san("dcgan")
    images = images_of(PLAIN, 4)
    last, first = network.encoder.out.weight, network.encoder.b16.conv.weight
    said = network(images)
    assert torch.autograd.grad(said.logits.sum(), [last, first], allow_unused=True)[0] is None
    grads = torch.autograd.grad(network(images).direction_logits.sum(), [last, first], allow_unused=True)
    assert grads[0].abs().sum() > 0 and grads[1] is None
    assert torch.autograd.grad(network(images).logits.sum(), [first])[0].abs().sum() > 0


def test_the_directions_gradient_is_that_worked_out_by_hand():
    """d/dw of <w / |w|, m> is (m - <m, u> u) / |w| for u = w / |w|, m the mean code of fakes less that of reals."""
    network = san("dcgan")
    reals, fakes = images_of(PLAIN, 4), 0.5 * images_of(PLAIN, 4).flip(0) + 0.1
    judged = {"on_real": network(reals), "on_fake": network(fakes)}
    made = Duel(None, network, reals, None, StepContext("d"))
    vars(made).update(judged)
    (found,) = torch.autograd.grad(SAN().d_loss(made), [network.encoder.out.weight])
    with torch.no_grad():
        mean = (network.encoder.factors(fakes)[0].code - network.encoder.factors(reals)[0].code).mean(0)
        w = network.encoder.out.weight.flatten()
        u = F.normalize(w, dim=0)
        torch.testing.assert_close(found.flatten(), (mean - (mean @ u) * u) / w.norm())


def test_the_term_is_the_mean_over_fakes_less_that_over_reals_weighted_or_not():
    made = Duel(None, None, torch.zeros(2, 1, 8, 8), None, StepContext("d"))
    vars(made).update(
        on_real=DiscriminatorOutput(torch.tensor([0.0, 9.0]), direction_logits=torch.tensor([1.0, 4.0])),
        on_fake=DiscriminatorOutput(torch.tensor([0.0, 0.0]), direction_logits=torch.tensor([-1.0, 2.0])),
    )
    assert SAN().d_loss(made) == 0.5 - 2.5
    sure = 1 / (1 + torch.tensor(9.0).exp())  # how little the second real counts
    torch.testing.assert_close(SAN(weighting="logistic").d_loss(made), 0.5 - (0.5 * 1 + sure * 4) / (0.5 + sure))


def test_everything_the_encoder_says_and_does_goes_through():
    pixels = SANDiscriminatorConfig(encoder=UNetGANDiscriminatorConfig.tiny()).build(PLAIN)
    said = pixels(IMAGES)
    assert torch.equal(said.pixel_logits, pixels.encoder(IMAGES).pixel_logits)
    growing = SANDiscriminatorConfig(encoder=ProGANDiscriminatorConfig.tiny()).build(PLAIN)
    whole = growing(IMAGES).logits
    growing.grow(0.0)
    assert not torch.allclose(growing(IMAGES).logits, whole)


def test_a_unet_around_it_draws_maps_and_hands_both_logits_on():
    network = UNetDiscriminatorConfig(encoder=SANDiscriminatorConfig.tiny()).build(PLAIN, ExtraOutputs({8: 4}))
    said = network(IMAGES, resolutions=(8,))
    assert said.features[8].shape == (2, 4, 8, 8) and said.direction_logits.shape == (2,)
    assert Capability.DIRECTION_LOGITS in network.config.provides
    assert Capability.LOGIT_FACTORS not in network.config.provides


def test_bits_around_it_turn_both_logits():
    network = PAGANDiscriminatorConfig(encoder=SANDiscriminatorConfig.tiny(), levels=1).build(PLAIN).eval()
    straight = network(IMAGES)
    vars(network)["draw_bits"] = lambda image: torch.tensor([[0.0], [0.0]])
    assert torch.equal(network(IMAGES).direction_logits, straight.direction_logits)
    vars(network)["draw_bits"] = lambda image: torch.tensor([[1.0], [0.0]])
    inside = network.encoder(append_bits(IMAGES, torch.tensor([[1.0], [0.0]])))
    assert torch.equal(network(IMAGES).direction_logits, torch.tensor([-1.0, 1.0]) * inside.direction_logits)


def recipe(discriminator, loss=None, **terms):
    return dataclasses.replace(
        tiny.recipe, discriminator=discriminator, loss=loss or NonSaturating(), regularizers=terms
    )


def test_what_does_not_go_together_is_refused_with_what_to_type():
    spec = tiny.recipe.data.open().spec
    inner = DCGANDiscriminatorConfig.tiny()
    with pytest.raises(UserError, match=r"no term teaches that: add .* --regularizers.san san\."):
        fit(recipe(SANDiscriminatorConfig(encoder=inner)), {"real": spec})
    with pytest.raises(UserError, match="wrap it: .* --discriminator san --discriminator.encoder dcgan"):
        fit(recipe(inner, san=SAN()), {"real": spec})
    for encoder in (UNetDiscriminatorConfig(encoder=inner), FastGANDiscriminatorConfig.tiny()):
        with pytest.raises(UserError, match="--discriminator unet --discriminator.encoder san"):
            fit(recipe(SANDiscriminatorConfig(encoder=encoder), san=SAN()), {"real": spec})
    with pytest.raises(UserError, match=r"the loss is 'hinge': set --regularizers.san.weighting uniform"):
        fit(recipe(SANDiscriminatorConfig(encoder=inner), Hinge(), san=SAN(weighting="logistic")), {"real": spec})
