"""Each optimizer as torch.optim takes it by hand, with lazy phases; clipping; what is skipped; saved and taken back."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from tiny_runs import files, rows, same, trained, weights

from ggdr.errors import UserError
from ggdr.flags.recipe import parse
from ggdr.optimizers.adam import Adam
from ggdr.optimizers.adamw import AdamW
from ggdr.optimizers.rmsprop import RMSProp
from ggdr.optimizers.sgd import SGD
from ggdr.play.optimizer import Optimizer
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, to_json
from ggdr.registry import optimizers
from ggdr.saving import checkpoint
from ggdr.schedules.cosine import Cosine
from ggdr.schedules.linear import Linear
from ggdr.train import train_step
from ggdr.training.player import Player

LAZY, C = [4], 4 / 5
KIMG = [0.008 * step for step in range(12)]
RATE = Cosine(start=0.01, end=0.001, kimg=0.06)
BETA2 = Linear(start=0.9, end=0.99, kimg=0.05)


class Plain(torch.nn.Module):
    """Five weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 5))
        self.aside = torch.nn.Parameter(torch.ones(2))  # which no loss reaches


def adam_group(kimg: float) -> dict:
    return {"lr": RATE.at(kimg) * C, "betas": (0.5**C, BETA2.at(kimg) ** C)}


def rate_alone(kimg: float) -> dict:
    return {"lr": RATE.at(kimg)}


CASES = {
    "adam": (
        Adam(lr=RATE, beta1=0.5, beta2=BETA2, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, weight_decay=0.1),
        adam_group,
    ),
    "adamw": (
        AdamW(lr=RATE, beta1=0.5, beta2=BETA2, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, weight_decay=0.1),
        adam_group,
    ),
    "sgd": (
        SGD(lr=RATE, momentum=0.7, nesterov=True, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, momentum=0.7, nesterov=True, weight_decay=0.1),
        rate_alone,
    ),
    "rmsprop": (
        RMSProp(lr=RATE, alpha=0.9, momentum=0.5, weight_decay=0.1),
        lambda p: torch.optim.RMSprop(p, alpha=0.9, momentum=0.5, weight_decay=0.1),
        rate_alone,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_player_updates_as_torch_does_by_hand_over_main_and_lazy_phases(name):
    """Rates and beta2 by their schedules; the fourth update has gradients that are not finite, and is none."""
    settings, by_hand, group = CASES[name]
    ours, theirs = Plain(), Plain()
    player, other = Player({"d": ours}, settings, LAZY), by_hand(list(theirs.parameters()))
    draws = torch.Generator().manual_seed(0)
    updates = [
        (kimg, strength) for place, kimg in enumerate(KIMG) for strength in ([1.0, 4.0] if place % 4 == 0 else [1.0])
    ]
    for place, (kimg, strength) in enumerate(updates):
        gradient = torch.randn(5, generator=draws) * strength
        broken = place == 3
        ours.weight.grad = gradient * torch.nan if broken else gradient.clone()
        player.set_hyperparameters(kimg)
        player.step(skip=torch.tensor(broken))
        if not broken:
            theirs.weight.grad, theirs.aside.grad = gradient, torch.zeros(2)
            other.param_groups[0].update(group(kimg))
            other.step()
        assert ours.weight.grad is None
    for mine, his in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, his, rtol=1e-5, atol=1e-7)
    assert not torch.equal(ours.aside, torch.ones(2)) and not ours.weight.isnan().any()


@pytest.mark.parametrize("name", CASES)
def test_a_first_update_that_is_skipped_leaves_nothing_behind(name):
    ours, fresh = Plain(), Plain()
    player, other = (Player({"d": network}, CASES[name][0], []) for network in (ours, fresh))
    ours.weight.grad = torch.full((5,), torch.inf)
    player.step(skip=torch.tensor(True))
    assert torch.equal(ours.weight, fresh.weight)
    for each, network in ((player, ours), (other, fresh)):
        network.weight.grad = torch.ones(5)
        each.step(skip=torch.tensor(False))
    assert torch.equal(ours.weight, fresh.weight) and torch.equal(ours.aside, fresh.aside)


def test_registered_optimizers_are_those_that_are_tested():
    assert {name for name, part in optimizers.items() if part.__module__.startswith("ggdr.")} == CASES.keys()
    assert {name for name, (settings, *_) in CASES.items() if settings.corrected()} == {"adam", "adamw"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SGD(clip_value=1.0), [1.0, -0.5, 1.0, 0.0, -1.0]),
        (SGD(clip_norm=1.0), [3 / 5.5, -0.5 / 5.5, 2 / 5.5, 0.0, -4.12310563 / 5.5]),
        (SGD(clip_value=1.0, clip_norm=0.5), [x * 0.5 / 3.25**0.5 for x in (1.0, -0.5, 1.0, 0.0, -1.0)]),
    ],
)
def test_gradients_are_cut_by_value_then_scaled_by_their_norm(settings, expected):
    network = Plain()
    player = Player({"d": network}, settings, [])
    network.weight.grad = torch.tensor([3.0, -0.5, 2.0, 0.0, -4.12310563])
    assert float(player.clip_gradients()) == pytest.approx(5.5, rel=1e-5)  # before
    torch.testing.assert_close(network.weight.grad, torch.tensor(expected), rtol=1e-4, atol=1e-6)


def test_gradients_that_are_not_finite_are_seen_before_they_are_cut():
    network = Plain()
    player = Player({"d": network}, SGD(clip_value=1.0), [])
    network.weight.grad = torch.full((5,), torch.inf)
    assert not player.clip_gradients().isfinite()


class NAdam(torch.optim.NAdam):
    """Keeps, beside torch's tensors, what others keep: a number, a truth, nothing."""

    def step(self, closure=None):
        super().step()
        for state in self.state.values():
            state |= {"count": state.get("count", 0) + 1, "rate": 0.1, "warm": True, "nothing": None}


@optimizers.register("nadam_of_this_test")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(Optimizer):
    """Any class of torch.optim, as a plug-in."""

    def make(self, parameters):
        return NAdam(parameters)


@pytest.fixture(autouse=True, scope="module")
def own():
    yield
    optimizers.pop("nadam_of_this_test")


EVERY = [*(settings for settings, *_ in CASES.values()), Own(), SGD(momentum=0.0)]


@pytest.mark.parametrize("settings", EVERY, ids=lambda settings: settings.name)
def test_a_resumed_run_equals_an_unbroken_one(settings, tmp_path):
    both = {"g_optimizer": settings, "d_optimizer": settings, "total_kimg": 0.032}
    whole = trained(tmp_path / "whole", **both)
    trained(tmp_path / "broken", **(both | {"total_kimg": 0.016}))
    broken = trained(tmp_path / "broken", **both)
    same(weights(whole), weights(broken))
    assert files(tmp_path / "whole") == files(tmp_path / "broken")
    if settings.lr is not RATE:  # of which the log has a line the more, where the run was broken off
        assert rows(tmp_path / "whole") == rows(tmp_path / "broken")


def test_states_of_all_sorts_are_saved_and_taken_back_as_they_were():
    network = Plain()
    optimizer = NAdam(list(network.parameters()))
    network.weight.grad, network.aside.grad = torch.ones(5), torch.ones(2)
    optimizer.step()
    saved = checkpoint.optimizer_tensors(optimizer)
    assert all(isinstance(value, torch.Tensor) for value in saved.values())
    other = NAdam(list(Plain().parameters()))
    checkpoint.load_optimizer(other, saved)
    before, after = (list(each.state.values())[0] for each in (optimizer, other))
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]) if isinstance(value, torch.Tensor) else value == after[key]
    assert type(after["count"]) is int and after["warm"] is True and after["nothing"] is None


def test_a_state_that_no_checkpoint_holds_is_refused():
    optimizer = NAdam(list(Plain().parameters()))
    optimizer.state[optimizer.param_groups[0]["params"][0]] = {"history": [1, 2]}
    with pytest.raises(UserError, match="NAdam keeps 'history', a list, which checkpoints cannot hold"):
        checkpoint.optimizer_tensors(optimizer)


def test_flags_swap_and_set_them_and_json_takes_them_back():
    flags = "--g-optimizer adamw --g-optimizer.weight-decay 0.1 --d-optimizer sgd --d-optimizer.clip-norm 2"
    recipe = parse(["recipes/digits.py", *flags.split()], "ggdr train").recipe
    assert recipe.g_optimizer == AdamW(weight_decay=0.1) and recipe.d_optimizer == SGD(clip_norm=2.0)
    assert from_json(Recipe, to_json(recipe)) == recipe and to_json(recipe)["d_optimizer"]["type"] == "sgd"


def test_a_run_says_where_lazy_phases_are_not_corrected_for(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, d_optimizer=SGD()), tmp_path)
    assert "d_optimizer: sgd has no betas: its rate and decays are not corrected for lazy phases" in run.notes
    assert run.players["d"].optimizer.param_groups[0]["lr"] == 0.01
    without = dataclasses.replace(tiny.recipe, d_optimizer=SGD(), regularizers={})
    assert not [note for note in tiny.tiny_run(without, tmp_path).notes if "betas" in note]


def test_they_tell_model_cards_what_they_are_set_to():
    assert Adam().describe() == "Adam, rate 0.0025, betas 0 and 0.99"
    assert AdamW().describe() == "AdamW, rate 0.0025, betas 0 and 0.99, weight decay 0.01"
    assert SGD(lr=Linear(start=0.1, kimg=9.0)).describe() == "SGD, rate linear from 0.1 to 0 over 9 kimg, momentum 0.9"
    assert RMSProp().describe() == "RMSProp, rate 5e-05, alpha 0.99, momentum 0" and Own().describe().endswith("0.0025")


def test_a_rate_after_a_rollback_is_slower_by_its_factor_whatever_the_schedule(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, d_optimizer=SGD(lr=RATE), rollback_lr=0.5), tmp_path)
    run.slow_down(2)
    train_step(run, next(run.reals()))
    assert run.players["d"].optimizer.param_groups[0]["lr"] == pytest.approx(RATE.at(0.0) / 4)
