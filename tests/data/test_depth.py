"""Deep images and arrays of any number of channels: their values are told, mapped as asked, and never lost unsaid."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from data_sources import encoded, folder, noise, plain_parquet, zipped
from deep_files import npy, npz, pillow, png16, tiff
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.data.reading.pixels.decode import decode_image, image_info, is_animated
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.stream import ImageStream
from ggdr.verbs.datacheck import main

RANDOM = np.random.default_rng(0)


def uniform(low: float, high: float, dtype: type, *shape: int) -> np.ndarray:
    """Values evenly spread, both ends among them."""
    values = np.linspace(low, high, int(np.prod(shape)))
    return RANDOM.permutation(values).reshape(shape).astype(dtype)


SQUASHED = {
    "12 bits in 16": ("a.png", pillow(uniform(0, 4095, np.uint16, 16, 16), "PNG"), "17 of 256 levels", "0 4095"),
    "12 bits in 16, colour": ("a.png", png16(uniform(0, 4095, np.uint16, 16, 16, 3)), "17 of 256 levels", "0 4095"),
    "12 bits in 16, colour TIFF": ("a.tif", tiff(uniform(0, 4095, np.uint16, 16, 16, 3)), "17 of 256 levels", "0 4095"),
    "8 bits in 32": ("a.tif", pillow(uniform(0, 255, np.int32, 16, 16), "TIFF"), "2 of 256 levels", "0 255"),
    "two bits in 8": ("a.png", pillow(uniform(0, 3, np.uint8, 16, 16), "PNG"), "4 of 256 levels", "0 3"),
    "tomography": ("a.npy", npy(uniform(-1000, 3000, np.int16, 16, 16)), "25% of them would be cut off", "-1000 3000"),
    "floats to 255": ("a.tif", pillow(uniform(0, 255, np.float32, 16, 16), "TIFF"), "99% of them", "0 255"),
    "floats around 0": ("a.npz", npz(uniform(-1, 1, np.float32, 16, 16, 5)), "50% of them would be cut off", "-1 1"),
}


@pytest.mark.parametrize("what", SQUASHED)
def test_the_check_tells_what_would_be_lost_and_the_range_that_keeps_it(tmp_path, what, capsys):
    name, data, lost, kept = SQUASHED[what]
    assert main(["check", folder(tmp_path, {name: data})]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    values = next(line for line in lines if line.startswith("values"))
    assert values.endswith(f"8 bits are kept: {' to '.join(kept.split())} become 0 to 255")
    assert any(line.startswith("without --data.range,") and lost in line for line in lines)
    (flags,) = (line for line in lines if line.startswith("flags "))
    assert flags.endswith(f" --data.range {kept}")
    assert f" --data.range {kept} " in lines[-1]


@pytest.mark.parametrize("what", SQUASHED)
def test_with_that_range_all_256_levels_are_used(tmp_path, what):
    name, data, _, kept = SQUASHED[what]
    low, high = map(float, kept.split())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = ImageFiles(source=folder(tmp_path, {name: data}), range=(low, high)).open().at([0], 0).images
    levels = 4 if what == "two bits in 8" else 150  # of 256 random pixels, at least
    assert (images.min(), images.max()) == (0, 255) and len(images.unique()) >= levels


@pytest.mark.parametrize("what", [what for what in SQUASHED if what != "two bits in 8"])
def test_a_run_warns_of_few_levels_and_refuses_to_cut_values_off(tmp_path, what):
    name, data, lost, kept = SQUASHED[what]
    source = folder(tmp_path, {name: data})
    if "levels" in lost:
        with pytest.warns(UserWarning, match=f"{lost}.*; type --data.range {kept}\\."):
            ImageFiles(source=source).open()
    else:
        with pytest.raises(ValueError, match=f"{lost}.*; type range {kept}\\."):
            ImageFiles(source=source).open()


@pytest.mark.parametrize(
    "data",
    [
        pillow(uniform(0, 65535, np.uint16, 16, 16), "PNG"),
        pillow(uniform(0, 1, np.float32, 16, 16), "TIFF"),
        png16(uniform(0, 65535, np.uint16, 16, 16, 3)),
        npy(uniform(0, 1, np.float32, 16, 16)),
        npy(uniform(0, 255, np.uint8, 16, 16, 7)),
    ],
)
def test_values_that_fill_their_depth_are_read_without_a_word(tmp_path, data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = ImageFiles(source=folder(tmp_path, {"a.npy" if data[:1] == b"\x93" else "a.png": data})).open()
    assert len(images.at([0], 0).images.unique()) > 150


def test_one_hot_pixel_cuts_nothing_off(tmp_path):
    values = uniform(0, 1, np.float32, 16, 16)
    values[0, 0] = 1000
    assert ImageFiles(source=folder(tmp_path, {"a.npy": npy(values)})).open().at([0], 0).images.max() == 255


def test_the_values_of_all_images_are_told_together_and_a_few_hot_pixels_apart(tmp_path, capsys):
    files = {f"{number}.npy": npy(uniform(100 * number, 100 * number + 99, np.int16, 32, 32)) for number in range(10)}
    hot = uniform(0, 999, np.int16, 32, 32)
    hot[0, 0] = 30_000
    assert main(["check", folder(tmp_path, files | {"hot.npy": npy(hot)})]) == 0
    out = capsys.readouterr().out
    assert "int16 from 0 to 30000, 99.8 % of them from " in out
    first, last = map(int, out.split("99.8 % of them from ")[1].split(";")[0].split(" to "))
    assert 0 <= first <= 20 and 980 <= last <= 999


def test_the_range_is_exact_and_rounds():
    values = np.array([[-1000, -999, 0, 1000, 2999, 3000, 9999, -9999]], np.int16)
    found = decode_image(npy(values), Frame(1, 8, 1, range=(-1000, 3000)))[0, 0]
    assert found.tolist() == [0, 0, 64, 128, 255, 255, 255, 0]
    big = np.array([[2**31 - 256, 2**31 - 129, 2**31 - 1]], np.int64)
    assert decode_image(npy(big), Frame(1, 3, 1, range=(2**31 - 256, 2**31 - 1))).tolist() == [[[0, 127, 255]]]


def test_a_range_of_eight_bits_leaves_transparency_as_it_is():
    data = encoded((50, 100, 150, 40), "RGBA")
    assert decode_image(data, Frame(8, 8, 4, range=(50, 150)))[:, 0, 0].tolist() == [0, 128, 255, 40]
    deep = png16(np.full((8, 8, 4), [50, 100, 150, 40 * 257], np.uint16))
    assert decode_image(deep, Frame(8, 8, 4, range=(50, 150)))[:, 0, 0].tolist() == [0, 128, 255, 40]


def test_kinds_of_numbers_are_told_apart_and_floats_in_round_numbers(tmp_path, capsys):
    files = {"a.png": noise(1), "b.tif": pillow(uniform(-0.4996, 254.881, np.float32, 16, 16), "TIFF")}
    assert main(["check", folder(tmp_path, files)]) == 0
    out = capsys.readouterr().out
    assert "uint8 from 0 to 255; 8 bits are kept" in out and "float32 from -0.4996 to 254.881, 99.8 %" in out
    assert " --data.range -1 255\n" in out and " --data.range -1 255 --augment diffaug" in out


@pytest.mark.parametrize("wrong", [(5.0, 5.0), (9.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_a_range_that_is_none_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"range .*: give two numbers, the lower first, as range 0 4095"):
        ImageFiles(source=folder(tmp_path, {"a.png": noise(1)}), range=wrong).open()


CHANNELS = uniform(0, 255, np.uint8, 12, 20, 6)
MANY = {
    "channels last": ("a.npy", npy(CHANNELS)),
    "channels first": ("a.npy", npy(np.moveaxis(CHANNELS, 2, 0))),
    "Fortran's order": ("a.npy", npy(np.asfortranarray(CHANNELS))),
    "an archive": ("a.npz", npz(CHANNELS)),
    "bands": ("a.tif", tiff(CHANNELS, photometric="rgb")),
    "planes": ("a.tif", tiff(np.moveaxis(CHANNELS, 2, 0), planarconfig="separate", photometric="minisblack")),
    "pages": ("a.tif", tiff(np.moveaxis(CHANNELS, 2, 0), photometric="minisblack")),
    "deflated": ("a.tif", tiff(CHANNELS, photometric="rgb", compression="zlib")),
    "ImageJ": ("a.tif", tiff(np.moveaxis(CHANNELS, 2, 0), imagej=True, metadata={"axes": "CYX"})),
    "OME": ("a.tif", tiff(np.moveaxis(CHANNELS, 2, 0), ome=True, metadata={"axes": "CYX"})),
}


@pytest.mark.parametrize("what", MANY)
@pytest.mark.parametrize("pack", [folder, zipped])
def test_any_number_of_channels_is_read(tmp_path, what, pack):
    name, data = MANY[what]
    images = ImageFiles(source=pack(tmp_path / "a.zip", {name: data})).open()
    assert images.spec[:3] == (12, 20, 6) and not is_animated(data)
    assert np.array_equal(images.at([0], 0).images[0], np.moveaxis(CHANNELS, 2, 0))
    assert ImageFiles(source=images.pictures.pictures.reader.source, size=8).open().at([0], 0).images.shape[1:] == (
        6,
        8,
        8,
    )


def test_a_tiff_says_which_axis_holds_the_channels():
    for part in (CHANNELS[:, :4], CHANNELS[:4]):  # fewer pixels than channels
        for data in (
            tiff(part, photometric="rgb", planarconfig="contig"),
            tiff(np.moveaxis(part, 2, 0), planarconfig="separate", photometric="minisblack", metadata=None),
        ):
            assert np.array_equal(decode_image(data, Frame(*part.shape)), np.moveaxis(part, 2, 0))


def test_the_pages_of_a_long_file_are_all_counted(tmp_path):
    data = tiff(uniform(0, 255, np.uint8, 6, 70, 60), photometric="minisblack")
    assert ImageFiles(source=folder(tmp_path, {"a.tif": data})).open().spec[:3] == (70, 60, 6) and len(data) > 20_000


def test_a_table_may_hold_arrays(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    source = plain_parquet(tmp_path / "a.parquet", {"image": [npy(CHANNELS)] * 3})
    for kind in (ImageFiles, ImageStream):
        assert np.array_equal(kind(source=source).open().at([0], 0).images[0], np.moveaxis(CHANNELS, 2, 0))


def test_time_and_depth_are_no_channels():
    data = tiff(np.moveaxis(CHANNELS, 2, 0), imagej=True, metadata={"axes": "ZYX"})
    assert image_info(data)[:4] == (12, 20, "L", 1) and is_animated(data)
    films = tiff(np.stack([CHANNELS, CHANNELS]), photometric="rgb", metadata={"axes": "TYXS"})
    assert image_info(films)[:4] == (12, 20, "uint8", 6) and is_animated(films)
    assert np.array_equal(decode_image(films, Frame(12, 20, 6)), np.moveaxis(CHANNELS, 2, 0))


def test_the_colours_among_more_bands_are_had_by_asking(tmp_path):
    source = folder(tmp_path, {"a.tif": tiff(CHANNELS, photometric="rgb")})
    gray, found, opaque = (ImageFiles(source=source, channels=each).open().at([0], 0).images[0] for each in (1, 3, 4))
    assert np.array_equal(found, np.moveaxis(CHANNELS[..., :3], 2, 0)) and torch.equal(opaque[:3], found)
    assert np.array_equal(gray[0], Image.fromarray(CHANNELS[..., :3]).convert("L")) and (opaque[3] == 255).all()


def test_arrays_of_one_and_three_channels_are_pictures(tmp_path):
    source = folder(tmp_path, {"a.npy": npy(CHANNELS[..., :3])})
    assert (ImageFiles(source=source, channels=4).open().at([0], 0).images[0, 3] == 255).all()
    source = folder(tmp_path, {"a.npy": npy(CHANNELS[..., 0])})
    gray, colour = (ImageFiles(source=source, channels=channels).open().at([0], 0).images[0] for channels in (1, 3))
    assert torch.equal(colour, gray.expand(3, -1, -1))


def test_channels_that_no_image_has_are_refused(tmp_path):
    source = folder(tmp_path, {"a.npy": npy(CHANNELS)})
    with pytest.raises(ValueError, match="images of 5 channels; these have 6, so choose 1"):
        ImageFiles(source=source, channels=5).open()
    images = ImageFiles(source=source, channels=3).open()
    with pytest.raises(ValueError, match="none of the 1 images"):
        images.at([0], 0)
    assert images.unreadable["a.npy"] == "it has 6 channels, not 3; type --data.channels 6"
    with pytest.raises(ValueError, match="it has 3 channels, not 6; type --data.channels 3"):
        decode_image(noise(1), Frame(8, 8, 6))
    with pytest.raises(ValueError, match="it has 1 channel, not 6"):
        decode_image(npy(CHANNELS[..., 0]), Frame(8, 8, 6))


def test_arrays_beside_images_are_no_images(tmp_path):
    source = folder(tmp_path, {"a.png": noise(1), "a.npy": npy(CHANNELS), "b.npz": npz(CHANNELS)})
    with pytest.warns(UserWarning, match=r"2 files .* 1 .npy \(arrays are read where no other images are\), 1 .npz"):
        assert len(ImageFiles(source=source).open()) == 1


def test_a_tiff_is_turned_upright_once():
    lying = np.zeros((8, 16, 3), np.uint8)
    lying[:, 8:] = 255  # dark at left; turned clockwise, dark on top
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(lying).save(file, "TIFF", exif=exif)
    assert image_info(file.getvalue())[:2] == (16, 8)
    assert decode_image(file.getvalue(), Frame(16, 8, 1))[0, [0, -1], 4].tolist() == [0, 255]
    deep = tiff(lying.astype(np.uint16) * 10, extratags=[(274, 3, 1, 6, True)])
    assert image_info(deep)[:2] == (16, 8)
    assert decode_image(deep, Frame(16, 8, 3, range=(0, 2550)))[0, [0, -1], 4].tolist() == [0, 255]
    many = tiff(lying.repeat(2, 2), photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    assert image_info(many)[:4] == (16, 8, "uint8", 6)
    assert decode_image(many, Frame(16, 8, 6))[5, [0, -1], 4].tolist() == [0, 255]


@pytest.mark.parametrize("flags", [["--data.range", "-1000", "3000"], ["--data.channels", "6"]])
def test_the_flags_that_the_check_prints_are_taken_by_train(tmp_path, flags):
    from ggdr.flags.recipe import parse

    data = ["--data", "images", "--data.source", str(tmp_path), *flags]
    recipe = parse(["recipes/digits.py", *data], "ggdr train").recipe
    assert recipe.data.range == (-1000, 3000) or recipe.data.channels == 6
