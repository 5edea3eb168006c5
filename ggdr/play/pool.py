"""A pool of images made before, some of which D is shown again (Shrivastava et al. 2017, arXiv 1612.07828, 2.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ggdr.lazy import Tensor, torch
from ggdr.processes import together

LABELS = ".labels"
"""how the state calls the labels of a pool's images"""


class ImagePool:
    """A pool for each name, the same on every process: what is shown is drawn where it is, what is put in is shared.

    A step is shown the pools as they were before it; `exchange` then puts in what was made, in the order of the batch.
    Where images have labels, an older one is shown in place of one of the same label alone.
    """

    def __init__(self, size: int, device: torch.device):
        """`size`: images in each pool, which lie on `device`."""
        self.size, self.device = size, device
        self.images: dict[str, Tensor] = {}
        self.labels: dict[str, Tensor] = {}
        """those of the images, where they have some"""
        self.made: dict[str, list[tuple[Tensor, ...]]] = defaultdict(list)

    def show(self, name: str, images: Tensor, *, keep: bool, labels: Tensor | None = None) -> Tensor:
        """Return the images made [N, C, H, W], an older one in place of each with a chance of 1/2 once it is full.

        `keep`: whether the images go into the pool, each in the place of the one that was shown. `labels` [N, L]: of
        the images; of a label that no older one has, the new one is shown.
        """
        held, slots = self.held(name, labels), torch.full((len(images),), -1, device=images.device)
        shown = images
        if held is not None and len(held) == self.size:
            old = torch.rand(len(images), device=images.device) < 0.5
            drawn = torch.randint(self.size, (len(images),), device=images.device)
            if labels is not None:
                alike = (labels[:, None] == self.labels[name]).all(dim=2).float()
                drawn = (alike + torch.rand_like(alike)).argmax(dim=1)  # one of those alike, if there are any
                old &= alike.amax(dim=1) > 0
            slots = torch.where(old, drawn, slots)
            shown = torch.where(old[:, None, None, None], held[drawn], images)
        if keep:
            self.made[name].append((slots, images) if labels is None else (slots, images, labels))
        return shown

    def held(self, name: str, labels: Tensor | None) -> Tensor | None:
        """The images of a pool [P, C, H, W]; None of one whose images have no labels, where `labels` are known."""
        return self.images.get(name) if labels is None or name in self.labels else None

    def exchange(self) -> None:
        """Put in what all processes have made since the last call; of several for one slot the last one stays."""
        for name, made in self.made.items():
            slots, images, *labels = (gathered(torch.cat(each)) for each in zip(*made, strict=True))
            before = self.held(name, labels[0] if labels else None)
            took = self.replaced_by(slots) if before is not None and len(before) == self.size else None
            for pool, new in ((self.images, images), *((self.labels, each) for each in labels)):
                pool[name] = put(None if before is None else pool[name], new, took, self.size)
        self.made.clear()

    def replaced_by(self, slots: Tensor) -> Tensor:
        """The number of the image made [N] that goes into each place of a full pool, by their slots; -1: none."""
        places = torch.arange(len(slots), device=slots.device)
        last = torch.full((self.size + 1,), -1, device=slots.device)
        return last.scatter_reduce(0, slots % (self.size + 1), places, "amax")[: self.size]

    def state(self) -> dict[str, Tensor]:
        """All that the pools hold, by name; labels as NAME.labels."""
        return self.images | {f"{name}{LABELS}": each for name, each in self.labels.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Hold what `state` gave, and nothing that was made since."""
        held = {name: each.to(self.device) for name, each in state.items()}
        self.images = {name: each for name, each in held.items() if not name.endswith(LABELS)}
        self.labels = {name.removesuffix(LABELS): each for name, each in held.items() if name.endswith(LABELS)}
        self.made.clear()


def put(held: Tensor | None, made: Tensor, took: Tensor | None, size: int) -> Tensor:
    """What a pool holds once what was made is in: in the places that it `took`, or, None, in those that are left."""
    if held is None:
        return made[:size]
    if took is None:
        return torch.cat([held, made[: size - len(held)]])
    return torch.where((took >= 0).view(-1, *[1] * (held.ndim - 1)), made[took.clamp(min=0)], held)


def gathered(own: Tensor) -> Tensor:
    """What each process has, one after the other."""
    if not torch.distributed.is_initialized():
        return own
    every = [torch.empty_like(own) for _ in range(torch.distributed.get_world_size())]
    with together():
        torch.distributed.all_gather(every, own.contiguous())
    return torch.cat(every)
