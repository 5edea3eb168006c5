"""Batches for one process, in the endless order of a seed, read ahead by worker processes or a thread."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, cast

from ggdr.data.base import Batch, Images
from ggdr.errors import UserError
from ggdr.ops.threads import available_cpus
from ggdr.processes import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.data import Dataset

NAMED = 10
"""warnings about single files before the rest is only counted"""


def batches(
    images: Images, *, seed: int, start: int, batch_size: int, rank: int = 0, world: int = 1, num_workers: int = 0
) -> Iterator[dict[str, Batch]]:
    """This process's part of each global batch of each domain, by its name, endlessly.

    `start`: images of a domain seen so far; `batch_size`: images of a domain in the global batch, a multiple of
    `world`. They are the same however many processes and workers share; on the CPU, pinned if workers read and CUDA is
    available. `images.unreadable` grows as files are met that cannot be read.
    """
    if batch_size % world:
        raise ValueError(f"a batch of {batch_size} cannot be shared by {world} processes; take a multiple of {world}.")
    steps = position_slices(start, batch_size, rank, world)
    if num_workers and images.forks:
        fetched = fetch_by_processes(images, seed, steps, num_workers)
    elif num_workers:
        fetched = fetch_by_thread(images, seed, steps)
    else:
        fetched = ((images.domain_batches(positions, seed), images.unreadable) for positions in steps)
    return note_unreadable(images, fetched)


def position_slices(start: int, batch_size: int, rank: int, world: int) -> Iterator[list[int]]:
    """Positions of this process's part of each global batch."""
    share = batch_size // world
    for first in count(start + rank * share, batch_size):
        yield list(range(first, first + share))


class Fetch:
    """What a loader worker runs: positions to a batch of each domain, along with the files it has found unreadable."""

    def __init__(self, images: Images, seed: int):
        self.images, self.seed = images, seed

    def __getitems__(self, positions: list[int]) -> tuple[dict[str, Batch] | UserError, dict[str, str]]:
        try:  # what is raised in a worker would arrive as the text of a traceback
            return self.images.domain_batches(positions, self.seed), dict(self.images.unreadable)
        except UserError as error:
            return error, dict(self.images.unreadable)


def fetch_by_processes(images: Images, seed: int, steps: Iterator[list[int]], num_workers: int) -> Iterator:
    """Worker processes decode, each a batch at a time."""
    import torch
    from torch.utils.data import DataLoader

    return iter(
        DataLoader(
            cast("Dataset", Fetch(images, seed)),
            batch_sampler=steps,
            collate_fn=return_fetched,
            num_workers=min(num_workers, len(available_cpus())),  # more would wait for each other, as torch warns
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),  # its own, or each loader would advance the global one
            worker_init_fn=ignore_signals,
        )
    )


def ignore_signals(worker: int) -> None:
    """Ignore, in a loader worker, the signals that ask a run to stop: the trainer ends its workers itself."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def return_fetched(fetched):
    """A batch comes whole already."""
    return fetched


def fetch_by_thread(images: Images, seed: int, steps: Iterator[list[int]]) -> Iterator:
    """One thread reads a batch ahead: for what must be read in one pass."""
    from concurrent.futures import ThreadPoolExecutor

    fetch = Fetch(images, seed)
    with ThreadPoolExecutor(1, "data") as reader:
        ahead = reader.submit(fetch.__getitems__, next(steps))
        for positions in steps:
            ready, ahead = ahead, reader.submit(fetch.__getitems__, positions)
            yield ready.result()


def note_unreadable(
    images: Images, fetched: Iterator[tuple[dict[str, Batch], Mapping[str, str]]]
) -> Iterator[dict[str, Batch]]:
    """The batches; files that turned out unreadable are noted, and named in a warning once."""
    known: set[str] = set()
    for batch, unreadable in fetched:
        if unreadable.keys() - known:
            images.note(unreadable)
            warn_unreadable(sorted(unreadable.keys() - known), len(known), unreadable)
            known |= unreadable.keys()
        if isinstance(batch, UserError):
            raise batch
        yield batch


def warn_unreadable(names: Sequence[str], before: int, why: Mapping[str, str]) -> None:
    """One warning a file for the first few, then none: `images.unreadable` names them all."""
    for name in names[: max(NAMED - before, 0)]:
        warnings.warn(f"cannot read {name!r}: {why[name]}; the next readable image stands in for it.", stacklevel=3)
