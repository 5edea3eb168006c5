"""Inception score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, above_zero, setting
from ggdr.features.base import Extractor
from ggdr.features.inception import Inception
from ggdr.lazy import Tensor, torch
from ggdr.metrics.base import Metric
from ggdr.registry import Capability, metrics
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData


@metrics.register("is", paper="1606.03498")
@dataclass(frozen=True, kw_only=True)
class InceptionScore(Metric):
    """How sure a classifier is of each image, and how varied its answers are, higher is better (Salimans et al. 2016).

    exp of the mean divergence of p(class | image) from p(class), sec. 4; `mean` and `std` over splits. It does not
    look at real images. The literature takes 50,000 images in 10 splits, and Inception's 1,008 classes.
    """

    extractor: Extractor = Inception()
    """feature extractor that gives each image's class logits"""
    splits: int = 10
    """number of parts of the images that are scored one by one"""
    seed: int = 2020
    """seed of the order in which images are dealt to the splits, as torch-fidelity deals them"""
    reliable_images: ClassVar = 5000
    better: ClassVar = "higher"
    against: ClassVar = frozenset[str]()

    def __post_init__(self) -> None:
        above_zero(self, "splits")
        if Capability.CLASSES not in self.extractor.provides:
            raise UserError(
                f"is reads classes, which feature extractor {self.extractor.name!r} does not give; take one that does:"
                " `ggdr list extractors`."
            )

    def prepare(self, data: EvalData) -> None:
        """Load the extractor; UserError if that fails, or there is not an image for each split."""
        self.check_number(data.fake.size(self.images))
        super().prepare(data)

    def check_number(self, images: int) -> None:
        """Raise UserError if there is not an image for each split."""
        if images < self.splits:
            raise UserError(
                f"is needs an image for each of its {self.splits} splits; given {images}: take more, or fewer"
                f" splits by {setting('splits')}."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        return self.score(data.fake.logits(self.extractor, self.images))

    def score(self, logits: Tensor) -> dict[str, float]:
        """Return `mean` and `std` of the splits' scores of logits [N, K]; UserError if N is less than `splits`."""
        import numpy as np

        self.check_number(len(logits))
        if not logits.isfinite().all():
            raise UserError("is: class logits are not finite; look at the images and the weights of the extractor.")
        order = torch.from_numpy(np.random.RandomState(word(self.seed)).permutation(len(logits)))
        logits = logits.double().cpu()[order]
        bounds = [split * len(logits) // self.splits for split in range(self.splits + 1)]
        scores = torch.stack([score(logits[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)])
        return {"mean": float(scores.mean()), "std": float(scores.std(correction=0))}


def score(logits: Tensor) -> Tensor:
    """Return exp(H(mean of p) - mean of H(p)), p the softmax of logits [N, K]; probability 0 adds nothing."""
    p = logits.softmax(dim=1)
    entropy = torch.special.entr
    return (entropy(p.mean(dim=0)).sum() - entropy(p).sum(dim=1).mean()).exp()
