"""Power-function means of a run, and others that `ggdr ema` makes: against the mean of all weights, through breaks."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import sys

import pytest
import tiny
import torch
from launching import LAUNCH, launch
from places import TINY
from safetensors.torch import load_file
from tiny_runs import files, trained

from ggdr.callbacks.power_ema import PowerEMA
from ggdr.networks.base.module import Generator
from ggdr.ops.power_function import exponent_of
from ggdr.play.callback import Callback
from ggdr.saving import ema_snapshots
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer
from ggdr.verbs.ema import main

STEPS = 16
STORED = (0.05, 0.1)


@dataclasses.dataclass(kw_only=True)
class Remembers(Callback):
    """Remembers G's weights after each step."""

    name = "remembers"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weights: list[torch.Tensor] = []

    def after_step(self, trainer, stats):
        self.weights.append(flat(trainer.run.networks["generator"]))


def flat(network) -> torch.Tensor:
    """All weights of a network."""
    return torch.cat([weight.detach().double().flatten() for weight in network.parameters()])


def run(out, every=0.008, widths=STORED, **changes):
    """A run of the tiny recipe with these means, and what else is changed."""
    parts = {"ema": PowerEMA(every_kimg=every, sigma_rel=widths), "remembers": Remembers()}
    return trained(out, **{"total_kimg": STEPS * 0.008, "callbacks": parts} | changes)


def brute_force(weights: list[torch.Tensor], width: float) -> torch.Tensor:
    """The mean of the weights after each of n steps; step i weighs (i^(gamma+1) - (i-1)^(gamma+1)) / n^(gamma+1)."""
    power, count = exponent_of(width) + 1, len(weights)
    shares = [((step + 1) ** power - step**power) / count**power for step in range(count)]
    assert math.isclose(sum(shares), 1)
    return sum(share * each for share, each in zip(shares, weights, strict=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with a snapshot after each step."""
    out = tmp_path_factory.mktemp("whole")
    return out, run(out)


@pytest.mark.parametrize("width", [0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25])
def test_any_width_is_the_mean_of_all_weights_within_its_bound(whole, width, tmp_path, capsys):
    """By Cauchy and Schwarz no weight is off by more than the L2 norm of what its profile lacks, times its own about
    any constant, here its mean: sqrt(time) * error * |profile| * root mean square of the weight's way."""
    out, trained_run = whole
    weights = trained_run.callbacks["remembers"].weights
    assert main([str(out), "--sigma-rel", str(width), "--out", str(tmp_path / "model")]) == 0
    assert f"sigma_rel {width:g} at 0.128 kimg, of 16 snapshots" in capsys.readouterr().out
    found, expected = flat(Generator.from_pretrained(tmp_path / "model")), brute_force(weights, width)
    every, gamma = torch.stack(weights), exponent_of(width)
    error = json.loads((tmp_path / "model" / "source.json").read_text())["lacking"]
    norm = (gamma + 1) / math.sqrt(2 * gamma + 1)  # of the profile over [0, 1]
    bound = error * norm * every.std(dim=0, correction=0)
    assert ((found - expected).abs() <= bound + 2e-6 * (1 + expected.abs())).all()
    assert error < 0.1 and (error < 1e-6) == (width in STORED)
    moved = (every[-1] - expected).norm()
    assert (found - expected).norm() < 0.15 * moved  # nearer by far to the mean than the last weights are


def test_the_mean_at_an_earlier_moment_is_of_the_steps_until_then(whole, tmp_path):
    out, trained_run = whole
    assert main([str(out), "--sigma-rel", "0.1", "--kimg", "0.04", "--out", str(tmp_path / "model")]) == 0
    made_of = json.loads((tmp_path / "model" / "source.json").read_text())["snapshots"]
    assert made_of == [f"{step:08d}" for step in range(1, 6)]
    expected = brute_force(trained_run.callbacks["remembers"].weights[:5], 0.1)
    torch.testing.assert_close(flat(Generator.from_pretrained(tmp_path / "model")), expected, rtol=1e-5, atol=1e-6)


def test_buffers_are_those_of_that_moment(whole, tmp_path):
    out, trained_run = whole
    main([str(out), "--sigma-rel", "0.12", "--out", str(tmp_path / "model")])
    made = dict(Generator.from_pretrained(tmp_path / "model").named_buffers())
    kept = dict(trained_run.ema.mean["generator"].named_buffers())
    assert made.keys() == kept.keys() and all(torch.equal(made[name], kept[name]) for name in kept)


def test_a_broken_run_ends_with_the_means_and_the_snapshots_of_an_unbroken_one(tmp_path):
    """It stops between snapshots, and dies after one that the last checkpoint knows nothing of."""
    every = {"every": 0.016, "total_kimg": 0.064}
    run(tmp_path / "whole", **every)
    run(tmp_path / "broken", **every | {"total_kimg": 0.048})
    shutil.rmtree(tmp_path / "broken" / "checkpoints" / "00000006")  # what is left is the one of step 4
    (tmp_path / "broken" / "ema" / ".writing-00000008").mkdir()
    snapshots = tmp_path / "broken" / "ema"
    (snapshots / "00000006").rename(snapshots / "00000007")  # as if it had come at a step that has none now
    run(tmp_path / "broken", **every)
    one, other = (files(tmp_path / name) for name in ("whole", "broken"))
    assert one == other and b"0.05/generator/" in one["callbacks.safetensors"]
    one, other = (contents(tmp_path / name / "ema") for name in ("whole", "broken"))
    assert one == other and [*one] == sorted(one) and len(one) == 4 * 4


def contents(folder) -> dict[str, bytes]:
    """Each file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_means_that_are_added_to_a_run_begin_there_and_say_so(tmp_path, capsys):
    run(tmp_path, callbacks={}, total_kimg=0.032)
    went_on = run(tmp_path, total_kimg=0.064)
    assert "power_ema: the means begin at 0.032 kimg" in capsys.readouterr().out
    assert main([str(tmp_path), "--sigma-rel", "0.08"]) == 0
    model = Generator.from_pretrained(tmp_path / "ema" / "sigma_rel-0.08")
    expected = brute_force(went_on.callbacks["remembers"].weights, 0.08)
    assert (flat(model) - expected).abs().max() < 2e-3
    capsys.readouterr()
    run(tmp_path, total_kimg=0.08, widths=(0.2,))  # other widths begin again, and are summed with no older ones
    assert "power_ema: the means begin at 0.064 kimg" in capsys.readouterr().out
    assert ema_snapshots.reconstruct(tmp_path, 0.2, None, 0.1).snapshots[0].began == 64


def test_a_run_that_goes_back_forgets_the_snapshots_after_that(tmp_path):
    with Trainer(tiny.tiny_run(recipe(), tmp_path)) as trainer:
        train_loop(trainer)
        means = trainer.callbacks["ema"]
        before = means.state_dict()
        trainer.run.load(tmp_path / "checkpoints" / "00000004")
        means.rolled_back(trainer)
    assert [path.name for path in ema_snapshots.folders(tmp_path)] == ["00000002", "00000004"]
    now = means.state_dict()
    assert now.keys() == before.keys() and not torch.equal(
        *(state["0.1/generator/synthesis.b8.conv1.weight"] for state in (now, before))
    )


def recipe():
    """Eight steps, checkpoints after each fourth, snapshots after each second."""
    return dataclasses.replace(tiny.recipe, callbacks={"ema": PowerEMA(every_kimg=0.016)})


def test_a_run_that_begins_again_in_the_same_folder_keeps_what_was_there(tmp_path, capsys):
    short = {"total_kimg": 0.016, "widths": (0.1,), "every": 0.0}  # a snapshot at the end alone
    run(tmp_path, **short)
    before = contents(tmp_path / "ema")
    assert {name.split("/")[0] for name in before} == {"00000002"}
    shutil.rmtree(tmp_path / "checkpoints")
    run(tmp_path, **short)
    assert f"what went before are now in {tmp_path / 'earlier-ema-1'}" in capsys.readouterr().out
    assert contents(tmp_path / "earlier-ema-1") == before == contents(tmp_path / "ema")


def test_how_much_they_take_is_said(tmp_path, capsys):
    made = run(tmp_path, total_kimg=0.016)
    size = sum(file.stat().st_size for file in (tmp_path / "ema" / "00000002").glob("*.safetensors"))
    line = next(line for line in capsys.readouterr().out.splitlines() if "power_ema: " in line)
    said = [float(word) for word, unit in zip(line.split(), line.split()[1:], strict=False) if unit.startswith("MB")]
    assert "2 means of G take" in line and said[0] == pytest.approx(size / 1e6, rel=0.5)
    assert said[1] == pytest.approx(2 * said[0], rel=0.01)
    one = sum(tensor.nbytes for tensor in made.networks["generator"].state_dict().values())
    assert said[0] == pytest.approx(2 * one / 1e6, rel=0.02)


@pytest.mark.parametrize(
    ("every", "written"),
    [(0.008, 4), (0.016, 2), (0.024, 2), (0.0, 1), (1.0, 1)],  # of 0.032 kimg; the last one at its end in any case
)
def test_what_they_write_is_counted_before_the_first_step(every, written, tmp_path):
    counted = {}

    @dataclasses.dataclass(kw_only=True)
    class Asks(Callback):
        name = "asks"

        def prepare(self, trainer) -> None:
            counted.update(trainer.disk_use())

    trained(tmp_path, total_kimg=0.032, callbacks={"ema": PowerEMA(every_kimg=every), "asks": Asks()})
    snapshots = [*(tmp_path / "ema").iterdir()]
    assert len(snapshots) == written
    sizes = [sum(file.stat().st_size for file in place.glob("*.safetensors")) for place in snapshots]
    assert counted["ema"].files == pytest.approx(sum(sizes), rel=0.5)
    kept = tmp_path / "checkpoints" / "00000004" / "callbacks.safetensors"
    assert counted["ema"].checkpoint == pytest.approx(kept.stat().st_size, rel=0.5)
    assert counted["samples"].checkpoint == 0 == counted["log"].files


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sigma_rel": (0.05, 0.5)}, "sigma_rel is 0.5; give a number above 0, at most 0.2886"),
        ({"sigma_rel": ()}, r"sigma_rel is \(\); give at least one width, and each once"),
        ({"sigma_rel": (0.1, 0.1)}, "and each once"),
        ({"every_kimg": -1.0}, "every_kimg is -1.0; give 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        PowerEMA(**settings)


@pytest.mark.slow
def test_two_processes_keep_the_means_of_one(tmp_path):
    flags = "--total-kimg 0.032 --ema-sigma-rel 0.2 --callbacks.ema power_ema --callbacks.ema.every-kimg 0.016 --out"
    command = ["-m", "ggdr.train", TINY, *flags.split()]
    one = launch([sys.executable, *command, str(tmp_path / "one")])
    assert one.returncode == 0, one.stderr[-2000:]
    how = [*LAUNCH, "--multi_gpu", "--num_processes", "2"]
    two = launch([*how, *command, str(tmp_path / "two")], ACCELERATE_USE_CPU="true")
    assert two.returncode == 0, two.stderr[-2000:]
    alone, both = ([load_file(file) for file in means_of(tmp_path / name)] for name in ("one", "two"))
    assert len(alone) == len(both) == 2 * 2 + 1
    for ours, theirs in zip(alone, both, strict=True):
        assert ours.keys() == theirs.keys()
        assert all((ours[key] - theirs[key]).abs().max() < 2e-3 for key in ours)


def means_of(out) -> list:
    """The files of a run's snapshots, and of its model."""
    return [*sorted((out / "ema").rglob("*.safetensors")), out / "model" / "generator" / "model.safetensors"]
