"""A load test on 127.0.0.1: the service with batching and without, in turns, so that both meet the same machine.

python load.py runs/digits --clients 16 --rounds 3
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import httpx
import tyro

SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True, kw_only=True)
class Load:
    """Serve a model twice, with passes of one image and of many, and ask both for single images."""

    model: Annotated[str, tyro.conf.Positional]
    """folder of a run or a model, of a generator without labels"""
    clients: int = 16
    """clients, each of which asks again once it is answered"""
    requests: int = 200
    """requests of a round, all clients together"""
    rounds: int = 3
    """rounds, in each of which both services have their turn"""
    batch_size: int = 16
    """most images of a pass, of the service with batching"""
    wait_ms: float = 5.0
    """longest that an image waits for others, milliseconds"""


class Round(NamedTuple):
    """What the clients saw."""

    seconds: float
    """of all requests together"""
    latencies: list[float]
    """of each request, seconds"""
    batches: list[int]
    """size of the pass that each image was made in"""


@contextmanager
def service(asked: Load, batch_size: int) -> Iterator[str]:
    """A running service, as its address; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--port", port, "--batch-size", batch_size, "--wait-ms", asked.wait_ms, "--queue-size", 4096]
    process = subprocess.Popen(
        [sys.executable, SERVER, asked.model, *map(str, flags)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield wait_until_ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen) -> str:
    """The address once it answers; SystemExit if the service ends before."""
    while process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return url
        except httpx.TransportError:
            time.sleep(0.2)
    sys.exit("the service did not start; type its command to see why: python server.py MODEL")


async def play(url: str, asked: Load) -> Round:
    """One round at one service."""
    latencies: list[float] = []
    batches: list[int] = []
    seeds = iter(range(asked.requests))

    async def client(http: httpx.AsyncClient) -> None:
        """Ask for one image after another until all seeds are taken."""
        for seed in seeds:
            began = time.perf_counter()
            answer = await http.get(f"{url}/images/{seed}.png")
            answer.raise_for_status()
            latencies.append(time.perf_counter() - began)
            batches.append(int(answer.headers["X-Batch-Size"]))

    limits = httpx.Limits(max_connections=asked.clients)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:
        began = time.perf_counter()
        await asyncio.gather(*(client(http) for _ in range(asked.clients)))
        return Round(time.perf_counter() - began, latencies, batches)


def row(name: str, rounds: list[Round]) -> str:
    """A line of the table: images/s of the median round, latencies of all requests, images of a pass."""
    speed = statistics.median(len(each.latencies) / each.seconds for each in rounds)
    cuts = statistics.quantiles([1000 * t for each in rounds for t in each.latencies], n=100)
    mean = statistics.mean(size for each in rounds for size in each.batches)
    return f"| {name} | {speed:.1f} | {cuts[49]:.0f} | {cuts[94]:.0f} | {cuts[98]:.0f} | {mean:.1f} |"


def main() -> None:
    """Print the table, and how many times as many images the service with batching makes."""
    asked = tyro.cli(Load)
    with service(asked, 1) as one, service(asked, asked.batch_size) as many:
        for url in (one, many):
            asyncio.run(play(url, asked))  # the first round is not counted: processes warm up
        rounds = [[asyncio.run(play(url, asked)) for url in (one, many)] for _ in range(asked.rounds)]
    singles, batched = zip(*rounds, strict=True)
    print(
        "| | images/s | median ms | 95 % ms | 99 % ms | images of a pass, mean |\n| --- | --- | --- | --- | --- | --- |"
    )
    print(row("one by one", singles))
    print(row(f"batches up to {asked.batch_size}", batched))
    ratios = [one.seconds / many.seconds for one, many in rounds]
    print(f"\nbatching: {statistics.median(ratios):.2f} times as many images ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
