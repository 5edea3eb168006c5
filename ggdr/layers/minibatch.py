"""Minibatch standard deviation: shows the discriminator how varied its batch is (PGGAN, arXiv 1710.10196, sec. 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.ops.layout import channels_last
from ggdr.ops.moments import centre


def minibatch_stddev(x: Tensor, group: int | None = 4, channels: int = 1) -> Tensor:
    """Append to x [N, C, H, W] `channels` more: the standard deviation over each group, averaged over a part of x.

    group: samples that are compared with each other; None for all N. The largest divisor of N not above it is taken.
    channels: parts the C channels are divided into, a new channel each; a divisor of C.
    """
    samples, _, height, width = x.shape
    size = samples if group is None else largest_divisor(samples, group)
    pixels = x.permute(0, 2, 3, 1)  # as they lie in memory, and their gradients too
    parts = pixels.unflatten(0, (size, -1)).unflatten(-1, (channels, -1))  # [G, N / G, H, W, F, C / F]
    var = centre(parts, (0,))[2].squeeze(0)
    spread = (var + 1e-8).sqrt().mean(dim=(1, 2, 4))
    planes = spread.repeat(size, 1)[:, :, None, None].expand(-1, -1, height, width)
    return torch.cat([x, channels_last(planes.to(x.dtype))], dim=1)


def largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of `number` that is not above `limit`."""
    return next(size for size in range(min(number, limit), 0, -1) if number % size == 0)
