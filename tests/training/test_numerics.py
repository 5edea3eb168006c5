"""bf16 trains as float32 does, and what must be float32 is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import tiny
import torch

from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR
from ggdr.train import train_loop
from ggdr.training.run import Run
from ggdr.training.trainer import Trainer

BAND = 0.05
"""how far the means of a loss over the second half of these runs may be apart, as a share of the larger"""


def in_bf16(recipe: Recipe, out: Path) -> Run:
    run = tiny.tiny_run(recipe, out)
    run.accelerator.autocast = lambda: torch.autocast("cpu", torch.bfloat16)
    return run


def mean_losses(run: Run) -> dict[str, float]:
    """Of each loss over the second half of a run."""
    with Trainer(run) as trainer:
        train_loop(trainer)
    rows = [json.loads(line) for line in (run.out / "metrics.jsonl").read_text().splitlines()]
    half = rows[len(rows) // 2 :]
    names = {name for row in half for name in row if name.startswith("loss/")}
    return {name: sum(row[name] for row in half if name in row) / sum(name in row for row in half) for name in names}


def test_losses_in_bf16_follow_those_in_float32_on_digits(tmp_path):
    recipe = dataclasses.replace(
        tiny.recipe, micro_batch_size=None, total_kimg=0.64, log_kimg=0.016, checkpoint_kimg=100.0
    )
    exact, rough = mean_losses(tiny.tiny_run(recipe, tmp_path / "a")), mean_losses(in_bf16(recipe, tmp_path / "b"))
    assert exact.keys() == rough.keys() and exact != rough and len(exact) == 5
    apart = {name: abs(exact[name] - rough[name]) / max(abs(exact[name]), abs(rough[name])) for name in exact}
    assert max(apart.values()) < BAND, apart


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watched(GGDR):
    """GGDR, and in what it was computed."""

    def d_loss(self, duel):
        maps = [
            maps[resolution]
            for maps in (duel.on_fake.features, duel.on_fake.target_features)
            for resolution in self.resolutions
        ]
        self.__dict__["seen"] = {each.dtype for each in maps} | {torch.is_autocast_enabled("cpu")}
        return super().d_loss(duel)


def test_penalties_are_those_of_float32_and_ggdr_is_computed_in_it(tmp_path):
    terms = tiny.recipe.regularizers | {"ggdr": Watched(resolutions=(8,))}
    recipe = dataclasses.replace(tiny.recipe, regularizers=terms)
    found = []
    for run in (tiny.tiny_run(recipe, tmp_path), in_bf16(recipe, tmp_path)):
        batch = next(run.reals())[0]
        values = {}
        for phase in run.phases:
            run.seed(phase.name)
            with run.players[phase.turn].learning(1, 0.0):
                (duel,) = run.recipe.game.duels(run.networks, batch, run.context(phase, batch))
                values |= {f"{phase.turn}/{name}": term.loss(duel) for name, term in phase.terms.items()}
        assert run.terms["ggdr"].seen == {torch.float32, False}
        assert {value.dtype for value in values.values()} == {torch.float32}
        found.append({name: value.item() for name, value in values.items()})
    exact, rough = found
    same = {name for name in exact if exact[name] == rough[name]}
    assert same == {"d/r1", "g/path_length"}, "and only they: autocast is at work in the other phases"
