"""Images that are the same each time: known by a hash of their pixels, under which their features are kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ggdr.cache import write_whole
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.cache import CHUNK, FeatureCache, cut
from ggdr.processes import Processes
from ggdr.registry import Capability


class FixedImages(FeatureCache):
    """An image set whose features are taken from disk if they were computed before."""

    def __init__(
        self,
        make: Callable[[range], Tensor],
        count: int,
        processes: Processes | None = None,
        watch: Callable[[int], None] | None = None,
        loaded: dict[Extractor, Embedder] | None = None,
        *,
        name: str = "images",
        folder: Path | None = None,
        say: Callable[[str], None] = print,
    ):
        """As a FeatureCache; `name`: what they are called. `folder`: where features are kept, None: nowhere.

        `say` is told of every use of the folder.
        """
        super().__init__(make, count, processes, watch, loaded)
        self.name, self.folder, self.say = name, folder, say
        self.digests = torch.zeros(0, 32, dtype=torch.uint8)

    def content(self, n: int) -> str:
        """sha256 of the sha256s, in order, of the shape and pixels of the first n images (of all, if fewer), in hex."""
        n, have = self.size(n), len(self.digests)
        if have < n:
            start = have // CHUNK * CHUNK
            chunks = cut(start, n)
            fresh = self.processes.gather(
                {chunk: digests(self.chunk(chunk)) for chunk in self.processes.shard(chunks)}, chunks
            )
            self.digests = torch.cat([self.digests[:start], fresh])
        return hashlib.sha256(self.digests[:n].numpy().tobytes()).hexdigest()

    def describe(self, extractor: Extractor, n: int) -> Features:
        """Features of at least the first n images: known, from disk, or computed and kept on disk."""
        known = self.described.get(extractor)
        if known is not None and len(known.rows) >= n:
            return known
        if self.folder is None:
            return super().describe(extractor, n)
        identity = self.identity(extractor, n)
        found = self.recall(extractor, n, identity)
        if found is None:
            found = super().describe(extractor, n)
            if self.processes.rank == 0:
                self.keep(found, extractor, identity)
        self.described[extractor] = found
        return found

    def identity(self, extractor: Extractor, n: int) -> dict[str, Any]:
        """All that the features of the first n images depend on."""
        network = self.embedder(extractor)
        return {
            "images": self.content(n),
            "number": n,
            "extractor": extractor.name,
            "weights": network.weights_hash,
            "protocol": network.protocol,
        }

    def file(self, identity: dict[str, Any]) -> Path:
        """Where features of this identity are kept."""
        assert self.folder is not None
        key = hashlib.sha256(text_of(identity).encode()).hexdigest()[:32]
        return self.folder / f"{identity['extractor']}-{key}.safetensors"

    def recall(self, extractor: Extractor, n: int, identity: dict[str, Any]) -> Features | None:
        """Features from disk, read by the first process and handed to the others; None if there are none that fit."""
        found = self.read(extractor, identity) if self.processes.rank == 0 else None
        if not self.processes.broadcast(found is not None):
            return None
        self.say(f"features of {n:,} {self.name} by {extractor.name} from the cache, {self.file(identity)}")
        self.watch(sum(map(len, self.processes.shard(cut(0, n)))))
        every = [range(n)]
        rows = self.processes.gather({every[0]: found.rows} if found else {}, every)
        if Capability.CLASSES not in extractor.provides:
            return Features(rows)
        logits = {every[0]: found.logits} if found and found.logits is not None else {}
        return Features(rows, self.processes.gather(logits, every))

    def read(self, extractor: Extractor, identity: dict[str, Any]) -> Features | None:
        """Features from disk; None if they are not there, or torn."""
        file = self.file(identity)
        if not file.is_file():
            return None
        try:
            with safe_open(file, "pt") as kept:
                if (kept.metadata() or {}).get("identity") == text_of(identity):
                    return Features(kept.get_tensor("rows"), logits_in(kept, extractor))
        except (OSError, SafetensorError):
            pass
        self.say(f"the cached features in {file} are torn and are computed again")
        return None

    def keep(self, features: Features, extractor: Extractor, identity: dict[str, Any]) -> None:
        """Put features of this identity on disk; if the disk refuses, say so and go on."""
        file, n = self.file(identity), identity["number"]
        tensors = {"rows": features.rows[:n].contiguous()}
        if features.logits is not None:
            tensors["logits"] = features.logits[:n].contiguous()
        try:
            write_whole(file, lambda aside: save_file(tensors, aside, {"identity": text_of(identity)}))
        except (OSError, SafetensorError) as error:
            self.say(f"features by {extractor.name} cannot be kept in {file.parent}: {error}")


def logits_in(kept: Any, extractor: Extractor) -> Tensor | None:
    """The logits of an open file, if the extractor gives any."""
    return kept.get_tensor("logits") if Capability.CLASSES in extractor.provides else None


def text_of(identity: dict[str, Any]) -> str:
    """An identity as text, the same for equal ones."""
    return json.dumps(identity, sort_keys=True)


def digests(images: Tensor) -> Tensor:
    """sha256 of each image's shape and pixels: images [N, C, H, W] uint8 to [N, 32] uint8."""
    shape = json.dumps(list(images.shape[1:])).encode()
    pixels = images.cpu().contiguous().numpy()
    rows = [hashlib.sha256(shape + image.tobytes()).digest() for image in pixels]
    return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).view(-1, 32)
