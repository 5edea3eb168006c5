"""Images per second that the data pipeline gives, against what training takes.

    python benchmarks/data.py [--resolutions 32 256 1024] [--num-workers 0 1 2]

Pictures are PNG files of the right size, read, decoded and put into batches as a run does; `cached`: a second time,
where all of them fit into `data.cache_mb`. What training takes is in docs/performance.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from cases import pictures
from rounds import report

from ggdr.data.loader import batches


def speed(found: Iterator, skip: int, count: int, batch: int) -> float:
    """Images per second of `count` batches, after `skip` of them."""
    for _ in islice(found, skip):
        pass
    begun = time.perf_counter()
    for _ in islice(found, count):
        pass
    return count * batch / (time.perf_counter() - begun)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolutions", type=int, nargs="+", default=[32, 256, 1024])
    parser.add_argument("--num-workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/data.json"))
    arguments = parser.parse_args()
    rows = []
    for resolution in arguments.resolutions:
        count = max(4, 1_000_000 // resolution**2 // 8)
        for workers in arguments.workers:
            images = replace(pictures(resolution), cache_mb=0).open()
            found = batches(images, seed=0, start=0, batch_size=arguments.batch, num_workers=workers)
            rows.append([str(resolution), str(workers), "", speed(found, 2, count, arguments.batch)])
        images = replace(pictures(resolution), cache_mb=512).open()
        found = batches(images, seed=0, start=0, batch_size=arguments.batch)
        rows.append([str(resolution), "0", "cached", speed(found, 4, count, arguments.batch)])
    report(arguments.out, ["resolution", "workers", "", "images/s"], rows)


if __name__ == "__main__":
    main()
