"""The pairs of a data set whose images are made of label maps, as a segmenter learns from them."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.data.base import Images
from ggdr.errors import UserError, setting
from ggdr.features.segmenter import LabelledImages
from ggdr.ops.pixels import IGNORED

MOST = 4096
"""pairs that are read; more would not fit into a minute and a half of training"""
CHUNK = 64
"""pairs that are read at a time"""


def map_domain(images: Images) -> str:
    """The domain of the label maps that the images are paired with; empty: there is none."""
    first, last = [*images.domains][0], [*images.domains][-1]
    is_map = images.paired and images.domains[first].classes and not images.domains[last].classes
    return first if is_map else ""


def labelled_images(images: Images, count: int = MOST) -> LabelledImages:
    """The first `count` pairs, in the order of seed 0, no larger than a segmenter sees them; UserError without maps."""
    maps = map_domain(images)
    if not maps:
        raise UserError(
            f"these data ({' and '.join(images.domains)}) have no label maps beside their images; give data that have,"
            f" such as {setting()} openmoji {setting('task')} label_map."
        )
    last, places = [*images.domains][-1], range(min(count, len(images)))
    parts = []
    for first in range(0, len(places), CHUNK):
        batch = images.domain_batches(list(places[first : first + CHUNK]), 0)
        numbers = batch[maps].images[:, 0]
        parts.append(LabelledImages(batch[last].images, numbers, images.domains[maps].classes).reduced())
    whole = torch.cat([part.maps for part in parts])
    if (whole == IGNORED).all():
        raise UserError(
            f"no pixel of these label maps ({maps}) is of a class: all are ignored; look at them by"
            f" `ggdr data check`, and at {setting('maps.mapping')} and {setting('maps.ignore')}."
        )
    return LabelledImages(torch.cat([part.images for part in parts]), whole, parts[0].classes)


def with_labels(images: Images) -> tuple[Tensor, Tensor | None]:
    """All images [N, C, H, W] of a small data set, as it holds them, and their labels [N, L], if it has any."""
    found, labels = images.at(list(range(len(images))), 0)
    return found, labels
