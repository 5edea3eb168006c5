"""What tests of evaluation begin with: a tiny run, and an empty folder with a cache of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from places import TINY

from ggdr.cache import cache_folder
from ggdr.features.digits import Digits
from ggdr.train import main as train


def tiny_run_in(folder: Path) -> Path:
    """Train on 64 digits of 16 px for a few steps; the run's folder."""
    out = folder / "tiny"
    assert train([TINY, "--out", str(out)]) == 0
    return out


def empty_cache_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder, with a cache below it that holds nothing but the digits classifier; the cache."""
    Digits().load(torch.device("cpu"))
    own = folder / "cache"
    own.mkdir()
    for file in cache_folder().glob("digits-*.safetensors"):
        shutil.copy(file, own)
    monkeypatch.setenv("GGDR_CACHE", str(own))
    monkeypatch.chdir(folder)
    return own
