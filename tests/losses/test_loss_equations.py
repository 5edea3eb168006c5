"""Losses and gradient penalties against their papers' equations, worked out by hand on logits that are given."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ggdr.losses.began import BEGAN
from ggdr.losses.ebgan import EBGAN
from ggdr.losses.hinge import Hinge
from ggdr.losses.least_squares import LeastSquares
from ggdr.losses.minimax import Minimax
from ggdr.losses.non_saturating import NonSaturating
from ggdr.losses.wasserstein import Wasserstein
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput
from ggdr.play.duel import Duel, StepContext
from ggdr.play.term import Term
from ggdr.registry import Capability
from ggdr.regularizers.cutmix import CutMix
from ggdr.regularizers.dragan import DRAGAN
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.per_pixel import PerPixel
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.regularizers.wgan_gp import WGANGP

REAL, FAKE = [3.0, -0.5], [0.25, -4.0]


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


LOSSES = {
    NonSaturating: (
        (softplus(-3) + softplus(0.5) + softplus(0.25) + softplus(-4)) / 2,
        (softplus(-0.25) + softplus(4)) / 2,
    ),
    Minimax: (
        (softplus(-3) + softplus(0.5) + softplus(0.25) + softplus(-4)) / 2,
        -(softplus(0.25) + softplus(-4)) / 2,
    ),
    Hinge: ((0 + 1.5 + 1.25 + 0) / 2, (4 - 0.25) / 2),
    LeastSquares: ((4 + 2.25 + 0.0625 + 16) / 4, (0.5625 + 25) / 4),
    EBGAN: (1.25 / 2 - (3 - 0.5) / 2, (4 - 0.25) / 2),
    BEGAN: (-(3 - 0.5) / 2, (4 - 0.25) / 2),  # at the start, where k is 0
    Wasserstein: ((0.25 - 4 - 3 + 0.5) / 2, (4 - 0.25) / 2),
}


def given(turn: str) -> Duel:
    """A duel whose logits are REAL and FAKE."""
    made = Duel(None, None, torch.zeros(2, 1, 1, 1), None, StepContext(turn))
    vars(made).update(on_real=DiscriminatorOutput(torch.tensor(REAL)), on_fake=DiscriminatorOutput(torch.tensor(FAKE)))
    return made


@pytest.mark.parametrize("kind", LOSSES, ids=lambda kind: kind.name)
def test_loss_is_its_papers_equation(kind):
    """The mean over the batch of each kind, summed."""
    term = kind()
    term.begin(torch.device("cpu"))
    for turn, expected in zip("dg", LOSSES[kind], strict=True):
        assert term.loss(given(turn)).item() == pytest.approx(expected, rel=1e-6)


class Steep:
    """A generator of fives, two by two pixels."""

    z_dim = 1

    def __call__(self, z: Tensor, labels=None, *, resolutions=()) -> GeneratorOutput:
        return GeneratorOutput(torch.full((len(z), 1, 2, 2), 5.0))


class Bowl:
    """A discriminator whose logit is half the image's squared length, so that its gradient is the image."""

    def __call__(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        return DiscriminatorOutput(image.square().sum((1, 2, 3)) / 2)


REALS = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 2.0]]).view(2, 1, 2, 2)


def penalty(term: Term, *requires: Capability) -> float:
    """What it is on two reals and two fakes; draws follow seed 0."""
    torch.manual_seed(0)
    return term.loss(Duel(Steep(), Bowl(), REALS, None, StepContext("d", frozenset(requires)))).item()


def test_r1_and_r2_are_half_the_squared_gradient_at_reals_and_at_fakes():
    assert penalty(R1(weight=1.0), Capability.REAL_GRAD) == pytest.approx((30 + 5) / 2 / 2)
    assert penalty(R2(), Capability.FAKE_GRAD) == pytest.approx(4 * 25 / 2)


def test_wgan_gp_draws_the_slope_between_reals_and_fakes_to_its_target():
    for target in (1.0, 3.0):
        found = penalty(WGANGP(target=target))
        torch.manual_seed(0)
        t = torch.rand(2, 1, 1, 1)
        assert found == pytest.approx(between(t, target), rel=1e-5)


def between(t: Tensor, target: float) -> float:
    """Mean of (slope - target)^2 at REALS + t (fake - REALS) (Gulrajani et al. 2017, eq. 3)."""
    slopes = (REALS + t * (5 - REALS)).flatten(1).norm(dim=1)
    return (slopes - target).square().mean().item()


def test_dragan_draws_the_slope_near_the_reals_to_one():
    """At reals + a share of noise that is uniform in [0, radius * their deviation) (Kodali et al. 2017, eq. 4)."""
    torch.manual_seed(0)
    noise, share = torch.rand(2, 1, 2, 2), torch.rand(2, 1, 1, 1)
    for radius in (0.5, 2.0):
        near = REALS + share * radius * REALS.std() * noise
        expected = (near.flatten(1).norm(dim=1) - 1).square().mean().item()
        assert penalty(DRAGAN(radius=radius)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("form", "d", "g"),
    [
        (
            "non_saturating",
            (softplus(-3) + softplus(0.5) + softplus(0.25) + softplus(-4)) / 2,
            (softplus(-0.25) + softplus(4)) / 2,
        ),
        ("hinge", (0 + 1.5 + 1.25 + 0) / 2, (4 - 0.25) / 2),
    ],
)
def test_the_loss_of_pixels_is_that_of_images_over_all_pixels(form, d, g):
    for turn, expected in (("d", d), ("g", g)):
        made = given(turn)
        for resolution, logits in (("on_real", REAL), ("on_fake", FAKE)):
            vars(made)[resolution] = DiscriminatorOutput(
                torch.zeros(1), pixel_logits=torch.tensor(logits).view(1, 1, 1, 2)
            )
        assert PerPixel(form=form).loss(made).item() == pytest.approx(expected, rel=1e-6)


class Blends:
    """A discriminator whose logit of a pixel is the pixel and the image's mean."""

    def __call__(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        return DiscriminatorOutput(torch.zeros(len(image)), pixel_logits=image + image.mean((1, 2, 3), keepdim=True))


def inside(share: float, y: float, x: float) -> Tensor:
    """Where a rectangle of this share of a 4 x 6 image about (y, x) lies, pixel by pixel."""
    reach = share**0.5 / 2
    return torch.tensor([[abs((r + 0.5) / 4 - y) < reach and abs((c + 0.5) / 6 - x) < reach for c in range(6)]
                         for r in range(4)])  # fmt: skip


@pytest.mark.parametrize(("kimg", "chance"), [(0.0, 0.0), (1.0, 0.2), (4.0, 0.8), (9.0, 0.8)])
def test_cutmix_holds_what_is_mixed_against_what_each_part_was_judged_to_be(kimg, chance):
    """Schönfeld et al. 2020, eq. 8, of the images that a coin lets join; p rises over 4 kimg."""
    torch.manual_seed(1)
    n = 32
    real, fake = torch.randn(n, 1, 4, 6), torch.randn(n, 1, 4, 6)
    fight = Duel(None, Blends(), real, None, StepContext("d", frozenset({Capability.PIXEL_LOGITS}), kimg=kimg))
    vars(fight)["fake"] = GeneratorOutput(fake)
    torch.manual_seed(0)
    found = CutMix(p=0.8, ramp_kimg=4.0).d_loss(fight).item()
    torch.manual_seed(0)
    windows, coins = torch.rand(3, n).T.tolist(), torch.rand(n)
    there = torch.stack([inside(*window) for window in windows])[:, None]
    judged = [(image + image.mean((1, 2, 3), keepdim=True)).sigmoid() for image in (real, fake)]
    mixed = torch.where(there, fake, real)
    off = (mixed + mixed.mean((1, 2, 3), keepdim=True)).sigmoid() - torch.where(there, judged[1], judged[0])
    expected = (off.square().mean((1, 2, 3)) * (coins < chance)).mean().item()
    assert found == pytest.approx(expected, rel=1e-5) and (found > 0) == (chance > 0)


def test_a_path_lengths_direction_does_not_grow_with_the_image():
    torch.manual_seed(0)
    for height, width in ((8, 16), (16, 16)):
        direction = PathLength().direction(torch.zeros(64, 3, height, width))
        assert direction.std().item() == pytest.approx((height * width) ** -0.5, rel=0.03)
