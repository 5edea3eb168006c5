"""Images, folders, archives, tables and labels from strangers: what is bad is named and left out, no more."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from data_sources import encoded, folder, gray_of, noise, plain_parquet, zipped
from deep_files import npy, npz, tiff
from hostile_files import claiming, peak_mb, saved
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.data.reading.pixels.decode import MOST_PIXELS, Frame, decode_image, image_info, is_animated, read_values
from ggdr.data.reading.reader import MOST_BYTES, failure_reason
from ggdr.data.stream import ImageStream
from ggdr.verbs.datacheck import main

FRAME = Frame(8, 8, 3)
GRAY = Image.new("RGB", (8, 8), (9, 9, 9))


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF", "BMP", "GIF", "TGA", "JPEG"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_by_its_header(kind):
    before = peak_mb()
    for resolution in (12_000, 60_000):
        with pytest.raises(ValueError, match=f"declares more than {MOST_PIXELS:,} pixels"):
            decode_image(claiming(kind, resolution), FRAME)
    assert image_info(claiming(kind, 100))[:2] == (100, 100) and len(claiming(kind, 60_000)) < 2_000
    assert peak_mb() - before < 50


def zip_of(files: dict[str, bytes]) -> bytes:
    """An archive's bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def boasting(resolution: int) -> bytes:
    """A deflated TIFF of 8 x 8 pixels that says it has so many more."""
    file = io.BytesIO(tiff(np.zeros((8, 8, 5), np.uint8), photometric="rgb", compression="zlib"))
    with tifffile.TiffFile(file, mode="r+") as edited:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            edited.pages[0].tags[tag].overwrite(resolution)
        return file.getvalue()


BIG = np.zeros((12_000, 12_000), np.uint8)
ARRAYS = {
    "an array's header alone": (npy(BIG[:1000])[:128], "an array of 12,000,000 bytes in a file that holds 0"),
    "a vast array's header alone": (npy(BIG)[:128], "more than 134,217,728 values"),
    "an array of many channels": (npy(np.zeros((100, 100, 20_000), np.uint8)), "more than 134,217,728 values"),
    "an array of objects": (npy(np.array([[{}]], object)), "an array of object"),
    "words": (npy(np.array([["a", "b"]])), "an array of <U1"),
    "complex numbers": (npy(np.ones((8, 8), complex)), "an array of complex128"),
    "one number": (npy(np.ones(())), "of shape []"),
    "no pixels": (npy(np.ones((0, 8))), "of shape [0, 8]"),
    "a film": (npy(np.ones((2, 8, 8, 3), np.uint8)), "of shape [2, 8, 8, 3]"),
    "an archive's bomb": (npz(BIG), "more than 134,217,728 values"),
    "an archive of none": (zip_of({"a.txt": b"x"}), "an archive of 0 arrays"),
    "an archive of two": (zip_of({"a.npy": npy(BIG[:8, :8]), "b.npy": npy(BIG[:8, :8])}), "an archive of 2 arrays"),
    "a TIFF's header alone": (
        tiff(np.zeros((5_000, 5_000, 5), np.uint8), photometric="rgb")[:5_000],
        "more than the file can hold",
    ),
    "a TIFF's bomb": (
        tiff(np.zeros((12_000, 12_000, 5), np.uint8), photometric="rgb", compression="zlib"),
        "declares more than",
    ),
    "a TIFF that claims what deflate cannot pack": (boasting(5_000), "more than the file can hold"),
    "a JPEG XL's bomb": (
        b"\xff\x0a" + (3 << 1 | (60_000 - 1) << 3 | 1 << 33).to_bytes(5, "little") + bytes(16),
        "declares more than",
    ),
}


@pytest.mark.parametrize("what", ARRAYS)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_array_that_is_no_image_takes_no_memory(what):
    before, (data, why) = peak_mb(), ARRAYS[what]
    for read in (image_info, read_values, lambda data: decode_image(data, FRAME)):
        with pytest.raises(Exception) as refused:
            read(data)
        assert why in failure_reason(refused.value) and failure_reason(refused.value).isprintable()
    assert peak_mb() - before < 50


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_used(kind):
    frames = [Image.new("RGB", (8, 8), (80 * number, 0, 0)) for number in range(3)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert is_animated(data) and not is_animated(saved(frames[0], kind))
    assert decode_image(data, FRAME).max() <= 3


def with_orientation(entry: bytes) -> bytes:
    """A JPEG whose camera notes hold this one entry."""
    return saved(GRAY, "JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01" + entry + b"\0\0\0\0")


ODD = {
    "a broken colour profile": saved(GRAY, "PNG", icc_profile=b"no profile"),
    "broken notes": saved(GRAY, "JPEG", exif=b"Exif\0\0no notes"),
    "an orientation of text": with_orientation(b"\x01\x12\0\x02\0\0\0\x04abc\0"),
    "an orientation of 99": with_orientation(b"\x01\x12\0\x03\0\0\0\x01\0\x63\0\0"),
    "two orientations": with_orientation(b"\x01\x12\0\x03\0\0\0\x02\0\x06\0\x06"),
    "CMYK": saved(GRAY.convert("CMYK"), "JPEG", quality=100),
    "YCbCr": saved(GRAY.convert("YCbCr"), "JPEG", quality=100),
    "LAB": saved(Image.new("LAB", (8, 8)), "TIFF"),
    "another ending's content": saved(GRAY, "BMP"),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_odd_image_is_an_image(what):
    assert decode_image(ODD[what], FRAME).shape == (3, 8, 8)


def test_a_palette_with_transparency_lies_on_white():
    for transparency in (1, b"\xff\x00"):
        image = Image.new("P", (8, 8), 1)
        image.putpalette([0, 0, 0, 255, 0, 0])
        assert (decode_image(saved(image, "PNG", transparency=transparency), FRAME) == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize("crop", ["centre", "none", "pad"])
def test_extreme_sizes_fit_the_frame(size, crop):
    found = decode_image(saved(Image.new("L", size, 7), "PNG"), FRAME._replace(crop=crop, fill="#070707"))
    assert found.shape == (3, 8, 8) and (found == 7).all()


def test_no_program_is_started_to_read_an_image(tmp_path):
    """Pillow has Ghostscript run what calls itself PostScript, whatever its ending."""
    with pytest.raises(Exception, match="it is in none of the formats of images"):
        decode_image(saved(GRAY, "EPS"), FRAME)


def a_menagerie(place: Path) -> dict[str, str]:
    """Good images 0 to 3 and all that can lie about under the name of one; the name of each -> why it is unreadable."""
    folder(place, {f"{number}.png": noise(number) for number in range(4)})
    (place / "loop.png").symlink_to("loop.png")
    (place / "gone.png").symlink_to("nowhere.png")
    (place / "endless.png").symlink_to("/dev/zero")
    (place / "folder.png").mkdir()
    os.mkfifo(place / "pipe.png")
    here = os.getcwd()
    os.chdir(place)  # a socket's path may have a hundred letters
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("door.png")
    os.chdir(here)
    with (place / "vast.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    deep = place / ("d" * 200) / ("e" * 200)
    deep.mkdir(parents=True)
    nan = np.full((8, 8), np.nan, np.float32)
    bad = {
        "zero.png": (b"", "not an image"),
        "0x0.png": (claiming("PNG", 0), "not an image"),
        "bomb.png": (claiming("PNG", 60_000), "declares more than"),
        "cut.jpg": (noise(1)[:300], "truncated"),
        "nan.tif": (saved(Image.fromarray(nan), "TIFF"), "NaN"),
        "line\nbreak.png": (b"no", "not an image"),
        "\x1b[31mred.png": (b"no", "not an image"),
        "\U0001f600.png": (b"no", "not an image"),
        os.fsdecode(b"\xff\xfe.png"): (b"no", "not an image"),
        str(deep.relative_to(place) / ("f" * 200 + ".png")): (b"no", "not an image"),
    }
    folder(place, {name: data for name, (data, _) in bad.items()})
    links = {"loop.png": "symbolic links", "gone.png": "No such file", "vast.png": "1,073,741,825 bytes"}
    strange = {name: "no regular file" for name in ("endless.png", "pipe.png", "door.png")}
    return links | strange | {name: why for name, (_, why) in bad.items()}


@pytest.fixture(scope="module")
def menagerie(tmp_path_factory):
    place = tmp_path_factory.mktemp("menagerie")
    return place, a_menagerie(place)


@pytest.mark.filterwarnings("ignore")
def test_one_bad_file_never_ends_a_run(menagerie):
    place, bad = menagerie
    images = ImageFiles(source=str(place), size=16).open()
    shown = images.at(range(len(images)), 0).images
    assert len(shown) == 4 + len(bad) and images.unreadable.keys() == bad.keys()
    assert not {name: images.unreadable[name] for name, why in bad.items() if why not in images.unreadable[name]}


@pytest.mark.filterwarnings("ignore")
def test_the_check_names_each_bad_file_in_a_line_of_its_own(menagerie, capsys):
    place, bad = menagerie
    assert main(["check", str(place)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"4 readable, {len(bad)} unreadable" in lines[1]
    told = "\n".join(lines[2 : 2 + len(bad)])
    assert all(why in told for why in bad.values())
    assert "line\\nbreak.png: not" in told and "\\x1b[31mred.png: not" in told and "\\udcff\\udcfe.png: not" in told
    assert all(line.isprintable() for line in lines)


def test_the_check_counts_animations(tmp_path, capsys):
    moving = saved(GRAY, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert main(["check", folder(tmp_path, {"a.gif": moving, "b.png": noise(1, 8, 8)})]) == 0
    assert "1 animated, of which the first frame is used" in capsys.readouterr().out


def test_a_folder_that_cannot_be_looked_into_is_said(tmp_path):
    """A name too long for the system, for the superuser may look anywhere else."""
    from ggdr.data.reading.files.folder import files_below

    with pytest.warns(UserWarning, match="cannot be looked into, its images are left out"):
        assert not [*files_below(str(tmp_path / ("x" * 300)))]


def entry(name: str, **attributes) -> zipfile.ZipInfo:
    """An entry of a zip."""
    found = zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(found, key, value)
    return found


def test_entries_of_a_zip_that_mean_harm_are_unreadable_and_nothing_is_written(tmp_path):
    place = tmp_path / "in"
    secret = folder(tmp_path, {"secret.png": encoded(200)}) + "/secret.png"
    place.mkdir()
    inner = Path(zipped(tmp_path / "inner.zip", {"a.png": encoded(1)})).read_bytes()
    (tmp_path / "inner.zip").unlink()
    with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../up.png", encoded(1))
        archive.writestr("/etc/absolute.png", encoded(2))
        archive.writestr("C:\\windows.png", encoded(3))
        archive.writestr(entry("link.png", external_attr=0o120777 << 16), secret)
        archive.writestr("zip.png", inner)
        archive.writestr("same.png", encoded(4))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("same.png", encoded(5))
        archive.writestr("bomb.png", b"\0" * 30_000_000)
        archive.writestr("locked.png", encoded(6))
        archive.getinfo("bomb.png").file_size = 8 << 30
        archive.getinfo("locked.png").flag_bits |= 1
    before = peak_mb()
    images = ImageFiles(source=str(place / "a.zip")).open()
    assert {gray_of(image) for image in images.at(range(len(images)), 0).images} == {1, 2, 3, 5}
    assert len(images) == 8
    why = images.unreadable
    assert why.keys() == {"link.png", "zip.png", "bomb.png", "locked.png"}
    assert "8,589,934,592 bytes" in why["bomb.png"] and "password" in why["locked.png"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in", "secret.png"]
    assert peak_mb() - before < 100


def test_an_entry_gives_no_more_than_it_declares(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", encoded(1))
        with archive.open("bomb.png", "w") as stream:
            for _ in range(300):
                stream.write(b"\0" * 1_000_000)
        archive.getinfo("bomb.png").file_size = 100
    (tmp_path / "a.zip").write_bytes(file.getvalue())
    before = peak_mb()
    images = ImageFiles(source=str(tmp_path / "a.zip")).open()
    images.at(range(2), 0)
    assert [*images.unreadable] == ["bomb.png"] and peak_mb() - before < 100


def test_a_zip_cut_anywhere_is_refused(tmp_path):
    data = Path(zipped(tmp_path / "a.zip", {"a.png": encoded(1)})).read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 1):
        (tmp_path / "a.zip").write_bytes(data[:length])
        with pytest.raises(ValueError, match="is no readable zip"):
            ImageFiles(source=str(tmp_path / "a.zip")).open()


@pytest.fixture
def arrow(tmp_path, monkeypatch):
    """Arrow copies go with the test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_a_table_has_no_say_in_what_is_opened(tmp_path, arrow, kind):
    outside = folder(tmp_path / "outside", {"secret.png": encoded(200)}) + "/secret.png"
    inside = Path(folder(tmp_path / "inside", {"here.png": encoded(1)}))
    (inside / "link.png").symlink_to(outside)
    os.mkfifo(inside / "pipe.png")
    named = [outside, "../outside/secret.png", "link.png", "pipe.png", "/etc/passwd", "/dev/zero"]
    named += [f"file://{outside}", f"zip://a::{outside}", "http://127.0.0.1:9/a.png", "hf://datasets/a/b@c/d.png"]
    rows = [{"bytes": encoded(2), "path": None}, {"bytes": None, "path": "here.png"}]
    rows += [{"bytes": None, "path": path} for path in named] + [{"bytes": None, "path": None}, None]
    images = kind(source=plain_parquet(inside / "a.parquet", {"image": rows})).open()
    assert {gray_of(image) for image in images.at(range(len(rows)), 0).images} == {1, 2}
    assert images.unreadable.keys() >= {*named}
    whys = [images.unreadable[name] for name in named]
    assert sum("is not opened" in why for why in whys) == len(named) - 1 and "no regular file" in whys[3]


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_a_table_cut_off_or_of_other_things_is_refused(tmp_path, arrow, kind):
    source = Path(plain_parquet(tmp_path / "a.parquet", {"image": [encoded(1)] * 50}))
    data = source.read_bytes()
    for changed in (data[: len(data) // 2], data[:-5], b"", b"PAR1" * 3, data[:4] + b"\xff" * 200 + data[204:]):
        source.write_bytes(changed)
        with pytest.raises(ValueError) as refused:
            kind(source=str(source)).open()
        assert "a.parquet" in str(refused.value) and str(refused.value).isprintable()
    words = plain_parquet(tmp_path / "words.parquet", {"image": ["a", "b"], "deep": [[[1]], [[2]]]})
    for column in ("image", "deep"):
        with pytest.raises(ValueError, match="no image can be read"):
            kind(source=words, image_column=column).open()


FILES = {f"{number}.png": encoded(number) for number in range(3)}
LABELS = {
    "UTF-16": "0.png,a\n1.png,b\n2.png,c".encode("utf-16"),
    "Latin-1": "0.png,ä\n1.png,b\n2.png,c".encode("latin-1"),
    "no end of quotes": b'0.png,"a\n1.png,b\n2.png,c',
    "a cell without end": b"0.png," + b"a" * 200_000,
    "nothing": b"",
    "infinities": b"0.png,inf\n1.png,1\n2.png,2",
    "numbers without end": b"0.png," + b"9" * 5000 + b".5\n1.png,1\n2.png,2",
}


@pytest.mark.parametrize("what", LABELS)
def test_a_csv_that_is_none_is_refused_in_one_sentence(tmp_path, what):
    source = folder(tmp_path, FILES | {"labels.csv": LABELS[what]})
    with pytest.raises(ValueError) as refused:
        ImageFiles(source=source, labels="labels.csv").open()
    assert str(refused.value).isprintable() and len(str(refused.value)) < 400


def test_json_that_holds_no_labels_is_answered_with_what_it_is_to_be(tmp_path):
    with pytest.raises(ValueError, match="holds no labels; it is to be"):
        ImageFiles(source=folder(tmp_path, FILES | {"a.json": b"{}"}), labels="a.json").open()


def test_a_hundred_thousand_classes_take_the_memory_of_a_batch():
    from ggdr.data.reading.labels.base import class_labels

    before = peak_mb()
    labels = class_labels([f"class {number}" for number in range(100_000)])
    rows = labels.rows([5, 7])
    assert rows.shape == (2, 100_000) and rows.sum() == 2 and rows[0, labels.values[5]] == 1
    assert peak_mb() - before < 200


@pytest.mark.parametrize("column", ["holes", "nested", "ragged", "records"])
def test_a_column_that_gives_no_labels_is_refused(tmp_path, arrow, column):
    columns = {
        "image": [encoded(1), encoded(2)],
        "holes": [[1.0, None], [2.0, 1.0]],
        "nested": [[[1, 2]], [[3, 4]]],
        "ragged": [[1], [1, 2]],
        "records": [{"a": 1}, {"a": 2}],
    }
    source = plain_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(ValueError) as refused:
        ImageFiles(source=source, labels=column).open()
    assert "\n" not in str(refused.value) and "ggdr" in str(refused.traceback[-1].path)
