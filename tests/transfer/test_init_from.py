"""`--init-from`: where a run's networks and means start, what it says of it, and that a resumed run needs no source."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import tiny
import torch
from places import TINY

from ggdr.networks.base import ImageSpec
from ggdr.saving import checkpoint
from ggdr.saving.model import save_model
from ggdr.train import main, train_step


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of two steps that has come to its end."""
    out = tmp_path_factory.mktemp("trained") / "run"
    assert main([TINY, "--out", str(out), "--total-kimg", "0.016"]) == 0
    return out


def weights(folder: Path, *names: str) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": value for name in names for key, value in checkpoint.load_tensors(folder, name).items()}


@pytest.mark.parametrize("inside", ["", "checkpoints/00000002"], ids=["run", "checkpoint"])
def test_a_run_that_starts_from_another_has_its_networks_and_nothing_else(trained, inside, tmp_path):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, init_from=str(trained / inside), seed=7), tmp_path)
    last = checkpoint.latest(trained)
    for name, network in {**run.networks.named(), "generator_ema": run.ema.mean["generator"]}.items():
        taken = checkpoint.load_tensors(last, name)
        assert all(torch.equal(tensor, taken[key]) for key, tensor in network.state_dict().items()), name
    live, mean = weights(last, "generator"), weights(last, "generator_ema")
    assert any(not torch.equal(live[f"generator{key[13:]}"], value) for key, value in mean.items())
    assert (run.step, run.images_seen, run.augment.state_dict()["p"].item()) == (0, 0, 0.0)
    assert not any(player.optimizer.state for player in run.players.values())


def test_the_running_mean_is_not_thrown_away_by_the_first_step(trained, tmp_path):
    recipe = dataclasses.replace(tiny.recipe, init_from=str(trained), ema_kimg=10.0)
    run = tiny.tiny_run(recipe, tmp_path)
    before = {key: value.clone() for key, value in run.ema.mean["generator"].named_parameters()}
    train_step(run, next(run.reals()))
    live = dict(run.networks["generator"].named_parameters())
    for key, value in run.ema.mean["generator"].named_parameters():
        torch.testing.assert_close(value, before[key].lerp(live[key], 1 - 0.5 ** (8 / 10_000)))


def test_a_model_without_a_discriminator_leaves_it_fresh_and_says_so(trained, tmp_path):
    fresh = tiny.tiny_run(tiny.recipe, tmp_path / "fresh")
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, init_from=str(trained / "model")), tmp_path / "run")
    assert "discriminator: not in the source, starts fresh" in run.notes
    d, untouched = (each.networks["discriminator"].state_dict() for each in (run, fresh))
    assert all(torch.equal(d[key], value) for key, value in untouched.items())
    mean = weights(checkpoint.latest(trained), "generator_ema")
    for network in (run.networks["generator"], run.ema.mean["generator"]):  # the model is the mean, for both
        assert all(torch.equal(value, mean[f"generator_ema.{key}"]) for key, value in network.state_dict().items())


def test_a_resumed_run_needs_the_source_no_more_and_ends_where_an_unbroken_one_ends(trained, tmp_path, capsys):
    source = shutil.copytree(trained, tmp_path / "source")
    flags = ["--init-from", str(source), "--seed", "3"]
    assert main([TINY, "--out", str(tmp_path / "unbroken"), *flags, "--total-kimg", "0.024"]) == 0
    assert main([TINY, "--out", str(tmp_path / "broken"), *flags, "--total-kimg", "0.008"]) == 0
    shutil.rmtree(source)
    capsys.readouterr()
    assert main([TINY, "--out", str(tmp_path / "broken"), *flags, "--total-kimg", "0.024"]) == 0
    said = capsys.readouterr().out
    assert f"init_from: not read, {tmp_path / 'broken'} has a checkpoint" in said
    assert "going on from" in said and "changed: init_from" not in said
    ours, theirs = (checkpoint.latest(tmp_path / name) for name in ("broken", "unbroken"))
    files = [path.name for path in theirs.glob("*.safetensors")]
    assert ours.name == theirs.name == "00000003" and len(files) == 6
    assert all((ours / file).read_bytes() == (theirs / file).read_bytes() for file in files)


def test_a_dry_run_shows_what_fits_in_few_lines(trained, tmp_path, capsys):
    flags = ["--data.size", "32", "--data.labels", "--init-from", str(trained)]
    assert main([TINY, "--out", str(tmp_path / "run"), "--dry-run", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("generator: 48 of 66 tensors, ") and "% of 0.00" in line for line in lines)
    for line in (
        "  source    stylegan2, 16 x 16 px, gray, no labels",
        "  loaded    synthesis.b4 11, synthesis.b8 16, synthesis.b16 16, mapping 4",
        "  reshaped  mapping.fc0.weight: 8 x 8 -> 8 x 16, no to 10 labels",
        "  zero      synthesis.b32.torgb.weight: not in the source; adds nothing to the image at first",
        "  fresh     synthesis.b32 15, mapping 2",
        "  skipped   encoder.b4.out.weight: 1 x 8, here 8 x 8",
        "  skipped   encoder.b16.fromrgb 2: no place here",
    ):
        assert line in lines
    assert any(line.startswith("running mean of generator: likewise from ") for line in lines)
    assert not (tmp_path / "run").exists()


def test_a_path_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere' here; give the folder of a run"):
        main([TINY, "--out", str(tmp_path / "run"), "--init-from", str(tmp_path / "nowhere")])


def test_networks_of_other_names_are_refused(tmp_path):
    save_model(tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)), tmp_path / "model" / "painter")
    with pytest.raises(ValueError, match="holds painter; this game plays with generator, discriminator"):
        main([TINY, "--out", str(tmp_path / "run"), "--init-from", str(tmp_path / "model")])
