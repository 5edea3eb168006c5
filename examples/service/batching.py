"""Batching: requests that come at about the same time share a pass of the generator."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor


class Options(NamedTuple):
    """What all images of a pass have in common."""

    truncation_psi: float | None = None
    truncation_cutoff: int | None = None


class Image(NamedTuple):
    """One image that somebody wants."""

    seed: int
    label: Tensor | None = None
    """label vector [L]; None: the generator takes none"""
    options: Options = Options()


class Made(NamedTuple):
    """What became of it."""

    image: Any
    """whatever `make` returned for it"""
    batch_size: int
    """number of images in the pass that it was made in"""


class Full(Exception):
    """More images wait than the queue may hold."""


@dataclass(eq=False)
class Waiting:
    """An image in the queue."""

    image: Image
    future: asyncio.Future[Made]
    since: float


class Batcher:
    """A queue whose images are made in batches by one thread, those that waited longest first.

    A pass begins when `batch_size` images with the same options wait, or when the oldest has waited `wait_ms`; while a
    pass runs, others gather, so that a busy service never waits for the clock. All methods but `make` run in one event
    loop.
    """

    def __init__(
        self,
        make: Callable[[list[Image]], Sequence[Any]],
        *,
        batch_size: int = 16,
        wait_ms: float = 5.0,
        queue_size: int = 256,
    ):
        """`make`: images of the same options to as many results. `queue_size`: images that may wait."""
        self.make, self.batch_size, self.wait_sec, self.queue_size = make, batch_size, wait_ms / 1000, queue_size
        self.queue: list[Waiting] = []
        self.changed = asyncio.Condition()
        self.closing = False
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generator")
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Batcher:
        self.task = asyncio.create_task(self.work())
        return self

    async def __aexit__(self, *error: object) -> None:
        """Make what still waits, then end the thread."""
        async with self.changed:
            self.closing = True
            self.changed.notify_all()
        assert self.task is not None
        await asyncio.wait([self.task])
        self.thread.shutdown()

    @property
    def alive(self) -> bool:
        """Whether it makes images: a worker that has ended will answer nobody."""
        return self.task is not None and not self.task.done()

    @property
    def ready(self) -> bool:
        """Whether it would take an image now."""
        return self.alive and not self.closing and len(self.queue) < self.queue_size

    async def submit(self, images: Sequence[Image]) -> list[Made]:
        """Make images; all of them are queued, or none, by Full. If the caller gives up, they leave the queue."""
        if self.closing or len(self.queue) + len(images) > self.queue_size:
            raise Full(f"{len(self.queue)} images wait, and the queue holds {self.queue_size}.")
        loop, now = asyncio.get_running_loop(), time.monotonic()
        waiting = [Waiting(image, loop.create_future(), now) for image in images]
        self.queue += waiting
        try:
            async with self.changed:
                self.changed.notify_all()
            return await asyncio.gather(*(each.future for each in waiting))
        finally:  # if the caller has gone, this cancelled what is not done
            self.queue = [each for each in self.queue if not each.future.cancelled()]

    async def work(self) -> None:
        """Make batch after batch until it is closing and nothing waits."""
        while self.queue or not self.closing:
            if batch := await self.next_batch():  # empty if those that waited have gone
                await self.make_batch(batch)

    async def next_batch(self) -> list[Waiting]:
        """Wait for images, then for others that may join them, and take them out of the queue."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.queue or self.closing)
            left = self.queue[0].since + self.wait_sec - time.monotonic() if self.queue else 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(left, 0)):
                    await self.changed.wait_for(lambda: len(self.oldest()) >= self.batch_size or self.closing)
            batch = self.oldest()[: self.batch_size]
            self.queue = [each for each in self.queue if each not in batch]
        return batch

    def oldest(self) -> list[Waiting]:
        """The images that may share a pass with the one that has waited longest."""
        return [each for each in self.queue if each.image.options == self.queue[0].image.options]

    async def make_batch(self, batch: list[Waiting]) -> None:
        """Make a batch in the thread, and tell those who asked; of an error, too, and the next batch has its chance."""
        loop, images = asyncio.get_running_loop(), [each.image for each in batch]
        try:
            made = await loop.run_in_executor(self.thread, self.make, images)
        except Exception as error:
            outcomes = [partial(each.future.set_exception, error) for each in batch]
        else:
            outcomes = [
                partial(each.future.set_result, Made(image, len(batch)))
                for each, image in zip(batch, made, strict=True)
            ]
        for each, tell in zip(batch, outcomes, strict=True):
            if not each.future.done():
                tell()
