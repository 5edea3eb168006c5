"""Generated images in every layout in which sets of two domains come, of the shapes that their recipes expect."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from data_sources import folder
from PIL import Image


def png(array: np.ndarray) -> bytes:
    """The PNG of an array [H, W] or [H, W, 3]."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def colours(seed: int, height: int = 20, width: int = 20) -> np.ndarray:
    """Uniform noise [H, W, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def numbers(seed: int, classes: int = 5, height: int = 20, width: int = 20) -> np.ndarray:
    """A label map [H, W] of uniformly drawn classes."""
    return np.random.default_rng(seed).integers(0, classes, (height, width), dtype=np.uint8)


def side_by_side(root: Path, images: int = 6, size: int = 20, splits: tuple[str, ...] = ("train", "val")) -> str:
    """Pictures of two halves as facades, edges2shoes and maps come; the right half is the negative of the left."""
    files = {}
    for split in splits:
        for number in range(images):
            left = colours(number, size, size)
            files[f"{split}/{number}.png"] = png(np.concatenate([left, 255 - left], 1))
    return folder(root, files)


def two_folders(root: Path, images: tuple[int, int] = (5, 3), size: int = 20) -> str:
    """Folders trainA, trainB, testA and testB as CycleGAN's sets come; the red of A is below 100, of B above."""
    files = {}
    for split in ("train", "test"):
        for letter, count in zip("AB", images, strict=True):
            for number in range(count):
                image = colours(number, size, size) // 3 + (170 if letter == "B" else 0)
                files[f"{split}{letter}/{number}.png"] = png(image.astype(np.uint8))
    return folder(root, files)


def label_maps(root: Path, images: int = 4, size: int = 20, classes: int = 5) -> str:
    """Folders of label maps, of maps of instances and of pictures; a picture's values are 40 times its classes."""
    files = {}
    for split in ("train", "test"):
        for number in range(images):
            found = numbers(number, classes, size, size)
            files[f"labels/{split}/{number}_labelIds.png"] = png(found)
            files[f"labels/{split}/{number}_instanceIds.png"] = png(found.astype(np.uint16) * 1000)
            files[f"photos/{split}/{number}_leftImg8bit.png"] = png((40 * found)[..., None].repeat(3, 2))
    return folder(root, files)


def column_table(path: Path, longer: int = 6, shorter: int = 4, size: int = 20, pairs: bool = False) -> str:
    """A parquet file with columns imageA and imageB; two lists, the shorter one repeated, unless they are pairs."""
    import pyarrow
    from datasets import Features
    from datasets import Image as ImageColumn
    from pyarrow.parquet import write_table

    rows = range(longer)
    right = [colours(100 + (n if pairs else n % shorter), size, size) for n in rows]
    left = [255 - image if pairs else colours(n, size, size) for n, image in zip(rows, right, strict=True)]
    table = pyarrow.table(
        {
            name: [{"bytes": png(image), "path": None} for image in images]
            for name, images in (("imageA", left), ("imageB", right))
        },
        schema=Features(imageA=ImageColumn(), imageB=ImageColumn()).arrow_schema,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(table, path)
    return str(path)
