"""Runs of transformers: through a break, with what their mean styles have learned, and what a later session draws."""

from __future__ import annotations

import dataclasses

import tiny
import torch
from tiny_runs import same, trained, weights

from ggdr.train import train_step

TRANSFORMERS = tiny.transformers(tiny.recipe)
CHANGES = {name: vars(TRANSFORMERS)[name] for name in ("generator", "discriminator", "loss", "regularizers", "augment")}


def test_a_run_that_is_broken_ends_where_an_unbroken_one_ends(tmp_path):
    whole = trained(tmp_path / "whole", **CHANGES)
    trained(tmp_path / "broken", **CHANGES, total_kimg=0.032)
    broken = trained(tmp_path / "broken", **CHANGES)
    same(weights(whole), weights(broken))


def test_blocks_that_are_computed_again_train_alike(tmp_path):
    found = []
    for again in (False, True):
        inner = dataclasses.replace(TRANSFORMERS.discriminator.encoder.encoder, checkpointing=again)
        noised = dataclasses.replace(TRANSFORMERS.discriminator.encoder, encoder=inner)
        changed = dataclasses.replace(
            TRANSFORMERS,
            generator=dataclasses.replace(TRANSFORMERS.generator, checkpointing=again),
            discriminator=dataclasses.replace(TRANSFORMERS.discriminator, encoder=noised),
        )
        run = tiny.tiny_run(changed, tmp_path / str(again))
        reals = run.reals()
        stats = [train_step(run, next(reals)) for _ in range(2)]
        found.append({key: value for key, value in stats[1].items() if key.startswith("loss/")})
    assert found[0].keys() >= {"loss/d/repa", "loss/d/ggdr", "loss/d/r1", "loss/d/r2", "loss/g/relativistic"}
    for key, value in found[0].items():
        torch.testing.assert_close(found[1][key], value, rtol=1e-4, atol=1e-5, msg=key)


def test_a_step_moves_every_weight_of_both(tmp_path):
    run = tiny.tiny_run(TRANSFORMERS, tmp_path)
    before = {name: [p.clone() for p in net.parameters()] for name, net in run.networks.named().items()}
    reals = run.reals()
    for _ in range(2):
        train_step(run, next(reals))
    for name, network in run.networks.named().items():
        for (key, weight), old in zip(network.named_parameters(), before[name], strict=True):
            assert not torch.equal(weight, old), f"{name}.{key}"
    assert run.networks["generator"].means.w_avg.any()
