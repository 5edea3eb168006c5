"""Photographs say by their colour profiles what their numbers mean; in a data set all mean sRGB."""

from __future__ import annotations

import io
import warnings

import colour_profiles
import numpy as np
import pytest
from colour_profiles import display, gray, ink
from data_sources import folder
from PIL import Image, ImageCms

from ggdr.data.images import ImageFiles
from ggdr.data.reading.pixels.decode import decode_image, image_info
from ggdr.data.reading.pixels.framing import Frame
from ggdr.latent.targets import targets_of
from ggdr.networks.base import ImageSpec
from ggdr.verbs.datacheck import main

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photograph(mode: str, value, profile: bytes, kind: str = "PNG", **options) -> bytes:
    """A file's bytes: one colour with a profile."""
    file = io.BytesIO()
    Image.new(mode, (8, 8), value).save(file, kind, icc_profile=profile, **options)
    return file.getvalue()


def colour(data: bytes, channels: int = 3) -> list[int]:
    """The values of one pixel as the trainer has them."""
    return decode_image(data, Frame(8, 8, channels))[:, 4, 4].tolist()


def test_display_p3_becomes_srgb():
    """P3's (200, 100, 50) by the matrices of both (CSS Color 4), gamma 2.2: a stronger red in sRGB."""
    linear = (np.array([200, 100, 50]) / 255) ** 2.2
    p3 = np.array([[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0, 0.0451134, 1.0439444]])
    srgb = np.array(
        [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
    )
    straight = np.linalg.solve(srgb, p3 @ linear)
    expected = np.where(straight > 0.0031308, 1.055 * straight ** (1 / 2.4) - 0.055, 12.92 * straight) * 255
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "AVIF"):
        found = colour(photograph("RGB", (200, 100, 50), display(), kind, quality=100))
        assert np.abs(found - expected).max() < 4 and found[0] > 205, kind
    assert colour(photograph("RGBA", (200, 100, 50, 77), display()), 4) == [
        *colour(photograph("RGB", (200, 100, 50), display())),
        77,
    ]


def test_gray_keeps_its_channel_and_its_transparency():
    """Gamma 1.8 is lighter than sRGB, whose 128 is 0.2159 of the light."""
    value = round(255 * 0.2159 ** (1 / 1.8))
    assert abs(colour(photograph("L", value, gray(1.8)), 1)[0] - 128) <= 2
    red, green, blue, alpha = colour(photograph("LA", (value, 50), gray(1.8)), 4)
    assert red == green == blue and abs(red - 128) <= 2 and alpha == 50
    assert colour(photograph("L", 100, display()), 1) == pytest.approx([100], abs=4), (
        "a gray image in a photograph's space"
    )


def test_inks_become_the_colours_that_they_print():
    """Lab (50, -40, -40) is sRGB (0, 139, 188), nearly; without the profile it would be (0, 255, 255)."""
    found = colour(photograph("CMYK", (255, 0, 0, 0), ink(), "TIFF"))
    assert found[0] < 20 and abs(found[1] - 139) < 12 and abs(found[2] - 188) < 12
    assert colour(photograph("CMYK", (0, 0, 0, 0), ink(), "TIFF")) == [255, 255, 255]


def test_palettes_have_profiles_too():
    file, image = io.BytesIO(), Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(file, "PNG", icc_profile=display())
    assert colour(file.getvalue()) == colour(photograph("RGB", (200, 100, 50), display()))


def test_srgb_stays_as_it_is_to_the_bit():
    for value in ((1, 2, 3), (200, 100, 50), (255, 0, 128)):
        assert colour(photograph("RGB", value, SRGB)) == list(value)
    light = np.linspace(0, 1, 1024)
    tones = np.where(light > 0.04045, ((light + 0.055) / 1.055) ** 2.4, light / 12.92) ** 1.012  # a level off
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for profile in (SRGB, display("nearly sRGB", colour_profiles.SRGB, tones)):
        file = io.BytesIO()
        Image.fromarray(noise).save(file, "PNG", icc_profile=profile)
        assert np.array_equal(decode_image(file.getvalue(), Frame(64, 64, 3)), noise.transpose(2, 0, 1))
        assert not image_info(file.getvalue()).profile


@pytest.mark.parametrize("broken", [b"no profile", display()[:200], ink(), display().replace(b"acsp", b"xxxx")])
def test_a_profile_that_is_broken_or_not_the_images_is_told_and_ends_nothing(broken, tmp_path, capsys):
    data = photograph("RGB", (9, 99, 200), broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert colour(data) == [9, 99, 200]
    assert [str(each.message) for each in caught] == [
        "an image's colour profile cannot be used; it is taken to be sRGB."
    ]
    assert main(["check", folder(tmp_path, {"a.png": data, "b.png": photograph("RGB", (1, 2, 3), SRGB)})]) == 0
    assert "1 with a colour profile that cannot be used, taken to be sRGB" in capsys.readouterr().out


def test_the_check_names_the_profiles(tmp_path, capsys):
    files = {f"{number}.png": photograph("RGB", (number, 1, 2), display()) for number in range(3)}
    assert main(["check", folder(tmp_path, files | {"s.png": photograph("RGB", (1, 2, 3), SRGB)})]) == 0
    assert "profiles    Display P3: 3, converted to sRGB" in capsys.readouterr().out


def test_a_picture_to_project_is_converted_as_those_of_the_training_were(tmp_path):
    data = photograph("RGB", (200, 100, 50), display())
    trained = ImageFiles(source=folder(tmp_path, {"a.png": data})).open().at([0], 0).images
    assert (targets_of(Image.open(io.BytesIO(data)), ImageSpec(8, 8, 3)) == trained.float() / 127.5 - 1).all()
