"""What a pipeline may be asked for: seeds, truncation and numbers of images, and what is no such thing."""

import re

import pytest
import torch
from places import ROOT
from tiny import STYLEGAN2

from ggdr.games.standard import StandardGame
from ggdr.metrics.inception_score import InceptionScore
from ggdr.metrics.kid import KID
from ggdr.networks.base import ImageSpec
from ggdr.pipeline import Pipeline
from ggdr.play.view import Reals
from ggdr.sampling import make, seeded_latents
from ggdr.seeding import word

PIPE = Pipeline(STYLEGAN2.build(ImageSpec(16, 16)))


def test_seeds_may_be_one_or_a_tensor():
    both = PIPE(seeds=torch.tensor([3, 4]), output_type="pt")
    assert both.seeds == [3, 4] and torch.allclose(PIPE(seeds=3, output_type="pt").images[0], both.images[0], atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"batch_size": 2.0}, "batch_size is 2.0"),
        ({"seeds": [0.5]}, "0.5 is none"),
        ({"seeds": "abc"}, "'a' is none"),
        ({"truncation_psi": "x"}, "psi is 'x'"),
        ({"truncation_psi": 0.5, "truncation_cutoff": 1.5}, "cutoff is 1.5"),
    ],
)
def test_what_is_no_number_is_refused_in_one_sentence(asked, hint):
    with pytest.raises(ValueError, match=hint):
        PIPE(**asked)


@pytest.mark.parametrize("noise", ["const", "random"])
def test_seeds_that_differ_by_a_power_of_two_make_different_images(noise):
    small, large = PIPE(seeds=[3, 3 + 2**32], noise=noise, output_type="pt").images
    assert (small - large).abs().mean() > 0.01


def test_the_images_of_small_seeds_are_what_they_were():
    assert torch.equal(seeded_latents([7], 4)[0], torch.randn(4, generator=torch.Generator().manual_seed(7)))
    assert [word(seed) for seed in (0, 7, 2**32 - 1)] == [0, 7, 2**32 - 1]


def test_large_seeds_fit_torch_and_numpy_and_stay_apart():
    words = [word(seed) for seed in (0, 2**32, 2**33, 2**63, 2**64 - 1, 2**80, -1)]
    assert len(set(words)) == len(words) and all(0 <= each < 2**32 for each in words)


def test_a_run_s_grids_differ_for_seeds_that_differ_by_a_power_of_two():
    view = StandardGame().views({"generator": PIPE.generator}, ["real"])["fakes"]
    one, other = (make(view, {"real": Reals(torch.empty(2, 0))}, seed, ImageSpec(1, 1)) for seed in (5, 5 + 2**32))
    assert one.shape == other.shape and not torch.equal(one, other)


def test_metrics_take_a_large_seed():
    assert InceptionScore(splits=1, seed=2**40).score(torch.randn(100, 3))["mean"] > 0
    fakes, reals = KID(subsets=2, seed=2**40).draw(8, 8, 4)
    assert fakes.sum() == reals.sum() == 8


def test_no_seed_reaches_a_generator_with_bits_that_it_would_drop():
    given = re.compile(r"(?:manual_seed|random\.RandomState)\(([^)]*)")
    for file in sorted((ROOT / "ggdr").rglob("*.py")):
        for seed in given.findall(file.read_text()):
            assert re.match(r"word\(|seed_of\(|\d+$", seed), f"{file}: {seed}"
