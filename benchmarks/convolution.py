"""Winograd's 3x3 convolution against torch's on CPU: ratios of the time of forward pass and both gradients.

    python benchmarks/convolution.py [--channels 64 128 256 512] [--sides 4 8 16 32 64] [--batches 4 16 32]
        [--threads 2] [--seconds 1] [--gflop 400]

The two take turns; a ratio is that of the fastest times, since other work on the machine can only slow one down.
"""

import argparse
import time

import torch
from torch.nn import functional as F

from ggdr.ops import winograd
from ggdr.running.memory import keep_pages


def direct(x, weight, gradient) -> list:
    """The passes as torch does them: forward, gradient of x, gradient of the weight."""

    def back(*mask):
        shape = [1, 1], [1, 1], [1, 1], False, [0, 0], 1
        return torch.ops.aten.convolution_backward(gradient, x, weight, None, *shape, [*mask, False])

    return [lambda: F.conv2d(x, weight, padding=1), lambda: back(True, False), lambda: back(False, True)]


def fast(x, weight, gradient) -> list:
    """The same passes by Winograd's algorithm."""
    return [
        lambda: winograd.convolve(x, weight),
        lambda: winograd.convolve(gradient, weight, turned=True),
        lambda: winograd.correlate(x, gradient),
    ]


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--sides", type=int, nargs="+", default=[4, 8, 16, 32, 64])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 16, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="least time for a line")
    parser.add_argument("--gflop", type=float, default=400, help="leave out what takes more in one direct pass")
    args = parser.parse_args()
    keep_pages()  # as the trainer does
    torch.set_num_threads(args.threads)
    print("channels side batch tiles | direct, ms: forward, of x, of weight | Winograd over direct | of the sum")
    for channels in args.channels:
        for side in args.sides:
            for batch in args.batches:
                if 18e-9 * (channels * side) ** 2 * batch > args.gflop:
                    continue
                x, gradient = (torch.randn(batch, side, side, channels).permute(0, 3, 1, 2) for _ in range(2))
                given = x, torch.randn(channels, channels, 3, 3), gradient
                times = fastest(direct(*given) + fast(*given), args.seconds)
                old, new = times[:3], times[3:]
                ratios = " ".join(f"{b / a:5.2f}" for a, b in zip(old, new, strict=True))
                print(
                    f"{channels:8d} {side:4d} {batch:5d} {batch * side**2 // 16:5d} |"
                    f" {' '.join(f'{a:6.1f}' for a in old)} | {ratios} | {sum(new) / sum(old):.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
