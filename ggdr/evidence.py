"""Evidence: all that a metric may look at; images are made, and features computed, at first use and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch
import torch.distributed
from torch import Tensor

from ggdr.features.base import Embedder, Extractor, Features
from ggdr.network import Generator
from ggdr.ops.precision import without_tf32

CHUNK = 64
"""images that one process makes and describes at a time; a multiple of what generators make at once"""
KEPT_BYTES = 2 << 30
"""images are kept in memory up to here and made again beyond"""
Of = TypeVar("Of")


class Team(NamedTuple):
    """The processes that share the work."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    def own(self, chunks: list[range]) -> list[range]:
        """The chunks that are this process's."""
        return chunks[self.rank :: self.size]

    def whole(self, parts: dict[range, Tensor], chunks: list[range]) -> Tensor:
        """All chunks' rows in order, on the host of every process, from the parts that each has made."""
        like = next(iter(parts.values())) if parts else None
        if self.size == 1:
            return torch.cat([parts[chunk] for chunk in chunks])
        shapes: list = [None] * self.size
        torch.distributed.all_gather_object(shapes, None if like is None else (tuple(like.shape[1:]), like.dtype))
        shape, dtype = next(shape for shape in shapes if shape is not None)
        rows = torch.zeros(chunks[-1].stop - chunks[0].start, *shape, dtype=dtype, device=self.device)
        for chunk, part in parts.items():
            rows[chunk.start - chunks[0].start : chunk.stop - chunks[0].start] = part.to(self.device)
        torch.distributed.all_reduce(rows)  # each row is zero on all processes but the one that made it
        return rows.cpu()

    def all(self, value: Of) -> list[Of]:
        """Every process's value, on every process."""
        if self.size == 1:
            return [value]
        shared: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(shared, value)
        return shared

    def first(self, value: Of) -> Of:
        """The first process's value, on every process."""
        shared = [value]
        if self.size > 1:
            torch.distributed.broadcast_object_list(shared, src=0, device=self.device)
        return shared[0]


class ImageSet:
    """A fixed, ordered set of images; what lies at a place depends on nothing but the place."""

    def __init__(
        self,
        make: Callable[[range], Tensor],
        count: int | None = None,
        team: Team | None = None,
        watch: Callable[[int], None] | None = None,
        loaded: dict[Extractor, Embedder] | None = None,
    ):
        """`make`: a range of places, from a multiple of CHUNK on, to images [N, C, H, W] uint8 on any device.

        `count`: images there are; None: as many as one asks for. `watch` is told of every chunk that this process has
        made or described. `loaded`: networks that are shared with other sets.
        """
        self.make, self.count, self.team = make, count, team or Team()
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
        return self.team.whole({chunk: self.chunk(chunk).cpu() for chunk in self.team.own(chunks)}, chunks)

    def blocks(self, n: int, size: int) -> Iterator[Tensor]:
        """The first n images (all, if there are fewer) in blocks [<= size, C, H, W] uint8, on every process's host.

        No more than a block and a chunk of each process are held at once; every process must take all of them.
        """
        chunks, held = cut(0, self.size(n)), []
        for first in range(0, len(chunks), self.team.size):
            some = chunks[first : first + self.team.size]
            held.append(self.team.whole({chunk: self.chunk(chunk).cpu() for chunk in self.team.own(some)}, some))
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
        """Class logits [n, K] of the first n images (of all, if there are fewer); ValueError if it gives none."""
        logits = self.describe(extractor, self.size(n)).logits
        if logits is None:
            raise ValueError(
                f"feature extractor {extractor.name!r} gives no classes; take one that does: `ggdr list extractors`."
            )
        return logits[:n]

    def embedder(self, extractor: Extractor) -> Embedder:
        """The extractor's network, loaded once; torch's random state is left as it was."""
        device = self.team.device
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

    @torch.no_grad()
    def compute(self, extractor: Extractor, chunks: list[range]) -> Features:
        """Features of these chunks, each process computing its own."""
        network, rows, logits = self.embedder(extractor), {}, {}
        for chunk in self.team.own(chunks):
            images = self.chunk(chunk).to(self.team.device)
            with without_tf32():  # the same features in training, which may allow it, as in an evaluation
                found = [network(part) for part in images.split(extractor.batch)]
            rows[chunk] = torch.cat([each.rows for each in found]).float().cpu()
            if "classes" in extractor.gives:
                logits[chunk] = torch.cat([each.logits for each in found if each.logits is not None]).float().cpu()
            self.watch(len(chunk))
        classes = self.team.whole(logits, chunks) if "classes" in extractor.gives else None
        return Features(self.team.whole(rows, chunks), classes)

    def chunk(self, places: range) -> Tensor:
        """The images at these places, kept in memory as long as there is room."""
        if places in self.kept:
            return self.kept[places]
        images = self.make(places)
        self.watch(len(places))
        if (1 + len(self.kept)) * images.numel() <= KEPT_BYTES:
            self.kept[places] = images.cpu()
        return images


def unlabelled(places: range) -> Tensor | None:
    """No labels, whatever the places."""
    return None


class Statistics(NamedTuple):
    """What is known of the features of real images that need not be at hand."""

    mean: Tensor
    """[D] float64, on the host"""
    covariance: Tensor
    """[D, D] float64"""
    names: tuple[str, ...]
    """what the two are called where they are kept"""
    content: str
    """sha256 of both, in hex"""
    alone: bool
    """there are no images beside them"""


class Evidence(NamedTuple):
    """What is measured: generated images against real ones."""

    real: ImageSet
    fake: ImageSet
    generator: Generator | None = None
    """None where images come from elsewhere"""
    labels: Callable[[range], Tensor | None] = unlabelled
    """the label vectors [n, L] of the generated images at these places; None if the generator takes none"""
    seed: int = 0
    """of what a metric draws for itself; another one in each repeat"""
    statistics: Statistics | None = None
    """of more real images than those at hand, where the data holds them; `real` may then be empty"""


def cut(start: int, stop: int) -> list[range]:
    """The places from `start` to `stop` in chunks."""
    return [range(first, min(first + CHUNK, stop)) for first in range(start, stop, CHUNK)]


def joined(first: Features, have: int, second: Features) -> Features:
    """The first `have` rows of one, then those of the other."""
    rows = torch.cat([first.rows[:have], second.rows])
    if first.logits is None or second.logits is None:
        return Features(rows)
    return Features(rows, torch.cat([first.logits[:have], second.logits]))
