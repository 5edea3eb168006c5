"""Where a run lies: whether its folder is to be had, and what that means for the images."""

from __future__ import annotations

from pathlib import Path

from ggdr.data.base import DataSet
from ggdr.folders import check_run, is_run


def check_place(out: Path, data: DataSet) -> None:
    """ValueError if a run in the folder `out` would replace what no run wrote, or hide images from the data set."""
    check_run(out)
    images = theirs(out) if inside(out, data) and not is_run(out) else None
    if images:
        raise ValueError(
            f"{out} lies in the folder of the images and holds some, such as {images.name!r}, which would be taken for"
            " the run's; give another --out."
        )


def inside(out: Path, data: DataSet) -> bool:
    """Whether a run's folder lies in that of its images, but is another one."""
    return (root := data.root()) is not None and root.resolve() in out.resolve().parents


def theirs(out: Path) -> Path | None:
    """An image in a folder, at any depth; None: there is none."""
    from ggdr.data.reading.kinds import endings

    return next((file for file in sorted(out.rglob("*")) if file.suffix.lower() in endings()), None)


def told(out: Path, data: DataSet) -> list[str]:
    """What a person should know of a run's folder that lies in that of its images, or is the same."""
    root = data.root()
    if root is not None and (inside(out, data) or root.resolve() == out.resolve()):
        return [f"--out {out} lies in the folder of the images, {root}: what the run writes there is no data"]
    return []
