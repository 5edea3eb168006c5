"""The running mean of a player's networks, which is what a run is for."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ggdr.network import Generator


class EMA:
    """Exponential moving average of weights; buffers are copied (StyleGAN2-ADA, arXiv 2006.06676, appendix)."""

    def __init__(self, networks: Mapping[str, Generator], half_life_kimg: float, rampup: float | None):
        """`rampup`: the half-life is at most this share of the images seen; None: no such limit."""
        self.live = networks
        self.mean = {name: copy.deepcopy(network).eval().requires_grad_(False) for name, network in networks.items()}
        self.half_life_kimg, self.rampup = half_life_kimg, rampup

    def decay(self, batch: int, images_seen: int) -> float:
        """Weight of the old mean when `batch` images follow `images_seen`."""
        images = self.half_life_kimg * 1000
        if self.rampup is not None:
            images = min(images, images_seen * self.rampup)
        return 0.5 ** (batch / max(images, 1e-8))

    @torch.no_grad()
    def update(self, batch: int, images_seen: int) -> None:
        """Follow the live networks by one step."""
        follow = get_ema_multi_avg_fn(self.decay(batch, images_seen))
        for name, mean in self.mean.items():
            follow(list(mean.parameters()), list(self.live[name].parameters()), None)
            for old, new in zip(mean.buffers(), self.live[name].buffers(), strict=True):
                old.copy_(new)
