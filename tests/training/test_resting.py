"""Weights that rest: what learns nothing for a time stays as it is, and then begins as fresh weights do."""

from __future__ import annotations

import dataclasses
import math

import several
import tiny
import torch
from torch import nn

from ggdr.optimizers.adam import Adam
from ggdr.saving import checkpoint
from ggdr.train import train_loop, train_step
from ggdr.training.trainer import Trainer

RATE = 1e-3
ADAM = Adam(lr=RATE, beta1=0.5, beta2=0.999)
RECIPE = dataclasses.replace(several.recipe("resting"), micro_batch_size=8, g_optimizer=ADAM)
"""the translator's first layer rests for two steps of 0.008 kimg"""


def moves(run, layer: nn.Module) -> torch.Tensor:
    """How far a step moves each weight of a layer."""
    before = layer.weight.detach().clone()
    train_step(run, next(run.reals()))
    return (layer.weight.detach() - before).abs()


def test_resting_weights_stay_as_they_are_and_the_others_learn(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    first, last = run.networks["generator"].into, run.networks["generator"].out
    for _ in range(2):
        before = last.weight.detach().clone()
        assert moves(run, first).max() == 0 and not torch.equal(last.weight, before)
    assert moves(run, first).min() > 0


def test_their_first_update_is_that_of_fresh_weights(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    for _ in range(2):
        moves(run, run.networks["generator"].into)
    # Adam's first step is the rate, wherever the gradient is not about zero; had they counted, some 10 times that
    moved = moves(run, run.networks["generator"].into)
    assert math.isclose(float(moved.median()), RATE, rel_tol=0.01) and moved.max() < 1.01 * RATE
    steps = {int(state["step"]) for state in run.players["g"].optimizer.state.values()}
    assert steps == {1, 3}


def test_a_checkpoint_from_before_they_wake_has_no_moments_of_them(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(RECIPE, total_kimg=0.008), tmp_path)
    with Trainer(run) as trainer:
        train_loop(trainer)
    kept = checkpoint.load_tensors(checkpoint.latest(tmp_path), "optimizer_g")
    names = [name for name, _ in run.networks["generator"].named_parameters()]
    assert {names[int(key.partition(".")[0])] for key in kept} == {"out.weight", "out.bias"}


def test_no_gradient_is_computed_for_them(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    generator, player = run.networks["generator"], run.players["g"]
    source = torch.randn(1, generator.source.channels, 16, 16)
    with player.learning(1, 0.008):
        generator(source).image.sum().backward()
    assert generator.into.weight.grad is None and generator.out.weight.grad is not None
    with player.learning(1, 0.016):
        generator(source).image.sum().backward()
    assert generator.into.weight.grad is not None
    assert not any(parameter.requires_grad for parameter in generator.parameters())
