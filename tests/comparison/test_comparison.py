"""The comparison at equal budget: what is trained, what is taken as it is, what is refused, and the arithmetic."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.stats
import tiny
import torch
from latex_tables import check_tables
from PIL import Image
from places import ROOT, TINY

from ggdr.comparison import report, tables
from ggdr.comparison.report import Curve, Number
from ggdr.comparison.trials import planned, split_words
from ggdr.flags.recipe import parse
from ggdr.saving.model import find_saved
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer
from ggdr.verbs import compare

ARMS = {"plain": "--regularizers.ggdr none --augment none", "ggdr": "--augment none"}
BUDGET = ["--kimg", "0.032", "--every", "0.016", "--metrics", "swd", "--images", "64"]
KIMG = [5.0, 10.0, 15.0]
PLAIN = Curve("plain", KIMG, {0: [9.0, 4.0, 5.0], 1: [8.0, 5.5, 6.0], 2: [9.5, 6.0, 5.5]})
PACE = {"plain": 6.0, "guided": None}
GUIDED = Curve("guided", KIMG, {2: [9.0, 4.0, 3.5], 0: [7.0, 3.0, 2.0], 1: [8.5, 4.0, 4.5]})


def arms(**changed):
    return ["--arms", *(f"{name}: {flags}" for name, flags in (ARMS | changed).items())]


def run(out, *flags, seeds="0 1", **changed):
    return compare.main([TINY, "--out", str(out), "--seeds", *seeds.split(), *arms(**changed), *BUDGET, *flags])


def trained_by_hand(out, flags, seed, **changed):
    """A run in this process, as `ggdr train` makes it."""
    recipe = parse([TINY, *flags.split()], "test").recipe
    recipe = dataclasses.replace(
        recipe, seed=seed, total_kimg=0.032, checkpoint_kimg=0.016, keep_checkpoints=9, **changed
    )
    alive = tiny.tiny_run(recipe, out)
    with Trainer(alive) as trainer:
        train_loop(trainer)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two arms with two seeds, trained by hand and compared."""
    out = tmp_path_factory.mktemp("made")
    for name, flags in ARMS.items():
        for seed in (0, 1):
            trained_by_hand(out / name / f"seed{seed}", flags, seed)
    assert run(out, "--no-train") == 0
    return out


@pytest.fixture
def copy(made, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(made, tmp_path / "copy")


def told(out):
    return json.loads((out / "comparison.json").read_text())


def records(out):
    return {file.relative_to(out): file.read_text() for file in sorted((out / "measured").rglob("*.json"))}


def test_intervals_are_students_of_the_mean():
    spread = report.final(PLAIN)
    assert spread.mean == pytest.approx(5.5)
    low, high = scipy.stats.t.interval(0.95, 2, 5.5, scipy.stats.sem([5.0, 6.0, 5.5]))
    assert (spread.mean - spread.margin, spread.mean + spread.margin) == pytest.approx((low, high))


def test_differences_are_paired_by_seed():
    gap = report.difference(GUIDED, PLAIN)
    tested = scipy.stats.ttest_rel([2.0, 4.5, 3.5], [5.0, 6.0, 5.5]).confidence_interval(0.95)
    assert (gap.mean - gap.margin, gap.mean + gap.margin) == pytest.approx((tested.low, tested.high))
    assert gap.mean == pytest.approx(-6.5 / 3)


def test_differences_are_of_the_seeds_that_both_have():
    few = Curve("few", KIMG, {1: [1.0, 1.0, 1.0], 7: [0.0, 0.0, 0.0]})
    assert report.difference(few, PLAIN).repeats == [-5.0]
    assert report.difference(Curve("none", KIMG, {7: [0.0, 0.0, 0.0]}), PLAIN) is None


def test_the_best_of_a_run_is_each_seeds_own():
    assert report.best(PLAIN, "lower").repeats == [4.0, 5.5, 5.5]
    assert report.best(PLAIN, "higher").repeats == [9.0, 8.0, 9.5]
    broken = Curve("broken", KIMG, {0: [math.nan, 3.0, math.nan], 1: [math.nan] * 3})
    values = report.best(broken, "lower").repeats
    assert values[0] == 3.0 and math.isnan(values[1])


def lines_of(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line]


def test_a_table_has_a_line_an_arm_and_marks_differences_that_leave_zero_out():
    text = tables.markdown([Number("fid", "lower", [PLAIN, GUIDED])], {"plain": 6.0, "guided": None})
    heads, rule, plain, guided = lines_of(text)
    assert text.startswith("fid (lower is better)\n\n")
    assert heads[1:4] == ["at 15 kimg", "best of the run", "difference to plain"] and set(rule) == {"---"}
    assert plain == ["plain", "5.5 ± 1.2", "5.0 ± 2.2", "", "3", "6"]
    assert guided == ["guided", "3.3 ± 3.1", "3.2 ± 2.6", "**-2.2 ± 1.9**", "3", ""]
    near = PLAIN._replace(arm="near", values=PLAIN.values | {0: [9.0, 4.0, 5.3]})
    assert "| +0.10 ± 0.43 |" in tables.markdown([Number("fid", "lower", [PLAIN, near])], {"plain": 1, "near": 1})
    sure = Curve("sure", KIMG, {seed: [value - 4 for value in values] for seed, values in PLAIN.values.items()})
    assert "**-4 ± 0**" in tables.markdown([Number("fid", "lower", [PLAIN, sure])], {"plain": None, "sure": None})


def times(factor):
    curves = [
        each._replace(values={seed: [value * factor for value in values] for seed, values in each.values.items()})
        for each in (PLAIN, GUIDED)
    ]
    return Number("kid/mean_50%", "lower", curves)


@pytest.mark.parametrize(
    ("factor", "power", "plain", "gap"),
    [
        (1e-3, -3, "5.5 ± 1.2", "-2.2 ± 1.9"),
        (1e-6, -6, "5.5 ± 1.2", "-2.2 ± 1.9"),
        (1e6, 6, "5.5 ± 1.2", "-2.2 ± 1.9"),
        (1e-2, 0, "0.055 ± 0.012", "-0.022 ± 0.019"),
        (1e3, 0, "5500 ± 1200", "-2200 ± 1900"),
    ],
)
def test_all_values_of_a_table_have_one_exponent_and_the_digits_of_their_intervals(factor, power, plain, gap):
    text = tables.markdown([times(factor)], PACE)
    assert text.startswith(f"kid/mean_50% in 10^{power} (" if power else "kid/mean_50% (")
    *_, first, second = lines_of(text)
    assert (first[1], second[3]) == (plain, f"**{gap}**")


def test_tables_are_latex_and_csv_too():
    text = tables.latex([times(1e-3)], PACE)
    check_tables(text)
    assert r"kid/mean\_50\% (lower is better), in $10^{-3}$" in text
    assert r"plain & $5.5 \pm 1.2$ & $5.0 \pm 2.2$ &  & 3 & 6 \\" in text
    assert r"guided & $3.3 \pm 3.1$ & $3.2 \pm 2.6$ & \boldmath$-2.2 \pm 1.9$ & 3 &  \\" in text
    plain, guided = csv.DictReader(io.StringIO(tables.as_csv([times(1e-3)], PACE)))
    assert (plain["arm"], plain["better"], plain["difference"], plain["seeds"]) == ("plain", "lower", "", "3")
    assert float(guided["difference"]) == pytest.approx(-6.5e-3 / 3) and float(guided["final"]) == pytest.approx(
        1e-2 / 3
    )
    assert float(plain["final_half_interval"]) == pytest.approx(1e-3 * report.final(PLAIN).margin)


def test_one_seed_has_no_interval():
    one = Curve("one", KIMG, {0: [3.0, 2.0, 1.0]})
    text = tables.markdown([Number("fid", "lower", [one, one._replace(arm="two")])], {"one": None, "two": None})
    assert "±" not in text and "**" not in text and "+0" in text


@pytest.mark.parametrize(
    "curves",
    [[PLAIN, GUIDED], [Curve("one", KIMG, {0: [900.0, 20.0, 1.0]})], [Curve("nan", KIMG, {0: [math.nan, 2.0, 1.0]})]],
    ids=["seeds", "one seed, log", "not finite"],
)
def test_a_plot_is_drawn(curves, tmp_path):
    report.plot(Number("fid", "lower", curves), tmp_path / "fid.png")
    with Image.open(tmp_path / "fid.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_runs_made_by_hand_are_measured_and_compared(made, capsys):
    found = told(made)
    number = found["numbers"]["swd"]
    assert number["kimg"] == [0.016, 0.032] and list(number["arms"]) == ["plain", "ggdr"]
    values = {arm: entry["values"] for arm, entry in number["arms"].items()}
    assert len({value for seeds in values.values() for each in seeds.values() for value in each}) == 8
    gaps = [values["ggdr"][seed][-1] - values["plain"][seed][-1] for seed in "01"]
    assert number["arms"]["ggdr"]["difference"]["repeats"] == pytest.approx(gaps)
    assert number["arms"]["plain"]["difference"] is None
    assert found["arms"]["plain"]["flags"][:1] == [TINY] and found["arms"]["plain"]["s_per_kimg"] > 0
    assert "| at 0.032 kimg |" in (made / "comparison.md").read_text()
    assert "swd: 64 real and 64 generated images" in (made / "comparison.md").read_text()
    assert all((made / name).is_file() for name in ("swd.png", "comparison.tex", "comparison.csv"))
    assert len(records(made)) == 8
    record = json.loads(records(made)[Path("measured/ggdr/seed1/00000004/0001-swd.json")])
    assert record["metrics"]["swd"]["values"]["mean"]["mean"] == values["ggdr"]["1"][1]


def test_what_was_measured_is_not_measured_again(copy):
    before = records(copy)
    (copy / "comparison.json").unlink()
    assert run(copy, "--no-train") == 0
    assert records(copy) == before and told(copy)["numbers"]


def test_a_run_whose_recipe_is_broken_is_refused_with_what_to_do(copy):
    file = copy / "ggdr" / "seed0" / "recipe.json"
    whole = json.loads(file.read_text())
    for text, why in (("{", "it is no JSON"), (json.dumps(whole | {"batch_size": "many"}), "batch_size")):
        file.write_text(text)
        with pytest.raises(ValueError) as raised:
            run(copy, "--no-train")
        said = str(raised.value)
        assert said.startswith(f"{file} cannot be read: ") and why in said and "\n" not in said
        assert said.endswith(f"; move {file.parent} away, or name another --out.")


@pytest.mark.parametrize("harm", ["weights", "torn record", "edited record", "other images"])
def test_what_is_of_another_measurement_is_measured_again(copy, harm):
    before, flags = records(copy), ["--no-train"]
    if harm == "weights":
        file = find_saved(copy / "ggdr" / "seed0" / "checkpoints" / "00000004")["generator"].file
        other = find_saved(copy / "ggdr" / "seed1" / "checkpoints" / "00000004")["generator"].file
        shutil.copy(other, file)
    elif harm == "edited record":
        (copy / "measured/ggdr/seed0/00000004/0001-swd.json").write_text('{"metrics": 5, "repeats": []}')
    elif harm == "torn record":
        (copy / "measured/ggdr/seed0/00000004/0001-swd.json").write_text("{")
    else:
        flags += ["--images", "48"]
    assert run(copy, *flags) == 0
    fresh = records(copy).keys() - before.keys()
    assert len(fresh) == (8 if harm == "other images" else 1)
    assert Path("measured/ggdr/seed0/00000004/0002-swd.json") in fresh


def test_a_run_by_other_settings_is_refused_with_what_differs(made):
    with pytest.raises(
        ValueError, match=r"ggdr.seed0 was trained by other settings: regularizers.ggdr.weight was 10.0, is 5.0"
    ):
        run(made, "--no-train", ggdr="--augment none --regularizers.ggdr.weight 5")
    shutil.move(made / "ggdr" / "seed1", made / "ggdr" / "seed3")
    try:
        with pytest.raises(ValueError, match="seed3 was trained by other settings: seed was 1, is 3"):
            run(made, "--no-train", seeds="0 3")
    finally:
        shutil.move(made / "ggdr" / "seed3", made / "ggdr" / "seed1")


def test_settings_that_teach_nothing_may_differ_and_settings_newer_than_the_run_are_at_their_defaults(copy):
    for file in copy.glob("*/seed*/recipe.json"):
        recipe = json.loads(file.read_text())
        del recipe["nonfinite_limit"], recipe["game"]
        file.write_text(
            json.dumps(recipe | {"keep_checkpoints": 7, "log_kimg": 5.0, "total_kimg": 9.0, "num_workers": 2})
        )
    assert run(copy, "--no-train") == 0


def test_a_run_that_lacks_a_checkpoint_is_refused_with_those_it_has(made):
    with pytest.raises(ValueError, match=r"seed0 has no checkpoint at 0.008 kimg, only at 0.016, 0.032"):
        run(made, "--no-train", "--every", "0.008")


def test_what_is_not_complete_is_left_out_and_said(copy, capsys):
    shutil.rmtree(copy / "ggdr" / "seed1" / "checkpoints" / "00000004")
    assert run(copy, "--no-train") == 0
    assert "ggdr/seed1: not complete, left out" in capsys.readouterr().out
    assert list(told(copy)["numbers"]["swd"]["arms"]["ggdr"]["values"]) == ["0"]
    with pytest.raises(ValueError, match="no run in .* is complete at 0.032 kimg; leave out --no-train"):
        run(copy / "empty", "--no-train")


@pytest.mark.slow
def test_what_is_missing_is_trained_as_it_was_and_what_is_broken_off_goes_on(copy):
    before, weights = told(copy)["numbers"], {}
    for seed in "01":
        folder = copy / "ggdr" / f"seed{seed}"
        weights[seed] = find_saved(folder)["generator"].weights()
    shutil.rmtree(copy / "ggdr" / "seed0")
    shutil.rmtree(copy / "ggdr" / "seed1" / "checkpoints" / "00000004")
    assert run(copy, "--jobs", "2") == 0
    for seed, old in weights.items():
        new = find_saved(copy / "ggdr" / f"seed{seed}")["generator"].weights()
        assert all(torch.allclose(new[key], old[key], atol=1e-5) for key in old)
    assert "going on from" in (copy / "ggdr" / "seed1" / "train.log").read_text()
    assert not (copy / "plain" / "seed0" / "train.log").exists()
    for arm, entry in told(copy)["numbers"]["swd"]["arms"].items():
        assert entry["final"]["mean"] == pytest.approx(before["swd"]["arms"][arm]["final"]["mean"], rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_a_cluster_trains_what_is_missing_and_tells_what_fails(cluster, copy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")]))
    shutil.rmtree(copy / "ggdr" / "seed1")
    (copy / "ggdr" / "seed1").mkdir()
    (copy / "ggdr" / "seed1" / "checkpoints").write_text("in the way")
    with pytest.raises(ValueError, match=r"^ggdr/seed1 stopped: .* holds checkpoints, [^\n]*$"):
        run(copy, "--cluster", cluster, "--cluster-options", "timeout_min=5")
    assert cluster == "debug" or list((copy / "jobs").iterdir())  # what debug says goes to the terminal
    assert not (copy / "plain" / "seed0" / "train.log").exists()
    (copy / "ggdr" / "seed1" / "checkpoints").unlink()
    assert run(copy, "--cluster", cluster) == 0
    assert len(told(copy)["numbers"]["swd"]["arms"]["ggdr"]["values"]) == 2


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (["--cluster", "debug", "--cluster-options", "partition"], "--cluster-options partition: write NAME=VALUE"),
        (["--cluster-options", "timeout_min=5"], "give --cluster slurm too"),
        (["--cluster", "debug", "--cluster-options", "magic=5"], "submitit says: .*magic.*; write NAME=VALUE"),
        (["--cluster", "slurm"], "srun.* Leave --cluster out to train here"),
    ],
)
def test_options_of_a_cluster_that_mean_nothing_are_refused(flags, hint, tmp_path):
    with pytest.raises(ValueError, match=hint):
        run(tmp_path, *flags)


@pytest.mark.slow
def test_a_training_that_fails_is_told_with_its_last_words_in_one_line(copy):
    shutil.rmtree(copy / "ggdr" / "seed1" / "checkpoints")
    (copy / "ggdr" / "seed1" / "checkpoints").write_text("in the way")
    words = [TINY, "--out", str(copy), "--seeds", "0", "1", *arms(), *BUDGET]
    command = [sys.executable, "-m", "ggdr", "compare", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "ggdr: error: ggdr/seed1 stopped: cannot write" in done.stderr
    assert (
        str(copy / "ggdr" / "seed1" / "train.log") in done.stderr and len(done.stderr.splitlines()) == 2
    )  # what is loaded, and this


REFUSED = {
    "no name": (["--arms", "--regularizers.ggdr"], None),  # older tyro takes the flag for an arm, newer for a flag
    "no colon": (["--arms", "plain"], "arm 'plain' has no name"),
    "name of the records": (["--arms", "measured:"], "arm 'measured:' has no name"),
    "path as a name": (["--arms", "../x:"], "has no name"),
    "twice": (["--arms", "a:", "a: --augment none"], "each arm its own name"),
    "seed twice": (["--arms", "a:", "--seeds", "1", "1"], "each seed once"),
    "other images": (
        ["--arms", "a:", "b: --data.subset 32"],
        "b and a are trained on different images.* subset was 64",
    ),
    "no such part": (["--arms", "a: --augment magic"], "unknown augmentation 'magic'"),
    "a run's folder for itself": (
        ["--arms", "a: --out x --total-kimg=9"],
        "arm 'a' sets --out and --total-kimg, which",
    ),
    "no run at all": (["--arms", "a: --dry-run"], "arm 'a' sets --dry-run, which is the same for all arms"),
    "a quote that is open": (["--arms", "a: 'x"], r"cannot be read: no closing quotation; put quotes around whole"),
    "unknown recipe": (["--arms", "a: ffhq265"], "no recipe of ggdr is called 'ffhq265', .* Did you mean 'ffhq256'"),
    "unknown metric": (["--arms", "a:", "--metrics", "magic"], "unknown metric 'magic'"),
    "unknown flag of evaluate": (["--arms", "a:", "--", "--magic", "5"], "has no flag --magic"),
    "unknown extractor": (["--arms", "a:", "--metrics", "fid", "--", "--extractor", "magic"], "'magic'"),
    "a value of what is not measured": (["--arms", "a:", "--show", "fid"], "--show fid: that is not measured; add it"),
    "parts that do not fit": (
        ["--arms", "a: --regularizers.ggdr.resolutions 64"],
        "reads feature maps of resolution 64",
    ),
}


@pytest.mark.parametrize(("flags", "hint"), REFUSED.values(), ids=REFUSED)
def test_arms_that_cannot_be_compared_are_refused_before_anything_is_trained(flags, hint, tmp_path):
    with pytest.raises(ValueError if hint else (SystemExit, ValueError), match=hint):
        compare.main([TINY, "--out", str(tmp_path), *BUDGET, *flags])
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder_for_a_comparison(tmp_path):
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="notes is a file; give the name of a folder"):
        compare.main([TINY, "--out", str(tmp_path / "notes"), "--arms", "a:", *BUDGET])
    assert (tmp_path / "notes").read_text(encoding="utf-8") == "mine"


def test_an_arm_may_be_another_recipe(tmp_path):
    other = tmp_path / "other_recipe.py"
    other.write_text("import dataclasses\nimport tiny\nrecipe = dataclasses.replace(tiny.recipe, batch_size=4)\n")
    arms = ("a:", f"b: {other} --seed 7 --micro-batch-size 2")
    asked = compare.Comparison(recipe=TINY, arms=arms, out=tmp_path)
    trials = planned(asked, TINY, arms, (0, 1, 2))
    assert [(trial.name, trial.arm.recipe["batch_size"]) for trial in trials] == [
        *((f"a/seed{seed}", 8) for seed in range(3)),
        *((f"b/seed{seed}", 4) for seed in range(3)),
    ]


def test_an_arm_may_be_a_recipe_of_ggdrs_by_its_name(tmp_path):
    asked = compare.Comparison(recipe="lsgan", arms=("a:", "b: dcgan --batch-size 8"), out=tmp_path)
    first, second = planned(asked, asked.recipe, asked.arms, (0,))
    assert [trial.arm.recipe["loss"]["type"] for trial in (first, second)] == ["least_squares", "non_saturating"]
    assert second.arm.recipe["batch_size"] == 8


def test_a_value_that_is_not_there_is_refused_with_those_that_are(made):
    with pytest.raises(ValueError, match="--show swd/64: there is no such value; there are swd/mean, swd/16"):
        run(made, "--no-train", "--show", "swd/64")
    assert run(made, "--no-train", "--show", "swd", "swd/16") == 0
    assert (made / "swd-16.png").is_file() and list(told(made)["numbers"]) == ["swd", "swd/16"]


def test_flags_after_the_dashes_are_those_of_evaluate(copy):
    assert run(copy, "--no-train", "--", "--seed", "5") == 0
    assert len(records(copy)) == 16
    with pytest.raises(ValueError, match="seed -5 is out of range"):
        run(copy, "--no-train", "--", "--seed", "-5")


def test_points_are_the_multiples_and_the_end():
    asked = compare.Comparison(recipe=TINY, arms=("a:",), kimg=12.0, every=5.0)
    assert asked.points() == [5.0, 10.0, 12.0]
    assert dataclasses.replace(asked, kimg=10.0).points() == [5.0, 10.0]


def test_a_launch_of_several_processes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="without accelerate launch"):
        compare.main([TINY, "--out", str(tmp_path), *BUDGET, *arms()])


def test_backslashes_between_folders_stay_where_folders_are_written_so():
    assert split_words(r'--data.source C:\pictures\cats --data.labels "a b"', "\\") == [
        *("--data.source", r"C:\pictures\cats"),
        *("--data.labels", "a b"),
    ]
    assert split_words(r"--data.source my\ cats", "/") == ["--data.source", "my cats"]
