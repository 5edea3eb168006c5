"""Random jitter and flips: what is shown is a pure function of (seed, position)."""

import io

import numpy as np
import pytest
import torch
from data_sources import encoded, folder
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.data.reading.jitter import Jitter
from ggdr.errors import UserError


def coordinates(height: int, width: int) -> bytes:
    """An image whose red is its row and whose green is its column."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.stack([rows, columns, rows * 0], 2)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def source(tmp_path) -> str:
    return folder(tmp_path / "images", {f"{number}.png": coordinates(20, 20) for number in range(3)})


def corners(images) -> list[tuple[int, int]]:
    return [(int(image[0, 0, 0]), int(image[1, 0].min())) for image in images]


def test_a_random_part_of_the_larger_image_is_shown(source):
    shown = ImageFiles(source=source, size=16, load_size=20).open().at(range(300), 1).images
    assert shown.shape == (300, 3, 16, 16)
    assert {top for top, _ in corners(shown)} == {left for _, left in corners(shown)} == set(range(5))
    first = shown[0].int()
    assert (first[0].diff(dim=0) == 1).all() and (first[1].diff(dim=1) == 1).all()  # a whole part, not resized


def test_a_flip_mirrors_half_of_what_is_shown(source):
    images = ImageFiles(source=source, size=20, flip=True).open()
    rising = images.at(range(400), 1).images[:, 1, 0].int().diff(dim=1) == 1
    assert len(images) == 3
    assert 150 < int(rising.all(1).sum()) < 250 and (rising.all(1) | ~rising.any(1)).all()


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_drawn_is_a_function_of_seed_and_position(source, workers):
    images = ImageFiles(source=source, size=16, load_size=(20, 18), flip=True, cache_mb=0).open()
    whole = images.at(range(24), 5).images
    assert not torch.equal(whole, images.at(range(24), 6).images)
    later = batches(images, seed=5, start=8, batch_size=4, num_workers=workers)
    assert torch.equal(torch.cat([next(later)["real"].images for _ in range(4)]), whole[8:])


def test_images_of_another_scale_show_the_same_part():
    small, large = np.mgrid[:20, :20][None, 0], np.mgrid[:80, :80][None, 0] // 4
    for position in range(50):
        low = Jitter(16, 16, flip=True)(small, 0, position)
        high = Jitter(64, 64, flip=True, step=4)(large, 0, position)
        assert (high[:, ::4, ::4] == low).all()


def test_without_jitter_nothing_is_drawn(source):
    images = ImageFiles(source=source, size=20).open()
    assert images.jitter is None
    assert torch.equal(images.at([0], 1).images, images.at([0], 1).images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 16, "load_size": 15}, "load_size 15 15 is smaller than the images that are cut from it, 16x16"),
        ({"load_size": 20}, "load_size needs size, the size of what is cut."),
        ({"flip": True, "mirror": True}, "mirror shows the mirror image of each, as flip does; leave one out."),
        ({"only": "cat"}, "only 'cat' needs labels; type labels folders, or the column or file that says"),
    ],
)
def test_settings_that_mean_nothing_are_refused(source, settings, message):
    with pytest.raises(UserError, match=message):
        ImageFiles(source=source, **settings).open()


def test_one_class_alone_is_read_and_is_no_label(tmp_path):
    source = folder(
        tmp_path, {f"{kind}/{n}.png": encoded(n + 10 * (kind == "dog")) for kind in ("cat", "dog") for n in range(4)}
    )
    images = ImageFiles(source=source, labels="folders", only="dog").open()
    assert sorted(images.at(range(4), 0).images[:, 0, 0, 0].tolist()) == [10, 11, 12, 13]
    assert (len(images), images.spec.labels, images.at([0], 0).labels) == (4, 0, None)
    with pytest.raises(UserError, match="no image has the label 'horse'; type only and one of cat, dog"):
        ImageFiles(source=source, labels="folders", only="horse").open()
