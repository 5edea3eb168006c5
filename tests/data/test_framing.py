"""What is done to make images of any shape fill one frame, and how much of them that takes away."""

from __future__ import annotations

import io

import numpy as np
import pytest
from data_sources import encoded, folder, noise
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.data.reading.pixels.decode import decode_image
from ggdr.data.reading.pixels.framing import Frame
from ggdr.verbs.datacheck import main


def wide(mode: str = "RGB") -> bytes:
    """Four times as wide as high, from dark to light."""
    ramp = np.tile(np.linspace(10, 250, 32).astype(np.uint8), (8, 1))
    file = io.BytesIO()
    Image.fromarray(ramp).convert(mode).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("fill", "mode", "colour"),
    [("black", "RGB", [0, 0, 0]), ("#ff8000", "RGB", [255, 128, 0]), ("white", "L", [255])]
    + [("#00000000", "RGBA", [0, 0, 0, 0]), ("red", "RGBA", [255, 0, 0, 255])],
)
def test_padding_keeps_the_whole_image_in_the_middle_of_a_colour(fill, mode, colour):
    found = decode_image(wide(mode), Frame(16, 16, len(colour), "pad", fill))
    assert (found[:, [0, 5, 10, 15]] == np.reshape(colour, (-1, 1, 1))).all()
    image = found[0, 6:10].astype(int)
    assert (image[:, 0] < 25).all() and (image[:, -1] > 235).all() and (np.diff(image, axis=1) > 0).all()


def test_padding_may_mirror_the_image_at_its_edges():
    rows = np.repeat(np.arange(0, 160, 20, dtype=np.uint8)[:, None], 16, 1)  # 8 high, 16 wide
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "PNG")
    found = decode_image(file.getvalue(), Frame(16, 16, 1, "pad", "reflect"))[0, :, 3]
    assert found.tolist() == [80, 60, 40, 20, 0, 20, 40, 60, 80, 100, 120, 140, 120, 100, 80, 60]
    everywhere = decode_image(encoded(7, "L", 2, 40), Frame(16, 16, 1, "pad", "reflect"))
    assert everywhere.shape == (1, 16, 16) and (everywhere == 7).all()


def test_an_array_is_padded_in_each_channel():
    file = io.BytesIO()
    np.save(file, np.full((8, 32, 6), 200, np.uint8))
    found = decode_image(file.getvalue(), Frame(16, 16, 6, "pad", "white"))
    assert (found[:, 6:10] == 200).all() and (found[:, :6] == 255).all()


def test_a_colour_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fill 'blak' is no colour; give a name such as white, #rrggbb, or"):
        ImageFiles(source=folder(tmp_path, {"a.png": noise(1)}), crop="pad", fill="blak").open()


def test_the_check_tells_how_much_is_cut_off(tmp_path, capsys):
    files = {"wide.png": noise(1, 40, 160), "high.png": noise(2, 50, 40), "square.png": noise(3, 40, 40)}
    source = folder(tmp_path, files)
    assert main(["check", source, "--size", "32"]) == 0
    told = "cut off     75% of the area of wide.png, the worst, and 20% of the median image; --data.crop pad keeps all"
    assert told in capsys.readouterr().out
    for crop in ("pad", "none"):
        assert main(["check", source, "--size", "32", "--crop", crop]) == 0
        assert "cut off" not in capsys.readouterr().out
    assert main(["check", folder(tmp_path / "squares", {"a.png": noise(1), "b.png": noise(2, 20, 20)})]) == 0
    assert "cut off" not in capsys.readouterr().out


def test_an_image_that_changes_its_size_later_is_named_and_not_cropped(tmp_path):
    source = folder(tmp_path, {f"{number}.png": noise(number) for number in range(3)})
    images = ImageFiles(source=source, cache_mb=0).open()
    folder(tmp_path, {"1.png": noise(1, 16, 20)})
    with pytest.warns(UserWarning, match="cannot read '1.png': it is 16x20, the others 16x16; type --data.size H W"):
        next(batches(images, seed=0, start=0, batch_size=3))
