"""Images that are made, and whose features are computed, at first use and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ggdr.errors import UserError
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.lazy import Tensor, torch
from ggdr.processes import Processes
from ggdr.registry import Capability

CHUNK = 64
"""images that one process makes and describes at a time; a multiple of what generators make at once"""
KEPT_BYTES = 2 << 30
"""images are kept in memory up to here and made again beyond"""


class FeatureCache:
    """A fixed, ordered set of images; what lies at a place depends on nothing but the place."""

    def __init__(
        self,
        make: Callable[[range], Tensor],
        count: int | None = None,
        processes: Processes | None = None,
        watch: Callable[[int], None] | None = None,
        loaded: dict[Extractor, Embedder] | None = None,
    ):
        """`make`: a range of places, from a multiple of CHUNK on, to images [N, C, H, W] uint8 on any device.

        `count`: images there are; None: as many as one asks for. `watch` is told of every chunk that this process has
        made or described. `loaded`: networks that are shared with other sets.
        """
        self.make, self.count, self.processes = make, count, processes or Processes()
        self.watch = watch or (lambda images: None)
        self.kept: dict[range, Tensor] = {}
        self.described: dict[Extractor, Features] = {}
        self.loaded = {} if loaded is None else loaded

    def size(self, wanted: int) -> int:
        """How many of the wanted images there are."""
        return wanted if self.count is None else min(wanted, self.count)

    def images(self, n: int) -> Tensor:
        """The first n images (all, if there are fewer) [n, C, H, W] uint8, on the host of every process."""
        chunks = cut(0, self.size(n))
        return self.processes.gather({chunk: self.chunk(chunk).cpu() for chunk in self.processes.shard(chunks)}, chunks)

    def blocks(self, n: int, size: int) -> Iterator[Tensor]:
        """The first n images (all, if there are fewer) in blocks [<= size, C, H, W] uint8, on every process's host.

        No more than a block and a chunk of each process are held at once; every process must take all of them.
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
        """Features [n, D] float32 of the first n images (of all, if there are fewer), on the host of every process."""
        return self.describe(extractor, self.size(n)).rows[:n]

    def logits(self, extractor: Extractor, n: int) -> Tensor:
        """Class logits [n, K] of the first n images (of all, if there are fewer); UserError if it gives none."""
        logits = self.describe(extractor, self.size(n)).logits
        if logits is None:
            raise UserError(
                f"feature extractor {extractor.name!r} gives no classes; take one that does: `ggdr list extractors`."
            )
        return logits[:n]

    def embedder(self, extractor: Extractor) -> Embedder:
        """The extractor's network, loaded once; torch's random state is left as it was."""
        device = self.processes.device
        if extractor not in self.loaded:
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                self.loaded[extractor] = extractor.load(device)
        return self.loaded[extractor]

    def describe(self, extractor: Extractor, n: int) -> Features:
        """Features of at least the first n images; what was computed before is used again."""
        known = self.described.get(extractor)
        if known is None:
            known = self.compute(extractor, cut(0, n))
        elif len(known.rows) < n:
            have = len(known.rows) // CHUNK * CHUNK
            known = joined(known, have, self.compute(extractor, cut(have, n)))
        self.described[extractor] = known
        return known

    def compute(self, extractor: Extractor, chunks: list[range]) -> Features:
        """Features of these chunks, each process computing its own."""
        from ggdr.ops.precision import without_tf32  # settings of metrics are listed without torch

        network, rows, logits = self.embedder(extractor), {}, {}
        for chunk in self.processes.shard(chunks):
            images = self.chunk(chunk).to(self.processes.device)
            with (
                torch.no_grad(),
                without_tf32(),
            ):  # the same features in training, which may allow it, as in an evaluation
                found = [network(part) for part in images.split(extractor.batch_size)]
            rows[chunk] = torch.cat([each.rows for each in found]).float().cpu()
            if Capability.CLASSES in extractor.provides:
                logits[chunk] = torch.cat([each.logits for each in found if each.logits is not None]).float().cpu()
            self.watch(len(chunk))
        classes = self.processes.gather(logits, chunks) if Capability.CLASSES in extractor.provides else None
        return Features(self.processes.gather(rows, chunks), classes)

    def chunk(self, places: range) -> Tensor:
        """The images at these places, kept in memory as long as there is room."""
        if places in self.kept:
            return self.kept[places]
        images = self.make(places)
        self.watch(len(places))
        if (1 + len(self.kept)) * images.numel() <= KEPT_BYTES:
            self.kept[places] = images.cpu()
        return images


def cut(start: int, stop: int) -> list[range]:
    """The places from `start` to `stop` in chunks."""
    return [range(first, min(first + CHUNK, stop)) for first in range(start, stop, CHUNK)]


def joined(first: Features, have: int, second: Features) -> Features:
    """The first `have` rows of one, then those of the other."""
    rows = torch.cat([first.rows[:have], second.rows])
    if first.logits is None or second.logits is None:
        return Features(rows)
    return Features(rows, torch.cat([first.logits[:have], second.logits]))
