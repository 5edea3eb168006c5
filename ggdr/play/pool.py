"""A pool of images made before, some of which D is shown again (Shrivastava et al. 2017, arXiv 1612.07828, 2.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ggdr.lazy import Tensor, torch
from ggdr.processes import together


class ImagePool:
    """A pool for each name, the same on every process: what is shown is drawn where it is, what is put in is shared.

    A step is shown the pools as they were before it; `exchange` then puts in what was made, in the order of the batch.
    """

    def __init__(self, size: int, device: torch.device):
        """`size`: images in each pool, which lie on `device`."""
        self.size, self.device = size, device
        self.images: dict[str, Tensor] = {}
        self.made: dict[str, list[tuple[Tensor, Tensor]]] = defaultdict(list)

    def show(self, name: str, images: Tensor, *, keep: bool) -> Tensor:
        """Return the images made [N, C, H, W], an older one in place of each with a chance of 1/2 once it is full.

        `keep`: whether the images go into the pool, each in the place of the one that was shown.
        """
        held, slots = self.images.get(name), torch.full((len(images),), -1, device=images.device)
        shown = images
        if held is not None and len(held) == self.size:
            old = torch.rand(len(images), device=images.device) < 0.5
            drawn = torch.randint(self.size, (len(images),), device=images.device)
            slots = torch.where(old, drawn, slots)
            shown = torch.where(old[:, None, None, None], held[drawn], images)
        if keep:
            self.made[name].append((slots, images))
        return shown

    def exchange(self) -> None:
        """Put in what all processes have made since the last call; of several for one slot the last one stays."""
        for name, made in self.made.items():
            slots, images = (gathered(torch.cat(each)) for each in zip(*made, strict=True))
            held = self.images.get(name, images[:0])
            if len(held) < self.size:
                self.images[name] = torch.cat([held, images[: self.size - len(held)]])
                continue
            places = torch.arange(len(images), device=images.device)
            last = torch.full((self.size + 1,), -1, device=images.device)
            last = last.scatter_reduce(0, slots % (self.size + 1), places, "amax")[: self.size]  # -1: into none
            self.images[name] = torch.where((last >= 0)[:, None, None, None], images[last.clamp(min=0)], held)
        self.made.clear()

    def load(self, images: Mapping[str, Tensor]) -> None:
        """Hold these images, and nothing that was made since."""
        self.images = {name: each.to(self.device) for name, each in images.items()}
        self.made.clear()


def gathered(own: Tensor) -> Tensor:
    """What each process has, one after the other."""
    if not torch.distributed.is_initialized():
        return own
    every = [torch.empty_like(own) for _ in range(torch.distributed.get_world_size())]
    with together():
        torch.distributed.all_gather(every, own.contiguous())
    return torch.cat(every)
