"""Pictures alone as pairs: random parts, and what the whole picture shows there once it is made smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from data_sources import folder
from domain_layouts import png
from PIL import Image

from ggdr.data.super_resolution import SuperResolution
from ggdr.errors import UserError

SIZES = ((41, 50), (33, 38), (52, 35))
"""heights and widths"""


def picture(number: int) -> np.ndarray:
    """Noise [H, W, 3] that no other picture has."""
    return np.random.default_rng(number).integers(0, 256, (*SIZES[number % 3], 3), dtype=np.uint8)


def pictures(root, count: int = 6) -> str:
    return folder(root, {f"{number}.png": png(picture(number)) for number in range(count)})


def place_of(part: torch.Tensor, whole: np.ndarray) -> tuple[int, int] | None:
    """Where a part [3, h, w] lies in a picture [H, W, 3]: its top and left."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, part.shape[1:], axis=(0, 1))
    found = np.argwhere((windows == part.numpy()).all(axis=(2, 3, 4)))
    return tuple(map(int, found[0])) if len(found) else None


@pytest.mark.parametrize(
    ("filter", "resample"), [("bicubic", Image.Resampling.BICUBIC), ("area", Image.Resampling.BOX)]
)
def test_a_small_part_is_what_the_whole_picture_made_smaller_shows_there(tmp_path, filter, resample):
    images = SuperResolution(source=pictures(tmp_path), size=16, filter=filter).open()
    assert images.paired and [*images.domains] == ["small", "large"] and images.domains["small"][:3] == (4, 4, 3)
    batches, places = images.domain_batches([*range(60)], 3), set()
    for small, large in zip(batches["small"].images, batches["large"].images, strict=True):
        (number, (top, left)), *others = [
            (n, place) for n in range(6) if (place := place_of(large, picture(n))) is not None
        ]
        assert not others and not top % 4 and not left % 4
        whole = Image.fromarray(picture(number))
        width, height = (side // 4 * 4 for side in whole.size)
        shrunk = np.asarray(whole.resize((width // 4, height // 4), resample, box=(0, 0, width, height)))
        expected = shrunk[top // 4 : top // 4 + 4, left // 4 : left // 4 + 4]
        assert np.abs(small.permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1
        places.add((number, top, left))
    assert len(places) > 40 and len({number for number, *_ in places}) == 6
    assert {top for n, top, _ in places if n % 3 == 1} == {0, 4, 8, 12, 16}  # 33 px: down to the last whole multiple


def test_a_place_of_the_order_shows_the_same_part_each_time_and_another_in_the_next_epoch(tmp_path):
    images, again = (SuperResolution(source=pictures(tmp_path), size=16).open() for _ in range(2))
    first = images.domain_batches([4, 10], 0)
    assert torch.equal(first["small"].images[1:], again.domain_batches([10], 0)["small"].images)
    assert not torch.equal(first["large"].images, images.domain_batches([4, 10], 1)["large"].images)
    shown = {images.at([place], 0).images.numpy().tobytes() for place in range(30)}
    assert len(shown) > 25  # of six pictures, in five epochs


def test_parts_are_mirrored_and_turned_alike_half_of_the_time(tmp_path):
    settings = SuperResolution(source=pictures(tmp_path, 1), size=16, filter="area")
    places = [*range(64)]
    plain = settings.open().domain_batches(places, 0)
    both = replace(settings, flip=True, rotate=True).open().domain_batches(places, 0)
    ways = {
        "plain": lambda x: x,
        "mirrored": lambda x: x.flip(2),
        "turned": lambda x: x.transpose(1, 2),
        "mirrored and turned": lambda x: x.flip(2).transpose(1, 2),
    }
    counts = dict.fromkeys(ways, 0)
    for place in places:
        (found,) = [
            name
            for name, way in ways.items()
            if all(torch.equal(way(plain[d].images[place]), both[d].images[place]) for d in ("small", "large"))
        ]
        counts[found] += 1
    assert min(counts.values()) >= 8


def test_tests_show_the_middle_of_pictures_that_training_never_sees(tmp_path):
    settings = SuperResolution(source=pictures(tmp_path), size=16, hold_out=2, flip=True, rotate=True, subset=3)
    held = settings.held_out()
    assert held.held_out() is None and (held.flip, held.rotate, held.subset) == (False, False, None)
    learned, tested = replace(settings, subset=None, flip=False, rotate=False).open(), held.open()
    assert (len(settings.open()), len(learned), len(tested)) == (3, 4, 2)
    seen = {n for part in learned.at([*range(8)], 0).images for n in range(6) if place_of(part, picture(n))}
    kept = {
        n: place_of(part, picture(n))
        for part in tested.at([0, 1], 0).images
        for n in range(6)
        if place_of(part, picture(n))
    }
    assert len(seen) == 4 and len(kept) == 2 and not seen & kept.keys()
    for number, (top, left) in kept.items():
        height, width = SIZES[number % 3]
        assert abs(top - (height - 16) / 2) <= 4 and abs(left - (width - 16) / 2) <= 4
    assert torch.equal(tested.at([0], 0).images, tested.at([2], 0).images) or torch.equal(
        tested.at([0], 0).images, tested.at([3], 0).images
    )


def test_tests_may_lie_elsewhere_and_then_all_pictures_are_learned_from(tmp_path):
    there = folder(tmp_path / "valid", {"a.png": png(picture(9))})
    settings = SuperResolution(source=pictures(tmp_path / "train"), size=16, test_source=there)
    assert len(settings.open()) == 6 and len(settings.held_out().open()) == 1 and settings.open().notes == ()
    assert len(replace(settings, hold_out=2).open()) == 6, "nothing is kept back that is not needed"
    (note,) = replace(settings, test_source="").open().notes
    assert "no images for tests, so metrics and grids look at those of training" in note
    assert replace(settings, test_source="").held_out() is None


def test_small_pictures_are_passed_over_and_that_is_said(tmp_path):
    source = pictures(tmp_path)
    images = SuperResolution(source=source, size=36, hold_out=1).open()
    assert any("of 5 pictures that were looked at are smaller than parts of 36x36" in note for note in images.notes)
    assert images.at([*range(5)], 0).images.shape == (5, 3, 36, 36)
    assert all("smaller than parts of 36x36" in why for why in images.unreadable.values()) and images.unreadable


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 18}, "parts of 18x18 do not become 4 times smaller; give size 16 16, multiples of factor"),
        ({"size": (16, 32), "rotate": True}, "parts of 16x32 cannot be turned; give size 16"),
        ({"size": 64}, "no picture has parts of 64x64, height x width; give size 41 or less, or larger pictures"),
        ({"hold_out": 6}, "hold_out 6: the set has 6 images; give 1 to 5"),
    ],
)
def test_what_cannot_be_had_is_refused(tmp_path, settings, words):
    with pytest.raises(UserError, match=words):
        SuperResolution(**{"source": pictures(tmp_path), "size": 16, **settings}).open()


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(UserError, match="factor is 0; give a number above 0"):
        SuperResolution(factor=0)


def test_gray_pictures_stay_gray_and_other_factors_are_taken(tmp_path):
    gray = folder(tmp_path, {"a.png": png(picture(0)[..., 0]), "b.png": png(picture(3)[..., 0])})
    images = SuperResolution(source=gray, size=(16, 24), factor=8).open()
    batch = images.domain_batches([0, 1], 0)
    assert [batch[name].images.shape for name in batch] == [(2, 1, 2, 3), (2, 1, 16, 24)]
