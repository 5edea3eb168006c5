"""`ggdr sweep`: what it trains, what it takes as it is, what it refuses, and that a run which diverges is a result."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil

import pytest
import tiny
from places import ROOT, TINY

from ggdr.cli import guarded
from ggdr.comparison.budget import split
from ggdr.comparison.jobs import train_all
from ggdr.comparison.samples import planned_sweep
from ggdr.comparison.sweep import Sweep
from ggdr.comparison.trials import DIVERGED
from ggdr.errors import Diverged
from ggdr.flags.command_line import parsed
from ggdr.flags.recipe import parse
from ggdr.train import main as train
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer
from ggdr.verbs import sweep

ARMS = ("plain: --augment none", "lsgan: --augment none --loss least_squares --g-optimizer.beta1 0.5")
VARIANT = "alone: --regularizers.ggdr none"
SMALL = {"kimg": 0.032, "images": 64, "metrics": ("swd",)}
BUDGET = ["--kimg", "0.032", "--images", "64", "--metrics", "swd"]


def asked(out, samples=2, **changes):
    return Sweep(recipe=TINY, out=out, samples=samples, **{"arms": ARMS, "variant": VARIANT, **SMALL, **changes})


def run(out, *flags, samples=2, arms=ARMS, variant=VARIANT):
    words = [TINY, "--out", str(out), "--samples", str(samples), "--arms", *arms, "--variant", variant]
    return sweep.main([*words, *BUDGET, *flags])


def trained_here(trial):
    """The trial's run in this process, by its words."""
    recipe = parse([*trial.arm.words, "--seed", str(trial.seed)], "test").recipe
    with Trainer(tiny.tiny_run(recipe, trial.folder)) as trainer:
        train_loop(trainer)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two arms with a variant, two samples each, one of which diverged, trained here and swept."""
    out = tmp_path_factory.mktemp("made")
    for arm in planned_sweep(asked(out)):
        for trial in arm.trials:
            if trial.name != "lsgan/sample1":
                trained_here(trial)
    (out / "lsgan/sample1").mkdir()
    (out / "lsgan/sample1" / DIVERGED).write_text("its gradients were not finite\n")
    assert run(out, "--no-train") == 0
    return out


@pytest.fixture
def copy(made, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(made, tmp_path / "copy")


def told(out):
    return json.loads((out / "sweep.json").read_text())


def records(out):
    return {file.relative_to(out): file.read_text() for file in sorted((out / "measured").rglob("*.json"))}


def test_a_sample_is_the_same_whatever_their_number_and_whoever_computes_it(tmp_path):
    few, many = planned_sweep(asked(tmp_path)), planned_sweep(asked(tmp_path / "elsewhere", samples=4))
    for one, other in zip(few, many, strict=True):
        assert one.values == other.values[:2] and len(other.values) == 4
        assert [trial.seed for trial in one.trials] == [trial.seed for trial in other.trials[:2]]
        assert [trial.arm.recipe for trial in one.trials] == [trial.arm.recipe for trial in other.trials[:2]]
    assert planned_sweep(asked(tmp_path, seed=1))[0].values != few[0].values


def test_arms_and_variants_share_draws_and_seeds_and_what_a_flag_gives_stays(tmp_path):
    plain, variant, lsgan, _ = planned_sweep(asked(tmp_path))
    assert [arm.name for arm in planned_sweep(asked(tmp_path))] == ["plain", "plain+alone", "lsgan", "lsgan+alone"]
    assert plain.values == variant.values
    assert [trial.seed for trial in plain.trials] == [trial.seed for trial in lsgan.trials]
    for one, other in zip(plain.values, lsgan.values, strict=True):
        assert other == {path: value for path, value in one.items() if path != "g_optimizer.beta1"}
    assert "ggdr" in plain.trials[0].arm.recipe["regularizers"] and not variant.trials[0].arm.recipe[
        "regularizers"
    ].get("ggdr")
    assert lsgan.trials[0].arm.recipe["g_optimizer"]["beta1"] == 0.5
    assert lsgan.trials[0].arm.recipe["keep_checkpoints"] == 2  # the end alone is measured
    (every,) = planned_sweep(asked(tmp_path, arms=("a:",), variant="", every=0.016))
    assert every.trials[0].arm.recipe["keep_checkpoints"] > 1000


def test_the_words_of_a_run_are_a_command_that_makes_it(made):
    for arm in planned_sweep(asked(made)):
        for trial in arm.trials:
            recipe = parse([*trial.arm.words, "--seed", str(trial.seed)], "test").recipe
            assert recipe.g_optimizer.lr == trial.arm.recipe["g_optimizer"]["lr"]
            assert recipe.n_critic == trial.arm.recipe["n_critic"] and recipe.seed == trial.seed


def test_runs_are_measured_and_one_that_diverged_is_the_worst(made):
    found = told(made)
    arms = found["numbers"]["swd"]["arms"]
    assert list(arms) == ["plain", "plain+alone", "lsgan", "lsgan+alone"]
    assert arms["lsgan"]["values"]["1"] is None and arms["lsgan"]["diverged"] == [1]
    assert len({value for arm in arms.values() for value in arm["values"].values()}) >= 7
    assert arms["plain+alone"]["pairs"]["samples"] == 2
    assert found["arms"]["plain"]["samples"]["1"]["drawn"]["g_optimizer.lr"] > 0
    assert found["arms"]["plain"]["ranges"]["n_critic"] == {"range": "choice:1:5", "paper": "1711.10337"}
    assert len(records(made)) == 7 and all("sample" in str(path) for path in records(made))


def test_tables_figures_and_every_run_are_left_behind(made):
    page = (made / "sweep.md").read_text()
    assert "| best with alone |" in page and "1 of 2" in page and "swd: 64 real and 64 generated images" in page
    assert "ggdr sweep" in page and "| all |" in page
    names = ("sweep.tex", "sweep.csv", "swd-runs.png", "swd-budget.png")
    assert all((made / name).stat().st_size > 100 for name in names)
    assert len((made / "sweep.csv").read_text().splitlines()) == 9


def test_what_was_measured_is_not_measured_again_and_more_samples_go_on(copy, capsys):
    before = records(copy)
    assert run(copy, "--no-train", samples=3) == 0
    assert records(copy) == before and len(told(copy)["arms"]["plain"]["samples"]) == 3
    assert "plain/sample2: not complete, left out" in capsys.readouterr().out


def test_a_run_by_other_draws_is_refused_with_what_differs(copy):
    with pytest.raises(ValueError, match=r"plain.sample0 was trained by other settings: .*lr was .*, is"):
        run(copy, "--no-train", "--seed", "1")


def test_settings_are_drawn_from_ranges_that_are_given(tmp_path):
    ranges = ("batch_size=choice:4", "g_optimizer.lr,d_optimizer.lr=uniform:0.5:0.6")
    (arm,) = planned_sweep(asked(tmp_path, samples=5, arms=("a:",), variant="", range=ranges))
    for values, trial in zip(arm.values, arm.trials, strict=True):
        assert values["batch_size"] == 4 and 0.5 <= values["g_optimizer.lr"] == values["d_optimizer.lr"] < 0.6
        assert trial.arm.recipe["d_optimizer"]["lr"] == values["g_optimizer.lr"]


def test_an_arm_needs_no_name_where_there_is_one(tmp_path):
    words = Sweep(recipe="digits_dcgan", out=tmp_path, samples=1)
    (arm,) = planned_sweep(words)
    assert arm.name == "all" and {setting.path for setting in arm.settings} >= {
        "discriminator.encoder.norm",
        "n_critic",
    }


PAGE = (ROOT / "docs" / "sweep.md").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.mark.parametrize("command", re.findall(r"^ggdr sweep (.*)$", PAGE, re.MULTILINE))
def test_the_commands_of_the_page_can_be_swept(command, tmp_path):
    own, flags = split(shlex.split(command))
    arms = planned_sweep(dataclasses.replace(parsed(Sweep, own, "ggdr sweep", ""), samples=1, out=tmp_path))
    assert flags == ["--extractor", "digits"] and len(arms) in (6, 14)
    clipped = {arm.name for arm in arms if "loss.clip" in arm.values[0]}
    assert clipped == {"wgan", "wgan+ggdr"}
    assert all(("ggdr" in arm.trials[0].arm.recipe["regularizers"]) == arm.name.endswith("+ggdr") for arm in arms)


REFUSED = {
    "nothing to draw": (
        ["--arms", "a: dcgan --g-optimizer sgd --d-optimizer sgd --n-critic 3 --discriminator.norm spectral"],
        "arm 'a' has nothing to draw.*--range g_optimizer.lr,d_optimizer.lr=log",
    ),
    "a range of nothing": (
        ["--range", "loss.clip=log:0.1:1"],
        "--range loss.clip: no arm has such a setting.*n_critic",
    ),
    "a range of what a flag sets": (
        ["--arms", "a: --n-critic 2", "--range", "n_critic=choice:1:2"],
        "--range n_critic: no arm has such a setting that no flag sets",
    ),
    "no range": (["--range", "n_critic=magic"], "'magic' is no range"),
    "a value that is refused": (["--range", "g_optimizer.beta1=choice:2"], r"all/sample0: .*beta1 is 2"),
    "a word for a number": (
        ["--range", "g_optimizer.beta1=choice:much"],
        "all/sample0: g_optimizer.beta1 is 'much'; give a number",
    ),
    "twice": (["--arms", "a:", "a: --n-critic 1"], "each its own name"),
    "an arm called as a variant": (["--arms", "a:", "a+x: --n-critic 1", "--variant", "x:"], "each its own name"),
    "a recipe as a variant": (["--variant", "x: dcgan"], "names a recipe; give flags alone"),
    "other images": (["--arms", "a:", "b: --data.subset 32"], "trained on different images"),
    "no sample": (["--samples", "0"], "samples is 0; give a number above 0"),
    "parts that do not fit": (
        ["--arms", "a: --regularizers.ggdr.resolutions 64"],
        "reads feature maps of resolution 64",
    ),
}


@pytest.mark.parametrize(("flags", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_swept_is_refused_before_anything_is_trained(flags, hint, tmp_path):
    with pytest.raises(ValueError, match=hint):
        sweep.main([TINY, "--out", str(tmp_path), "--samples", "1", *BUDGET, *flags])
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_ends_with_a_status_of_its_own(tmp_path, capsys):
    words = ["--nonfinite-limit", "2", "--log-kimg", "0.008", "--g-optimizer.lr", "1e25", "--d-optimizer.lr", "1e25"]
    with pytest.raises(SystemExit) as ended:
        guarded(train, [TINY, *words, "--out", str(tmp_path / "run"), "--total-kimg", "0.2"])
    assert ended.value.code == Diverged.exit_status == 3
    said = capsys.readouterr().err
    assert "ggdr: error: the last" in said and "were not finite and were skipped" in said


@pytest.mark.slow
def test_a_run_that_diverges_is_a_result_of_a_sweep_and_a_failure_of_a_comparison(tmp_path):
    words = "a: --nonfinite-limit 2 --log-kimg 0.008 --n-critic 1"
    flags = ["--range", "g_optimizer.lr,d_optimizer.lr=choice:1e25", "--kimg", "0.2"]
    command = [TINY, "--out", str(tmp_path), "--samples", "1", *BUDGET, *flags, "--arms", words]
    with pytest.raises(ValueError, match="all 1 runs in .* diverged; give narrower ranges, --range PATH=RANGE"):
        sweep.main(command)
    note = tmp_path / "a/sample0" / DIVERGED
    assert "were not finite and were skipped" in note.read_text()
    log = (tmp_path / "a/sample0/train.log").read_text()
    with pytest.raises(ValueError, match="all 1 runs"):
        sweep.main(command)
    assert (tmp_path / "a/sample0/train.log").read_text() == log  # it was not tried again
    plan = asked(tmp_path, 1, arms=(words,), variant="", range=(flags[1],), kimg=0.2)
    with pytest.raises(ValueError, match="a/sample0 stopped: the last .* were not finite"):
        train_all(plan, planned_sweep(plan)[0].trials)


def test_a_launch_of_several_processes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="ggdr sweep starts its trainings itself"):
        run(tmp_path)
