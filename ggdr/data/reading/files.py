"""What folders and zips share: named files, of which the images are picked by their endings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ggdr.data.reading.kinds import ARRAYS, Chosen, choose, endings, listed
from ggdr.data.reading.labels import Labels, from_csv, from_folders
from ggdr.data.reading.reader import Reader


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
        for path in (Path(how).expanduser(), Path(self.source) / how):
            if path.is_file():
                return from_csv(path, self.names)
        raise ValueError(f"no label file {how!r}; give the path of a csv file with lines of: file name, label, ...")

    def label_choices(self) -> list[str]:
        try:
            return ["folders"] if from_folders(self.names).width > 1 else []
        except ValueError:
            return []


def images_among(names: Iterable[str], source: str, kind: str) -> Chosen:
    """The names that end like images, and what else there is; ValueError that says what if there are no images."""
    chosen = choose(names)
    if chosen.images:
        return chosen
    if not chosen.others:
        raise ValueError(f"{kind} {source!r} is empty; put images into it.")
    found, ends = ", ".join(listed(chosen.others, of="of ")), " ".join(sorted(endings() | ARRAYS))
    raise ValueError(f"{kind} {source!r} holds no images, only {found}; images end in {ends}.")
