"""What holds for every test: one thread, a cache of its own, and no runtime left over from the test before."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

# Tiny tensors are quicker on one thread; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The digits classifier is trained once for all tests, and not in anybody's home.
os.environ.setdefault("GGDR_CACHE", str(Path(__file__).parent.parent / ".pytest_cache" / "ggdr"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where files of random weights lie."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def inception_file(folder):
    """Random weights of Inception-v3."""
    from random_weights import inception_in

    return inception_in(folder)


@pytest.fixture(scope="session")
def dinov2_file(folder):
    """Random weights of DINOv2, ViT-S."""
    from random_weights import dinov2_in

    return dinov2_in(folder)


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """Accelerate keeps one state a process and refuses another precision later; forget it after each test."""
    yield
    if "accelerate.state" in sys.modules:
        sys.modules["accelerate.state"].AcceleratorState._reset_state(reset_partial_state=True)


def pytest_collection_modifyitems(items):
    """UsageError for a test that is called otherwise in each process: two workers would not find the same tests."""
    if strange := [item.nodeid for item in items if re.search(r" at 0x[0-9a-fA-F]{6}", item.nodeid)]:
        raise pytest.UsageError(f"{strange[0]}: its name holds an address in memory; give `ids`.")
