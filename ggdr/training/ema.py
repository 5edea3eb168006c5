"""The running mean of the networks that are the model, which is what a run is for."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ggdr.networks.base.module import Network
from ggdr.ops.power_function import decay, exponent_of
from ggdr.recipe import Recipe
from ggdr.schedules.base import Scheduled, value_at


class EMA:
    """Exponential moving average of weights; buffers are copied (StyleGAN2-ADA, arXiv 2006.06676, appendix)."""

    def __init__(self, networks: Mapping[str, Network], half_life_kimg: Scheduled, rampup: float | None):
        """`rampup`: the half-life is at most this share of the images seen; None: no such limit."""
        self.live = networks
        self.mean: dict[str, Any] = {
            name: copy.deepcopy(network).eval().requires_grad_(False) for name, network in networks.items()
        }
        self.half_life_kimg, self.rampup = half_life_kimg, rampup
        self.written = {name: Written([]) for name in networks}

    def decay(self, batch_size: int, images_seen: int) -> float:
        """Weight of the old mean when `batch_size` images follow `images_seen`."""
        images = value_at(self.half_life_kimg, images_seen / 1000) * 1000
        if self.rampup is not None:
            images = min(images, images_seen * self.rampup)
        return 0.5 ** (batch_size / max(images, 1e-8))

    @torch.no_grad()
    def update(self, batch_size: int, images_seen: int) -> None:
        """Follow the live networks by one step."""
        follow = get_ema_multi_avg_fn(self.decay(batch_size, images_seen))
        for name, mean in self.mean.items():
            follow(list(mean.parameters()), list(self.live[name].parameters()), None)
            old, new = list(mean.buffers()), list(self.live[name].buffers())
            for place in self.written[name].since(new):  # no constants
                old[place].copy_(new[place])


class PowerFunctionEMA(EMA):
    """Mean of weights that weigh as t^gamma, t the images seen since it began (arXiv 2312.02696, section 3.1).

    As the mean itself it needs no half-life: it grows with the run, always as wide a share of it.
    """

    def __init__(self, networks: Mapping[str, Network], sigma_rel: float, began: int = 0):
        """`sigma_rel`: the profile's standard deviation as a share of the run; `began`: images seen before it."""
        super().__init__(networks, 0.0, None)
        self.exponent, self.began = exponent_of(sigma_rel), began

    def decay(self, batch_size: int, images_seen: int) -> float:
        before = images_seen - self.began
        return decay(self.exponent, before, before + batch_size)


def running_mean(networks: Mapping[str, Network], recipe: Recipe) -> EMA:
    """The mean that is a recipe's model."""
    if recipe.ema_sigma_rel is not None:
        return PowerFunctionEMA(networks, recipe.ema_sigma_rel)
    # The mean of a trained network is worth keeping from the first step on.
    return EMA(networks, recipe.ema_kimg, None if recipe.init_from else recipe.ema_rampup)


class Written:
    """Which of some tensors are written to; constants are not."""

    def __init__(self, tensors: Sequence[Tensor]):
        """Remember the tensors as they are now."""
        self.known = [(tensor, tensor._version) for tensor in tensors]

    def since(self, tensors: Sequence[Tensor]) -> list[int]:
        """Places of those that are others, or have been written to, since this was last asked, or since the start."""
        now = [(tensor, tensor._version) for tensor in tensors]
        same = [
            old is new and was == version
            for (old, was), (new, version) in zip(self.known, now, strict=len(self.known) == len(now))
        ]
        self.known = now
        return [place for place in range(len(now)) if place >= len(same) or not same[place]]
