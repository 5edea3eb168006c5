"""Mixing, walks, polarity and modes: what they make, where they meet plain generation, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch
from tiny import moved
from torch import Tensor, nn

from ggdr.latent.codes import codes_of_seeds, draw_codes
from ggdr.latent.mixing import mix_styles
from ggdr.latent.modes import draw_with_modes, find_modes
from ggdr.latent.polarity import log_volumes, polarity_sample
from ggdr.latent.walks import walk
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.pipeline import Pipeline
from ggdr.sampling import SamplingOptions, draw
from ggdr.sampling.labels import label_rows


@pytest.fixture(scope="module")
def style() -> Generator:
    return moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16))).eval()


@pytest.fixture(scope="module")
def classes() -> Generator:
    return moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 4))).eval()


@pytest.fixture(scope="module")
def plain() -> Generator:
    return moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 32, 1))).eval()


def images(generator, codes) -> Tensor:
    return torch.cat(list(draw_codes(generator, codes)))


def plainly(generator, seeds, labels=None, **view) -> Tensor:
    return torch.cat(list(draw(generator, seeds, labels, SamplingOptions(**view))))


# ------------------------------------------------------------------------------------------------------------ mixing


def test_an_image_that_takes_all_or_no_styles_is_one_of_its_parents(style):
    rows, columns = codes_of_seeds(style, [1, 2]), codes_of_seeds(style, [3, 4, 5])
    every = range(rows.points.shape[1])
    assert torch.equal(mix_styles(style, rows, columns, every).points, columns.points.repeat(2, 1, 1))
    assert torch.equal(mix_styles(style, columns, rows, every).points[:2], rows.points)
    taken = mix_styles(style, rows, columns, [0, 2]).points
    assert torch.equal(taken[4, [0, 2]], columns.points[1, [0, 2]])
    assert torch.equal(taken[4, [1, 3]], rows.points[1, [1, 3]])


def test_the_pipeline_mixes_row_by_row_and_its_default_is_the_coarser_half(style):
    pipe = Pipeline(style)
    out = pipe.mix([1, 2], [3, 4, 5], truncation_psi=0.5, output_type="pt")
    half = range(codes_of_seeds(style, [1]).points.shape[1] // 2)
    view = SamplingOptions(0.5)
    codes = mix_styles(style, codes_of_seeds(style, [2], view=view), codes_of_seeds(style, [3], view=view), half)
    torch.testing.assert_close(out.images[3], images(style, codes)[0].add(1).div(2).clamp(0, 1))
    assert out.seeds == [1, 1, 1, 2, 2, 2]


def test_what_has_no_styles_is_not_mixed_and_layers_are_named(style, plain):
    with pytest.raises(ValueError, match="generator 'dcgan' has no style codes"):
        Pipeline(plain).mix([0], [1])
    with pytest.raises(ValueError, match="there is no style code 99; give layers of 0 to 5"):
        Pipeline(style).mix([0], [1], layers=[0, 99])


# ------------------------------------------------------------------------------------------------------------- walks


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("curve", ["spline", "slerp"])
@pytest.mark.parametrize("which", ["style", "plain"])
def test_a_walk_passes_its_seeds_images_in_steps_of_one_size(which, curve, loop, request):
    generator, seeds = request.getfixturevalue(which), [5, 6, 9]
    codes = walk(generator, seeds, 8, curve=curve, loop=loop)
    assert len(codes.points) == (24 if loop else 17)
    torch.testing.assert_close(images(generator, codes.rows([0, 8, 16])), plainly(generator, seeds))
    points = codes.points.flatten(1)
    steps = (points.roll(-1, 0) - points).norm(dim=1)[: None if loop else -1]
    assert steps.max() < 3 * steps.mean(), "the end of a loop is no jump"


def test_walks_between_latent_codes_stay_where_latent_codes_are(plain):
    for curve in ("spline", "slerp"):
        lengths = walk(plain, [1, 2, 3], 10, curve=curve).points.norm(dim=1)
        assert lengths.min() > 0.99 * lengths[[0, 10, 20]].min() and lengths.max() < 1.01 * lengths[[0, 10, 20]].max()


def test_a_walk_changes_classes_along_its_way(classes):
    rows = label_rows(classes.spec, [0, 3], 2)
    for curve in ("spline", "slerp"):
        made = images(classes, walk(classes, [1, 1], 4, labels=rows, curve=curve).rows([0, 4]))
        torch.testing.assert_close(made, plainly(classes, [1, 1], rows))


def test_walks_that_lead_nowhere_are_refused(style):
    pipe = Pipeline(style)
    with pytest.raises(ValueError, match="past 2 seeds or more in 1 step or more each; given 1 and 5"):
        pipe.interpolate([1], 5)
    with pytest.raises(ValueError, match="curve is 'circle'; give 'spline' or 'slerp'"):
        pipe.interpolate([1, 2], 5, curve="circle")
    assert pipe.interpolate([1, 2], 3, loop=False, output_type="np").images.shape == (4, 16, 16, 3)


# ---------------------------------------------------------------------------------------------------------- polarity


class Stretching(Generator):
    """z [N, 2] to a picture that is stretched by e^z0 in both directions: its volume is known."""

    def __init__(self):
        super().__init__(DCGANGeneratorConfig.tiny(), ImageSpec(2, 1, 1))
        self.z_dim, self.weight = 2, nn.Parameter(torch.ones([]))

    def forward(self, z, labels=None, *, resolutions=()):
        image = torch.stack([z[:, 0].exp(), z[:, 1] * z[:, 0].exp()], 1)
        return GeneratorOutput(self.weight * image[:, None, :, None])


def test_volumes_are_those_of_the_jacobian():
    """The Jacobian is e^z0 [[1, 0], [z1, 1]], of determinant e^(2 z0)."""
    from ggdr.sampling import seeded_latents

    seeds = list(range(20))
    expected = 2 * seeded_latents(seeds, 2)[:, 0]
    torch.testing.assert_close(log_volumes(Stretching(), seeds, None, None, 16).float(), expected)


def test_polarity_prefers_where_images_crowd_or_are_sparse_and_nothing_at_zero():
    from ggdr.sampling import seeded_latents

    generator, pool = Stretching(), range(1000, 1400)
    height = {rho: seeded_latents(polarity_sample(generator, pool, 100, rho), 2)[:, 0].mean() for rho in (-1.0, 1.0)}
    # Odds e^(2 rho z0) move a Gaussian's mean by 2 rho; drawn without replacement it moves less.
    assert -2.0 < height[-1.0] < -0.7 and 0.7 < height[1.0] < 2.0
    assert polarity_sample(generator, pool, 5, 0.0) == [1000, 1001, 1002, 1003, 1004]
    assert polarity_sample(generator, pool, 5, -1.0) == polarity_sample(generator, pool, 5, -1.0)
    assert len(set(polarity_sample(generator, range(8), 8, -1.0))) == 8


def test_the_pipeline_tells_the_seeds_that_polarity_chose(style, classes):
    pipe = Pipeline(style)
    out = pipe(batch_size=3, seeds=range(20), polarity=-1.0, output_type="pt")
    assert len(out.seeds) == 3 and set(out.seeds) < set(range(20))
    assert torch.equal(out.images, pipe(seeds=out.seeds, output_type="pt").images)
    assert len(Pipeline(classes)(batch_size=2, polarity=1.0, candidates=6, labels=2).seeds) == 2
    with pytest.raises(ValueError, match="4 of 3 seeds cannot be chosen"):
        pipe(batch_size=4, seeds=range(3), polarity=-1.0)
    with pytest.raises(ValueError, match="polarity chooses among images of one class"):
        Pipeline(classes)(batch_size=2, polarity=-1.0, labels=[0, 1])


# ------------------------------------------------------------------------------------------------------------- modes


def test_psi_pulls_styles_to_the_nearest_of_several_centres(style):
    modes, codes = find_modes(style, 5), codes_of_seeds(style, range(30))
    assert modes.centres.shape == (5, codes.points.shape[2])
    torch.testing.assert_close(modes.truncate(codes, 1.0).points, codes.points)
    ends = modes.truncate(codes, 0.0).points
    distance = (codes.points[:, :1] - modes.centres).norm(dim=2)
    torch.testing.assert_close(ends[:, 0], modes.centres[distance.argmin(1)])
    part = modes.truncate(codes, 0.0, cutoff=2).points
    assert torch.equal(part[:, :2], ends[:, :2]) and torch.equal(part[:, 2:], codes.points[:, 2:])
    assert distance.argmin(1).unique().numel() > 1


def test_one_mode_is_the_mean_and_none_is_plain_truncation(style):
    one = find_modes(style, 1).centres[0]
    drawn_mean = find_modes(style, 1, seed=1).centres[0]
    assert (one - drawn_mean).norm() < 0.2 * codes_of_seeds(style, range(50)).points[:, 0].std(0).norm()
    with_none = torch.cat(list(draw_with_modes(style, [1, 2], view=SamplingOptions(0.5))))
    assert torch.equal(with_none, plainly(style, [1, 2], truncation_psi=0.5))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"modes": 4}, "modes are what psi pulls towards; give truncation_psi too"),
        ({"modes": 0, "truncation_psi": 0.5}, "0 modes are none"),
        ({"modes": 4, "truncation_psi": 0.5, "noise": "random"}, "leave noise out"),
        ({"modes": 4, "truncation_psi": math.nan}, "psi is nan"),
    ],
)
def test_modes_that_cannot_be_are_refused(asked, message, style):
    with pytest.raises(ValueError, match=message):
        Pipeline(style)(seeds=[1], **asked)


def test_modes_of_what_has_no_styles_are_refused(plain):
    with pytest.raises(ValueError, match="generator 'dcgan' has no style codes to find modes of"):
        Pipeline(plain)(seeds=[1], modes=3, truncation_psi=0.5)
