"""A feature cache on disk, for images that never change: their features are stored under a hash of their pixels."""

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


class DiskFeatureCache(FeatureCache):
    """Reads features from disk if they were computed before, and writes them to disk after they are computed."""

    def __init__(
        self,
        make: Callable[[range], Tensor],
        count: int,
        processes: Processes | None = None,
        on_progress: Callable[[int], None] | None = None,
        networks: dict[Extractor, Embedder] | None = None,
        *,
        name: str = "images",
        folder: Path | None = None,
        say: Callable[[str], None] = print,
    ):
        """Take the arguments of FeatureCache, and those of the cache on disk.

        `name`: what messages call the images. `folder`: where features are stored; None: nowhere. `say`: called with
        a sentence whenever features are read from disk, or cannot be.
        """
        super().__init__(make, count, processes, on_progress, networks)
        self.name, self.folder, self.say = name, folder, say
        self.digests = torch.zeros(0, 32, dtype=torch.uint8)

    def content(self, n: int) -> str:
        """Return the sha256, in hex, over the sha256s of shape and pixels of the first n images (of all, if fewer)."""
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
        """Return features of at least the first n images: from memory, from disk, or computed and then stored."""
        known = self.cached_features.get(extractor)
        if known is not None and len(known.rows) >= n:
            return known
        if self.folder is None:
            return super().describe(extractor, n)
        identity = self.identity(extractor, n)
        found = self.load(extractor, n, identity)
        if found is None:
            found = super().describe(extractor, n)
            if self.processes.rank == 0:
                self.store(found, extractor, identity)
        self.cached_features[extractor] = found
        return found

    def identity(self, extractor: Extractor, n: int) -> dict[str, Any]:
        """Return all that the features of the first n images depend on."""
        network = self.embedder(extractor)
        return {
            "images": self.content(n),
            "number": n,
            "extractor": extractor.name,
            "weights": network.weights_hash,
            "protocol": network.protocol,
        }

    def file(self, identity: dict[str, Any]) -> Path:
        """Return the file for features of this identity."""
        assert self.folder is not None
        key = hashlib.sha256(text_of(identity).encode()).hexdigest()[:32]
        return self.folder / f"{identity['extractor']}-{key}.safetensors"

    def load(self, extractor: Extractor, n: int, identity: dict[str, Any]) -> Features | None:
        """Read features by the first process and send them to the others; None if the disk has none that fit."""
        found = self.read(extractor, identity) if self.processes.rank == 0 else None
        if not self.processes.broadcast(found is not None):
            return None
        self.say(f"features of {n:,} {self.name} by {extractor.name} from the cache, {self.file(identity)}")
        self.on_progress(sum(map(len, self.processes.shard(cut(0, n)))))
        every = [range(n)]
        rows = self.processes.gather({every[0]: found.rows} if found else {}, every)
        if Capability.CLASSES not in extractor.provides:
            return Features(rows)
        logits = {every[0]: found.logits} if found and found.logits is not None else {}
        return Features(rows, self.processes.gather(logits, every))

    def read(self, extractor: Extractor, identity: dict[str, Any]) -> Features | None:
        """Read features from disk; None if they are not there, or damaged."""
        file = self.file(identity)
        if not file.is_file():
            return None
        try:
            with safe_open(file, "pt") as stored:
                if (stored.metadata() or {}).get("identity") == text_of(identity):
                    return Features(stored.get_tensor("rows"), logits_in(stored, extractor))
        except (OSError, SafetensorError):
            pass
        self.say(f"the cached features in {file} are damaged and are computed again")
        return None

    def store(self, features: Features, extractor: Extractor, identity: dict[str, Any]) -> None:
        """Write features of this identity to disk; if that fails, say so and go on."""
        file, n = self.file(identity), identity["number"]
        tensors = {"rows": features.rows[:n].contiguous()}
        if features.logits is not None:
            tensors["logits"] = features.logits[:n].contiguous()
        try:
            write_whole(file, lambda aside: save_file(tensors, aside, {"identity": text_of(identity)}))
        except (OSError, SafetensorError) as error:
            self.say(f"features by {extractor.name} cannot be stored in {file.parent}: {error}")


def logits_in(stored: Any, extractor: Extractor) -> Tensor | None:
    """Read the class logits from an open file; None if the extractor gives none."""
    return stored.get_tensor("logits") if Capability.CLASSES in extractor.provides else None


def text_of(identity: dict[str, Any]) -> str:
    """Return an identity as JSON text, which is the same for equal identities."""
    return json.dumps(identity, sort_keys=True)


def digests(images: Tensor) -> Tensor:
    """Return the sha256 of each image's shape and pixels: images [N, C, H, W] uint8 to [N, 32] uint8."""
    shape = json.dumps(list(images.shape[1:])).encode()
    pixels = images.cpu().contiguous().numpy()
    rows = [hashlib.sha256(shape + image.tobytes()).digest() for image in pixels]
    return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).view(-1, 32)
