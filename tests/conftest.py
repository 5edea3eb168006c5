"""What holds for every test: one thread, and no runtime left over from the test before."""

from __future__ import annotations

import os
import sys

import pytest

# Tiny tensors are quicker on one thread; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """Accelerate keeps one state a process and refuses another precision later; forget it after each test."""
    yield
    if "accelerate.state" in sys.modules:
        sys.modules["accelerate.state"].AcceleratorState._reset_state(reset_partial_state=True)
