"""Pictures for the page: images enlarged by whole factors, so that small ones stay sharp, and files to download."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
from collections import deque
from pathlib import Path

import PIL.Image
from torch import Tensor

from ggdr.explorer.studio import ImageSettings, Model
from ggdr.latent.codes import Codes, save_codes
from ggdr.networks.base.module import Generator
from ggdr.sampling.grid import display_channels, make_grid, save_grid

SHOWN_PX = 384
"""Size that the current image is enlarged to at least, pixels."""
KEPT = 64
"""Number of files that wait to be downloaded."""
SEEDS = 8
"""Number of images in the grid of seeds."""


def factor(image: Tensor, least: int) -> int:
    """Return the whole factor that brings the longer side of image [C, H, W] to `least` pixels or more."""
    return max(1, math.ceil(least / max(image.shape[1:])))


def to_picture(image: Tensor, least: int = SHOWN_PX) -> PIL.Image.Image:
    """Enlarge image [C, H, W] uint8 to a PIL image, its pixels as squares."""
    return PIL.Image.fromarray(make_grid(image[None], 1, factor(image, least)).squeeze(2).numpy())


def rgb(image: Tensor, least: int) -> Tensor:
    """Enlarge image [C, H, W] uint8, as floats [3, H', W'] in [0, 255]; transparency is left out."""
    scale, channels = factor(image, least), min(display_channels(image.shape[0]), 3)
    large = image[:channels].repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return large.float().expand(3, -1, -1)


def rgb_to_pil(picture: Tensor) -> PIL.Image.Image:
    """Convert a picture [3, H, W] uint8 to a PIL image, as large as it is."""
    return PIL.Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def grid_tiles(model: Model, settings: ImageSettings, first: int) -> list[tuple[PIL.Image.Image, str]]:
    """Return the images of a grid, under the psi, class and noise of the settings, with their seeds."""
    settings_list = [settings._replace(seed=seed) for seed in range(first, first + SEEDS)]
    return [
        (to_picture(image, 128), f"seed {each.seed}")
        for each, image in zip(settings_list, model.images(settings_list), strict=True)
    ]


class Downloads:
    """Files that visitors may download: the newest, of which Gradio keeps copies; safe for many threads."""

    def __init__(self) -> None:
        """Make the folder that they lie in, which goes when the page does."""
        self.folder = tempfile.TemporaryDirectory(prefix="ggdr-")
        self.places: deque[Path] = deque()
        self.lock = threading.Lock()

    def place(self, name: str) -> Path:
        """Return a path with this name, in a new folder; the oldest such folder goes."""
        place = Path(tempfile.mkdtemp(dir=self.folder.name))
        with self.lock:
            self.places.append(place)
            gone = self.places.popleft() if len(self.places) > KEPT else None
        if gone is not None:
            shutil.rmtree(gone, ignore_errors=True)
        return place / name

    def save_image(self, image: Tensor, name: str) -> str:
        """Save image [C, H, W] uint8 at its own size, under a name; return the file."""
        file = self.place(f"{name}.png")
        save_grid(image[None], file, 1, 1)
        return str(file)

    def save_code(self, codes: Codes, generator: Generator, name: str) -> str:
        """Save the code of one image under a name; return the file."""
        file = self.place(f"{name}.safetensors")
        save_codes(codes, generator, file)
        return str(file)
