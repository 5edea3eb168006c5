"""What folders and zips share: named files, of which the images are picked by their endings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

from ggdr.data.reading.labels import Labels, from_csv, from_folders
from ggdr.data.reading.reader import Reader

ENDINGS = frozenset(".png .jpg .jpeg .jfif .webp .bmp .gif .tif .tiff .ppm .pgm .pbm .pnm .tga .jp2 .avif".split())
"""file endings taken for images; whether they are shows when they are read"""


class Files(Reader):
    """A reader whose items are files with names; labels come from their folders or from a csv beside them."""

    source: str
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def name(self, item: int) -> str:
        return self.names[item]

    def labels(self, how: str) -> Labels:
        """Labels from sub-folders or from a csv, as `how` says; ValueError if they cannot be had."""
        if how == "folders":
            return from_folders(self.names)
        if not how.endswith((".csv", ".tsv")):
            raise ValueError(
                f"labels {how!r} mean nothing for a {self.kind}; type 'folders' or the path of a csv file."
            )
        for path in (Path(how), Path(self.source) / how):
            if path.is_file():
                return from_csv(path, self.names)
        raise ValueError(f"no label file {how!r}; give the path of a csv file with lines of: file name, label, ...")

    def label_choices(self) -> list[str]:
        try:
            return ["folders"] if from_folders(self.names).width > 1 else []
        except ValueError:
            return []


def images_among(names: list[str], source: str, kind: str) -> list[str]:
    """The names that end like images, sorted; ValueError that says what is there instead."""
    shown = [name for name in names if not _hidden(name)]
    images = sorted(name for name in shown if PurePosixPath(name).suffix.lower() in ENDINGS)
    if images:
        return images
    if not shown:
        raise ValueError(f"{kind} {source!r} is empty; put images into it.")
    others = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in shown).most_common(3)
    found = ", ".join(f"{count} of {ending}" for ending, count in others)
    raise ValueError(f"{kind} {source!r} holds no images, only {found}; images end in {' '.join(sorted(ENDINGS))}.")


def _hidden(name: str) -> bool:
    """Whether a file is the file system's own business, such as macOS's `__MACOSX/._cat.png`."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or part.startswith(".") and part != ".." for part in parts)
