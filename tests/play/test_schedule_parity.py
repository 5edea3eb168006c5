"""Parity of what moves over steps with its formulas, in NumPy: Adam, running mean, ADA's p, path length."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tiny
import torch

from ggdr.augment.ada import ADA
from ggdr.optimizers.adam import Adam
from ggdr.train import train_step

STEPS = 40
BATCH = tiny.recipe.batch_size
KIMG = {"ema": 0.02, "ada": 0.1}


@pytest.fixture(scope="module", params=[0.5, None], ids=["rampup", "no rampup"])
def history(request, tmp_path_factory):
    """A real run, StyleGAN2 with ADA, path length and GGDR; what it measured and held after each step."""
    recipe = dataclasses.replace(
        tiny.recipe,
        augment=ADA(speed_kimg=KIMG["ada"], target=0.1),
        ema_kimg=KIMG["ema"],
        ema_rampup=request.param,
        total_kimg=1.0,
    )
    run = tiny.tiny_run(recipe, tmp_path_factory.mktemp("run"))
    reals, steps, weight = run.reals(), [], run.networks["generator"].synthesis.b8.conv1.weight
    mean = run.ema.mean["generator"].synthesis.b8.conv1.weight
    start = mean.numpy().astype(np.float64)
    for _ in range(STEPS):
        stats = train_step(run, next(reals))
        length = run.terms["path_length"].state["mean"].item()
        p = run.augment.state["p"].item()
        steps.append((stats, p, length, weight.detach().numpy().copy(), mean.numpy().copy()))
    return request.param, start, steps


def test_ada_control_parity(history):
    """Every 4 steps p += sign(r_t - target) * 4 * batch / speed, 0 <= p <= 1; r_t: mean sign D(reals) of the 4."""
    p, signs, seen = 0.0, [], set()
    for step, (stats, ours, *_) in enumerate(history[2], start=1):
        signs.append(stats["signs/real"].item())
        if step % 4 == 0:
            direction = np.sign(np.mean(signs[-4:]) - 0.1)
            p = float(np.clip(p + direction * 4 * BATCH / (KIMG["ada"] * 1000), 0, 1))
            seen.add(direction)
        assert ours == pytest.approx(p, abs=1e-6)
    assert seen == {-1.0, 1.0}  # it rose and it fell


def test_path_length_mean_parity(history):
    """a <- a + 0.01 (mean length - a), at each step with a path length phase: every second here."""
    mean, lengths = 0.0, 0
    for stats, _, ours, *_ in history[2]:
        if "path_length" in stats:
            mean += 0.01 * (stats["path_length"].item() - mean)
            lengths += 1
        assert ours == pytest.approx(mean, rel=1e-5)
    assert lengths == STEPS // 2


def test_running_mean_parity(history):
    """beta = 0.5 ** (batch / max(min(half-life, images * rampup), 1e-8)), images: those before this step."""
    rampup, mean, steps = history
    for step, (*_, weight, ours) in enumerate(steps):
        half_life = KIMG["ema"] * 1000
        if rampup is not None:
            half_life = min(half_life, step * BATCH * rampup)
        beta = 0.5 ** (BATCH / max(half_life, 1e-8))
        mean = beta * mean + (1 - beta) * weight
        np.testing.assert_allclose(ours, mean, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("lazy", "c"), [([], 1.0), ([4], 4 / 5), ([16], 16 / 17)])
def test_adam_correction_parity(lazy, c):
    """Adam with lr * c, beta1 ** c, beta2 ** c over main and lazy updates in turn; c = interval / (interval + 1)."""
    lr, beta1, beta2, eps = 0.002 * c, 0.5**c, 0.99**c, 1e-8
    parameter = torch.nn.Parameter(torch.ones(5))
    optimizer = Adam(lr=0.002, beta1=0.5, beta2=0.99).build([parameter], lazy)
    x, m, v, updates = np.ones(5), np.zeros(5), np.zeros(5), 0
    draws = np.random.default_rng(0)
    for step in range(STEPS):
        for strength in [1.0, *(every for every in lazy if step % every == 0)]:
            gradient, updates = draws.normal(size=5) * strength, updates + 1
            m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
            x = x - lr * (m / (1 - beta1**updates)) / (np.sqrt(v / (1 - beta2**updates)) + eps)
            parameter.grad = torch.tensor(gradient, dtype=torch.float32)
            optimizer.step()
    np.testing.assert_allclose(parameter.detach().numpy(), x, rtol=1e-4, atol=1e-6)
