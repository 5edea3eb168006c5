"""Which files of a source are taken for images, which are the system's own, and what is said of all others."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "TGA", "JPEG2000", "AVIF", "HEIF", "JXL")
"""what is decoded, whatever a file's ending; Pillow knows others, of which some start programs (EPS: Ghostscript)"""
IMAGE_ENDINGS = frozenset(".png .jpg .jpeg .jfif .webp .bmp .gif .tif .tiff .ppm .pgm .pbm .pnm .tga .jp2".split())
"""file endings taken for images; whether they are shows when they are read"""
SYSTEM_NAMES = frozenset(
    {"__MACOSX", "@eaDir", "@Recycle", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information"}
    | {"lost+found", "Thumbs", "Thumbs.db", "desktop.ini"}
)
"""folders and files that systems and their photo programs make: thumbnails and waste"""
NO_ENDING = "no ending"
SHOWN = 8
"""kinds of files that a message names"""
TEXT_ENDINGS = frozenset(".txt .md .csv .tsv .json .jsonl .yaml .yml .xml .html .log .py .sh .pdf".split()) | {
    NO_ENDING
}
"""endings that lie beside images and are no pictures: no run warns about them"""


ARRAY_ENDINGS = frozenset({".npy", ".npz"})
"""endings of arrays, which are images where no other images lie: beside these they are features, masks, depths"""


class PlugIn(NamedTuple):
    """A package that teaches Pillow a format."""

    format: str
    """Pillow's name of it"""
    endings: tuple[str, ...]
    module: str
    """importing it registers the format"""
    package: str
    """what pip installs"""


PLUG_INS = (
    PlugIn("HEIF", (".heic", ".heif", ".hif"), "pillow_heif.HeifImagePlugin", "'ggdr[files]'"),
    PlugIn("AVIF", (".avif", ".avifs"), "pillow_avif", "pillow-avif-plugin"),  # Pillow itself from 11.3 on
    PlugIn("JXL", (".jxl",), "pillow_jxl", "'ggdr[files]'"),
)
RAW = ".dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .pef .srw".split()
VIDEOS = ".mp4 .mov .avi .mkv .webm .m4v".split()
ADVICE = {
    **{ending: f"pip install {each.package}" for each in PLUG_INS for ending in each.endings},
    **dict.fromkeys((".csv", ".tsv", ".json", ".jsonl"), "labels are read from one by --data.labels FILE"),
    **dict.fromkeys(RAW, "develop them to TIFF or PNG"),
    **dict.fromkeys(VIDEOS, "save their frames as images"),
    **dict.fromkeys(sorted(ARRAY_ENDINGS), "arrays are read where no other images are"),
    **dict.fromkeys((".dcm", ".nii", ".exr", ".mat"), "save their values as .npy"),
    **dict.fromkeys((".zip", ".tar", ".mdb", ".lmdb", ".h5", ".hdf5"), "give one of them as the source"),
    **dict.fromkeys((".rar", ".7z", ".gz", ".tgz"), "unpack them"),
    **dict.fromkeys((".tfrecord", ".tfrecords"), "save their images as .png"),
    **dict.fromkeys((".psd", ".xcf", ".svg", ".eps", ".ai"), "export them as PNG"),
}
"""ending -> what makes such files readable"""


@cache
def decodable_formats() -> tuple[str, ...]:
    """The `FORMATS` that can be decoded here, with the help of the plug-ins that are installed."""
    Image.init()
    for each in PLUG_INS:
        if each.format not in Image.OPEN:
            try:
                importlib.import_module(each.module)
            except ImportError:
                continue
    return tuple(name for name in FORMATS if name in Image.OPEN)


@cache
def image_endings() -> frozenset[str]:
    """The endings of files that are taken for images here."""
    return IMAGE_ENDINGS.union(*(each.endings for each in PLUG_INS if each.format in decodable_formats()))


class FileGroups(NamedTuple):
    """The files of a source, told apart by their names."""

    images: list[str]
    """sorted"""
    unread: Counter[str]
    """ending, or "no ending" -> files that are passed over, those of the system aside"""
    hidden: Counter[str]
    """folder of the system, or "hidden" -> files in it that end like images and are passed over"""


def group_files(names: Iterable[str]) -> FileGroups:
    """Tell images from all else."""
    images, arrays, others, hidden = [], [], Counter[str](), Counter[str]()
    for name in names:
        ending, place = PurePosixPath(name).suffix.lower(), system_folder(name)
        if place:
            hidden[place] += ending in image_endings() | ARRAY_ENDINGS
        elif ending in image_endings():
            images.append(name)
        elif ending in ARRAY_ENDINGS:
            arrays.append(name)
        else:
            others[ending or NO_ENDING] += 1
    if images:
        others.update(PurePosixPath(name).suffix.lower() for name in arrays)
    return FileGroups(sorted(images or arrays), others, +hidden)


def system_folder(name: str) -> str:
    """The folder that makes a file the system's own business, as in macOS's `__MACOSX/._cat.png`; empty: it is not."""
    for part in PurePosixPath(name).parts:
        if part in SYSTEM_NAMES:
            return part
        if part.startswith(".") and part != "..":
            return "hidden"
    return ""


def describe_unread(others: Mapping[str, int]) -> str:
    """Files that are not read, in one clause: how many of which kind, and what would make them readable."""
    files = "1 file" if (total := sum(others.values())) == 1 else f"{total:,} files"
    kinds = "a kind that is" if len(others) == 1 else "kinds that are"
    return f"{files} of {kinds} not read: {', '.join(list_by_ending(others))}"


def list_by_ending(others: Mapping[str, int], of: str = "") -> list[str]:
    """Each kind of file: how many, `of`, its ending, and what would make them readable; the most frequent first."""
    kinds = sorted(others.items(), key=lambda kind: (-kind[1], kind[0]))
    texts = [f"{count:,} {of}{end}{f' ({ADVICE[end]})' if end in ADVICE else ''}" for end, count in kinds[:SHOWN]]
    return texts + ([f"{len(kinds) - SHOWN} other kinds"] if len(kinds) > SHOWN else [])
