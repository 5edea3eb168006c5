"""Networks that are saved alone are read, and a file that holds none says in one sentence what it is."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from foreign_files import (
    RESNET,
    TINY,
    Layer,
    built,
    pictures,
    published_discriminator,
    published_generator,
    said,
    save,
    verdict,
    write,
)
from places import OWN_GOLDEN
from rosinality_files import random_generator
from safetensors.torch import save_file

from ggdr.foreign import snapshot
from ggdr.foreign.reading import read, unpack


@pytest.mark.parametrize("keep", [write, save], ids=["pickle", "torch.save"])
def test_a_generator_that_was_saved_alone_is_read(tmp_path, keep):
    """As PTI does with the generator that it tuned."""
    ours = built(TINY)
    found = read(keep(tmp_path / "model_ABCD_multi_id.pt", published_generator(ours)))
    assert [*found.networks] == ["generator"] and found.networks["generator"].origin == "the file itself"
    assert torch.equal(pictures(found.networks["generator"].network), pictures(ours))
    assert found.notes == ["it holds one generator, and does not say whether it is a running mean"]


def test_a_discriminator_that_was_saved_alone_is_read(tmp_path):
    ours = built(RESNET)
    found = read(save(tmp_path / "d.pt", published_discriminator(ours)))
    assert [*found.networks] == ["discriminator"] and not found.notes
    assert torch.equal(verdict(found.networks["discriminator"].network), verdict(ours))


@pytest.mark.parametrize("form", ["t", "r"])
def test_a_stylegan3_generator_that_was_saved_alone_is_read(form):
    data = (OWN_GOLDEN / f"stylegan3_{form}.pkl").read_bytes()
    found = snapshot.read_one(unpack(data)["G_ema"], len(data))
    assert found.kind == "StyleGAN3" and found.networks["generator"].network.config.config == form.upper()


def test_another_network_that_was_saved_alone_is_named(tmp_path):
    assert "a layer of the class 'Encoder'" in said(save(tmp_path / "e.pt", Layer("Encoder")))


@pytest.mark.parametrize("content", [lambda g: g, lambda g: {"g_ema": g}, lambda g: {"g_ema": g, "g_optim": {}}])
def test_weights_of_a_generator_alone_are_read(tmp_path, content):
    """As StyleGAN-NADA saves them, and as `torch.save(g_ema.state_dict())` does."""
    torch.manual_seed(0)
    torch.save(content(random_generator(16)), tmp_path / "g.pt")
    found = read(tmp_path / "g.pt").networks
    assert [*found] == ["generator"] and found["generator"].network.spec.height == 16


def kept(content) -> bytes:
    """What torch.save makes of it."""
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return file.getvalue()


def packed() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.add(OWN_GOLDEN / "ada.json", "ada.json")
    return file.getvalue()


def arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, latents=np.ones(3))
    return file.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 381646382\n"
PAGE = b"\r\n<!DOCTYPE HTML><html><head><title>Google Drive - Virus scan\nwarning</title></head>"
SNAPSHOT = (OWN_GOLDEN / "official_ggdr_snapshot.pkl").read_bytes()
OTHERS = {
    "it is empty, so the download has failed": b"",
    "it is a Git LFS pointer to one of 381,646,382 bytes, not the checkpoint itself; run `git lfs pull`": POINTER,
    "it is a Git LFS pointer, not the checkpoint": POINTER[:50],
    "it is a web page ('Google Drive - Virus scan warning'), not a checkpoint": PAGE,
    "it is a web page, not a checkpoint": b"<html>",
    "it is an XML document": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "it is a text that begins with '{ \"error\": \"not found\" }'": b'{\n"error": "not found"\n}',
    "it is compressed (gzip); unpack it": gzip.compress(SNAPSHOT),
    "it is a tar archive; unpack it": packed(),
    "it is a PNG image": b"\x89PNG\r\n\x1a\n" + bytes(99),
    "it is an array of NumPy": b"\x93NUMPY\x01\x00",
    "it holds 1 array such as 'latents.npy' of NumPy": arrays(),
    "neither a pickle nor a file of torch.save": bytes(range(1, 99)),
    "2 files such as 'a/1.png'; give a checkpoint": zipped(a__1_png=b"x", a__2_png=b"y"),
    "2 files such as 'a/1.png'; unpack it, and convert 'a/net.pkl'": zipped(a__1_png=b"x", a__net_pkl=b"y"),
    "it is a TorchScript program; nothing of it was run": zipped(s__code__m_py=b"x", s__data_pkl=b"\x80\x02}."),
    "but only": SNAPSHOT[: len(SNAPSHOT) // 2],
    "exhausted before seeing STOP; it ends too early": SNAPSHOT[:-1],
    "File is not a zip file; it ends too early, as a download that was cut off": kept(torch.ones(99))[:-200],
    "it holds one tensor [1, 18, 512], and no network": kept(torch.ones(1, 18, 512)),
    "it holds a list of 2 values, and no network": kept([1, 2]),
    "it holds 1 weight such as 'module.layer1.0.conv1.weight', as a ResNet has": kept(
        {"module.layer1.0.conv1.weight": torch.ones(1)}
    ),
    "it holds 1 weight such as 'a.weight', of a network that is unknown here": kept({"a.weight": torch.ones(1)}),
    "'state_dict' (a dict of 1 tensor such as 'a'), 'epoch' (a number), 'names' (a list of 0 values), 'x' (a text) and"
    " 1 more; needed are networks as G, D or G_ema": kept(
        {"state_dict": {"a": torch.ones(1)}, "epoch": 3, "names": [], "x": "y", "z": None}
    ),
    "it holds an array [3, 4] of numpy's type f8, and no network": pickle.dumps(np.ones((3, 4))),
    "'mu' (an array [9] of numpy's type f8)": pickle.dumps({"mu": np.ones(9)}),
    "it asks for random.Random, which no checkpoint of StyleGAN2 or StyleGAN3 has a use for": pickle.dumps(
        random.Random(0)
    ),
    "which is of NumPy, but neither an array nor a number": pickle.dumps(np.random.RandomState(0)),
    "it has a layer of the class 'Linear': only StyleGAN2, StyleGAN3 and R3GAN can be converted": kept(
        torch.nn.Linear(2, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", OTHERS)
def test_a_file_of_something_else_is_named_by_what_it_holds(tmp_path, words):
    (tmp_path / "stylegan2.pkl").write_bytes(OTHERS[words])
    assert words in said(tmp_path / "stylegan2.pkl")


def test_safetensors_are_named_whole_or_not(tmp_path):
    save_file({"unet.weight": torch.ones(2)}, tmp_path / "x.safetensors", {"format": "pt"})
    assert "a safetensors file of 1 tensor such as 'unet.weight'" in said(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes((tmp_path / "x.safetensors").read_bytes()[:20])
    assert "a safetensors file" in said(tmp_path / "x.safetensors")


@pytest.mark.parametrize("length", range(0, 300, 7))
def test_the_beginning_of_anything_is_one_sentence(tmp_path, length):
    for data in (SNAPSHOT, kept(random_generator(8)), POINTER, PAGE, arrays(), gzip.compress(SNAPSHOT)):
        (tmp_path / "x.pkl").write_bytes(data[:length])
        assert said(tmp_path / "x.pkl").startswith("cannot convert")
