"""The 1,797 handwritten digits of scikit-learn: real scans, 8x8 pixels, on disk already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.data.base import DataSet, Images
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec
from ggdr.registry import datasets


@datasets.register("digits")
@dataclass(frozen=True, kw_only=True)
class Digits(DataSet):
    """1,797 handwritten digits from scikit-learn, gray, enlarged from 8x8: no download (Alpaydin & Kaynak 1998)."""

    size: int = 32
    """height and width, pixels, at least those of a scan with its margin"""
    margin: int = 1
    """black pixels put around each scan before it is enlarged: the scans touch their frames"""
    labels: bool = False
    """condition on the digit: ten classes"""
    subset: int | None = None
    """use only the first N digits; None: all"""
    features: ClassVar[str] = "digits"

    def identity(self) -> str:
        return self.name

    def open(self) -> Images:
        """The digits, in memory."""
        import numpy as np
        from sklearn.datasets import load_digits

        from ggdr.data.reading.indexed import IndexedImages
        from ggdr.data.reading.labels.base import class_labels

        least = 8 + 2 * self.margin
        if self.margin < 0 or self.size < least:
            raise UserError(
                f"digits are 8 pixels wide, {least} with their margin, and can only be enlarged, not to {self.size};"
                f" type {setting('size')} 32."
            )
        found = load_digits()
        count = len(found.images) if self.subset is None else self.subset
        if not 1 <= count <= len(found.images):
            raise UserError(f"subset of {count} digits; choose 1 to {len(found.images)}.")
        labels = class_labels(found.target[:count], [str(digit) for digit in range(10)]) if self.labels else None
        pictures = np.stack([enlarge(np.pad(scan, self.margin), self.size) for scan in found.images[:count]])
        return IndexedImages(pictures[:, None], ImageSpec(self.size, self.size, 1), labels)


def enlarge(scan, size: int):
    """A scan [h, w] of 0 .. 16 to uint8 [size, size], by Lanczos resampling; overshoot is clipped."""
    import numpy as np
    from PIL import Image

    smooth = Image.fromarray((scan * (255 / 16)).astype(np.float32)).resize((size, size), Image.Resampling.LANCZOS)
    return np.clip(np.rint(np.asarray(smooth)), 0, 255).astype(np.uint8)
