"""ADA's draws: what fires how often, and how far it goes, over many images."""

import math

import pytest
import torch

from ggdr.augment import ada, diffaug

EVERYTHING = ("blit", "geometry", "colour", "filter", "noise", "cutout")
P, MANY = 0.3, 20_000


@pytest.fixture(scope="module")
def many() -> dict[str, torch.Tensor]:
    """All draws of a large batch at p = 0.3, by name."""
    torch.manual_seed(1)
    groups = ada.draw(torch.zeros(MANY, 1, 2, 2), torch.tensor(P), EVERYTHING)
    return {name: drawn for group in groups for name, drawn in group._asdict().items()}


def share(fired: torch.Tensor) -> float:
    return fired.float().mean().item()


@pytest.mark.parametrize("name, still", [("integer_shift", 0), ("scale", 1), ("stretch", 1), ("shift", 0),
                                         ("brightness", 0), ("contrast", 1), ("hue", 0), ("saturation", 1),
                                         ("noise", 0)])  # fmt: skip
def test_a_transform_fires_with_probability_p(many, name, still):
    assert share((many[name] != still).flatten(1).any(1) if many[name].dim() > 1 else many[name] != still) == (
        pytest.approx(P, abs=0.013)
    )


def test_flips_and_quarter_turns_are_drawn_among_all_when_they_fire(many):
    for name, count in (("x_flip", 2), ("luma_flip", 2), ("quarter_turns", 4)):
        for value in range(1, count):
            assert share(many[name] == value) == pytest.approx(P / count, abs=0.01)


def test_of_two_rotations_at_least_one_fires_with_probability_p(many):
    fired = many["rotation"] != 0
    assert share(fired.any(1)) == pytest.approx(P, abs=0.013)
    assert share(fired[:, 0]) == pytest.approx(1 - math.sqrt(1 - P), abs=0.011)
    assert share(fired[:, 1]) == pytest.approx(1 - math.sqrt(1 - P), abs=0.011)


def test_bands_fire_one_by_one_and_cutout_takes_a_window_anywhere(many):
    assert [share(band != 1) for band in many["filter"].T] == pytest.approx([P] * 4, abs=0.013)
    resolution, x, y = many["cutout"].T
    assert share(resolution == 0.5) == pytest.approx(P, abs=0.013) and share(resolution == 0) == pytest.approx(
        1 - P, abs=0.013
    )
    for centre in (x, y):
        assert centre.min() >= 0 and centre.max() <= 1 and centre.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name, std", [("scale", 0.2), ("stretch", 0.2), ("contrast", 0.5), ("saturation", 1.0),
                                       ("filter", 1.0)])  # fmt: skip
def test_factors_are_powers_of_two_of_a_normal_draw(many, name, std):
    power = many[name][many[name] != 1].log2()
    assert power.mean() == pytest.approx(0, abs=0.06 * std) and power.std() == pytest.approx(std, rel=0.05)


@pytest.mark.parametrize("name, std", [("brightness", 0.2), ("shift", 0.125), ("noise", 0.1)])
def test_offsets_are_normal(many, name, std):
    offset = many[name][many[name] != 0]
    assert offset.mean() == pytest.approx(0, abs=0.06 * std) and offset.std() == pytest.approx(std, rel=0.05)


@pytest.mark.parametrize("name, most", [("integer_shift", 0.125), ("rotation", math.pi), ("hue", math.pi)])
def test_uniform_draws_fill_their_range_evenly(many, name, most):
    drawn = many[name][many[name] != 0] / most
    assert drawn.abs().max() <= 1
    assert drawn.abs().max() > 0.99 and drawn.std() == pytest.approx(3**-0.5, rel=0.03)


def test_at_p_1_everything_fires_and_single_transforms_can_be_chosen():
    draws = ada.draw(torch.zeros(64, 3, 4, 4), torch.tensor(1.0), ("scale", "hue", "noise"))
    assert (draws.geometry.scale != 1).all() and (draws.colour.hue != 0).all() and (draws.corruption.noise != 0).all()
    assert sum(drawn is not None for group in draws for drawn in group) == 3


def test_each_transform_fires_as_often_as_its_strength_says_and_is_drawn_in_the_same_order():
    """R3GAN's pipeline: half as often for colours; a single transform may differ from its group."""
    image, p = torch.zeros(MANY, 1, 2, 2), torch.tensor(0.8)
    torch.manual_seed(1)
    plain = ada.draw(image, p, ("blit", "colour", "hue", "cutout"))
    torch.manual_seed(1)
    drawn = ada.draw(image, p, ("blit", "colour", "hue", "cutout"), (1.0, 0.5, 0.25, 1.0))
    for name, strength in {"brightness": 0.5, "contrast": 0.5, "hue": 0.25, "saturation": 0.5}.items():
        still = float(name in ("contrast", "saturation"))
        now, before = drawn.colour._asdict()[name], plain.colour._asdict()[name]
        assert share(now != still) == pytest.approx(0.8 * strength, abs=0.011)
        assert torch.equal(now[now != still], before[now != still])
    assert share(drawn.colour.luma_flip == 1) == pytest.approx(0.2, abs=0.011)
    assert torch.equal(drawn.geometry.integer_shift, plain.geometry.integer_shift)
    assert torch.equal(drawn.corruption.cutout, plain.corruption.cutout)
    turned = ada.draw(image, p, ("rotation",), (0.5,)).geometry.rotation != 0
    assert share(turned.any(1)) == pytest.approx(0.4, abs=0.013)


def test_what_has_the_strength_0_does_not_fire_and_counts_for_nothing():
    augment = ada.ADA(pipeline=("blit", "colour"), strengths=(0.0, 0.5), fixed_p=0.9)
    assert augment.acts and not augment.moves and not augment.turns
    assert not ada.ADA(strengths=(0.0,), fixed_p=0.9).acts
    torch.manual_seed(0)
    augment.begin(torch.device("cpu"))
    image, maps = torch.rand(64, 3, 8, 8), {8: torch.rand(64, 2, 8, 8)}
    recoloured, moved = augment(image, maps)
    assert torch.equal(moved[8], maps[8])
    assert share((recoloured != image).flatten(1).any(1)) == pytest.approx(1 - 0.55**4 * 0.775, abs=0.12)


def test_diffaugs_colours_are_added_drawn_to_gray_and_drawn_to_the_mean():
    """Brightness is added, saturation scales the distance to a pixel's gray, contrast that to the image's mean."""
    image = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))

    def changed(brightness: float, saturation: float, contrast: float) -> torch.Tensor:
        return diffaug.recolour(image, torch.tensor([[brightness, saturation, contrast]]))

    gray, mean = image.mean(1, keepdim=True), image.mean()
    torch.testing.assert_close(changed(0.3, 1, 1), image + 0.3)
    torch.testing.assert_close(changed(0, 1.5, 1), gray + 1.5 * (image - gray))
    torch.testing.assert_close(changed(0, 1, 0.25), mean + 0.25 * (image - mean))
    torch.testing.assert_close(changed(0.3, 0, 0), (mean + 0.3).expand_as(image))


def test_diffaug_cuts_out_the_window_that_was_drawn():
    draws = diffaug.Draws(cutout=torch.tensor([[0.5, 0.25, 0.25, 0.5]]))  # 4 x 2 px about (2, 4)
    expected = torch.ones(1, 2, 8, 8)
    expected[:, :, 3:5, :4] = 0
    assert torch.equal(diffaug.apply(torch.ones(1, 2, 8, 8), {}, draws)[0], expected)
