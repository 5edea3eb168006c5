"""Priors: codes of standard normal noise are distributed as they should be, and labels choose among them."""

from __future__ import annotations

import math

import pytest
import torch
from registered import own
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.mixture import Mixture
from ggdr.priors.structured import Structured
from ggdr.priors.swiss_roll import SwissRoll

WIDTHS = {"gaussian": 3, "mixture": 2, "swiss_roll": 2, "structured": 14}


def noise(width: int, n: int = 20000) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", sorted(own("prior")))
def test_codes_are_a_function_of_noise_of_their_width(name):
    prior = own("prior")[name]()
    drawn = noise(WIDTHS[name], 64)
    prior.check(WIDTHS[name])
    codes = prior.codes(drawn)
    assert codes.shape == drawn.shape and codes.dtype == torch.float32 and codes.isfinite().all()
    assert torch.equal(codes, prior.codes(drawn)) and torch.equal(codes[5:6], prior.codes(drawn[5:6]))
    far = prior.codes(torch.tensor([9.0, -9.0]).repeat(2, WIDTHS[name]).reshape(4, -1)[:, : WIDTHS[name]])
    assert far.isfinite().all()


def test_a_mixture_has_as_many_codes_of_each_component_and_its_spreads():
    prior = Mixture(components=5, radius=10.0, along=0.5, across=0.2)
    codes = prior.codes(noise(2))
    angle = torch.atan2(codes[:, 1], codes[:, 0])
    component = (angle / (2 * math.pi / 5)).round().long() % 5
    counts = component.bincount(minlength=5) / len(codes)
    assert (counts - 0.2).abs().max() < 0.01
    first = codes[component == 0]  # it points along the first axis
    assert first.mean(0).tolist() == pytest.approx([10, 0], abs=0.03)
    assert first.std(0).tolist() == pytest.approx([0.5, 0.2], abs=0.01)


def test_labels_choose_the_component_and_the_section():
    labels = F.one_hot(torch.tensor([3, 0, 9]), 10).float()
    petals = Mixture(components=10, radius=10.0).codes(noise(2, 3), labels)
    angle = torch.atan2(petals[:, 1], petals[:, 0]) % (2 * math.pi) / (2 * math.pi / 10)
    assert angle.round().long().remainder(10).tolist() == [3, 0, 9]
    roll = SwissRoll(radius=1.0).codes(noise(2, 3), labels)
    section = (roll.norm(dim=1) ** 2 * 10).floor()  # as much of it in each class
    assert section.tolist() == [3, 0, 9]


def test_a_swiss_roll_is_a_line_as_dense_everywhere():
    prior = SwissRoll(turns=1.5, radius=2.0)
    codes = prior.codes(noise(2))
    distance = codes.norm(dim=1)
    share = (distance / 2) ** 2  # the part of the way that lies inside
    assert share.histc(4, 0, 1).div(len(codes)).tolist() == pytest.approx([0.25] * 4, abs=0.01)
    angle = 2 * math.pi * 1.5 * distance / 2
    torch.testing.assert_close(codes, torch.stack([angle.cos(), angle.sin()], 1) * distance[:, None])


def test_a_structured_prior_has_categories_uniform_numbers_and_a_rest():
    prior = Structured(categories=(4, 2), uniform=1, rest=Gaussian(std=5.0))
    (four, two), uniform, rest = prior.parts(prior.codes(noise(10)))
    assert (four.sum(1) == 1).all() and (two.sum(1) == 1).all() and prior.explained == 7
    assert four.mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.01)
    assert uniform.abs().max() <= 1 and uniform.histc(4, -1, 1).div(20000).tolist() == pytest.approx(
        [0.25] * 4, abs=0.01
    )
    assert rest.shape[1] == 3 and rest.std(0).tolist() == pytest.approx([5.0] * 3, abs=0.1)


@pytest.mark.parametrize(
    ("prior", "width", "labels", "message"),
    [
        (Mixture(), 3, 0, "prior 'mixture' lies in the plane, and the generator takes codes of 3 numbers"),
        (SwissRoll(), 8, 0, "its z_dim 2"),
        (Mixture(), 2, 7, "has 10 components, and labels that choose among them have 7 classes"),
        (Structured(uniform=2), 8, 0, "has parts of 12 numbers, and the generator takes codes of 8"),
        (Structured(rest=Mixture()), 13, 0, "codes of 3 numbers"),
    ],
)
def test_a_width_that_a_prior_has_no_codes_of_is_refused(prior, width, labels, message):
    with pytest.raises(UserError, match=message):
        prior.check(width, labels)


def test_settings_that_make_no_distribution_are_refused():
    with pytest.raises(UserError, match="a category has 2 classes or more"):
        Structured(categories=(1,))
    with pytest.raises(UserError, match="std"):
        Gaussian(std=0.0)


def test_a_generator_with_a_prior_decodes_codes_and_draws_them_of_noise():
    plain = DCGANGeneratorConfig(z_dim=2, channels=4)
    spec = ImageSpec(8, 8, 1, labels=10)
    torch.manual_seed(0)
    made = FromPriorGeneratorConfig(generator=plain, prior=Mixture(), labels="prior").build(spec).eval()
    labels = F.one_hot(torch.tensor([1, 7]), 10).float()
    z = noise(2, 2)
    codes = made.codes(z, labels)
    assert torch.equal(codes, Mixture().codes(z, labels))
    assert torch.equal(made(z, labels).image, made.decode(codes).image)
    assert torch.equal(made.decode(codes).image, made.generator(codes).image)
    other = plain.build(spec.unlabelled())
    assert torch.equal(other.codes(z), z)


def test_labels_of_a_generator_with_a_prior_are_the_generators_by_default():
    made = FromPriorGeneratorConfig(generator=DCGANGeneratorConfig.tiny(), prior=Gaussian()).build(
        ImageSpec(8, 8, 1, 4)
    )
    assert made.generator.spec.labels == 4
    labels = torch.eye(4)[:2]
    assert not torch.equal(made.eval()(noise(8, 2), labels).image, made(noise(8, 2), labels.flip(0)).image)
