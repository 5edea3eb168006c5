"""Images per second of generation, and the latency of a single image; contestants take turns.

    python benchmarks/generation.py 32x512 64x512 256x512 [--batch-size 8 1] [--published CHECKOUT]

`32x512`: a StyleGAN2 generator for 32 px of at most 512 channels (those of config-f, arXiv 1912.04958).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from rounds import Seconds, report, serve, take_turns, timed

WAYS = ("fp32", "bf16", "fp32 compiled", "bf16 compiled")


def contestant(size: str, batch: int, way: str) -> None:
    """Serve rounds of one batch each."""
    import torch

    from ggdr.networks.base import ImageSpec
    from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
    from ggdr.pipeline import Pipeline
    from ggdr.training.memory import retain_pages

    retain_pages()
    resolution, limit = map(int, size.split("x"))
    precision, _, compiled = way.partition(" ")
    generator = StyleGAN2GeneratorConfig(channel_base=base(resolution, limit), channel_max=limit).build(
        ImageSpec(resolution, resolution)
    )
    pipe = Pipeline(generator).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    pipe.to("cuda" if torch.cuda.is_available() else "cpu")
    if compiled:
        pipe.compile()
    pipe.set_progress_bar_config(disable=True)
    seeds = list(range(batch))

    def round_() -> Seconds:
        return {"batch": timed(lambda: pipe(seeds=seeds, output_type="pt", chunk_size=batch))}

    serve(round_, {"images": batch})


def base(resolution: int, limit: int) -> int:
    """Channels times pixels: config-f's 32768, at 32 px as wide as the widest."""
    return max(32768, resolution * limit) if resolution < 64 else 32768 * limit // 512


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", help="SIDExCHANNELS, such as 64x512")
    parser.add_argument("--batch-size", type=int, nargs="+", default=[8])
    parser.add_argument("--ways", nargs="+", default=WAYS[:2], choices=WAYS)
    parser.add_argument("--published", help="a checkout of the published code, which takes part too")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/generation.json"))
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        size, batch, way = arguments.serve
        contestant(size, int(batch), way)
        return
    rows: list[list[Any]] = []
    for size in arguments.sizes:
        for batch in arguments.batch:
            rows += compared(size, batch, arguments)
    report(arguments.out, ["generator", "batch", "way", "images/s", "ms a batch", "speed", "spread", "peak GB"], rows)


def compared(size: str, batch: int, arguments: argparse.Namespace) -> list[list[Any]]:
    """A row for each way."""
    contestants: dict[str, list[str]] = {}
    if arguments.published:
        resolution, limit = map(int, size.split("x"))
        contestants["published"] = [
            "published.py",
            os.path.abspath(arguments.published),
            f"{resolution}x{base(resolution, limit)}x{limit}",
            str(batch),
        ]
    contestants |= {way: ["generation.py", "--serve", size, str(batch), way] for way in arguments.ways}
    results = take_turns(contestants, arguments.rounds)
    first = next(iter(results.values())).median("batch")
    return [
        [
            size,
            str(batch),
            way,
            batch / result.median("batch"),
            1000 * result.median("batch"),
            f"{first / result.median('batch'):.2f}x",
            f"{100 * result.spread('batch'):.0f}%",
            result.facts["peak_gb"],
        ]
        for way, result in results.items()
    ]


if __name__ == "__main__":
    main()
