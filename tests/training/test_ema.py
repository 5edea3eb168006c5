"""The running mean of weights: its half-life, its slow start, and what it takes over as it is."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.training.ema import EMA


def network():
    """A generator whose weights are ones."""
    made = tiny.STYLEGAN2.build(ImageSpec(8, 8, 1))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(1.0)
    return made


def test_the_old_mean_has_half_its_weight_after_the_half_life():
    mean = EMA({"generator": network()}, half_life_kimg=0.5, rampup=None)
    assert mean.decay(500, 0) == mean.decay(500, 10**6) == 0.5
    assert mean.decay(250, 0) == pytest.approx(0.5**0.5) and mean.decay(1000, 0) == 0.25


def test_at_first_the_half_life_is_a_share_of_the_images_seen():
    mean = EMA({"generator": network()}, half_life_kimg=0.5, rampup=0.05)
    assert mean.decay(8, 0) == 0  # nothing seen: the weights as they are
    assert mean.decay(8, 160) == 0.5 and mean.decay(8, 1600) == pytest.approx(0.5**0.1)
    assert mean.decay(500, 10_000) == mean.decay(500, 10**6) == 0.5


def test_a_half_life_of_nothing_is_the_weights_as_they_are():
    assert EMA({"generator": network()}, half_life_kimg=0.0, rampup=None).decay(1, 10**6) == 0


def test_it_follows_weights_takes_over_buffers_and_neither_learns_nor_trains():
    live = network()
    mean = EMA({"generator": live}, half_life_kimg=0.004, rampup=None)
    kept = mean.mean["generator"]
    with torch.no_grad():
        for tensor in (*live.parameters(), *live.buffers()):
            tensor.fill_(3.0)
    for expected in (2.0, 2.5):
        mean.update(4, 0)
        assert all(torch.equal(p, torch.full_like(p, expected)) for p in kept.parameters())
        assert all(torch.equal(b, torch.full_like(b, 3.0)) for b in kept.buffers()) and list(kept.buffers())
    assert not kept.training and not any(p.requires_grad for p in kept.parameters())
    assert live.training and all(p.requires_grad for p in live.parameters())
