"""Winograd's 3x3 convolution against torch's on CPU: ratios of the time of forward pass and both gradients.

    python benchmarks/convolution.py [--channels 64 128 256 512] [--resolutions 4 8 16 32 64] [--batches 16]

The two take turns; a ratio is that of the fastest times, since other work on the machine can only slow one down.
"""

import argparse
import time
from itertools import product
from pathlib import Path

import torch
from rounds import report
from torch.nn import functional as F
from tqdm import tqdm

from ggdr.ops import winograd
from ggdr.training.memory import retain_pages


def direct(x, weight, gradient) -> list:
    """The passes as torch does them: forward, gradient of x, gradient of the weight."""

    def back(*mask):
        shape = [1, 1], [1, 1], [1, 1], False, [0, 0], 1
        return torch.ops.aten.convolution_backward(gradient, x, weight, None, *shape, [*mask, False])

    return [lambda: F.conv2d(x, weight, padding=1), lambda: back(True, False), lambda: back(False, True)]


def fast(x, weight, gradient) -> list:
    """The same passes by Winograd's algorithm, and the first with the planes of a weight at rest."""
    planes = winograd.WinogradWeight(weight)
    return [
        lambda: winograd.convolve(x, weight),
        lambda: winograd.convolve(gradient, weight, turned=True),
        lambda: winograd.correlate(x, gradient),
        lambda: winograd.convolve_precomputed(x, planes),
    ]


def narrow(x, weight) -> list:
    """The forward pass in bfloat16: as torch does it, and by Winograd's algorithm with planes of a weight at rest."""
    planes, x16, weight16 = winograd.WinogradWeight(weight), x.bfloat16(), weight.to(torch.bfloat16)
    weight16 = weight16.contiguous(memory_format=torch.channels_last)
    return [lambda: F.conv2d(x16, weight16, padding=1), lambda: winograd.convolve_precomputed(x16, planes)]


def fastest(passes: list, least_sec: float) -> list[float]:
    """Milliseconds of each pass, in turns for some time, but three at least."""
    best, turns, began = [float("inf")] * len(passes), 0, time.perf_counter()
    while turns < 3 or time.perf_counter() - began < least_sec:
        turns += 1
        for index, run in enumerate(passes):
            start = time.perf_counter()
            run()
            best[index] = min(best[index], (time.perf_counter() - start) * 1000)
    return best


HEADER = [
    *("channels", "resolution", "batch", "tiles", "direct, ms: forward", "of x", "of the weight"),
    *("Winograd's share: forward", "of x", "of the weight", "all", "forward, at rest", "bfloat16, at rest", "taken"),
]


def row(channels: int, resolution: int, batch: int, least_sec: float) -> list:
    """What a shape takes, and which way ggdr goes."""
    x, gradient = (torch.randn(batch, resolution, resolution, channels).permute(0, 3, 1, 2) for _ in range(2))
    weight = torch.randn(channels, channels, 3, 3)
    times = fastest(direct(x, weight, gradient) + fast(x, weight, gradient) + narrow(x, weight), least_sec)
    old, new, (resting, old16, resting16) = times[:3], times[3:6], times[6:]
    ratios = [*(b / a for a, b in zip(old, new, strict=True)), sum(new) / sum(old), resting / old[0], resting16 / old16]
    pays = {"in training": winograd.is_faster(x, weight), "at rest": winograd.is_faster_precomputed(x, weight)}
    pays["at rest in bfloat16"] = winograd.is_faster_precomputed(x.bfloat16(), weight)
    taken = ", ".join(when for when, it_does in pays.items() if it_does) or "never"
    shape = [*map(str, (channels, resolution, batch, batch * resolution**2 // 16))]
    return [*shape, *(f"{each:.1f}" for each in old), *(f"{each:.2f}" for each in ratios), taken]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--resolutions", type=int, nargs="+", default=[4, 8, 16, 32, 64])
    parser.add_argument("--batches", type=int, nargs="+", default=[16])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="least time for a line")
    parser.add_argument("--gflop", type=float, default=400, help="leave out what takes more in one direct pass")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/convolution.json"))
    args = parser.parse_args()
    retain_pages()  # as the trainer does
    torch.set_num_threads(args.threads)
    shapes = [each for each in product(args.channels, args.resolutions, args.batches) if gflop(*each) <= args.gflop]
    report(args.out, HEADER, [row(*shape, args.seconds) for shape in tqdm(shapes)])


def gflop(channels: int, resolution: int, batch: int) -> float:
    """The arithmetic of a direct pass, 1e9 floating-point operations."""
    return 18e-9 * (channels * resolution) ** 2 * batch


if __name__ == "__main__":
    main()
