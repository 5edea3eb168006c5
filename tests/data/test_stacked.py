"""Many images in one array: .npz and .npy as ADM's evaluation takes them, and HDF5."""

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from data_sources import encoded, gray_of, label_of
from hostile_files import peak_mb

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.verbs.datacheck import main

GRAYS = [*range(0, 240, 20)]


def stack(dtype=np.uint8, channels: int = 3) -> np.ndarray:
    """Images [N, H, W, C], each of one gray."""
    return np.stack([np.full((8, 6, channels), gray, dtype) for gray in GRAYS])


def npz(path: Path, packed: bool = False, **arrays) -> str:
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return str(path)


def npy(path: Path, array: np.ndarray) -> str:
    np.save(path, array)
    return str(path)


def hdf5(path: Path, **arrays) -> str:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("__", "/")] = array
    return str(path)


def encoded_rows(path: Path) -> str:
    with h5py.File(path, "w") as file:
        rows = file.create_dataset("jpegs", (len(GRAYS),), h5py.vlen_dtype(np.uint8))
        for place, gray in enumerate(GRAYS):
            rows[place] = np.frombuffer(encoded(gray, height=8, width=6), np.uint8)
    return str(path)


def chunked(path: Path) -> str:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=stack(), chunks=(4, 8, 6, 3), compression="gzip")
    return str(path)


KINDS = {
    "npz": lambda place: npz(place / "a.npz", arr_0=stack()),
    "npz packed": lambda place: npz(place / "a.npz", packed=True, arr_0=stack()),
    "npz channels first": lambda place: npz(place / "a.npz", arr_0=stack().transpose(0, 3, 1, 2)),
    "npz in Fortran's order": lambda place: npz(place / "a.npz", arr_0=np.asfortranarray(stack())),
    "npy": lambda place: npy(place / "a.npy", stack()),
    "npy of floats": lambda place: npy(place / "a.npy", (stack() / 255).astype(">f4")),
    "hdf5": lambda place: hdf5(place / "a.h5", images=stack()),
    "hdf5 in a group": lambda place: hdf5(place / "a.hdf5", train__images=stack()),
    "hdf5 packed": lambda place: chunked(place / "a.h5"),
    "hdf5 of encoded images": lambda place: encoded_rows(place / "a.h5"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_an_array_are_images(tmp_path, kind):
    images = ImageFiles(source=KINDS[kind](tmp_path), cache_mb=0).open()
    assert images.spec[:3] == (8, 6, 3) and len(images) == len(GRAYS)
    alone, shared = (batches(images, seed=0, start=0, batch_size=4, num_workers=workers) for workers in (0, 2))
    shown = [next(alone)["real"].images for _ in range(3)]
    assert sorted(gray_of(image) for image in torch.cat(shown)) == GRAYS
    assert all(torch.equal(one, next(shared)["real"].images) for one in shown)


def test_gray_rows_have_one_channel(tmp_path):
    assert ImageFiles(source=npy(tmp_path / "a.npy", stack()[..., 0])).open().spec[:3] == (8, 6, 1)


@pytest.mark.parametrize("make", [lambda path, **arrays: npz(path.with_suffix(".npz"), **arrays), hdf5])
def test_other_arrays_are_labels(tmp_path, make):
    numbers = np.arange(len(GRAYS))
    words = np.array([b"cat", b"dog"] * 6)
    source = make(tmp_path / "a.h5", arr_0=stack(), arr_1=numbers % 3, y=numbers.reshape(-1, 1, 1, 1) % 2,
                  words=words, where=np.stack([numbers / 2, -numbers], 1), other=np.arange(5))  # fmt: skip
    labels, names = label_of(source, "arr_1")
    assert names == ("0", "1", "2") and labels[GRAYS[4]] == [0, 1, 0]
    assert label_of(source, "y")[1] == ("0", "1") and label_of(source, "words")[1] == ("cat", "dog")
    assert label_of(source, "where")[0][GRAYS[3]] == [1.5, -3]
    with pytest.raises(ValueError, match="no array of labels 'other'; its arrays of labels are arr_1 int64"):
        ImageFiles(source=source, labels="other").open()


def test_of_several_arrays_one_is_chosen(tmp_path):
    source = hdf5(tmp_path / "a.h5", images=stack(), masks=stack()[..., 0])
    with pytest.raises(ValueError, match="type image_column images or masks"):
        ImageFiles(source=source).open()
    assert ImageFiles(source=source, image_column="masks").open().spec.channels == 1
    with pytest.raises(ValueError, match="no array 'x'; its arrays are images uint8"):
        ImageFiles(source=source, image_column="x").open()


@pytest.mark.parametrize("make", [KINDS["npz"], KINDS["hdf5"]])
def test_the_check_prints_flags_that_train(tmp_path, capsys, make):
    source = make(tmp_path)
    assert main(["check", source]) == 0
    told = capsys.readouterr().out
    assert f"{len(GRAYS)} readable, 0 unreadable" in told and f"--data.source {source}" in told


def test_statistics_are_no_images(tmp_path):
    source = npz(tmp_path / "a.npz", mu=np.zeros(4), sigma=np.eye(4))
    with pytest.raises(ValueError, match="holds the statistics of images .* and no images; .*--metrics fid --data"):
        ImageFiles(source=source).open()


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    source = npz(tmp_path / "a.npz", arr_0=np.array([{"a": 1}, None], object))
    with pytest.raises(ValueError, match="holds no images"):
        ImageFiles(source=source).open()


@pytest.mark.parametrize("kind", ["npz", "npz packed", "npy", "hdf5", "hdf5 packed"])
def test_a_file_cut_off_is_refused_in_one_sentence(tmp_path, kind):
    source = Path(KINDS[kind](tmp_path))
    whole = source.read_bytes()
    for length in (0, 10, 100, len(whole) // 2, len(whole) - 60):
        source.write_bytes(whole[:length])
        with pytest.raises(ValueError) as refused:
            ImageFiles(source=str(source)).open()
        assert str(source) in str(refused.value) and str(refused.value).isprintable()


def test_headers_that_promise_too_much_take_no_memory(tmp_path):
    before = peak_mb()
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d, 8, 8, 3), }"
    for rows in (10**6, 10**15):
        text = (head % rows).ljust(117) + b"\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0" * 1000
        (tmp_path / "a.npy").write_bytes(data)
        for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            with zipfile.ZipFile(tmp_path / "a.npz", "w", packing) as archive:
                archive.writestr("arr_0.npy", data)
                archive.getinfo("arr_0.npy").file_size = 10**18
            with pytest.raises(ValueError, match="is no readable .npz or .npy"):
                ImageFiles(source=str(tmp_path / "a.npz")).open()
        with pytest.raises(ValueError, match="bytes in a place that holds 1,000"):
            ImageFiles(source=str(tmp_path / "a.npy")).open()
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("x", (rows, 8, 8, 3), np.uint8, chunks=(1, 8, 8, 3))
        with pytest.raises(ValueError, match="declares .* bytes, more than it can hold"):
            ImageFiles(source=str(tmp_path / "a.h5")).open()
    assert peak_mb() - before < 100


def test_a_hdf5_file_opens_no_other(tmp_path):
    secret = hdf5(tmp_path / "secret.h5", x=stack())
    (tmp_path / "raw").write_bytes(stack().tobytes())
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["linked"] = h5py.ExternalLink(secret, "/x")
        file.create_dataset("raw", stack().shape, np.uint8, external=[(str(tmp_path / "raw"), 0, stack().nbytes)])
        layout = h5py.VirtualLayout(stack().shape, np.uint8)
        layout[:] = h5py.VirtualSource(secret, "x", stack().shape)
        file.create_virtual_dataset("virtual", layout)
    with pytest.raises(ValueError, match="holds no images.*holds nothing else"):
        ImageFiles(source=str(tmp_path / "a.h5")).open()


def test_without_h5py_the_command_that_installs_it_is_said(tmp_path):
    source = KINDS["hdf5"](tmp_path)
    code = "import sys; sys.modules['h5py'] = None; from ggdr.data.images import ImageFiles as images\n"
    code += "images(source=sys.argv[1]).open()"
    told = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True).stderr
    assert "a.h5' needs h5py; type: pip install 'ggdr[sources]'" in told
