"""Real image files of every kind, made where a test wants them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from ggdr.data.images import ImageFiles


def gray_of(image) -> int:
    """The value at the centre of an image [C, H, W]: the sources below give each image a value of its own."""
    return int(image[0, image.shape[1] // 2, image.shape[2] // 2])


def label_of(source: str, labels: str) -> tuple[dict[int, list[float]], tuple[str, ...]]:
    """Gray value of each image -> its label vector, and the names."""
    images = ImageFiles(source=source, labels=labels).open()
    batch = images.at(range(len(images)), 1)
    assert images.spec.labels == len(images.label_names) == batch.labels.shape[1]
    pairs = zip(batch.images, batch.labels.tolist(), strict=True)
    return {gray_of(image): label for image, label in pairs}, images.label_names


def encoded(
    value: int | tuple[int, ...], mode: str = "RGB", height: int = 8, width: int = 8, kind: str = "PNG"
) -> bytes:
    """A file's bytes: an image of one colour."""
    if isinstance(value, int) and mode == "RGB":
        value = (value, value, value)
    buffer = io.BytesIO()
    Image.new(mode, (width, height), value).save(buffer, kind)
    return buffer.getvalue()


def noise(seed: int, height: int = 16, width: int = 16) -> bytes:
    """A PNG of uniform noise."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def folder(root: Path, files: dict[str, bytes]) -> str:
    """A folder of these files; its path."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return str(root)


def zipped(path: Path, files: dict[str, bytes]) -> str:
    """A zip of these files; its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def parquet(path: Path, values: Iterable[int], classes: int = 3) -> str:
    """A parquet file as datasets writes it, images embedded: values of gray, `label` (named a, b, ...) and more."""
    import pyarrow
    from datasets import ClassLabel, Features, Image, List, Value
    from datasets.table import embed_table_storage
    from pyarrow.parquet import write_table

    values = list(values)
    names = [chr(ord("a") + number) for number in range(classes)]
    features = Features(
        image=Image(),
        label=ClassLabel(names=names),
        word=Value("string"),
        age=Value("float32"),
        marks=List(Value("int64")),
    )
    table = pyarrow.table(
        {
            "image": [{"bytes": encoded(value), "path": f"{value}.png"} for value in values],
            "label": [value % classes for value in values],
            "word": [names[value % classes] for value in values],
            "age": [value / 2 for value in values],
            "marks": [[value % 2, 1] for value in values],
        },
        schema=features.arrow_schema,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(embed_table_storage(table), path)
    return str(path)


def plain_parquet(path: Path, columns: dict[str, list]) -> str:
    """A parquet file as anything but datasets would write it."""
    import pyarrow
    from pyarrow.parquet import write_table

    write_table(pyarrow.table(columns), path)
    return str(path)


def broken_parquet(path: Path, good: Iterable[int], broken: Iterable[int]) -> str:
    """A parquet file in which rows of no image stand before these places."""
    rows = [encoded(value) for value in good]
    for place in broken:
        rows.insert(place, b"no image")
    return plain_parquet(path, {"image": rows})


def tar(path: Path, files: dict[str, bytes]) -> str:
    """A tar of these files; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return str(path)


def shard(path: Path, values) -> str:
    """A WebDataset shard: an image, its class and its facts a sample."""
    files = {}
    for value in values:
        files[f"{value:04}.png"] = encoded(value)
        files[f"{value:04}.cls"] = str(value % 3).encode()
        files[f"{value:04}.json"] = json.dumps({"kind": value % 2, "age": value / 2, "who": "me"}).encode()
    return tar(path, files)


def lmdb(path: Path, values: dict[bytes, bytes], **options) -> str:
    """An LMDB as its own library writes it."""
    import lmdb as library

    path.parent.mkdir(parents=True, exist_ok=True)
    with library.open(str(path), map_size=2**26, **options) as opened, opened.begin(write=True) as writing:
        for key, value in values.items():
            writing.put(key, value)
    return str(path)
