"""An endless sequence of table rows, read in one pass: shuffled again in each epoch, entered anywhere by skipping."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, count, islice, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import datasets

Row = dict[str, Any]


def endless_rows(rows: datasets.IterableDataset, length: int, buffer: int, seed: int, start: int) -> Iterator[Row]:
    """Rows from position `start` on: each epoch takes `length` of them, from a shuffle buffer of `buffer` encoded rows.

    What is skipped is read, never decoded. A source shorter than `length` is begun again within the epoch.
    """
    first, offset = divmod(start, length)
    for epoch in count(first):
        random = np.random.default_rng((seed, epoch))
        again = chain.from_iterable(shuffle_rows(rows, buffer, random) for _ in repeat(None))
        yield from islice(again, offset if epoch == first else 0, length)


def shuffle_rows(rows: datasets.IterableDataset, buffer: int, random: np.random.Generator) -> Iterator[Row]:
    """Each row once: the shards in random order, then one row drawn of a full buffer for each that comes in.

    Not by the library's own shuffle: it sleeps for seconds whenever a pass over interleaved shards ends.
    """
    held: list[Row] = []
    shards = (rows.shard(rows.num_shards, int(index)) for index in random.permutation(rows.num_shards))
    for row in chain.from_iterable(shards):
        if len(held) < buffer:
            held.append(row)
            continue
        place = random.integers(buffer)
        yield held[place]
        held[place] = row
    yield from (held[place] for place in random.permutation(len(held)))


class RowCursor:
    """A place in the endless rows: forward only, with the rows between the place and the farthest one read."""

    def __init__(self, rows: Iterator[Row], start: int):
        self.rows, self.start = rows, start
        self._ahead: deque[Row] = deque()

    def __getitem__(self, position: int) -> Row:
        """The row at a position, which must not lie behind."""
        while position - self.start >= len(self._ahead):
            self._ahead.append(next(self.rows))
        return self._ahead[position - self.start]

    def move_to(self, position: int) -> None:
        """Let go of everything before `position`."""
        while self.start < position:
            if self._ahead:
                self._ahead.popleft()
            else:
                next(self.rows)
            self.start += 1
