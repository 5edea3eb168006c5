"""Whatever a file has become, its reader gives what it promises, or one line of ValueError or OSError for the user."""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from colour_profiles import display
from data_sources import encoded, lmdb, noise, plain_parquet, shard, zipped
from deep_files import npy, npz, png16, tiff
from hostile_files import damaged, files_like, outcome, peak_mb, saved, steady
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from ggdr.data.images import ImageFiles
from ggdr.data.reading.file_types import decodable_formats
from ggdr.data.reading.labels.base import Labels
from ggdr.data.reading.labels.label_file import read_labels
from ggdr.data.reading.pixels.decode import Frame, ImageInfo, decode_image, image_info, read_values
from ggdr.data.reading.reader import Unreadable
from ggdr.data.stream import ImageStream
from ggdr.documents import read_header, read_object, read_tensors
from ggdr.features.weights import read_weights
from ggdr.foreign.reading import read
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, to_json
from ggdr.saving import checkpoint, log_file
from ggdr.saving.model import load_model, save_model

MOST_MB = 400
"""that all examples of a test together may take"""


@pytest.fixture(autouse=True)
def bounded():
    """Memory stays within a bound, whatever a file declares."""
    before = peak_mb()
    yield
    assert peak_mb() - before < MOST_MB


COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 7, 3), dtype=np.uint8))
ROTATED = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
PICTURES = {kind: saved(COLOURS, kind) for kind in decodable_formats()} | {
    "notes": saved(COLOURS, "JPEG", exif=ROTATED)
}
ARRAY = np.asarray(COLOURS)
PICTURES |= {"profile": saved(COLOURS, "PNG", icc_profile=display()), "npy": npy(ARRAY), "npz": npz(ARRAY)}
PICTURES |= {
    "bands": tiff(ARRAY.repeat(2, 2), photometric="rgb"),
    "pages": tiff(np.moveaxis(ARRAY, 2, 0), photometric="minisblack"),
}
PICTURES |= {
    "deep": png16(ARRAY.astype(np.uint16)),
    "floats": tiff(ARRAY.astype(np.float32), photometric="rgb", compression="zlib"),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.filterwarnings("ignore")
def test_images(kind):
    @steady(60)
    @given(damaged(PICTURES[kind], 200))
    def check(data):
        try:
            seen, found = image_info(data), decode_image(data, Frame(8, 8, 3))
            decode_image(data, Frame(8, 8, seen.channels, range=(0, 4095)))
            read_values(data)
        except Exception as error:  # decoders may raise anything: the reader makes one line of it
            assert Unreadable("x.png", error).why.isprintable()
        else:
            assert isinstance(seen, ImageInfo) and found.shape == (3, 8, 8) and found.dtype == np.uint8

    check()


@pytest.mark.filterwarnings("ignore")
def test_archives(tmp_path):
    whole = Path(zipped(tmp_path / "a.zip", {"a.png": encoded(1), "b/c.png": noise(1), "d.txt": b"x"})).read_bytes()

    @steady(150)
    @given(files_like(whole))
    def check(data):
        (tmp_path / "a.zip").write_bytes(data)
        found = outcome(lambda: ImageFiles(source=str(tmp_path / "a.zip"), size=8).open().at([0, 1], 0).images)
        assert isinstance(found, Exception) or found.shape[2:] == (8, 8)
        assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]

    check()


PACKS = {
    "a.tar": lambda place: shard(place, [1, 2]),
    "a.mdb": lambda place: lmdb(place, {b"a": encoded(1), b"b": noise(1, 60, 60)}, subdir=False),
    "a.npz": lambda place: np.savez_compressed(place, arr_0=np.zeros((2, 8, 8, 3), np.uint8), arr_1=[0, 1]),
    "a.npy": lambda place: np.save(place, np.zeros((2, 8, 8, 3), np.uint8)),
}


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.filterwarnings("ignore")
def test_packed_images(tmp_path, name, monkeypatch):
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path / "cache"))
    place = tmp_path / name
    PACKS[name](place)
    whole = place.read_bytes()

    @steady(150)
    @given(files_like(whole, 600) | files_like(whole))
    def check(data):
        place.write_bytes(data)
        found = outcome(lambda: ImageFiles(source=str(place), size=8).open().at([0, 1], 0).images)
        assert isinstance(found, Exception) or found.shape[2:] == (8, 8)

    check()


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
@pytest.mark.filterwarnings("ignore")
def test_tables(tmp_path, kind, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    whole = Path(plain_parquet(tmp_path / "a.parquet", {"image": [encoded(1), encoded(2)], "age": [1, 2]})).read_bytes()
    footer = whole[-400:]

    @steady(25)
    @given(files_like(whole) | damaged(footer).map(lambda end: whole[:-400] + end))
    def check(data):
        (tmp_path / "a.parquet").write_bytes(data)
        found = outcome(lambda: kind(source=str(tmp_path / "a.parquet"), size=8, labels="age").open().at([0], 0).images)
        assert isinstance(found, Exception) or found.shape[2:] == (8, 8)

    check()


def test_label_tables(tmp_path):
    files = ["a.png", "b/c.png", "d.png"]
    line = st.sampled_from([*files, "c.png", "other.png"]).flatmap(
        lambda name: st.lists(st.text(max_size=4) | st.floats().map(str) | st.integers().map(str), max_size=3).map(
            lambda cells: ",".join([name, *cells])
        )
    )
    whole = b"file,kind\na.png,1\nb/c.png,2\nd.png,3\n"

    @steady(250)
    @given(files_like(whole) | st.lists(line, max_size=5).map(lambda lines: "\n".join(lines).encode(errors="ignore")))
    def check(data):
        found = outcome(lambda: read_labels("a.csv", data, files))
        assert isinstance(found, Exception) or isinstance(found, Labels) and len(found.values) == 3

    check()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def edited(draw, document: dict) -> dict:
    """The document with one of its values replaced by anything, or taken out."""
    whole = json.loads(json.dumps(document))
    place = whole
    while True:
        key = draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        place[key] = draw(ANYTHING)
        if draw(st.integers(0, 4)) == 0:
            del place[key]
        return whole


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    save_model(DCGANGeneratorConfig(channels=4, z_dim=4).build(ImageSpec(8, 8)), place)
    return place


def test_descriptions_of_networks(model):
    whole = (model / "config.json").read_bytes()
    described = json.loads(whole)

    @steady(300)
    @given(files_like(whole) | edited(described).map(lambda found: json.dumps(found).encode()))
    def check(data):
        (model / "config.json").write_bytes(data)
        assert isinstance(outcome(lambda: load_model(model)), Network | Exception)

    try:
        check()
    finally:
        (model / "config.json").write_bytes(whole)


def test_weights_of_networks(model):
    whole = (model / "model.safetensors").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")

    @steady(250)
    @given(files_like(whole, header))
    def check(data):
        (model / "model.safetensors").write_bytes(data)
        assert isinstance(outcome(lambda: load_model(model)), Network | Exception)

    try:
        check()
    finally:
        (model / "model.safetensors").write_bytes(whole)


def test_tensors(tmp_path):
    file = tmp_path / "a.safetensors"
    whole = save({"a": torch.ones(2, 3), "b": torch.zeros(2, dtype=torch.float16)})

    @steady(250)
    @given(files_like(whole, 130))
    def check(data):
        file.write_bytes(data)
        for reader in (read_header, read_tensors, read_weights, lambda file: checkpoint.load_tensors(file.parent, "a")):
            assert isinstance(outcome(lambda reader=reader: reader(file)), dict | Exception)

    check()


def test_recipes():
    whole = to_json(tiny.recipe)

    @steady(200)
    @given(edited(whole))
    def check(found):
        assert isinstance(outcome(lambda: from_json(Recipe, found)), Recipe | Exception)

    check()


def test_documents_and_logs(tmp_path):
    whole = b'{"step": 1, "loss": 0.5, "kimg": 0.1}\n{"step": 2, "loss": null}\n'

    @steady(300)
    @given(files_like(whole) | files_like(b'{"step": 1, "images_seen": 8, "a": {"b": [1, 2.5e3, null, "\\u00e9"]}}'))
    def check(data):
        for name in ("metrics.jsonl", "progress.json"):
            (tmp_path / name).write_bytes(data)
        assert isinstance(outcome(lambda: read_object(tmp_path / "progress.json")), dict | Exception)
        assert isinstance(outcome(lambda: checkpoint.read_progress(tmp_path)), dict | Exception)
        rows = [*log_file.read_rows(tmp_path / "metrics.jsonl")]
        assert all(isinstance(row["step"], int) for row in rows)
        log_file.truncate(tmp_path / "metrics.jsonl", 1)
        assert [*log_file.read_rows(tmp_path / "metrics.jsonl")] == [row for row in rows if row["step"] <= 1]

    check()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles(tmp_path, protocol):
    whole = pickle.dumps({"G_ema": OrderedDict(a=[1, 2.5, "x"], b=b"y"), "args": {"size": 8}}, protocol)

    @steady(150)
    @given(files_like(whole))
    def check(data):
        (tmp_path / "a.pkl").write_bytes(data)
        for reader in (read, read_weights):
            assert isinstance(outcome(lambda reader=reader: reader(tmp_path / "a.pkl")), tuple | dict | Exception)

    check()
