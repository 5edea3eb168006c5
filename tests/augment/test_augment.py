"""Augmentation: where images and their maps go, what it does to colours, and how p adapts."""

import math
import subprocess
import sys

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from ggdr.augment import ada, diffaug
from ggdr.augment.ada import ADA, Draws
from ggdr.augment.colour import Colour
from ggdr.augment.corruption import Corruption, bands
from ggdr.augment.diffaug import DiffAugment
from ggdr.augment.geometry import Geometry
from ggdr.augment.none import NoAugmentation

EVERYTHING = ("blit", "geometry", "colour", "filter", "noise", "cutout")
CPU = torch.device("cpu")


def started(**settings) -> ADA:
    augment = ADA(**settings)
    augment.begin(CPU)
    return augment


def reals(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(*shape, dtype=dtype) * 2 - 1


# identity


def test_at_p_0_images_and_maps_stay_bit_for_bit():
    image, maps = reals(4, 3, 12, 10), {6: reals(4, 5, 6, 5)}
    draws = ada.draw(image, torch.tensor(0.0), EVERYTHING)
    result, moved = ada.apply(image, maps, draws)
    assert torch.equal(result, image) and torch.equal(moved[6], maps[6])
    result, moved = started()(image, maps)
    assert result is image and moved is maps


def test_an_image_for_which_nothing_was_drawn_stays_whatever_its_batch_mates_get():
    image, maps = reals(2, 3, 8, 8), {8: reals(2, 5, 8, 8)}
    one = torch.tensor([0.0, 1.0])
    draws = Draws(
        Geometry(rotation=one[:, None] * torch.ones(2)), Colour(hue=one), Corruption(1 + one[:, None].tile(4))
    )
    result, moved = ada.apply(image, maps, draws)
    assert torch.equal(result[0], image[0]) and torch.equal(moved[8][0], maps[8][0])
    assert not torch.allclose(result[1], image[1], atol=0.1) and not torch.allclose(moved[8][1], maps[8][1], atol=0.1)


def test_no_augmentation_hands_on_what_it_got():
    image, maps = reals(2, 3, 8, 8), {4: reals(2, 5, 4, 4)}
    assert NoAugmentation()(image, maps) == (image, maps)


# geometry


def ramp(height: int, width: int) -> torch.Tensor:
    """[1, 2, H, W]: half a cosine along x and along y; mirrored for ever at its outermost pixels, it stays smooth."""
    x, y = (torch.cos(math.pi * torch.arange(size) / (size - 1)) for size in (width, height))
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])[None]


def pair(x: float, y: float) -> torch.Tensor:
    return torch.tensor([[x, y]])


MOVES = {
    "x_flip": Geometry(x_flip=torch.ones(1)),
    "quarter_turn": Geometry(quarter_turns=torch.ones(1)),
    "half_turn": Geometry(quarter_turns=torch.full((1,), 2.0)),
    "three_quarters": Geometry(quarter_turns=torch.full((1,), 3.0)),
    "integer_shift": Geometry(integer_shift=pair(0.08, -0.121)),
    "scale_up": Geometry(scale=torch.full((1,), 1.3)),
    "scale_down": Geometry(scale=torch.full((1,), 0.75)),
    "rotation": Geometry(rotation=pair(0.7, 0)),
    "stretch": Geometry(stretch=torch.full((1,), 1.25)),
    "shift": Geometry(shift=pair(-0.11, 0.057)),
    "all": Geometry(
        torch.ones(1), torch.ones(1), pair(0.1, 0.05), torch.full((1,), 0.9), pair(2, -1), torch.full((1,), 1.1),
        pair(0.1, -0.2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("cell", [1, 2, 4])
@pytest.mark.parametrize("size", [(64, 64), (64, 96)], ids=["square", "wide"])
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_maps_move_with_the_image_to_a_twentieth_of_a_cell(move, size, cell):
    image, shrink = ramp(*size), torch.nn.AvgPool2d(cell)
    result, moved = ada.apply(image, {size[0] // cell: shrink(image)}, Draws(move))
    (off,) = [(there - shrink(result)).abs() for there in moved.values()]
    steepest = torch.tensor(
        [math.pi * cell / (resolution - 1) for resolution in (size[1], size[0])]
    )  # change from cell to cell
    assert (off / steepest[:, None, None]).max() < 0.05
    assert (result - image).abs().max() > steepest.max() / cell  # it did move, by more than a pixel


def test_flips_and_turns_are_those_of_the_pixel_lattice():
    image = ramp(32, 32)
    turns = {1: image.rot90(1, (2, 3)), 2: image.rot90(2, (2, 3)), 3: image.rot90(3, (2, 3))}
    flipped, _ = ada.apply(image, {}, Draws(MOVES["x_flip"]))
    assert (flipped - image.flip(3)).abs().max() < 0.02
    for count, expected in turns.items():
        turned, _ = ada.apply(image, {}, Draws(Geometry(quarter_turns=torch.full((1,), float(count)))))
        assert (turned - expected).abs().max() < 0.02


def test_an_integer_shift_moves_whole_pixels_and_mirrors_at_the_border():
    image = reals(1, 3, 16, 16)
    shifted, _ = ada.apply(image, {}, Draws(Geometry(integer_shift=pair(0.12, -0.07))))  # 1.92 and -1.12 pixels
    expected = torch.nn.functional.pad(image, (2, 0, 0, 1), mode="reflect")[:, :, 1:, :16]
    torch.testing.assert_close(shifted, expected, atol=1e-5, rtol=0)


def test_the_mirrored_image_goes_on_for_ever():
    image = reals(1, 3, 9, 9)
    period = torch.full((1, 2), 5 * 16 / 9)  # mirrored, 9 pixels repeat after 16
    shifted, _ = ada.apply(image, {}, Draws(Geometry(integer_shift=period)))
    torch.testing.assert_close(shifted, image, atol=1e-4, rtol=0)


# any size, any number of channels


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [(4, 4), (8, 8), (7, 13), (48, 31)], ids=str)
def test_every_size_and_channel_count_is_augmented(size, channels):
    image, maps = reals(3, channels, *size), {size[0]: reals(3, 6, *size)}
    for augment in (started(pipeline=EVERYTHING, fixed_p=1.0), DiffAugment()):
        result, moved = augment(image, maps)
        assert result.shape == image.shape and result.isfinite().all() and not torch.equal(result, image)
        assert moved[size[0]].shape == maps[size[0]].shape and moved[size[0]].isfinite().all()


@pytest.mark.parametrize("augment", [ADA(pipeline=("colour",), fixed_p=1.0), DiffAugment(policy=("colour",))])
def test_colour_leaves_opacity_alone_and_maps_too(augment):
    augment.begin(CPU)
    image, maps = reals(4, 4, 8, 8), {8: reals(4, 6, 8, 8)}
    result, moved = augment(image, maps)
    assert torch.equal(result[:, 3], image[:, 3]) and not torch.equal(result[:, :3], image[:, :3])
    assert moved[8] is maps[8]


def test_colour_means_what_it_says():
    image, one = reals(1, 3, 4, 4), torch.ones(1)
    luma = image.mean(1, keepdim=True)

    def changed(**draws):
        return ada.apply(image, {}, Draws(colour=Colour(**draws)))[0]

    torch.testing.assert_close(changed(brightness=0.3 * one), image + 0.3)
    torch.testing.assert_close(changed(contrast=2 * one), 2 * image)
    torch.testing.assert_close(changed(saturation=0 * one), luma.expand_as(image))
    torch.testing.assert_close(changed(luma_flip=one), image - 2 * luma)
    torch.testing.assert_close(changed(hue=2 * math.pi / 3 * one), image.roll(1, 1))  # red becomes green
    torch.testing.assert_close(changed(brightness=0.3 * one, contrast=2 * one), 2 * (image + 0.3))


def test_filter_bands_add_up_to_the_identity_and_keep_to_their_frequencies():
    split = bands(64, CPU, torch.float32)
    torch.testing.assert_close(split.sum(0), torch.eye(64))
    torch.testing.assert_close(split @ torch.ones(64), torch.eye(4)[:, :1].expand(4, 64))  # flat: the lowest band's
    for band, frequency in enumerate((0.0, 3 / 16, 3 / 8, 1.0)):  # the middle of each, the outermost at their ends
        wave = torch.cos(math.pi * frequency * torch.arange(64))
        loudest = (split @ wave).square().sum(1).argmax()
        assert loudest == band


def test_filter_keeps_the_power_of_a_natural_spectrum():
    image, factors = reals(1, 1, 64, 64), torch.tensor([[1.0, 3.0, 1.0, 1.0]])
    result, _ = ada.apply(image, {}, Draws(corruption=Corruption(filter=factors)))
    flat = (10 + 9 + 1 + 1) / 13
    torch.testing.assert_close(result.mean(), image.mean() / flat, atol=1e-2, rtol=0)  # each axis divides by its root
    assert not torch.allclose(result, image / flat, atol=0.1)


def test_cutout_blanks_its_window_and_nothing_else():
    window = torch.tensor([[0.5, 0.5, 0.25]])
    result, _ = ada.apply(torch.ones(1, 2, 8, 8), {}, Draws(corruption=Corruption(cutout=window)))
    expected = torch.ones(1, 2, 8, 8)
    expected[:, :, :4, 2:6] = 0
    assert torch.equal(result, expected)


# derivatives and seeds


def test_draws_follow_the_global_seed():
    augment, image = started(fixed_p=0.5), reals(4, 3, 8, 8)
    torch.manual_seed(5)
    first, _ = augment(image, {})
    torch.manual_seed(5)
    assert torch.equal(first, augment(image, {})[0])
    assert not torch.equal(first, augment(image, {})[0])


def drawn(image: torch.Tensor, transforms: tuple[str, ...]) -> Draws:
    torch.manual_seed(3)
    return ada.draw(image, torch.ones((), dtype=image.dtype), transforms)


@pytest.mark.parametrize("transforms", [("blit", "geometry"), ("colour",), ("filter", "noise", "cutout")], ids="-".join)
def test_ada_can_be_differentiated_twice(transforms):
    image = reals(1, 3 if "colour" in transforms else 1, 5, 4, dtype=torch.float64).requires_grad_()
    draws = drawn(image, transforms)
    assert gradcheck(lambda x: ada.apply(x, {}, draws)[0], image)
    assert gradgradcheck(lambda x: ada.apply(x, {}, draws)[0].tanh(), image)


def test_diffaug_can_be_differentiated_twice():
    image = reals(2, 3, 5, 4, dtype=torch.float64).requires_grad_()
    draws = diffaug.draw(image, ("colour", "translation", "cutout"))
    assert gradcheck(lambda x: diffaug.apply(x, {}, draws)[0], image)
    assert gradgradcheck(lambda x: diffaug.apply(x, {}, draws)[0].tanh(), image)


@pytest.mark.parametrize("augment", [ADA(pipeline=EVERYTHING[:5], fixed_p=1.0), DiffAugment(policy=("colour",))])
def test_gradients_reach_every_pixel_of_image_and_maps(augment):
    augment.begin(CPU)
    torch.manual_seed(0)
    image, features = reals(64, 3, 8, 8).requires_grad_(), reals(64, 2, 8, 8).requires_grad_()
    result, moved = augment(image, {8: features})
    (result.square().sum() + moved[8].square().sum()).backward()
    assert (image.grad.abs().sum(0) > 0).all() and (features.grad.abs().sum(0) > 0).all()


def test_what_was_cached_under_inference_mode_serves_training():
    image = reals(1, 1, 11, 11)
    with torch.inference_mode():
        ada.apply(image, {}, drawn(image, EVERYTHING))
    image.requires_grad_()
    ada.apply(image, {}, drawn(image, EVERYTHING))[0].sum().backward()
    assert image.grad.abs().sum() > 0


# the controller


def step(augment: ADA, signs: float, images: float = 500.0, times: int = 1) -> None:
    for _ in range(times):
        augment.learn({"signs/real": torch.tensor(signs), "images": torch.tensor(images)})


def test_p_rises_while_d_is_too_sure_and_falls_again():
    augment = started(speed_kimg=100)
    step(augment, 0.9, times=3)
    assert augment.state["p"] == 0 and not augment.active
    step(augment, 0.5)  # the fourth: on average 0.8
    assert augment.state["p"].item() == pytest.approx(2000 / 100_000) and augment.active
    assert augment.state["r_t"].item() == pytest.approx(0.8)
    step(augment, 0.9, times=4)
    assert augment.state["p"].item() == pytest.approx(4000 / 100_000)
    step(augment, 0.1, times=4)
    assert augment.state["p"].item() == pytest.approx(2000 / 100_000)


def test_p_stays_between_0_and_its_bound():
    augment = started(speed_kimg=1, p_max=0.7, interval=1)
    step(augment, 1.0, times=5)
    assert augment.state["p"].item() == pytest.approx(0.7)
    step(augment, -1.0, times=5)
    assert augment.state["p"] == 0 and not augment.active


def test_a_step_that_is_not_finite_does_not_spoil_p():
    augment = started(speed_kimg=100, interval=1)
    step(augment, 1.0)
    step(augment, float("nan"))
    step(augment, 1.0)
    assert augment.state["p"].item() == pytest.approx(1000 / 100_000)


def test_a_fixed_p_stays_fixed_and_r_t_is_still_measured():
    augment = started(fixed_p=0.2)
    step(augment, 1.0, times=4)
    assert augment.state["p"].item() == pytest.approx(0.2) and augment.state["r_t"] == 1
    resumed = started(fixed_p=0.4)
    resumed.load_state_dict(augment.state_dict())
    assert resumed.state["p"].item() == pytest.approx(0.4)


def test_a_resumed_controller_goes_on_as_if_it_had_never_stopped():
    ours, other = started(speed_kimg=10), started(speed_kimg=10)
    step(ours, 1.0, times=6)
    other.load_state_dict({key: value.clone() for key, value in ours.state_dict().items()})
    assert other.active
    for augment in (ours, other):
        step(augment, 0.3, times=3)
    assert ours.state_dict() == other.state_dict() and ours.state["p"] > 0


@pytest.mark.parametrize(
    "settings, hint",
    [
        ({"pipeline": ("bgc",)}, "blit"),
        ({"p_max": 1.5}, "1.5"),
        ({"fixed_p": -0.1}, "-0.1"),
        ({"interval": 0}, "1 or more"),
        ({"strengths": (1.0, 0.5)}, "or 3: one for each of blit, geometry, colour"),
        ({"strengths": (1.5,)}, "1 number from 0 to 1"),
        ({"strengths": ()}, "give 1 number"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(settings, hint):
    with pytest.raises(ValueError, match=hint):
        ADA(**settings)
    with pytest.raises(ValueError, match="translation"):
        DiffAugment(policy=("blur",))


# DiffAugment


def test_diffaug_shifts_by_whole_pixels_and_its_maps_by_the_same_way():
    image = reals(1, 3, 16, 32)
    shift = torch.tensor([[3 / 32, -2 / 16]])
    cells = torch.arange(8.0).expand(1, 1, 4, 8)
    result, moved = diffaug.apply(image, {16: image, 4: cells}, diffaug.Draws(translation=shift))
    expected = torch.zeros_like(image)
    expected[:, :, :14, 3:] = image[:, :, 2:, :29]
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)
    assert torch.equal(moved[16], result)
    torch.testing.assert_close(moved[4][:, :, :3, 1:], cells[:, :, :3, 1:] - 0.75)  # 3 pixels are 3/4 of a cell


def test_diffaug_draws_within_the_ranges_of_its_paper():
    draws = diffaug.draw(torch.zeros(4000, 1, 16, 32), ("colour", "translation", "cutout"))
    low, high = draws.colour.min(0).values, draws.colour.max(0).values
    assert torch.allclose(low, torch.tensor([-0.5, 0, 0.5]), atol=0.01)
    assert torch.allclose(high, torch.tensor([0.5, 2, 1.5]), atol=0.01)
    x, y = (draws.translation * torch.tensor([32, 16])).T
    assert sorted(x.unique().tolist()) == list(range(-4, 5)) and sorted(y.unique().tolist()) == list(range(-2, 3))
    assert (draws.cutout[:, :2] == 0.5).all()
    assert (draws.cutout[:, 2:].min(), draws.cutout[:, 2:].max()) == (0, 1)


@pytest.mark.parametrize(
    ("resolution", "shift", "window"), [(4, 1, 2), (6, 1, 3), (7, 1, 4), (12, 2, 6), (20, 3, 10), (36, 5, 18)]
)
def test_diffaug_rounds_half_a_pixel_up_as_published(resolution, shift, window):
    """Shifts of at most int(side / 8 + 0.5) pixels, a window of int(side / 2 + 0.5), all of its places as likely."""
    image = torch.ones(8000, 1, resolution, resolution)
    draws = diffaug.draw(image, ("translation", "cutout"))
    pixels = (draws.translation * resolution).round()
    assert pixels.unique().tolist() == list(range(-shift, shift + 1))
    gray = diffaug.apply(image, {}, diffaug.Draws(cutout=draws.cutout))[0][:, 0] == 0
    rows = gray.any(2)
    places = {tuple(row.nonzero().flatten().tolist()) for row in rows.unique(dim=0)}
    starts = range(-(window // 2), resolution + 1 - window % 2 - window // 2)
    assert places == {tuple(p for p in range(first, first + window) if 0 <= p < resolution) for first in starts}
    counts = rows.unique(dim=0, return_counts=True)[1] / len(image)
    assert (counts - 1 / len(starts)).abs().max() < 5 * (1 / len(starts) / len(image)) ** 0.5


def test_settings_are_listed_without_importing_torch():
    code = "import sys, ggdr.augment.ada, ggdr.augment.diffaug, ggdr.augment.none; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
