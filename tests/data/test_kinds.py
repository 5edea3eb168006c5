"""What is in a folder besides the images that can be read is counted, named, and never taken for one."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import pytest
from data_sources import encoded, folder, gray_of, noise, zipped
from PIL import Image

from ggdr.cli import at_home
from ggdr.data.images import ImageFiles
from ggdr.data.reading.file_types import PLUG_INS, decodable_formats
from ggdr.data.reading.pixels import jxl
from ggdr.data.stream import ImageStream
from ggdr.verbs.datacheck import main

UNREAD = {f"{number}.RAF": b"raw" for number in range(8)} | {"film.mp4": b"film", "plain": b"?", "notes.txt": b"x"}


@pytest.mark.parametrize("pack", [folder, zipped])
def test_files_of_kinds_that_are_not_read_are_counted_and_named_at_the_start(tmp_path, pack):
    source = pack(tmp_path / "a.zip", {"a.png": noise(1)} | UNREAD)
    with pytest.warns(UserWarning) as warned:
        assert len(ImageFiles(source=source).open()) == 1
    (said,) = [str(each.message) for each in warned]
    assert said.endswith(
        "holds 11 files of kinds that are not read: 8 .raf (develop them to TIFF or PNG), 1 .mp4 (save their frames as"
        " images), 1 .txt, 1 no ending."
    )


def test_notes_beside_the_images_are_no_reason_to_warn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ImageFiles(
            source=folder(tmp_path, {"a.png": noise(1), "labels.csv": b"", "README.md": b"", "LICENSE": b""})
        ).open()


def test_the_check_counts_them_all(tmp_path, capsys):
    assert main(["check", folder(tmp_path, {"a.png": noise(1), "b.png": b"no", "labels.csv": b""} | UNREAD)]) == 0
    out = capsys.readouterr().out
    assert "1 readable, 1 unreadable" in out and "12 files of kinds that are not read: 8 .raf" in out
    assert main(["check", folder(tmp_path / "bad", {"b.png": b"no", "c.mov": b""})]) == 1
    assert "1 file of a kind that is not read: 1 .mov (save their frames" in capsys.readouterr().out


def test_no_images_but_others_says_how_to_read_them(tmp_path):
    with pytest.raises(
        ValueError, match=r"holds no images, only 3 of \.cr3 \(develop them to TIFF or PNG\); images end"
    ):
        ImageFiles(source=folder(tmp_path, {f"{number}.cr3": b"" for number in range(3)})).open()


HIDDEN = ["@eaDir/a.png/T.jpg", "Thumbs/a.jpg", "b/.thumbnails/c.png", "._a.png", "__MACOSX/b.png", ".git/x.png"]
HIDDEN += ["$RECYCLE.BIN/a.png", "#recycle/a.png", "lost+found/a.png"]


def test_thumbnails_and_waste_of_the_system_are_counted_apart(tmp_path, capsys):
    files = {"a.png": encoded(1), "Thumbs.db": b"x", "b/desktop.ini": b"x"} | {name: encoded(2) for name in HIDDEN}
    images = ImageFiles(source=folder(tmp_path, files)).open()
    assert [gray_of(image) for image in images.at(range(len(images)), 0).images] == [1]
    assert main(["check", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (said,) = [line for line in lines if "not read" in line]
    assert said.endswith(
        "passed over as the system's own: 1 #recycle, 1 $RECYCLE.BIN, 1 @eaDir, 1 Thumbs, 1 __MACOSX, 3 hidden,"
        " 1 lost+found"
    )


@pytest.mark.parametrize("plug_in", PLUG_INS, ids=lambda plug_in: plug_in.format)
def test_what_plug_ins_of_pillow_read_is_read(tmp_path, plug_in):
    decodable_formats()  # registers them
    if plug_in.format not in Image.OPEN:
        pytest.skip(f"no {plug_in.package} here")
    files = {f"a{ending}": encoded(90, kind=plug_in.format) for ending in plug_in.endings}
    images = ImageFiles(source=folder(tmp_path, files)).open()
    assert len(images) == len(plug_in.endings) and images.spec[:3] == (8, 8, 3)
    assert abs(gray_of(images.at([0], 0).images[0]) - 90) <= 3


@pytest.mark.parametrize(
    "size",
    [(8, 8), (256, 256), (300, 200), (192, 108), (5000, 7), (1, 1), (640, 480), (100, 3), (333, 1), (60, 50)]
    + [(70_000, 2), (3, 2_000), (2, 9_000), (1, 100_000), (8, 264), (160, 90), (48, 40), (30, 20), (14, 10), (20, 10)],
)
def test_the_size_that_a_jpeg_xl_declares_is_known_before_it_is_decoded(size):
    pytest.importorskip("pillow_jxl")
    decodable_formats()
    plain, boxed = io.BytesIO(), io.BytesIO()
    Image.new("L", size).save(plain, "JXL")
    Image.new("L", size).save(boxed, "JXL", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0")
    assert plain.getvalue().startswith(jxl.BARE) and boxed.getvalue().startswith(jxl.BOXED)
    codestream, skipped = plain.getvalue(), (20).to_bytes(4, "big") + b"free" + bytes(12)
    large = (1).to_bytes(4, "big") + b"jxlc" + (16 + len(codestream)).to_bytes(8, "big") + codestream
    for data in (codestream, boxed.getvalue(), jxl.BOXED + skipped + large):
        assert jxl.is_jxl(data) and jxl.declared_size(data) == size[::-1]
    for data in (jxl.BARE, jxl.BOXED, jxl.BOXED + bytes(40), jxl.BOXED + skipped, b"\0\0\0\0JXL" + bytes(40)):
        with pytest.raises(ValueError, match="its JPEG XL header cannot be read"):
            jxl.declared_size(data)
    assert not jxl.is_jxl(encoded(1))


def test_a_plug_in_that_is_missing_is_what_is_told_to_install(tmp_path):
    source = folder(tmp_path, {"a.png": noise(1), "a.heic": b"", "b.jxl": b""})
    code = f"""import sys; sys.modules.update(pillow_heif=None, pillow_jxl=None)
from ggdr.data.images import ImageFiles; ImageFiles(source={source!r}).open()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = "kinds that are not read: 1 .heic (pip install 'ggdr[files]'), 1 .jxl (pip install 'ggdr[files]')"
    assert f"2 files of {told}" in done.stderr


def test_a_tilde_is_the_users_home_wherever_a_path_is_taken(tmp_path, monkeypatch):
    from ggdr.data.reading.detect import open_reader
    from ggdr.data.reading.reader import Columns
    from ggdr.saving.pretrained import Hub, find

    monkeypatch.setenv("HOME", str(tmp_path))
    folder(tmp_path / "pictures", {"a.png": noise(1), "b.png": noise(2)})
    folder(tmp_path, {"labels.csv": b"a.png,cat\nb.png,dog"})
    images = ImageFiles(source="~/pictures", labels="~/labels.csv").open()
    assert images.label_names == ("cat", "dog") and len(open_reader("~/pictures", Columns())) == 2
    for word in ("~/a", "--data.source=~/a", "--out=~"):
        assert at_home(word) == word.replace("~", str(tmp_path))
    for word in ("~", "a~/b", "--about.images=~3 photographs", "-1", "--seeds=0~/3", "~~/a"):
        assert at_home(word) == (str(tmp_path) if word == "~" else word)
    with pytest.raises(ValueError, match=f"{tmp_path}/pictures"):
        find("~/pictures", ("generator",), Hub())
    with pytest.raises(ValueError, match="no file or folder"):
        ImageStream(source="~/nothing").open()


@pytest.mark.parametrize("odd", [("L", 1), ("RGBA", (1, 1, 1, 0))])
def test_the_first_image_does_not_decide_the_channels_of_all(tmp_path, odd):
    mode, value = odd
    source = folder(
        tmp_path, {"0.png": encoded(value, mode), **{f"{each}.png": noise(each, 8, 8) for each in range(1, 5)}}
    )
    with pytest.warns(UserWarning, match=r"channels \(RGB: 4, .*: 1\); all are read as RGB; type --data.channels 3"):
        assert ImageFiles(source=source).open().spec.channels == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ImageFiles(source=source, channels=1).open().spec.channels == 1


@pytest.mark.parametrize(("gray", "colour", "channels"), [(18, 2, 1), (17, 3, 3), (2, 18, 3), (20, 0, 1)])
@pytest.mark.filterwarnings("ignore")
def test_channels_are_those_of_nine_in_ten_images(tmp_path, gray, colour, channels):
    files = {f"{number:02}.png": encoded(number, "L") for number in range(gray)}
    files |= {f"{number:02}.png": encoded(number) for number in range(gray, gray + colour)}
    assert ImageFiles(source=folder(tmp_path, files)).open().spec.channels == channels


def test_an_odd_image_anywhere_is_found_where_no_size_is_given(tmp_path):
    files = {f"{number:04}.png": encoded(1, "L") for number in range(700)} | {"0301.png": encoded(1, "L", 8, 12)}
    source = folder(tmp_path, files)
    with pytest.raises(
        ValueError, match=r"'0000.png' is 8x8, '0301.png' 8x12, .*; 699 of 700 are 8x8\); .*with size H W"
    ):
        ImageFiles(source=source).open()
    assert ImageFiles(source=source, size=8).open().spec[:2] == (8, 8)


def test_a_header_longer_than_what_is_read_first_is_read_all_the_same(tmp_path):
    from io import BytesIO

    file = BytesIO()
    Image.new("RGB", (8, 12)).save(file, "JPEG", icc_profile=bytes(100_000))
    source = folder(tmp_path, {"a.jpg": file.getvalue()})
    assert ImageFiles(source=source).open().spec[:2] == (12, 8)
