"""The order of numbers in memory that convolutions are fastest in, on CPU and on CUDA's tensor cores."""

from __future__ import annotations

import torch
from torch import Tensor


def channels_last(x: Tensor) -> Tensor:
    """x [N, C, H, W] with the channels of a pixel side by side, and with strides that say so for one channel too.

    `contiguous` leaves a one-channel image as it is, since both orders are the same; a convolution takes it for the
    other one then, and whatever follows is many times slower.
    """
    return x.to(memory_format=torch.channels_last)
