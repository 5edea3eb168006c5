"""The processes that share a run's or an evaluation's work, and how they exchange what each has."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ggdr.lazy import Tensor, torch

Of = TypeVar("Of")
STOP_SIGNALS = tuple(
    vars(signal)[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGBREAK") if name in vars(signal)
)
"""Signals that ask a run to stop, as far as the system has them: Windows has no SIGHUP and no SIGUSR1, but SIGBREAK."""


class PeerLost(RuntimeError):
    """Another process has gone while this one waited for it: it failed, was killed, or lost its network."""


@contextmanager
def together() -> Iterator[None]:
    """Around collectives, and only these: what breaks there is PeerLost, since each waits for all other processes."""
    try:
        yield
    except (
        RuntimeError
    ) as error:  # gloo raises plain ones, NCCL and the store their heirs (torch.distributed.DistError)
        raise PeerLost(" ".join(str(error).split())[:200]) from error


@dataclass(frozen=True)
class Processes:
    """The processes that share the work."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def shard(self, chunks: list[range]) -> list[range]:
        """The chunks that are this process's."""
        return chunks[self.rank :: self.size]

    def gather(self, parts: dict[range, Tensor], chunks: list[range]) -> Tensor:
        """All chunks' rows in order, on the host of every process, from the parts that each has made."""
        like = next(iter(parts.values())) if parts else None
        if self.size == 1:
            return torch.cat([parts[chunk] for chunk in chunks])
        shapes: list = [None] * self.size
        with together():
            torch.distributed.all_gather_object(shapes, None if like is None else (tuple(like.shape[1:]), like.dtype))
        shape, dtype = next(shape for shape in shapes if shape is not None)
        rows = torch.zeros(chunks[-1].stop - chunks[0].start, *shape, dtype=dtype, device=self.device)
        for chunk, part in parts.items():
            rows[chunk.start - chunks[0].start : chunk.stop - chunks[0].start] = part.to(self.device)
        with together():
            torch.distributed.all_reduce(rows)  # each row is zero on all processes but the one that made it
        return rows.cpu()

    def all_gather(self, value: Of) -> list[Of]:
        """Every process's value, on every process."""
        if self.size == 1:
            return [value]
        shared: list[Any] = [None] * self.size
        with together():
            torch.distributed.all_gather_object(shared, value)
        return shared

    def broadcast(self, value: Of) -> Of:
        """The first process's value, on every process."""
        shared = [value]
        if self.size > 1:
            with together():
                torch.distributed.broadcast_object_list(shared, src=0, device=self.device)
        return shared[0]
