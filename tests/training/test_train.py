"""The trainer: a step's passes, exact continuation, pairs that change by recipe lines alone, broken gradients."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest
import tiny
import torch
from tiny_runs import same, weights

from ggdr.augment.none import NoAugmentation
from ggdr.data.digits import Digits
from ggdr.lazy import Tensor
from ggdr.optimizers.adam import Adam
from ggdr.schedules.constant import Constant
from ggdr.train import play, train_loop, train_step
from ggdr.training.player import touch
from ggdr.training.trainer import Trainer


def trained(recipe, out: Path):
    """A run that has gone to its end."""
    run = tiny.tiny_run(recipe, out)
    with Trainer(run) as trainer:
        train_loop(trainer)
    return run


def passes(run, steps: int) -> Counter:
    """How often networks and decoder ran in the last of `steps` steps."""
    seen: Counter = Counter()
    networks = run.networks.named()
    parts = {"G": networks["generator"].synthesis, "D": networks["discriminator"].encoder}
    parts["decoder"] = networks["discriminator"].decoder
    reals = run.reals()
    for _ in range(steps - 1):
        train_step(run, next(reals))
    for name, part in parts.items():
        # The D of a U-Net is entered through `pyramid`, which forward hooks do not see; its first block is.
        module = next(part.children()) if name == "D" else part
        module.register_forward_hook(lambda *_, name=name: seen.update([name]))
    train_step(run, next(reals))
    return seen


def test_a_step_runs_the_minimum_of_passes(tmp_path):
    whole = dataclasses.replace(tiny.recipe, micro_batch_size=None)
    assert passes(tiny.tiny_run(whole, tmp_path), steps=1) == {"G": 3, "D": 4, "decoder": 1}  # everything is due
    assert passes(tiny.tiny_run(whole, tmp_path), steps=2) == {"G": 2, "D": 3, "decoder": 1}  # an ordinary step


def test_half_a_run_and_the_same_again_is_the_whole_run_bit_for_bit(tmp_path):
    whole = trained(tiny.recipe, tmp_path / "whole")
    trained(dataclasses.replace(tiny.recipe, total_kimg=0.032), tmp_path / "halves")
    second = trained(tiny.recipe, tmp_path / "halves")
    assert second.step == whole.step == 8
    assert float(whole.adaptive["augment"].state["p"]) > 0 and float(whole.adaptive["path_length"].state["mean"]) != 0
    same(weights(second), weights(whole))


@pytest.mark.parametrize("labels", [False, True], ids=["unconditional", "conditional"])
@pytest.mark.parametrize("augment", [tiny.recipe.augment, NoAugmentation()], ids=["ada", "none"])
@pytest.mark.parametrize("pair", [lambda r: r, tiny.dcgan], ids=["stylegan2", "dcgan"])
def test_ggdr_trains_on_every_pair_by_recipe_lines_alone(pair, augment, labels, tmp_path):
    data = Digits(size=16, subset=64, labels=labels)
    recipe = pair(dataclasses.replace(tiny.recipe, data=data, augment=augment, total_kimg=0.016))
    run = trained(recipe, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert run.step == 2 and all(0 < row["loss/d/ggdr"] < 2 for row in rows)
    assert run.networks["discriminator"].decoder is not None


def test_every_player_learns_and_the_other_stands_still(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, micro_batch_size=None), tmp_path)
    reals = next(run.reals())
    before = {turn: [p.clone() for p in player.parameters] for turn, player in run.players.items()}
    train_step(run, reals)
    for turn, player in run.players.items():
        moved = [not torch.equal(a, b) for a, b in zip(before[turn], player.parameters, strict=True)]
        assert sum(moved) > 0.8 * len(moved), turn
        assert all(p.grad is None and not p.requires_grad for p in player.parameters)


def test_micro_batches_take_their_draws_with_them(tmp_path):
    """The gradient of a batch is the mean of its micro-batches' gradients, each from its own draws."""
    recipe = dataclasses.replace(tiny.recipe, total_kimg=0.008)
    stats = {}
    for size in (4, 2):
        run = tiny.tiny_run(dataclasses.replace(recipe, micro_batch_size=size), tmp_path)
        places = [place for place, _ in run.micro_batches(next(run.reals())[0])]
        assert places == list(range(8 // size))
        stats[size] = train_step(run, next(run.reals()))
    assert stats[4]["loss/g/non_saturating"] != stats[2]["loss/g/non_saturating"]


def test_n_critic_shows_fresh_reals_to_d_for_one_turn_of_g(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, n_critic=3), tmp_path)
    batches = next(run.reals())
    assert len(batches) == 3 and not torch.equal(batches[0]["real"].images, batches[1]["real"].images)
    train_step(run, batches)
    steps = {turn: max(int(s["step"]) for s in p.optimizer.state.values()) for turn, p in run.players.items()}
    assert steps == {"g": 2, "d": 4}  # G main, G lazy; D main three times, D lazy
    assert run.images_seen == 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Poison(tiny.R1):
    """A term whose gradient is not finite."""

    def d_loss(self, duel):
        return super().d_loss(duel) * float("nan")


def test_gradients_that_are_not_finite_are_skipped_and_counted_then_end_the_run(tmp_path):
    recipe = dataclasses.replace(tiny.recipe, regularizers={"poison": Poison(weight=1.0, every=1)}, nonfinite_limit=3)
    run = tiny.tiny_run(dataclasses.replace(recipe, discriminator=tiny.RESNET, total_kimg=1.0), tmp_path)
    before = [p.clone() for p in run.players["d"].parameters]
    with Trainer(run) as trainer, pytest.raises(ValueError, match="last 3 gradients of D were not finite"):
        train_loop(trainer)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert run.step == 3 and [row["nonfinite/d"] for row in rows] == [1.0, 1.0, 1.0]
    assert all(torch.equal(a, b) for a, b in zip(before, run.players["d"].parameters, strict=True))


def test_bf16_trains_with_weights_and_losses_in_float32(tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, total_kimg=0.008), tmp_path)
    run.accelerator.autocast = lambda: torch.autocast("cpu", torch.bfloat16)
    stats = train_step(run, next(run.reals()))
    assert all(value.isfinite().all() and value.dtype == torch.float32 for value in stats.values())
    assert {p.dtype for player in run.players.values() for p in player.parameters} == {torch.float32}


def test_lazy_phases_keep_their_strength_with_n_critic(tmp_path):
    """R1 at each fourth step weighs as much, per update of D, as at every step."""
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, n_critic=3), tmp_path)
    assert [(p.name, p.repeats, p.strength) for p in run.phases] == [
        ("g", 1, 1),
        ("g every 2", 1, 2),
        ("d", 3, 1),
        ("d every 4", 1, 12),
    ]
    assert run.players["d"].optimizer.param_groups[0]["lr"] == pytest.approx(0.0025 * 12 / 13)


@pytest.mark.parametrize("pair", [lambda r: r, tiny.dcgan], ids=["stylegan2", "dcgan"])
def test_one_bad_step_leaves_no_trace_in_running_statistics(pair, tmp_path):
    run = tiny.tiny_run(pair(tiny.recipe), tmp_path)
    reals = run.reals()
    train_step(run, next(reals))
    generator = run.networks["generator"]
    generator.after_step({key: value * float("nan") for key, value in measured(generator).items()})
    assert all(buffer.isfinite().all() for buffer in generator.buffers())


def measured(generator) -> dict[str, Tensor]:
    """What a generator measures of one training pass."""
    generator(torch.randn(4, generator.z_dim))
    found = generator.measure()
    assert found
    return found


def test_lazy_regularization_corrects_adam(tmp_path):
    run = tiny.tiny_run(tiny.recipe, tmp_path)
    for turn, c in (("g", 2 / 3), ("d", 4 / 5)):
        group = run.players[turn].optimizer.param_groups[0]
        assert group["lr"] == pytest.approx(0.0025 * c)
        assert group["betas"] == pytest.approx((0.0, 0.99**c))


def test_the_learning_rate_rises_from_nothing_over_the_warmup(tmp_path):
    """By the images seen before the step: 0, 8, 16 of 32; D's player, without a warm-up, begins at its rate."""
    warm = Adam(lr=Constant(start=0.0025, warmup_kimg=0.032))
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, g_optimizer=warm), tmp_path)
    before = {name: p.clone() for name, p in run.networks["generator"].named_parameters()}
    reals, rates = run.reals(), []
    for step in range(6):
        train_step(run, next(reals))
        rates.append({turn: player.optimizer.param_groups[0]["lr"] for turn, player in run.players.items()})
        if not step:  # a rate of 0 moves nothing
            assert all(torch.equal(p, before[name]) for name, p in run.networks["generator"].named_parameters())
    assert [rate["g"] for rate in rates] == pytest.approx([0.0025 * 2 / 3 * min(k / 4, 1) for k in range(6)])
    assert [rate["d"] for rate in rates] == pytest.approx([0.0025 * 4 / 5] * 6)


@pytest.mark.parametrize("limit", [None, 1e9, 0.01])
def test_gradients_are_clipped_together_to_the_optimizers_clip_norm(limit, tmp_path):
    """The first moment of Adam, from beta1 0.5 on, is half of the gradient that it was given."""
    adam = Adam(beta1=0.5, clip_norm=limit)
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, g_optimizer=adam, regularizers={}), tmp_path)
    stats = train_step(run, next(run.reals()))
    moments = [state["exp_avg"] for state in run.players["g"].optimizer.state.values()]
    given = torch.nn.utils.get_total_norm(moments) / 0.5
    measured = float(stats["grad/g"])  # what is logged is the norm before clipping
    assert measured > 0.01 and float(given) == pytest.approx(0.01 if limit == 0.01 else measured, rel=1e-3)


def test_a_largest_norm_of_nothing_is_refused():
    with pytest.raises(ValueError, match="clip_norm is 0; give a number above 0"):
        Adam(clip_norm=0)


def test_every_update_counts_for_every_weight_of_its_player(tmp_path):
    """Path length does not reach toRGB's biases, nor R1 D's last bias and decoder: their Adam goes on by a zero."""
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, micro_batch_size=None), tmp_path)
    reals = run.reals()
    for _ in range(3):
        train_step(run, next(reals))
    states = {turn: [player.optimizer.state[p] for p in player.parameters] for turn, player in run.players.items()}
    assert {turn: {int(state["step"]) for state in found} for turn, found in states.items()} == {"g": {5}, "d": {4}}
    bias = run.networks["discriminator"].encoder.b4.out.bias
    before = run.players["d"].optimizer.state[bias]["exp_avg_sq"].clone()
    lazy = next(phase for phase in run.phases if phase.name == "d every 4")
    play(run, lazy, next(reals))
    after = run.players["d"].optimizer.state[bias]["exp_avg_sq"]
    torch.testing.assert_close(after, before * run.players["d"].optimizer.param_groups[0]["betas"][1])


def test_gradients_of_zero_share_their_memory_and_lie_as_their_weights_do():
    wide = torch.nn.Parameter(torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last))
    small, double = torch.nn.Parameter(torch.randn(5)), torch.nn.Parameter(torch.randn(2, dtype=torch.float64))
    touch([small, wide, double])
    assert wide.grad.stride() == wide.stride() and not any(p.grad.any() for p in (wide, small, double))
    assert small.grad.data_ptr() == wide.grad.data_ptr() and double.grad.dtype == torch.float64
    assert wide.grad.untyped_storage().nbytes() == 4 * wide.numel()


def test_order_of_a_step(tmp_path):
    names = [phase.name for phase in tiny.tiny_run(tiny.recipe, tmp_path).phases]
    assert names == ["g", "g every 2", "d", "d every 4"]


def test_batch_that_does_not_split_is_refused_with_what_to_type(tmp_path):
    with pytest.raises(ValueError, match="batch of 8 does not split .* micro-batches of 3; set --batch-size"):
        tiny.tiny_run(dataclasses.replace(tiny.recipe, micro_batch_size=3), tmp_path)
