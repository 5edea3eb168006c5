"""Images as a page shows them: enlarged by whole factors, so that small ones stay sharp, and files to download."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import PIL.Image
from torch import Tensor

from ggdr.explorer.studio import Look, Model
from ggdr.sampling.grid import picture, save_grid, shown_channels

SHOWN_PX = 384
"""side that the current image is enlarged to at least"""
SEEDS = 8
"""images of the grid"""


def factor(image: Tensor, least: int) -> int:
    """The whole factor that brings the longer side of image [C, H, W] to `least` pixels or more."""
    return max(1, math.ceil(least / max(image.shape[1:])))


def shown(image: Tensor, least: int = SHOWN_PX) -> PIL.Image.Image:
    """Image [C, H, W] uint8, its pixels as squares."""
    return PIL.Image.fromarray(picture(image[None], 1, factor(image, least)).squeeze(2).numpy())


def rgb(image: Tensor, least: int) -> Tensor:
    """Image [C, H, W] uint8 enlarged, as floats [3, H', W'] in [0, 255]; transparency is left out."""
    scale, channels = factor(image, least), min(shown_channels(image.shape[0]), 3)
    large = image[:channels].repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return large.float().expand(3, -1, -1)


def enlarged(picture: Tensor) -> PIL.Image.Image:
    """A picture [3, H, W] uint8 that is large enough."""
    return PIL.Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def tiles(model: Model, look: Look, first: int) -> list[tuple[PIL.Image.Image, str]]:
    """The images of a grid, under the psi, class and noise of a look, with their seeds."""
    looks = [look._replace(seed=seed) for seed in range(first, first + SEEDS)]
    return [(shown(image, 128), f"seed {each.seed}") for each, image in zip(looks, model.images(looks), strict=True)]


def download(image: Tensor, name: str) -> str:
    """Save image [C, H, W] uint8 at its own size, under a name, in a folder of its own; the file."""
    file = Path(tempfile.mkdtemp(prefix="ggdr-")) / f"{name}.png"
    save_grid(image[None], file, 1, 1)
    return str(file)
