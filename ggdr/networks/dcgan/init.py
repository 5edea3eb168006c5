"""Initial weights of DCGAN's networks (arXiv 1511.06434, sec. 4), and of those that keep to its spread."""

from __future__ import annotations

from typing import Literal

from ggdr.lazy import torch

Init = Literal["normal", "xavier"]
"""how weights are drawn: N(0, 0.02); or N(0, 0.02^2 * 2 / (fan in + fan out)), Xavier's with a gain of 0.02"""
SCALE = 0.02
"""standard deviation of normal weights, and gain of Xavier's"""


def initialise(network: torch.nn.Module, init: Init = "normal") -> None:
    """Draw weights, biases 0; normalization layers scale by N(1, 0.02), as DCGAN's authors' code does.

    `init`: "normal", N(0, 0.02), as in DCGAN, pix2pix and CycleGAN; "xavier": as in CUT (arXiv 2007.15651), far
    smaller, so that maps which nothing normalizes are nearly zero at first.
    """
    for name, parameter in network.named_parameters():
        if init == "xavier" and parameter.ndim > 1:
            torch.nn.init.xavier_normal_(parameter, SCALE)
            continue
        scales = name.endswith("norm.weight")
        torch.nn.init.normal_(parameter, 1.0 if scales else 0.0, 0.0 if name.endswith("bias") else SCALE)
