"""The running mean of weights: its half-life, its slow start, and what it takes over as it is."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from tiny_runs import files, trained

from ggdr.networks.base import ImageSpec
from ggdr.ops.power_function import exponent_of
from ggdr.training.ema import EMA, PowerFunctionEMA


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


def test_a_power_function_mean_weighs_steps_by_its_profile_from_where_it_began():
    live = network()
    mean = PowerFunctionEMA({"generator": live}, sigma_rel=0.1, began=100)
    assert mean.decay(10, 100) == 0 and mean.decay(10, 190) == pytest.approx((1 - 1 / 10) ** (exponent_of(0.1) + 1))
    for images_seen, value in ((100, 3.0), (110, 5.0)):
        with torch.no_grad():
            for parameter in live.parameters():
                parameter.fill_(value)
        mean.update(10, images_seen)
    share = 0.5 ** (exponent_of(0.1) + 1)
    expected = share * 3 + (1 - share) * 5
    for parameter in mean.mean["generator"].parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, expected))


def test_the_model_of_a_run_is_such_a_mean_where_the_recipe_gives_its_width(tmp_path):
    run = trained(tmp_path / "whole", ema_sigma_rel=0.15, ema_kimg=7.0)
    assert isinstance(run.ema, PowerFunctionEMA) and run.ema.exponent == exponent_of(0.15) and run.ema.began == 0
    trained(tmp_path / "broken", ema_sigma_rel=0.15, ema_kimg=7.0, total_kimg=0.032)
    trained(tmp_path / "broken", ema_sigma_rel=0.15, ema_kimg=7.0)
    assert files(tmp_path / "whole") == files(tmp_path / "broken")
    assert type(trained(tmp_path / "other", total_kimg=0.008).ema) is EMA


def test_a_width_of_the_model_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="ema_sigma_rel is 0.5; give a number above 0, at most 0.2886"):
        dataclasses.replace(tiny.recipe, ema_sigma_rel=0.5)
