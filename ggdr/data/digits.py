"""The 1,797 handwritten digits of scikit-learn: real scans, 8x8 pixels, on disk already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

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
    hold_out: int = 0
    """digits, drawn from all, that are kept for tests: they are the split test"""
    split: Literal["train", "test"] = "train"
    """the part that is read: what `hold_out` leaves, or what it keeps"""
    features: ClassVar[str] = "digits"

    def identity(self) -> str:
        return self.name

    def held_out(self) -> Digits | None:
        """The split test, if there is one."""
        if self.split == "test" or not self.hold_out:
            return None
        return replace(self, split="test", subset=None)

    def open(self) -> Images:
        """The digits, in memory."""
        import numpy as np

        from ggdr.data.reading.indexed import IndexedImages
        from ggdr.data.reading.labels.base import class_labels
        from ggdr.features.scans import digit_scans

        least = 8 + 2 * self.margin
        if self.margin < 0 or self.size < least:
            raise UserError(
                f"digits are 8 pixels wide, {least} with their margin, and can only be enlarged, not to {self.size};"
                f" type {setting('size')} 32."
            )
        scans, digits = self.part(*digit_scans())
        count = len(scans) if self.subset is None else self.subset
        if not 1 <= count <= len(scans):
            raise UserError(f"subset of {count} digits; choose 1 to {len(scans)}.")
        labels = class_labels(digits[:count].tolist(), [str(digit) for digit in range(10)]) if self.labels else None
        pictures = np.stack([enlarge(np.pad(scan, self.margin), self.size) for scan in scans[:count]])
        return IndexedImages(pictures[:, None], ImageSpec(self.size, self.size, 1), labels)

    def part(self, scans, digits):
        """Those scans [N, 8, 8] and digits [N] that are of the split; UserError if it would be empty."""
        import numpy as np

        if self.split == "test" and not self.hold_out or not 0 <= self.hold_out < len(scans):
            raise UserError(
                f"{setting('hold_out')} is {self.hold_out} of {len(scans)} digits, and the split is {self.split}: give"
                f" a number from {int(self.split == 'test')} to {len(scans) - 1}, such as 297."
            )
        drawn = np.random.default_rng(0).permutation(len(scans))[: self.hold_out]
        chosen = np.isin(np.arange(len(scans)), drawn) == (self.split == "test")
        return scans[chosen], digits[chosen]


def enlarge(scan, size: int):
    """A scan [h, w] of 0 .. 16 to uint8 [size, size], by Lanczos resampling; overshoot is clipped."""
    import numpy as np
    from PIL import Image

    smooth = Image.fromarray((scan * (255 / 16)).astype(np.float32)).resize((size, size), Image.Resampling.LANCZOS)
    return np.clip(np.rint(np.asarray(smooth)), 0, 255).astype(np.uint8)
