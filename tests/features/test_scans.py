"""The scans of digits are scikit-learn's, and come without its import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from places import ROOT
from sklearn.datasets import load_digits

from ggdr.features import scans
from ggdr.features.scans import digit_scans

STEP = "from ggdr.train import main; import sys; main(sys.argv[1:]); print('MODULES', *sys.modules)"


@pytest.mark.parametrize("file", [scans.FILE, Path("elsewhere.csv.gz")], ids=["read", "asked for"])
def test_the_scans_are_those_that_scikit_learn_loads_wherever_its_file_lies(file, monkeypatch):
    monkeypatch.setattr(scans, "FILE", file)
    shades, digits = digit_scans()
    known = load_digits()
    assert shades.dtype == known.images.dtype and digits.dtype == known.target.dtype
    assert np.array_equal(shades, known.images) and np.array_equal(digits, known.target)


def test_digits_train_without_the_seconds_that_importing_scikit_learn_takes(tmp_path):
    words = ["digits", "--dry-run", "--batch-size", "4", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", STEP, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported = {name.partition(".")[0] for name in done.stdout.partition("MODULES")[2].split()}
    assert "torch" in imported and not imported & {"sklearn", "pandas", "scipy", "pyarrow", "matplotlib", "datasets"}
