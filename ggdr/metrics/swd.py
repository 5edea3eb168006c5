"""Sliced Wasserstein distance: how far the local patterns of two sets of images are apart, scale by scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import above_zero
from ggdr.lazy import F, Tensor, torch
from ggdr.metrics.base import Metric, Numbers
from ggdr.registry import metrics
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData

COARSEST_PX = 16
"""least height and width of the pyramid's last level, pixels"""
TAPS = (1, 4, 6, 4, 1)
"""binomial low-pass filter, times 16"""
CHUNK = 256
"""number of images whose pyramids are in memory at a time"""


@metrics.register("swd", paper="1710.10196")
@dataclass(frozen=True, kw_only=True)
class SlicedWasserstein(Metric):
    """Sliced Wasserstein distance of Laplacian-pyramid patches, x 1000, lower is better (Karras et al. 2018, sec. 5).

    Needs no pretrained network, works on any size and channel count, and is far quicker than FID.
    """

    # Unlike the paper: 2,048 images, 32 patches and 128 directions instead of 16,384, 128 and 512, to fit in training.
    patches: int = 32
    """number of patches of each image at each level"""
    side_px: int = 7
    """height and width of a patch, pixels; smaller if the image is"""
    directions: int = 128
    """number of random directions that the patches are projected on"""
    seed: int = 0
    """seed of the patches' places and of the directions"""

    def __post_init__(self) -> None:
        above_zero(self, "images", "patches", "side_px", "directions")

    def numbers(self, data: EvalData) -> Numbers:
        """Return how many images it looks at, equally many of each kind."""
        count = min(super().numbers(data))
        return Numbers(count, count)

    def measure(self, data: EvalData) -> dict[str, float]:
        count = min(self.numbers(data))
        return self.distances(*(self.patches_of(images.blocks(count, CHUNK)) for images in (data.real, data.fake)))

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Return `mean` over the levels, and each level's distance under its height in pixels, finest first.

        real, fake: [N, C, H, W] uint8; of the larger set, the first images. ValueError if their shapes differ.
        """
        if real.shape[1:] != fake.shape[1:] or not min(len(real), len(fake)):
            raise ValueError(
                f"swd compares images of one shape; given real {list(real.shape)} and fake {list(fake.shape)}."
            )
        count = min(len(real), len(fake), self.images)
        return self.distances(*(self.patches_of(images[:count].split(CHUNK)) for images in (real, fake)))

    def distances(self, real: list[tuple[int, Tensor]], fake: list[tuple[int, Tensor]]) -> dict[str, float]:
        """Return `mean` and each level's distance between two results of `patches_of`."""
        levels = {str(height): 1e3 * self.distance(a, b) for (height, a), (_, b) in zip(real, fake, strict=True)}
        return {"mean": sum(levels.values()) / len(levels), **levels}

    def patches_of(self, blocks: Iterable[Tensor]) -> list[tuple[int, Tensor]]:
        """Return height and patches [N * patches, C, k, k] of each level, from blocks [<= CHUNK, C, H, W] uint8.

        Sets of equal size have their patches in equal places.
        """
        rng = torch.Generator().manual_seed(word(self.seed))
        chunks = [
            [(level.shape[2], self.cut_patches(level, rng)) for level in laplacian_pyramid(block.float() / 127.5 - 1)]
            for block in blocks
        ]
        return [(level[0][0], torch.cat([patches for _, patches in level])) for level in zip(*chunks, strict=True)]

    def cut_patches(self, level: Tensor, rng: torch.Generator) -> Tensor:
        """Cut patches [N * patches, C, k, k] at random places out of a level [N, C, H, W]."""
        count, _, height, width = level.shape
        k = min(self.side_px, height, width)
        places = level.unfold(2, k, 1).unfold(3, k, 1).permute(0, 2, 3, 1, 4, 5)
        y = torch.randint(height - k + 1, (count, self.patches), generator=rng).to(level.device)
        x = torch.randint(width - k + 1, (count, self.patches), generator=rng).to(level.device)
        return places[torch.arange(count, device=level.device)[:, None], y, x].flatten(0, 1)

    def distance(self, a: Tensor, b: Tensor) -> float:
        """Return the mean distance between sorted projections of patches a and b [M, C, k, k], each set normalized."""
        rng = torch.Generator().manual_seed(word(self.seed))
        axes = torch.randn(self.directions, a[0].numel(), generator=rng).to(a.device)
        a, b = (normalize(patches).flatten(1).T for patches in (a, b))
        gaps = [sliced_gaps(a, b, some) for some in F.normalize(axes, dim=1).split(16)]
        return float(torch.cat(gaps).mean())


def sliced_gaps(a: Tensor, b: Tensor, axes: Tensor) -> Tensor:
    """Return the Wasserstein-1 distances [D] of the point clouds a and b [K, M] along axes [D, K]."""
    return ((axes @ a).sort(dim=1).values - (axes @ b).sort(dim=1).values).abs().mean(dim=1)


def normalize(patches: Tensor) -> Tensor:
    """Normalize patches [M, C, k, k] to mean 0 and standard deviation 1 in each channel."""
    std, mean = torch.std_mean(patches, dim=(0, 2, 3), keepdim=True, correction=0)
    return (patches - mean) / std.clamp(min=1e-8)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """Return band-pass levels of images [N, C, H, W], finest first, and the low-pass rest of 16 to 31 px."""
    levels = []
    while min(images.shape[2:]) >= 2 * COARSEST_PX:
        coarse = blur(images)[:, :, ::2, ::2]
        levels.append(images - upsample(coarse, images.shape[2], images.shape[3]))
        images = coarse
    return [*levels, images]


def upsample(images: Tensor, height: int, width: int) -> Tensor:
    """Double the size of images [N, C, ceil(height / 2), ceil(width / 2)]: zeros between pixels, then a blur."""
    sparse = images.new_zeros(*images.shape[:2], height, width)
    sparse[:, :, ::2, ::2] = images
    return 4 * blur(sparse)


def blur(images: Tensor) -> Tensor:
    """Blur images [N, C, H, W] by the binomial filter (1, 4, 6, 4, 1) / 16 in both directions, edges mirrored."""
    height, width = images.shape[2:]
    padded = F.pad(images, (2, 2, 2, 2), mode="reflect")
    # Sums of shifted copies: on a CPU several times as quick as a convolution of single planes.
    rows = torch.zeros_like(padded[:, :, :height])
    for i, tap in enumerate(TAPS):
        rows.add_(padded[:, :, i : i + height], alpha=tap / 16)
    blurred = torch.zeros_like(images)
    for i, tap in enumerate(TAPS):
        blurred.add_(rows[:, :, :, i : i + width], alpha=tap / 16)
    return blurred
