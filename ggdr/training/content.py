"""Which images a run was trained on: what a checkpoint keeps of that, and what has changed when the run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ggdr.data.base import Content
from ggdr.data.reading.labels.base import list_some
from ggdr.saving import checkpoint

NAME = "data"
"""names of the files in a checkpoint"""


def document(content: Content) -> dict[str, Any]:
    """The content of the data set as a JSON object: what a checkpoint's `data.json` holds."""
    return {
        "images": content.images,
        "classes": list(content.classes),
        "revision": content.revision,
        "labels": content.labels,
    }


def changes(folder: Path, now: Content) -> list[str]:
    """What is not as it was when a checkpoint was written, in clauses; none for one that does not say."""
    if not (folder / f"{NAME}.json").is_file():
        return []
    before = checkpoint.read_json(folder, f"{NAME}.json")
    items = checkpoint.load_tensors(folder, NAME) if (folder / f"{NAME}.safetensors").is_file() else {}
    found = of_classes(before.get("classes") or [], now.classes) + of_items(items, now.items, bool(now.classes))
    if before.get("images") != now.images:
        found.insert(0, f"{before.get('images')} images an epoch before, {now.images} now")
    if before.get("revision") and now.revision and before["revision"] != now.revision and not found:
        found.append(f"the source is another version ({before['revision']} before, {now.revision} now)")
    if before.get("labels") and now.labels and before["labels"] != now.labels and not found:
        found.append("images have other labels")
    return found


def of_classes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Which names of labels are gone, new, or in another order."""
    gone, new = ([repr(name) for name in a if name not in b] for a, b in ((before, now), (now, before)))
    if gone and len(gone) == len(new):
        return [f"the label{'s' * (len(gone) > 1)} {list_some(gone)} {are(gone)} now {list_some(new)}"]
    found = [
        f"the label{'s' * (len(names) > 1)} {list_some(names)} {are(names)} {what}"
        for names, what in ((gone, "gone"), (new, "new"))
        if names
    ]
    return found or (["the labels are in another order"] if list(before) != list(now) else [])


def are(names: Sequence[str]) -> str:
    """The verb that some names take."""
    return "is" if len(names) == 1 else "are"


def of_items(before: Mapping[str, Tensor], now: Mapping[str, Tensor], labelled: bool) -> list[str]:
    """How many images are gone, new, other files of the same name, or labelled otherwise."""
    if not {"names", "stamps", "labels"} <= before.keys() & now.keys():
        return []
    old, new = before["names"], now["names"]
    counts = {"removed": int((~torch.isin(old, new)).sum()), "added": int((~torch.isin(new, old)).sum())}
    for key, what in (("stamps", "replaced"), ("labels", "with another label")):
        counts[what] = moved(old, before[key], new, now[key]) if key == "stamps" or labelled else 0
    found = [(count, what) for what, count in counts.items() if count]
    if not found:
        return []
    (first, what), *others = found
    told = [f"{first:,} image{'s' * (first > 1)} {what}", *(f"{count:,} {what}" for count, what in others)]
    return [", ".join(told)]


def moved(old: Tensor, before: Tensor, new: Tensor, now: Tensor) -> int:
    """How many of the items whose names are in both have another value."""
    (old, at), (new, there) = old.sort(), new.sort()
    left, right = before[at][torch.isin(old, new)], now[there][torch.isin(new, old)]
    return int((left != right).sum()) if len(left) == len(right) else 0
