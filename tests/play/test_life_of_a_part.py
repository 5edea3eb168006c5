"""The life of a part: settings that stay as they were written, `resolve`, a declared state, `learn`."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch

from ggdr.features.digits import Digits
from ggdr.networks.base import ImageSpec
from ggdr.play.term import Regularizer, State
from ggdr.recipe.fitting import fit
from ggdr.registry import augmentations, discover, losses, regularizers
from ggdr.regularizers.r1 import R1

discover()
CPU, SPEC = torch.device("cpu"), ImageSpec(16, 16, 1)
PARTS = [*losses.values(), *regularizers.values(), *augmentations.values()]


class Counts(Regularizer):
    """Counts steps and keeps their loss; not registered."""

    name = "counts"

    def start(self, device) -> State:
        return {"steps": torch.zeros([], device=device), "last": torch.zeros([], device=device)}

    def after_step(self, stats) -> State:
        if "last" not in stats:
            return {}
        return {"steps": self.state["steps"] + 1, "last": stats["last"]}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.registry.kind} {part.name}")
def test_settings_are_frozen_and_hold_no_state(part):
    at_hand = {"perceptual": {"extractor": Digits(), "layers": ("silu1",)}, "repa": {"extractor": Digits()}}
    made = part(**at_hand.get(part.name, {}))
    name = next(field.name for field in dataclasses.fields(made)) if dataclasses.fields(made) else "weight"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, name, 3)
    made.begin(CPU)
    assert made == dataclasses.replace(made) and all(
        isinstance(value, torch.Tensor) for value in made.state_dict().values()
    )


def test_a_run_fills_in_what_is_open_and_the_recipe_stays_as_it_was_written():
    recipe = dataclasses.replace(tiny.recipe, regularizers={"r1": R1(), "ggdr": regularizers["ggdr"]()})
    before = repr(recipe)
    first, second = fit(recipe, {"real": SPEC}).recipe, fit(recipe, {"real": SPEC._replace(height=32, width=32)}).recipe
    assert repr(recipe) == before and recipe.regularizers["r1"].weight is None
    assert (first.regularizers["ggdr"].resolutions, second.regularizers["ggdr"].resolutions) == ((8,), (8,))
    assert second.regularizers["r1"].weight == pytest.approx(4 * first.regularizers["r1"].weight)


def test_runs_of_one_recipe_have_states_of_their_own():
    first, second = (fit(tiny.recipe, {"real": SPEC}).recipe.augment for _ in range(2))
    for augment in (first, second):
        augment.begin(CPU)
    first.state["p"].fill_(0.5)
    assert second.state["p"] == 0 and "state" not in vars(tiny.recipe.augment)


def test_what_is_not_finite_stays_out_of_the_state_and_what_is_not_named_stays_as_it_is():
    part = Counts()
    part.begin(CPU)
    part.learn({"last": torch.tensor(2.0)})
    part.learn({"last": torch.tensor(float("nan"))})
    part.learn({})
    assert {key: value.item() for key, value in part.state.items()} == {"steps": 2.0, "last": 2.0}


def test_a_state_of_other_names_is_refused():
    part = Counts()
    part.begin(CPU)
    with pytest.raises(ValueError, match=r"'counts' has the state \['last', 'steps'\]; given \['steps'\]"):
        part.load_state_dict({"steps": torch.zeros([])})
