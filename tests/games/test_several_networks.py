"""Games of several networks in whole runs: who learns, what is shown and measured, and what a run goes on with."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import coded
import labelled
import pytest
import several
import tiny
import tiny_runs
import torch
from places import ROOT, SUPPORT
from translators import TwoNoises

from ggdr.errors import UserError
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.nice import NICETranslatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.view import stretched
from ggdr.recipe.fitting import fit
from ggdr.regularizers.ggdr import GGDR
from ggdr.sampling import show
from ggdr.saving import checkpoint
from ggdr.saving.model import find_saved, load_model
from ggdr.train import main, train_loop, train_step
from ggdr.training.trainer import Trainer

NAMES = (
    "unpaired",
    "shared_encoder",
    "paired",
    "pairs_alone",
    "stylised",
    "found_codes",
    "multimodal",
    "attentive",
    "augmented",
    "encoded",
)


@pytest.mark.parametrize("name", [*NAMES, *labelled.PARTS, *coded.PARTS])
def test_all_that_learn_move_and_the_rest_stands_still(name, tmp_path):
    run = tiny.tiny_run(coded.recipe_of(name), tmp_path)
    before = {name: [p.clone() for p in network.parameters()] for name, network in run.networks.named().items()}
    stats = train_step(run, next(run.reals()))
    assert all(torch.isfinite(value).all() for value in stats.values())
    for name, network in run.networks.named().items():
        still = [torch.equal(p, old) for p, old in zip(network.parameters(), before[name], strict=True)]
        assert all(still) == (name in run.networks.frozen)
    for network in run.networks.frozen.values():
        assert not network.training and not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("name", [*NAMES, *labelled.PARTS, *coded.PARTS, "resting"])
def test_a_run_goes_on_bit_for_bit(name, tmp_path):
    recipe = dataclasses.replace(coded.recipe_of(name), total_kimg=0.032)
    whole = tiny.tiny_run(recipe, tmp_path / "whole")
    with Trainer(whole) as trainer:
        train_loop(trainer)
    first = tiny.tiny_run(dataclasses.replace(recipe, total_kimg=0.016), tmp_path / "parts")
    with Trainer(first) as trainer:
        train_loop(trainer)
    second = tiny.tiny_run(recipe, tmp_path / "parts")
    with Trainer(second) as trainer:
        train_loop(trainer)
    tiny_runs.same(tiny_runs.weights(whole), tiny_runs.weights(second))


def test_views_are_drawn_and_measured_by_their_names(tmp_path):
    metrics = {"swd": SlicedWasserstein(images=16, patches=4, directions=8)}
    recipe = dataclasses.replace(several.recipe("unpaired"), metrics=metrics, metric_kimg=0.064, sample_kimg=0.064)
    with Trainer(tiny.tiny_run(recipe, tmp_path)) as trainer:
        train_loop(trainer)
    drawn = {path.name.split("-")[0] for path in (tmp_path / "samples").glob("*.png")}
    assert drawn == {"reals_gray.png", "reals_colour.png", "gray_to_colour", "colour_to_gray"}
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    keys = {key for row in rows for key in row}
    assert {"metric/swd/gray_to_colour/mean", "metric/swd/colour_to_gray/mean"} <= keys
    assert {"logits/real", "logits/real/gray_to_colour", "logits/fake/colour_to_gray"} <= keys


def test_columns_of_a_pair_are_input_output_and_target(tmp_path):
    run = tiny.tiny_run(several.recipe("paired"), tmp_path)
    (view,) = run.views().values()
    batch = run.seen_by(view, range(3))
    with torch.no_grad():
        columns = view.columns(batch, 0)
    assert [*columns] == ["input", "output", "target"]
    assert torch.equal(columns["input"], batch["gray"].images)
    assert torch.equal(columns["target"], batch["colour"].images)


def test_a_grid_shows_where_a_translator_with_attention_looks(tmp_path):
    run = tiny.tiny_run(several.recipe("attentive"), tmp_path)
    view = run.views()["gray_to_colour"]
    batch = run.seen_by(view, range(3))
    columns = show(view, batch, 0)
    assert [*columns] == ["input", "output", "attention", "cycle"]
    with torch.no_grad():
        chosen = run.ema.mean["generator_ab"].attended(batch["gray"].images)[0].sum(1, keepdim=True)
    drawn = columns["attention"]
    assert drawn.shape == (3, 1, 8, 8) and drawn.amin((1, 2, 3)).tolist() == [-1.0] * 3
    assert drawn.amax((1, 2, 3)).tolist() == pytest.approx([1.0] * 3)
    for map, shown in zip(chosen, drawn, strict=True):
        torch.testing.assert_close(shown, (map - map.min()) / (map.max() - map.min()) * 2 - 1)
    flat = stretched(torch.full((2, 1, 4, 4), 3.0))
    assert torch.equal(flat, torch.full_like(flat, -1.0))


def test_a_game_of_one_domain_refuses_two_and_a_game_of_two_refuses_one():
    two, one = several.recipe("unpaired"), several.recipe("found_codes")
    wrong = dataclasses.replace(one, data=two.data, game=tiny.recipe.game, regularizers={})
    with pytest.raises(UserError, match=r"images of one kind, .* and the data has gray, colour: take --game paired"):
        fit(wrong, wrong.data.open().domains)
    with pytest.raises(UserError, match="two"):
        fit(dataclasses.replace(two, data=one.data), one.data.open().domains)


def test_a_turn_that_nothing_trains_is_refused():
    recipe = dataclasses.replace(several.recipe("found_codes"), regularizers={})
    with pytest.raises(UserError, match=r"nothing trains encoder and generator on e's turn in game 'found_codes'"):
        fit(recipe, recipe.data.open().domains)


def test_a_term_of_a_turn_that_a_game_has_not_is_refused():
    recipe = several.recipe("found_codes")
    term = {"redraw": dataclasses.replace(recipe.regularizers["redraw"])}
    recipe = dataclasses.replace(recipe, game=tiny.recipe.game, regularizers=term)
    with pytest.raises(UserError, match=r"a loss for e, whose turn it never is in game 'standard', which has g and d"):
        fit(recipe, recipe.data.open().domains)


def test_what_is_no_part_of_the_model_is_kept_to_go_on_with_and_not_served(tmp_path):
    with Trainer(tiny.tiny_run(several.recipe("one_way"), tmp_path)) as trainer:
        train_loop(trainer)
    assert {path.name for path in (tmp_path / "model").iterdir() if path.is_dir()} == {"generator"}
    kept = {path.stem for path in checkpoint.latest(tmp_path).glob("*.safetensors")}
    assert {"generator", "generator_ema", "projector"} <= kept and "projector_ema" not in kept
    assert load_model(tmp_path / "model" / "generator").config.name == "small_translator"
    assert find_saved(tmp_path)["projector"].load().config.widths == (3, 8)


def test_one_encoder_cannot_look_at_images_of_other_channels():
    recipe = several.recipe("one_way")
    with pytest.raises(UserError, match=r"they have 1 and 3 channels, .* --data.channels 3.* --game unpaired"):
        fit(recipe, TwoNoises().open().domains)


def test_a_translator_whose_maps_have_no_places_of_the_image_is_refused():
    recipe = dataclasses.replace(several.recipe("one_way"), generator=NICETranslatorConfig.tiny())
    with pytest.raises(UserError, match=r"generator 'nice' provides .*: take --generator .*resnet_translator"):
        fit(recipe, recipe.data.open().domains)


def test_patches_are_compared_in_the_game_of_one_way_alone():
    recipe = several.recipe("unpaired")
    recipe = dataclasses.replace(recipe, regularizers={"nce": several.recipe("one_way").regularizers["nce"]})
    with pytest.raises(UserError, match=r"'nce' requires patch_features; .* take --game one_way"):
        fit(recipe, recipe.data.open().domains)


def test_maps_of_a_translator_guide_the_judge_that_it_meets_one_way(tmp_path):
    recipe, judge = several.recipe("one_way"), PatchDiscriminatorConfig.tiny()
    guided = {**recipe.regularizers, "ggdr": GGDR(resolutions=(8,))}
    networks = {"generator": ResnetTranslatorConfig.tiny(), "discriminator": UNetDiscriminatorConfig(encoder=judge)}
    recipe = dataclasses.replace(recipe, regularizers=guided, **networks)
    run = tiny.tiny_run(recipe, tmp_path)
    stats = train_step(run, next(run.reals()))
    assert 0 < stats["loss/d/ggdr"] < 2 and run.extra.target_channels == {8: 8}


@pytest.mark.slow
def test_a_run_of_four_networks_that_is_killed_goes_on_as_if_nothing_had_been(tmp_path):
    recipe = str(SUPPORT / "four_networks.py")
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{SUPPORT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ggdr.train", recipe, "--out", str(tmp_path / "killed")]
    killed = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while checkpoint.latest(tmp_path / "killed") is None and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    for out in ("killed", "whole"):
        assert main([recipe, "--out", str(tmp_path / out)]) == 0
    one, other = (tiny_runs.files(tmp_path / out) for out in ("killed", "whole"))
    assert one == other and {"generator_ab.safetensors", "discriminator_b.safetensors"} <= one.keys()


def test_a_game_of_pairs_refuses_what_does_not_belong_together(tmp_path):
    recipe = dataclasses.replace(several.recipe("paired"), data=TwoNoises())
    with pytest.raises(UserError, match=r"game 'paired' learns from pairs, .* take --data pairs, or --game unpaired"):
        tiny.tiny_run(recipe, tmp_path)


@pytest.mark.parametrize("name", ["unpaired", "shared_encoder"])
def test_games_without_pairs_know_the_truth_where_the_images_shown_are_pairs(name, tmp_path):
    recipe = several.recipe(name)
    there, back = tiny.tiny_run(recipe, tmp_path / "unknown").views().values()
    assert not there.paired and not back.paired
    known = dataclasses.replace(recipe, data=TwoNoises(paired=True))
    run = tiny.tiny_run(known, tmp_path / "known")
    there, back = run.views().values()
    assert there.paired and back.paired
    columns = there.columns(run.seen_by(there, range(2)), 0)
    assert [*columns] == ["input", "output", "cycle", "target"]
    assert torch.equal(columns["target"], run.seen_by(there, range(2))["colour"].images)
