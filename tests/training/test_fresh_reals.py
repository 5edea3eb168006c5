"""Fresh reals for G's turn: which images each turn meets, what is counted, and that a broken run goes on with them."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest
import tiny
import torch
from tiny_runs import files, rows, same, trained, weights

from ggdr.games.standard import StandardGame
from ggdr.train import train_step

FRESH = {name: vars(tiny.fresh(tiny.recipe))[name] for name in ("loss", "augment", "game")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watched(StandardGame):
    """The standard game, which notes who meets which reals."""

    met: ClassVar[list] = []

    def duels(self, networks, batch, context):
        self.met.append((context.turn, *batch["real"]))
        return super().duels(networks, batch, context)


@pytest.mark.parametrize(
    ("fresh", "n_critic", "expected"),
    [
        (False, 1, ["g0", "d0", "g1", "d1"]),
        (False, 2, ["g0", "d0", "d1", "g2", "d2", "d3"]),
        (True, 1, ["g1", "d0", "g3", "d2"]),
        (True, 2, ["g2", "d0", "d1", "g5", "d3", "d4"]),
    ],
)
def test_each_turn_meets_batches_of_the_one_endless_order(fresh, n_critic, expected, tmp_path):
    Watched.met.clear()
    changes = {"game": Watched(fresh_reals=fresh), "regularizers": {}, "n_critic": n_critic, "micro_batch_size": 8}
    data = dataclasses.replace(tiny.recipe.data, labels=True)
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, data=data, **changes), tmp_path)
    reals = run.reals()
    for _ in range(2):
        train_step(run, next(reals))
    assert len(Watched.met) == len(expected)
    for (turn, images, labels), name in zip(Watched.met, expected, strict=True):
        place = int(name[1:])
        batch = run.images.at([*range(8 * place, 8 * place + 8)], run.recipe.seed)
        assert turn == name[0] and torch.equal(images, batch.images.float() / 127.5 - 1)
        assert torch.equal(labels, batch.labels)
    assert run.images_seen == 2 * 8 * n_critic  # what G's turn read beside is not counted


def test_a_lazy_phase_of_g_meets_its_turns_reals_too(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, n_critic=2, **FRESH), tmp_path)
    assert {phase.name: phase.reals for phase in run.phases} == {
        "g": slice(2, 3),
        "g every 2": slice(2, 3),
        "d": slice(0, 2),
        "d every 4": slice(0, 1),
    }
    assert "fresh_reals: a step reads 24 reals, and counts 16 of them" in run.notes


def test_a_run_with_fresh_reals_that_is_broken_off_ends_where_an_unbroken_one_ends(tmp_path):
    whole = trained(tmp_path / "whole", **FRESH)
    trained(tmp_path / "broken", **FRESH, total_kimg=0.032)
    broken = trained(tmp_path / "broken", **FRESH)
    same(weights(whole), weights(broken))
    assert files(tmp_path / "whole") == files(tmp_path / "broken")
    assert rows(tmp_path / "whole") == rows(tmp_path / "broken")
