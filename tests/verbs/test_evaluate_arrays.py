"""`ggdr evaluate` on samples and statistics in NumPy's files, as pytorch-fid and ADM's evaluation save them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from ggdr.cache import cache_folder
from ggdr.data.digits import Digits
from ggdr.features.digits import Digits as DigitsExtractor
from ggdr.verbs.evaluate import main

N = 150


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache that holds nothing but the digits classifier."""
    DigitsExtractor().load(torch.device("cpu"))
    own = tmp_path / "cache"
    own.mkdir()
    for file in cache_folder().glob("digits-*.safetensors"):
        shutil.copy(file, own)
    monkeypatch.setenv("GGDR_CACHE", str(own))


def samples(seed: int) -> torch.Tensor:
    """Digits [N, C, H, W]."""
    return Digits(size=16).open().at(list(range(seed * N, (seed + 1) * N)), 0).images


def fakes(place: Path) -> str:
    """Samples as ADM saves them, [N, H, W, C]."""
    np.savez(place / "samples.npz", samples(0).permute(0, 2, 3, 1).numpy(), np.arange(N) % 10)
    return str(place / "samples.npz")


def statistics(place: Path, names=("mu", "sigma"), **more) -> str:
    """Mean and covariance of other digits' features."""
    rows = DigitsExtractor().load(torch.device("cpu"))(samples(1)).rows.double().numpy()
    np.savez(place / "reals.npz", **dict(zip(names, (rows.mean(0), np.cov(rows, rowvar=False)), strict=True)), **more)
    return str(place / "reals.npz")


def evaluated(place: Path, *argv: str) -> dict:
    """The record of an evaluation of samples."""
    out = place / "record.json"
    out.unlink(missing_ok=True)
    assert main([fakes(place), *argv, "--extractor", "digits", "--images", str(N), "--out", str(out)]) == 0
    return json.loads(out.read_text())


def distance(record: dict) -> float:
    return record["metrics"]["fid"]["values"]["distance"]["mean"]


@pytest.mark.parametrize("names", [("mu", "sigma"), ("ref_mu", "ref_sigma")])
def test_fid_against_statistics_is_that_against_their_images(tmp_path, capsys, names):
    np.save(tmp_path / "reals.npy", samples(1).permute(0, 2, 3, 1).numpy())
    known = evaluated(tmp_path, "--data", str(tmp_path / "reals.npy"), "--metrics", "fid")
    assert known["metrics"]["fid"]["real"]["number"] == N and "statistics" not in known["metrics"]["fid"]["real"]
    capsys.readouterr()
    found = evaluated(tmp_path, "--data", statistics(tmp_path, names), "--metrics", "fid")
    told = capsys.readouterr()
    assert distance(found) == pytest.approx(distance(known), rel=1e-4) and distance(known) > 0.1
    real = found["metrics"]["fid"]["real"]
    assert real["number"] == 0 and real["statistics"]["arrays"] == [*names] and len(real["statistics"]["content"]) == 64
    assert found["data"]["images"] == 0 and found["data"]["settings"]["source"].endswith("reals.npz")
    assert f"against the statistics ({', '.join(names)}) of real images for fid" in told.out
    assert f"statistics, {N}" in told.out and "real images are taken" not in told.err


def test_statistics_beside_images_serve_fid_and_the_images_serve_the_rest(tmp_path, capsys):
    source = statistics(tmp_path, arr_0=samples(2)[:40].permute(0, 2, 3, 1).numpy())
    found = evaluated(tmp_path, "--data", source, "--metrics", "fid", "swd")
    assert found["metrics"]["fid"]["real"]["number"] == 0 and found["metrics"]["swd"]["real"]["number"] == 40
    assert "for fid and 40 real images" in capsys.readouterr().out
    assert distance(found) == pytest.approx(
        distance(evaluated(tmp_path, "--data", statistics(tmp_path), "--metrics", "fid"))
    )


@pytest.mark.parametrize("metric", ["kid", "precision_recall", "swd"])
def test_metrics_that_look_at_real_images_are_refused(tmp_path, metric):
    argv = [fakes(tmp_path), "--data", statistics(tmp_path), "--metrics", metric, "--images", "50"]
    with pytest.raises(ValueError, match=f"{metric} looks at real images, and the data holds the statistics"):
        main(argv)


def test_metrics_that_nobody_named_are_left_out_with_a_warning(tmp_path, capsys):
    found = evaluated(tmp_path, "--data", statistics(tmp_path))
    assert [*found["metrics"]] == ["fid"]
    assert "kid is left out: kid looks at real images" in capsys.readouterr().err


def test_a_metric_that_looks_at_no_reals_needs_none(tmp_path):
    found = evaluated(tmp_path, "--data", statistics(tmp_path), "--metrics", "is")
    assert found["metrics"]["is"]["real"] == {"number": 0}


BAD = {
    "of other features": ({"mu": np.zeros(5), "sigma": np.eye(5)}, "of 5 features, and digits gives"),
    "of odd shapes": ({"mu": np.zeros(5), "sigma": np.eye(6)}, r"mu \[5\] and sigma \[6, 6\], where \[D\]"),
    "not finite": ({"mu": np.full(5, np.nan), "sigma": np.eye(5)}, "no mean and covariance: not finite"),
    "not symmetric": ({"mu": np.zeros(5), "sigma": np.triu(np.ones((5, 5)))}, "or not symmetric"),
    "too wide": ({"mu": np.zeros(20_000), "sigma": np.eye(2)}, r"statistics of shape \[20000\]"),
}


@pytest.mark.parametrize("what", BAD)
def test_statistics_that_are_none_are_refused_in_one_sentence(tmp_path, what):
    arrays, message = BAD[what]
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match=message) as refused:
        main([fakes(tmp_path), "--data", str(tmp_path / "bad.npz"), "--metrics", "fid", "--extractor", "digits"])
    assert "\n" not in str(refused.value)


def test_samples_behind_an_address_are_measured(tmp_path):
    import fsspec

    fsspec.filesystem("memory").put(fakes(tmp_path), "/samples.npz")
    out = str(tmp_path / "out.json")
    assert main(["memory://samples.npz", "--data", fakes(tmp_path), "--metrics", "swd", "--out", out]) == 0
    assert json.loads(Path(out).read_text())["source"]["kind"] == "images"
