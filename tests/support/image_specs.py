"""Images that networks and terms are tried on: square, wide, tall, of 1 to 4 channels, without and with labels."""

from __future__ import annotations

import pytest
import torch

from ggdr.networks.base import ImageSpec

SPECS = {
    "square": ImageSpec(16, 16, 3),
    "square, labels": ImageSpec(16, 16, 3, 3),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "tall RGBA": ImageSpec(32, 16, 4),
    "2 channels, 6 px base": ImageSpec(24, 24, 2),
    "tall, labels": ImageSpec(48, 16, 3, 5),
    "smallest": ImageSpec(8, 8, 3),
}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
"""one spec after the other"""


def labels_of(spec: ImageSpec, n: int) -> torch.Tensor | None:
    """n rows of one-hot labels [n, L], or None where the images have none."""
    return torch.eye(spec.labels)[torch.arange(n) % spec.labels] if spec.labels else None


def images_of(spec: ImageSpec, n: int) -> torch.Tensor:
    """n random images [n, C, H, W] in [-1, 1]."""
    return torch.randn(n, spec.channels, spec.height, spec.width).clamp(-1, 1)


def sized(spec: ImageSpec, channels: dict[int, int], n: int) -> dict[int, tuple[int, ...]]:
    """Height r -> the shape [n, K, r, r W / H] of feature maps of these channels."""
    return {r: (n, k, r, r * spec.width // spec.height) for r, k in channels.items()}
