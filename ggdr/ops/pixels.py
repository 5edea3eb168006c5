"""Pixels as data sets give them, to what networks see."""

from __future__ import annotations

import torch
from torch import Tensor

IGNORED = 255
"""the number, in a label map, of what belongs to no class"""


def network_input(images: Tensor, classes: int = 0) -> Tensor:
    """Images uint8 [N, C, H, W] to float32 in [-1, 1]; label maps of K `classes` [N, 1, H, W] to one-hot [N, K, H, W].

    Numbers that are float32 already, of continuous data, are what networks see. What is ignored in a label map (255) is
    zero in each channel. Further channels of a map, such as the edges of instances, hold 0 or 1 and follow as they are.
    """
    if images.is_floating_point():
        return images
    if not classes:
        return images.float() / 127.5 - 1
    numbers = torch.arange(classes, dtype=torch.uint8, device=images.device)
    return torch.cat([images[:, :1] == numbers[:, None, None], images[:, 1:]], 1).float()
