"""The 1,797 scans of handwritten digits that come with scikit-learn, read without the seconds that its import takes."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FILE = Path("datasets", "data", "digits.csv.gz")
"""where scikit-learn keeps them, within its folder: 64 pixels and the digit a line"""


def digit_scans() -> tuple[np.ndarray, np.ndarray]:
    """Scans [1797, 8, 8] float64 of 0 to 16, 16 for ink, and their digits [1797] int.

    The values are those of `sklearn.datasets.load_digits`, which is asked if the file is not where it is known to be.
    """
    import numpy as np

    found = find_spec("sklearn")
    file = Path(str(found.origin)).parent / FILE if found else FILE
    if not file.is_file():
        from sklearn.datasets import load_digits

        return load_digits().images, load_digits().target
    with gzip.open(file, "rt", encoding="ascii") as stream:
        rows = np.loadtxt(stream, delimiter=",")
    return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(int)
