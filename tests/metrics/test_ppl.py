"""Perceptual path length: known lengths of known paths, and what it asks of a generator and of features."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import tiny
import torch

from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.cache import FeatureCache
from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.metrics.data import EvalData
from ggdr.metrics.ppl import PPL, great_circle, trimmed_mean
from ggdr.networks.base import GeneratorConfig, GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.registry import Capability
from ggdr.seeding import seed_of

BRIEF = ImageSpec(16, 16, 3)


class Pixels(Embedder):
    """The pixels themselves."""

    weights_hash, protocol, width = "none", {}, 768

    def __call__(self, images):
        assert images.dtype == torch.float32, "unrounded"
        return Features(images.flatten(1))


@dataclass(frozen=True, kw_only=True)
class AsTheyAre(Extractor):
    """Pixels as features; not registered."""

    name: ClassVar[str] = "pixels"
    batch: int = 20
    provides: ClassVar = frozenset({Capability.SMOOTH})

    def load(self, device):
        return Pixels()


@dataclass(frozen=True, kw_only=True)
class LinearConfig(GeneratorConfig):
    """Settings of a generator whose images are its style codes, which are twice its latent codes."""

    name: ClassVar[str] = "linear"
    provides: ClassVar = frozenset({Capability.WS})


class Linear(Generator):
    """An image of one row: the style code."""

    z_dim = 6

    def __init__(self, spec=BRIEF):
        super().__init__(LinearConfig(), spec)
        self.scale = torch.nn.Parameter(torch.tensor(2.0))

    def styles(self, z, labels=None):
        shift = 0 if labels is None else labels.argmax(dim=1)[:, None]
        return (self.scale * (z + shift))[:, None]

    def synthesize(self, ws):
        return ws[:, :, None].expand(-1, 3, 1, -1)

    def forward(self, z, labels=None, *, resolutions=()):
        ws = self.styles(z, labels)
        return GeneratorOutput(self.synthesize(ws), ws)


def seen(generator, labels=None):
    nothing = FeatureCache(lambda places: pytest.fail("no images are asked for"))
    return EvalData(nothing, nothing, generator, labels) if labels else EvalData(nothing, nothing, generator)


def plain(**changes):
    return dataclasses.replace(PPL(extractor=AsTheyAre(), images=200), **changes)


def usual(values):
    """Means within the extremes, as they are published."""
    low = np.percentile(values, 1, method="lower")
    high = np.percentile(values, 99, method="higher")
    return values[(values >= low) & (values <= high)].mean()


def ends(images, seed=0):
    """The latent codes at the two ends of all paths [2, N, z_dim]."""
    parts = []
    for start in range(0, images, 64):
        dice = torch.Generator().manual_seed(seed_of(0, seed, start))
        parts.append(torch.randn(2, min(64, images - start), 6, generator=dice))
    return torch.cat(parts, dim=1).double()


@pytest.mark.parametrize("sampling", ["end", "full"])
def test_straight_paths_are_as_long_as_they_are(sampling):
    """Pixels are 127.5 * 2 * z in three channels: |change|^2 / epsilon^2 = 3 * (255 |z' - z|)^2, all the way."""
    start, stop = ends(200)
    expected = usual((3 * (255 * (stop - start)).square().sum(dim=1)).numpy())
    assert plain(sampling=sampling, epsilon=1e-2).measure(seen(Linear()))["mean"] == pytest.approx(expected, rel=1e-4)


class Curved(Linear):
    """Its images are the squares of style codes, so that a step's length depends on where it is taken."""

    def synthesize(self, ws):
        return super().synthesize(ws.square())


def test_paths_are_looked_at_where_they_start_or_anywhere():
    """Pixels are 127.5 * (2 z)^2: their slope along the path is 1020 z (z' - z), of z where the step is taken."""
    start, stop = ends(200)
    dice = [torch.Generator().manual_seed(seed_of(0, 0, first)) for first in range(0, 200, 64)]
    counts = [min(64, 200 - first) for first in range(0, 200, 64)]
    for each, n in zip(dice, counts, strict=True):
        torch.randn(2, n, 6, generator=each)  # the ends come first
    share = torch.cat([torch.rand(n, generator=each) for each, n in zip(dice, counts, strict=True)]).double()
    for sampling, place in (("end", start), ("full", start.lerp(stop, share[:, None]))):
        expected = usual((3 * (1020 * place * (stop - start)).square().sum(dim=1)).numpy())
        found = plain(sampling=sampling, epsilon=1e-3).measure(seen(Curved()))["mean"]
        assert found == pytest.approx(expected, rel=0.02)


def test_great_circles_are_as_long_as_their_angle():
    start, stop = (torch.nn.functional.normalize(each, dim=1) for each in ends(200))
    angles = (start * stop).sum(dim=1).acos()
    expected = usual((3 * (255 * angles).square() * 6).numpy())
    found = plain(space="z", epsilon=1e-2).measure(seen(Linear()))["mean"]
    assert found == pytest.approx(expected, rel=1e-4)


def test_great_circles_begin_and_end_where_they_should():
    a, b = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0)).double()
    unit = [each / each.norm(dim=1, keepdim=True) * 8**0.5 for each in (a, b)]
    for share, end in ((0.0, unit[0]), (1.0, unit[1])):
        torch.testing.assert_close(great_circle(a, b, torch.full((5, 1), share).double()), end)
    assert torch.allclose(great_circle(a, b, torch.rand(5, 1).double()).norm(dim=1), torch.tensor(8**0.5).double())
    torch.testing.assert_close(great_circle(a, 2 * a, torch.tensor([[0.5]]).double()), unit[0])


def test_codes_in_one_direction_or_opposite_ones_are_no_trouble():
    """Rounding takes the cosine of some beyond 1."""
    a = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0))
    for b in (a, 3 * a, -a):
        assert great_circle(a, b, torch.full((2000, 1), 0.3)).isfinite().all()


def test_extremes_are_left_out():
    values = torch.cat([torch.arange(1.0, 101.0), torch.tensor([1e9, -1e9])]).double()
    assert trimmed_mean(values) == pytest.approx(usual(values.numpy())) and trimmed_mean(values) < 100
    assert trimmed_mean(torch.tensor([3.0])) == 3


def test_a_generator_that_is_steeper_has_longer_paths():
    steep = Linear()
    steep.scale.data.mul_(3)
    lengths = [plain().measure(seen(generator))["mean"] for generator in (Linear(), steep)]
    assert lengths[1] == pytest.approx(9 * lengths[0], rel=0.02)


def test_another_seed_takes_other_paths():
    """The seed of the data is that of an evaluation's repeat."""
    same, other = (plain().measure(seen(Linear())._replace(seed=seed))["mean"] for seed in (0, 1))
    assert same == plain().measure(seen(Linear()))["mean"] != other == pytest.approx(same, rel=0.3)
    assert plain(seed=1).measure(seen(Linear()))["mean"] not in (same, other)


@pytest.mark.parametrize("images", [64, 100])
def test_the_batch_of_the_extractor_changes_nothing(images):
    lengths = [
        plain(images=images, extractor=AsTheyAre(batch_size=b)).measure(seen(Linear()))["mean"] for b in (1, 7, 64)
    ]
    assert lengths == pytest.approx([lengths[0]] * 3, rel=1e-5)


def test_both_ends_of_a_step_wear_the_same_label():
    generator = Linear(BRIEF._replace(labels=10))
    given = []

    def labels(places):
        given.append(places)
        return torch.eye(10)[torch.arange(len(places)) % 10]

    assert plain().measure(seen(generator, labels))["mean"] == pytest.approx(
        plain().measure(seen(Linear()))["mean"], rel=1e-2
    )
    assert given == [range(0, 64), range(64, 128), range(128, 192), range(192, 200)]
    with pytest.raises(ValueError, match="ppl of generator 'linear' needs its labels"):
        plain().measure(seen(generator))


@pytest.mark.parametrize("space", ["w", "z"])
def test_stylegan2_holds_its_noise_still(space):
    generator = tiny.STYLEGAN2.build(BRIEF).eval()
    for name, parameter in generator.named_parameters():
        if "noise_strength" in name:
            parameter.data.fill_(5.0)
    coarse, fine = (plain(space=space, epsilon=eps, images=40).measure(seen(generator))["mean"] for eps in (1e-2, 5e-3))
    assert 0 < fine < 2 * coarse, "were the noise another at each end, half the step would be four times as long"


def test_a_smooth_classifier_of_digits_will_do():
    generator = tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)).eval()
    values = [
        plain(extractor=Digits(), images=30, epsilon=eps).measure(seen(generator))["mean"] for eps in (1e-3, 1e-4)
    ]
    assert values[0] > 0 and values[1] == pytest.approx(values[0], rel=0.1), "the step is in the linear range"


def test_what_it_cannot_walk_is_refused_in_one_sentence():
    dcgan = DCGANGeneratorConfig(channels=8).build(BRIEF).eval()
    with pytest.raises(ValueError, match="generator 'dcgan' has no style codes for ppl; set space to z"):
        plain().prepare(seen(dcgan))
    assert plain(space="z", images=8).measure(seen(dcgan))["mean"] > 0
    with pytest.raises(ValueError, match="walks in the latent space of a generator"):
        plain().prepare(seen(None))
    with pytest.raises(
        ValueError, match="before they are rounded, which feature extractor 'inception' cannot; take lpips"
    ):
        PPL(extractor=Inception())
