"""Multi-scale structural similarity between generated images."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch
from ggdr.metrics.base import Metric
from ggdr.registry import metrics
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""weights of the scales, finest first (Wang et al. 2003)"""
WINDOW_PX, SIGMA_PX = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
CHUNK = 64
"""number of pairs that are compared at once"""
BLOCK = 1024
"""number of images in memory at a time, among which pairs are drawn"""


@metrics.register("ms_ssim", paper="1710.10196")
@dataclass(frozen=True, kw_only=True)
class MSSSIM(Metric):
    """Mean MS-SSIM of random pairs of fakes, lower is more variety (Karras et al. 2018, sec. 5; Odena et al. 2017).

    `mean` is of the fakes, `real` of the reals, for comparison: much above it is mode collapse, below it distortion.
    Five scales from 176 px on, one less each time the side halves, their weights then made to sum to 1.
    """

    seed: int = 0
    """seed of the pairs: a random order of each 1,024 images, each image in one pair"""
    reliable_images: ClassVar = 200
    baselines: ClassVar = frozenset({"real"})

    def measure(self, data: EvalData) -> dict[str, float]:
        numbers = self.numbers(data)
        fake = self.similarity_in_blocks(data.fake.blocks(numbers.fake, BLOCK))
        return {"mean": fake, "real": self.similarity_in_blocks(data.real.blocks(numbers.real, BLOCK))}

    def similarity_of_pairs(self, images: Tensor) -> float:
        """Return the mean MS-SSIM of random pairs of images [N, C, H, W] uint8; UserError if there are not two."""
        return self.similarity_in_blocks(images.split(BLOCK))

    def similarity_in_blocks(self, blocks: Iterable[Tensor]) -> float:
        """Return the mean MS-SSIM of random pairs within blocks of images [<= BLOCK, C, H, W], held one at a time."""
        rng, found = torch.Generator().manual_seed(word(self.seed)), []
        for images in blocks:
            order = torch.randperm(len(images), generator=rng)[: len(images) // 2 * 2]
            for pair in images[order].unflatten(0, (-1, 2)).split(CHUNK) if len(order) else ():
                found.append(similarity(pair[:, 0].double(), pair[:, 1].double()))
        if not found:
            raise UserError("ms_ssim compares pairs of images; given fewer than two: take more, or leave it out.")
        return float(torch.cat(found).mean())


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return MS-SSIM [N] of images a and b [N, C, H, W] in [0, 255], mean over channels (Wang et al. 2003, eq. 7).

    A scale at which contrast and structure disagree (below 0) counts as 0, since its root is not real.
    """
    count = scales(min(a.shape[2:]))
    weights = torch.tensor(WEIGHTS[:count], dtype=a.dtype)
    found = []
    for level in range(count):
        whole, structure = ssim(a, b)
        found.append(whole if level == count - 1 else structure)
        a, b = (F.avg_pool2d(each, 2) if level < count - 1 else each for each in (a, b))
    powers = [each.clamp(min=0) ** weight for each, weight in zip(found, weights / weights.sum(), strict=True)]
    return torch.stack(powers).prod(dim=0).mean(dim=1)


def scales(side: int) -> int:
    """Return on how many scales, 1 to 5, the window fits into an image whose shorter side has this many pixels."""
    return min(len(WEIGHTS), 1 + max(0, int(math.log2(side / WINDOW_PX))))


def ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM [N, C] of a and b [N, C, H, W], and its contrast and structure alone: means over places."""
    mean_a, mean_b = gaussian_blur(a), gaussian_blur(b)
    var_a, var_b = gaussian_blur(a * a) - mean_a**2, gaussian_blur(b * b) - mean_b**2
    both = gaussian_blur(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    structure = (2 * both + C2) / (var_a + var_b + C2)
    return (luminance * structure).mean(dim=(2, 3)), structure.mean(dim=(2, 3))


def gaussian_blur(images: Tensor) -> Tensor:
    """Blur images [N, C, H, W] by a Gaussian window where it fits whole; small images have a smaller window."""
    down, across = (window(min(WINDOW_PX, side)).to(images) for side in images.shape[2:])
    planes = F.conv2d(images.flatten(0, 1)[:, None], down.view(1, 1, -1, 1))
    return F.conv2d(planes, across.view(1, 1, 1, -1)).squeeze(1).unflatten(0, images.shape[:2])


def window(size: int) -> Tensor:
    """Return the taps [size] of a Gaussian, which sum to 1."""
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    taps = (-places.square() / (2 * SIGMA_PX**2)).exp()
    return taps / taps.sum()
