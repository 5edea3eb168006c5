"""Which images a run was trained on: what a checkpoint keeps of that, and what has changed when the run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ggdr import checkpoint
from ggdr.data.base import Content

NAME = "data"
"""of the files in a checkpoint"""
SHOWN = 4
"""classes that a message names"""


def document(content: Content) -> dict[str, Any]:
    """What `data.json` holds."""
    return {"images": content.images, "classes": list(content.classes), "revision": content.revision}


def changes(folder: Path, now: Content) -> list[str]:
    """What is not as it was when a checkpoint was written, in clauses; none for one that does not say."""
    if not (folder / f"{NAME}.json").is_file():
        return []
    before = checkpoint.read_json(folder, f"{NAME}.json")
    items = checkpoint.read(folder, NAME) if (folder / f"{NAME}.safetensors").is_file() else {}
    found = of_classes(before.get("classes") or [], now.classes) + of_items(items, now.items, bool(now.classes))
    if before.get("images") != now.images:
        found.insert(0, f"there were {before.get('images')} images an epoch, there are {now.images}")
    if before.get("revision") and now.revision and before["revision"] != now.revision and not found:
        found.append(f"the source is another version ({before['revision']} before, {now.revision} now)")
    return found


def of_classes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Which names of labels are gone, new, or in another order."""
    gone, new = ([repr(name) for name in a if name not in b] for a, b in ((before, now), (now, before)))
    if gone and len(gone) == len(new):
        return [f"{few(gone)} of the labels {'is' if len(gone) == 1 else 'are'} called {few(new)} now"]
    found = [
        f"{few(names)} {what} the labels" for names, what in ((gone, "is gone from"), (new, "is new among")) if names
    ]
    return found or (["the labels are in another order"] if list(before) != list(now) else [])


def few(names: Sequence[str]) -> str:
    """The first of some names."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} others" if len(names) > SHOWN else "")


def of_items(before: Mapping[str, Tensor], now: Mapping[str, Tensor], labelled: bool) -> list[str]:
    """How many images are gone, new, other files of the same name, or labelled otherwise."""
    if not {"names", "stamps", "labels"} <= before.keys() & now.keys():
        return []
    old, new = before["names"], now["names"]
    counts = {"removed": int((~torch.isin(old, new)).sum()), "added": int((~torch.isin(new, old)).sum())}
    for key, what in (("stamps", "replaced"), ("labels", "labelled otherwise")):
        counts[what] = moved(old, before[key], new, now[key]) if key == "stamps" or labelled else 0
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    return [f"of the images {', '.join(found)}"] if found else []


def moved(old: Tensor, before: Tensor, new: Tensor, now: Tensor) -> int:
    """How many of the items whose names are in both have another value."""
    (old, at), (new, there) = old.sort(), new.sort()
    left, right = before[at][torch.isin(old, new)], now[there][torch.isin(new, old)]
    return int((left != right).sum()) if len(left) == len(right) else 0
