"""A cache of images and their features: both are made once, at first use, and shared by all metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ggdr.errors import UserError
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.lazy import Tensor, torch
from ggdr.processes import Processes
from ggdr.registry import Capability

CHUNK = 64
"""number of images that one process makes, and computes features of, at a time; no batch is larger"""
CACHE_BYTES = 2 << 30
"""bytes of images that stay in memory; images beyond are made again when they are needed"""


class FeatureCache:
    """Caches an ordered set of images and their features; the image at a place depends on nothing but the place."""

    def __init__(
        self,
        make: Callable[[range], Tensor],
        count: int | None = None,
        processes: Processes | None = None,
        on_progress: Callable[[int], None] | None = None,
        networks: dict[Extractor, Embedder] | None = None,
    ):
        """Wrap a function that makes images; nothing is made yet.

        `make`: maps a range of places, from a multiple of CHUNK on, to images [N, C, H, W] uint8 on any device.
        `count`: number of images; None: unlimited. `processes`: share the work; None: this one does it all.
        `on_progress`: called with the number of images in each chunk that this process has made, or computed features
        of. `networks`: feature networks that are shared with other caches.
        """
        self.make, self.count, self.processes = make, count, processes or Processes()
        self.on_progress = on_progress or (lambda images: None)
        self.cached_images: dict[range, Tensor] = {}
        self.cached_features: dict[Extractor, Features] = {}
        self.networks = {} if networks is None else networks

    def size(self, wanted: int) -> int:
        """Return how many of the wanted images there are."""
        return wanted if self.count is None else min(wanted, self.count)

    def images(self, n: int) -> Tensor:
        """Return the first n images (all, if there are fewer) [n, C, H, W] uint8, on the host of every process."""
        chunks = cut(0, self.size(n))
        return self.processes.gather({chunk: self.chunk(chunk).cpu() for chunk in self.processes.shard(chunks)}, chunks)

    def blocks(self, n: int, size: int) -> Iterator[Tensor]:
        """Yield the first n images (all, if fewer) in blocks [<= size, C, H, W] uint8, on the host of every process.

        Memory holds a block and one chunk of each process at a time; every process must take all blocks.
        """
        chunks, held = cut(0, self.size(n)), []
        for first in range(0, len(chunks), self.processes.size):
            some = chunks[first : first + self.processes.size]
            held.append(
                self.processes.gather({chunk: self.chunk(chunk).cpu() for chunk in self.processes.shard(some)}, some)
            )
            while sum(map(len, held)) >= size:
                together = torch.cat(held)
                yield together[:size]
                held = [together[size:]]
        if sum(map(len, held)):
            yield torch.cat(held)

    def features(self, extractor: Extractor, n: int) -> Tensor:
        """Return features [n, D] float32 of the first n images (of all, if fewer), on the host of every process."""
        return self.describe(extractor, self.size(n)).rows[:n]

    def logits(self, extractor: Extractor, n: int) -> Tensor:
        """Return class logits [n, K] of the first n images (of all, if fewer); UserError if the extractor has none."""
        logits = self.describe(extractor, self.size(n)).logits
        if logits is None:
            raise UserError(
                f"feature extractor {extractor.name!r} gives no classes; take one that does: `ggdr list extractors`."
            )
        return logits[:n]

    def embedder(self, extractor: Extractor) -> Embedder:
        """Return the extractor's network, which is loaded once; torch's random state stays as it was."""
        device = self.processes.device
        if extractor not in self.networks:
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                self.networks[extractor] = extractor.load(device)
        return self.networks[extractor]

    def width(self, extractor: Extractor) -> int:
        """Return the number of features of each image: of vectors, whose features they are themselves, their own."""
        return self.embedder(extractor).width or self.make(range(1))[0].numel()

    def describe(self, extractor: Extractor, n: int) -> Features:
        """Return features of at least the first n images; those that were computed before are used again."""
        known = self.cached_features.get(extractor)
        if known is None:
            known = self.compute(extractor, cut(0, n))
        elif len(known.rows) < n:
            have = len(known.rows) // CHUNK * CHUNK
            known = join(known, have, self.compute(extractor, cut(have, n)))
        self.cached_features[extractor] = known
        return known

    def compute(self, extractor: Extractor, chunks: list[range]) -> Features:
        """Compute features of these chunks, a share of them in each process."""
        from ggdr.ops.precision import without_tf32  # settings of metrics are listed without torch

        network, rows, logits = self.embedder(extractor), {}, {}
        for chunk in self.processes.shard(chunks):
            images = self.chunk(chunk).to(self.processes.device)
            with torch.no_grad(), without_tf32():  # features in training, which may allow TF32, are the same
                found = [network(part) for part in images.split(extractor.batch_size)]
            rows[chunk] = torch.cat([each.rows for each in found]).float().cpu()
            if Capability.CLASSES in extractor.provides:
                logits[chunk] = torch.cat([each.logits for each in found if each.logits is not None]).float().cpu()
            self.on_progress(len(chunk))
        classes = self.processes.gather(logits, chunks) if Capability.CLASSES in extractor.provides else None
        return Features(self.processes.gather(rows, chunks), classes)

    def chunk(self, places: range) -> Tensor:
        """Return the images at these places; they stay in memory as long as there is room."""
        if places in self.cached_images:
            return self.cached_images[places]
        images = self.make(places)
        self.on_progress(len(places))
        if (1 + len(self.cached_images)) * images.numel() <= CACHE_BYTES:
            self.cached_images[places] = images.cpu()
        return images


def cut(start: int, stop: int) -> list[range]:
    """Cut the places from `start` to `stop` into chunks of at most CHUNK."""
    return [range(first, min(first + CHUNK, stop)) for first in range(start, stop, CHUNK)]


def join(first: Features, have: int, second: Features) -> Features:
    """Join the first `have` rows of one and all rows of the other."""
    rows = torch.cat([first.rows[:have], second.rows])
    if first.logits is None or second.logits is None:
        return Features(rows)
    return Features(rows, torch.cat([first.logits[:have], second.logits]))
