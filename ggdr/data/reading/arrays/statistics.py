"""Mean and covariance of the features of real images, as pytorch-fid and ADM's evaluation save them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from ggdr.data.reading.arrays.npy import load_array, read_headers
from ggdr.data.reading.files.patterns import is_address
from ggdr.data.reading.files.remote import download_source
from ggdr.data.reading.reader import failure_reason
from ggdr.errors import UserError
from ggdr.features.base import FeatureStatistics

NAMES = (("mu", "sigma"), ("ref_mu", "ref_sigma"))
"""names of the two arrays, as programs call them"""
MOST_WIDE = 2**14
"""features; Inception has 2,048"""
UNEVEN = 1e-3
"""share of its largest value by which a covariance may differ from its mirror image"""


def read_statistics(source: str) -> FeatureStatistics | None:
    """The statistics that a .npz holds; None if it is no .npz or holds none, UserError if they are none."""
    if not source.lower().endswith(".npz"):
        return None
    file = Path(download_source(source) if is_address(source) else source).expanduser()
    try:
        found = read_headers(file)
        names = next((pair for pair in NAMES if found.keys() >= {*pair}), None)
        if names is None:
            return None
        mean, covariance = (load_checked(*found[name], file) for name in names)
    except Exception as error:  # an edited head may raise anything
        raise UserError(f"{source!r} is no readable .npz ({failure_reason(error)}); save it again.") from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise UserError(
            f"{source!r} holds {names[0]} {list(mean.shape)} and {names[1]} {list(covariance.shape)}, where [D]"
            " and [D, D] are due."
        )
    apart = np.abs(covariance - covariance.T).max()
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()) or apart > UNEVEN * np.abs(covariance).max():
        raise UserError(f"{source!r}: {' and '.join(names)} are no mean and covariance: not finite, or not symmetric.")
    whole = hashlib.sha256(mean.tobytes() + covariance.tobytes()).hexdigest()
    alone = not any(shelf.is_images for shelf, _ in found.values())
    return FeatureStatistics(torch.from_numpy(mean), torch.from_numpy(covariance), names, whole, alone)


def load_checked(shelf, place, file: Path) -> np.ndarray:
    """The values of an array in float64; UserError if there are too many."""
    if max(shelf.shape, default=0) > MOST_WIDE or len(shelf.shape) > 2:
        raise UserError(f"statistics of shape {list(shelf.shape)}")
    return load_array(file, shelf, place).astype(np.float64)
