"""Files of every mode and shape arrive as uint8 of one size; broken ones are stood in for."""

import io

import numpy as np
import pytest
import torch
from data_sources import encoded, folder, gray_of, noise, zipped
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.networks.base import ImageSpec


def first(source: str, **settings):
    return ImageFiles(source=source, **settings).open().at([0], 0).images[0]


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_folder_is_read_at_any_depth_in_the_order_of_names(tmp_path):
    source = folder(tmp_path, {"b/c/2.png": encoded(2), "1.JPG": encoded(1, kind="JPEG"), "b/3.webp": encoded(3)})
    images = ImageFiles(source=source).open()
    assert images.spec == ImageSpec(8, 8, 3, 0)
    assert len(images) == 3
    assert sorted(gray_of(image) for image in images.at([0, 1, 2], 0).images) == [1, 2, 3]
    assert images.at([0], 0).labels is None


def test_a_zip_gives_what_its_folder_gives(tmp_path):
    files = {f"{number}/x.png": noise(number) for number in range(5)}
    one = ImageFiles(source=folder(tmp_path / "files", files)).open()
    other = ImageFiles(source=zipped(tmp_path / "files.zip", files)).open()
    assert torch.equal(one.at(range(10), 3).images, other.at(range(10), 3).images)


def test_the_systems_own_files_are_passed_over(tmp_path):
    files = {"a.png": encoded(1), "__MACOSX/._a.png": b"x", ".thumbnails/a.png": encoded(2), "notes.txt": b"x"}
    assert len(ImageFiles(source=zipped(tmp_path / "a.zip", files)).open()) == 1
    assert len(ImageFiles(source=folder(tmp_path / "a", files)).open()) == 1


def test_zip_entries_that_point_outside_are_read_and_nothing_is_written(tmp_path):
    (tmp_path / "in").mkdir()
    source = zipped(tmp_path / "in" / "a.zip", {"../../evil.png": encoded(7)})
    assert gray_of(first(source)) == 7
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.zip"]


def test_a_linked_folder_is_followed_and_a_circle_ends(tmp_path):
    folder(tmp_path / "there", {"a.png": encoded(1)})
    folder(tmp_path / "here", {"b.png": encoded(2)})
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there")
    (tmp_path / "there" / "back").symlink_to(tmp_path / "here")
    assert len(ImageFiles(source=str(tmp_path / "here")).open()) == 2


@pytest.mark.parametrize(
    ("mode", "value", "channels", "expected"),
    [
        ("L", 90, 1, [90]),
        ("L", 90, 3, [90, 90, 90]),
        ("1", 1, 1, [255]),
        ("I;16", 65535, 1, [255]),
        ("I;16", 128 * 257, 3, [128, 128, 128]),
        ("RGB", (10, 20, 30), 3, [10, 20, 30]),
        ("RGB", (10, 20, 30), 4, [10, 20, 30, 255]),
        ("RGBA", (10, 20, 30, 0), 3, [255, 255, 255]),
        ("RGBA", (10, 20, 30, 255), 3, [10, 20, 30]),
        ("RGBA", (0, 0, 0, 128), 1, [127]),
        ("RGBA", (10, 20, 30, 40), 4, [10, 20, 30, 40]),
        ("LA", (50, 0), 1, [255]),
    ],
)
def test_each_mode_becomes_the_channels_asked_for(tmp_path, mode, value, channels, expected):
    source = folder(tmp_path, {"a.png": encoded(value, mode)})
    image = first(source, channels=channels)
    assert image.dtype == torch.uint8
    assert image[:, 4, 4].tolist() == expected


@pytest.mark.parametrize(
    ("mode", "value", "kind", "channels"),
    [("L", 9, "PNG", 1), ("I;16", 9, "PNG", 1), ("RGB", 9, "PNG", 3), ("RGBA", (9, 9, 9, 9), "PNG", 4)]
    + [("CMYK", (9, 9, 9, 9), "JPEG", 3), ("F", 1, "TIFF", 1)],
)
def test_channels_are_those_of_the_images_unless_given(tmp_path, mode, value, kind, channels):
    source = folder(tmp_path, {f"a.{kind.lower()}": encoded(value, mode, kind=kind)})
    assert ImageFiles(source=source).open().spec.channels == channels


def test_palette_and_cmyk_give_their_colours(tmp_path):
    red = Image.new("RGB", (8, 8), (200, 0, 0))
    source = folder(tmp_path, {"a.png": saved(red.convert("P", palette=Image.Palette.ADAPTIVE))})
    assert first(source)[:, 0, 0].tolist() == [200, 0, 0]
    source = folder(tmp_path / "cmyk", {"a.jpg": saved(red.convert("CMYK"), "JPEG", quality=100)})
    assert np.allclose(first(source)[:, 0, 0], [200, 0, 0], atol=3)


def test_the_cameras_rotation_is_undone(tmp_path):
    lying = Image.fromarray(np.array([[0, 255]], np.uint8).repeat(8, 0).repeat(8, 1))  # 8 high, 16 wide, dark at left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright: dark on top
    source = folder(tmp_path, {"a.png": saved(lying, exif=exif)})
    image = first(source)
    assert image.shape == (1, 16, 8)
    assert image[0, 0, 0] == 0 and image[0, -1, -1] == 255


def test_centre_crop_keeps_the_middle_and_its_proportions(tmp_path):
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 255
    source = folder(tmp_path, {"a.png": saved(Image.fromarray(pixels))})
    cropped = first(source, size=(16, 16))
    assert (cropped == 255).all()
    squeezed = first(source, size=(16, 16), crop="none")
    assert squeezed[0, 8, 0] < 16 and squeezed[0, 8, 8] > 239


def test_reducing_does_not_alias(tmp_path):
    stripes = np.tile(np.array([0, 255], np.uint8), (128, 64))
    source = folder(tmp_path, {"a.png": saved(Image.fromarray(stripes))})
    assert ((first(source, size=16).int() - 127).abs() < 12).all()


def test_size_may_be_one_number_a_pair_or_left_to_the_images(tmp_path):
    source = folder(tmp_path, {"a.png": noise(0, 12, 20), "b.png": noise(1, 12, 20)})
    assert ImageFiles(source=source).open().spec[:2] == (12, 20)
    assert ImageFiles(source=source, size=8).open().spec[:2] == (8, 8)
    assert ImageFiles(source=source, size=(8, 4)).open().at([0], 0).images.shape == (1, 3, 8, 4)


def test_mirror_doubles_the_epoch_with_flipped_copies(tmp_path):
    source = folder(tmp_path, {f"{number}.png": noise(number) for number in range(3)})
    plain, doubled = ImageFiles(source=source).open(), ImageFiles(source=source, mirror=True).open()
    assert len(doubled) == 6
    originals = plain.at(range(3), 0).images
    expected = {image.numpy().tobytes() for image in torch.cat([originals, originals.flip(3)])}
    assert {image.numpy().tobytes() for image in doubled.at(range(6), 5).images} == expected


def test_subsets_are_nested_and_seeded_or_the_first_ones(tmp_path):
    source = folder(tmp_path, {f"{number:02}.png": encoded(number) for number in range(20)})

    def chosen(count, seed=0):
        images = ImageFiles(source=source, subset=count, subset_seed=seed).open()
        return {gray_of(image) for image in images.at(range(len(images)), 0).images}

    assert chosen(5, None) == {0, 1, 2, 3, 4}
    assert len(chosen(5)) == 5 and chosen(5) < chosen(12)
    assert chosen(5) != chosen(5, 1)


def broken_source(tmp_path) -> str:
    files = {f"{number:02}.png": noise(number) for number in range(8)}
    files |= {"03.png": b"no image", "04.png": noise(4)[:200], "07.png": b""}
    return folder(tmp_path, files)


@pytest.mark.parametrize("cache_mb", [0, 512])
def test_the_next_readable_image_stands_in_for_a_broken_one(tmp_path, cache_mb):
    images = ImageFiles(source=broken_source(tmp_path), cache_mb=cache_mb).open()
    shown = images.at(range(8), 0).images
    counts = {image.numpy().tobytes(): 0 for image in shown}
    for image in shown:
        counts[image.numpy().tobytes()] += 1
    assert sorted(counts.values()) == [1, 1, 1, 2, 3]  # 00 also stands in for 07, 05 for 03 and 04
    assert images.unreadable.keys() == {"03.png", "04.png", "07.png"}
    assert images.unreadable["03.png"] == "not an image of a known kind"
    assert "truncated" in images.unreadable["04.png"]


@pytest.mark.parametrize("workers", [0, 2])
def test_broken_files_are_named_in_a_warning_once(tmp_path, workers):
    images = ImageFiles(source=broken_source(tmp_path)).open()
    loader = batches(images, seed=0, start=0, batch_size=8, num_workers=workers)
    with pytest.warns(UserWarning, match="the next readable image stands in") as warned:
        seen = [next(loader)["real"].images for _ in range(4)]
    assert sorted(str(each.message).split("'")[1] for each in warned) == ["03.png", "04.png", "07.png"]
    assert images.unreadable.keys() == {"03.png", "04.png", "07.png"}
    assert torch.equal(torch.cat(seen), images.at(range(32), 0).images)


def missing(path):
    return ImageFiles(source=str(path / "nowhere"))


def text_folder(path):
    return ImageFiles(source=folder(path / "texts", {"a.txt": b"x", "b.txt": b"y"}))


def of_sizes(path):
    return ImageFiles(source=folder(path, {"a.png": noise(0, 8, 8), "b/c.png": noise(0, 8, 12)}))


def one_image(path, **settings):
    return ImageFiles(source=folder(path, {"a.png": noise(0)}), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda path: ImageFiles(), "no source of images; give a .*, or a Hub id"),
        (missing, r"no file or folder .*nowhere'; give .* a folder of images"),
        (lambda path: ImageFiles(source=folder(path / "empty", {".hidden": b""})), "empty' is empty"),
        (text_folder, r"holds no images, only 2 of \.txt; images end in"),
        (lambda path: ImageFiles(source=zipped(path / "a.zip", {"a.txt": b""})), r"zip .* only 1 of \.txt"),
        (lambda path: ImageFiles(source=folder(path, {"a.zip": b"no"}) + "/a.zip"), "no readable zip"),
        (
            lambda path: ImageFiles(source=folder(path, {"a.bin": b"no"}) + "/a.bin"),
            "no file of images of a known kind; give",
        ),
        (lambda path: ImageFiles(source=folder(path, {"a.png": b"no"})), "no image can be read"),
        (of_sizes, r"'a.png' is 8x8, 'b/c.png' 8x12, .*size H W"),
        (lambda path: one_image(path, channels=2), "choose 1 .gray., 3"),
        (lambda path: one_image(path, subset=2), "choose 1 to 1"),
        (lambda path: one_image(path, size=(0, 4)), "positive height and width"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        settings(tmp_path).open()
    assert "\n" not in str(caught.value)


def test_images_that_all_turn_out_broken_end_the_reading(tmp_path):
    images = one_image(tmp_path, cache_mb=0).open()
    (tmp_path / "a.png").write_bytes(b"gone bad")
    with pytest.raises(ValueError, match="none of the 1 images can be read"):
        images.at([0], 0)
