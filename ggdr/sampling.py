"""Images from a generator, outside training: drawn by the seed alone, whatever the number of processes."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.grid import to_uint8
from ggdr.network import Generator

AT_ONCE = 16
"""images of a pass: a constant, since each pass draws anew, and samples must not depend on the run's micro-batch"""


@torch.no_grad()
def sample(generator: Generator, labels: Tensor | None, n: int, seed: int) -> Tensor:
    """n images [n, C, H, W] uint8 on the host; labels [n, L] or None. Seeds torch."""
    device = next(generator.parameters()).device
    made = []
    for first in range(0, n, AT_ONCE):
        torch.manual_seed(seed + first)
        size = min(AT_ONCE, n - first)
        z = torch.randn(size, generator.z_dim, device=device)
        part = None if labels is None else labels[first : first + size].to(device)
        made.append(to_uint8(generator(z, part).image.float()).cpu())
    return torch.cat(made)
