"""The classifier of digits: what it can tell apart, and how it is trained once and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from places import ROOT
from safetensors.torch import save_file

from ggdr.data.digits import Digits as DigitImages
from ggdr.features import digits
from ggdr.features.digits import Digits

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    return Digits().load(CPU)


def accuracy(state, images, labels):
    network = digits.network(torch.float32)
    network.load_state_dict(state)
    return float((network(images.float()).argmax(1) == labels).double().mean())


def test_digits_it_was_not_trained_on_are_told_apart():
    images, labels = digits.scans()
    held_out = torch.arange(len(images)) % 4 == 1
    state = digits.train(images[~held_out], labels[~held_out])
    assert accuracy(state, images[held_out], labels[held_out]) > 0.97


@pytest.mark.parametrize("size", [10, 16, 32, 64])
def test_digits_of_the_data_set_are_told_apart_at_any_size(network, size):
    batch = DigitImages(size=size, labels=True).open().at(list(range(500)), 0)
    assert float((network(batch.images).logits.argmax(1) == batch.labels.argmax(1)).double().mean()) > 0.98


def test_features_alone_tell_the_classes(network):
    batch = DigitImages(size=16).open().at(list(range(8)), 0)
    found = network(batch.images)
    torch.testing.assert_close(network.classify(found.rows), found.logits)


def test_digits_has_the_same_weights_on_every_machine(network):
    """Float64 and coarse weights hide what processors differ in: the hash is the same with and without AVX."""
    assert network.weights_hash == "4871336d886d90f3"


def test_training_leaves_randomness_and_threads_as_they_were(monkeypatch):
    monkeypatch.setattr(digits, "EPOCHS", 1)
    torch.manual_seed(7)
    expected, threads = torch.rand(2), torch.get_num_threads()
    torch.manual_seed(7)
    first = digits.train(*digits.scans())
    assert torch.equal(torch.rand(2), expected) and torch.get_num_threads() == threads
    torch.set_num_threads(2)
    try:
        assert all(torch.equal(first[key], value) for key, value in digits.train(*digits.scans()).items())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """A cache of its own, and training of a second."""
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digits, "EPOCHS", 1)
    return tmp_path / "cache" / f"{digits.EDITION}.safetensors"


def damaged(file: Path, how: str) -> None:
    data = bytearray(file.read_bytes())
    if how == "cut short":
        data = data[: len(data) // 2]
    elif how == "a bit turned":
        data[-100] ^= 1
    file.write_bytes(b"" if how == "empty" else bytes(data))
    if how == "another network":
        save_file({"a": torch.zeros(3)}, file)


@pytest.mark.parametrize("how", ["cut short", "a bit turned", "empty", "another network"])
def test_a_damaged_cache_is_made_anew(quick, how):
    first = Digits().load(CPU).weights_hash
    before = quick.read_bytes()
    damaged(quick, how)
    assert Digits().load(CPU).weights_hash == first and quick.read_bytes() == before
    assert sorted(path.suffix for path in quick.parent.iterdir()) in ([".lock", ".safetensors"], [".safetensors"])


def test_a_whole_cache_is_used(quick, monkeypatch):
    first = Digits().load(CPU).weights_hash
    monkeypatch.setattr(digits, "train", lambda *_: pytest.fail("trained again"))
    assert Digits().load(CPU).weights_hash == first


def test_a_cache_that_cannot_be_written_is_no_obstacle(quick):
    quick.parent.parent.mkdir(exist_ok=True)
    quick.parent.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="the digits classifier cannot be kept in"):
        assert Digits().load(CPU).width == 64


def test_two_processes_at_once_train_it_once(tmp_path):
    program = (
        "import torch, ggdr.features.digits as digits; digits.EPOCHS = 2; trained = digits.train\n"
        "def told(*scans): print('training'); return trained(*scans)\n"
        "digits.train = told; print(digits.Digits().load(torch.device('cpu')).weights_hash)"
    )
    env = os.environ | {"GGDR_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].decode().split() for process in started]
    assert sorted(map(len, said)) == [1, 2] and said[0][-1] == said[1][-1]
