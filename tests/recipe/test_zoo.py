"""The zoo: each of its recipes trains, without and with GGDR; what is measured of them, and the page that tells it."""

from __future__ import annotations

import ast
import dataclasses
import json
import shlex
import subprocess
import sys

import pytest
import tiny
import torch
from places import ROOT

from ggdr.flags.recipe import parse
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, load_recipe, to_json, to_python
from ggdr.recipe.fitting import fit
from ggdr.registry import REGISTRIES, discover, use
from ggdr.regularizers.ggdr import GGDR
from ggdr.train import train_loop, train_step
from ggdr.training.trainer import Trainer

FILES = sorted((ROOT / "recipes" / "zoo").glob("*.py"))
arms = use(ROOT / "scripts" / "zoo_arms.py")
measure = use(ROOT / "scripts" / "zoo_measure.py")
reading = use(ROOT / "scripts" / "zoo_reading.py")
page = use(ROOT / "scripts" / "render_zoo.py")

BETTER = {"FID": "lower", "coverage": "higher"}
BUDGET = ["--kimg", "0.064", "--images", "64", "--seeds", "3", "--recipes", "dcgan"]
every_recipe = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@every_recipe
def test_a_recipe_gives_itself_back_and_says_what_it_is(file, tmp_path, monkeypatch):
    recipe, copy = load_recipe(file), tmp_path / f"copy_of_{file.stem}.py"
    assert from_json(Recipe, json.loads(json.dumps(to_json(recipe)))) == recipe
    copy.write_text(to_python(recipe))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, copy.stem, raising=False)
    assert load_recipe(copy) == recipe
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    assert text.partition("\n")[0].endswith(".") and len(text.splitlines()) > 2


OWN = {cell["recipe"]: cell for cell in json.loads(page.OWN.read_text())["cells"]}
"""recipe -> what was measured of it in its own budget"""


@every_recipe
def test_recipes_are_of_one_budget_or_of_one_that_was_tried_and_without_a_download(file):
    recipe = load_recipe(file)
    kimg = OWN[file.stem]["kimg"] if file.stem in OWN else 10.0
    assert (recipe.data.name, recipe.data.size, recipe.total_kimg) == ("digits", 32, kimg)
    assert recipe.metric_kimg and recipe.total_kimg % recipe.metric_kimg == 0
    assert recipe.metrics == {"swd": SlicedWasserstein(images=1024)}


@pytest.mark.slow
@pytest.mark.parametrize("ggdr", [False, True], ids=["plain", "ggdr"])
@every_recipe
def test_a_recipe_learns(file, ggdr, tmp_path):
    try:
        recipe = arms.arm(file, ggdr)
    except ValueError as refusal:
        assert ggdr, refusal
        pytest.skip(f"cannot carry GGDR: {refusal}")
    few = {"batch_size": 8, "micro_batch_size": None, "num_workers": 0, "metrics": {}, "trackers": {}}
    run = tiny.tiny_run(dataclasses.replace(recipe, **few), tmp_path)
    before = {turn: [p.clone() for p in player.parameters] for turn, player in run.players.items()}
    reals = run.reals()
    for _ in range(3):
        stats = train_step(run, next(reals))
        losses = {name: float(value) for name, value in stats.items() if name.startswith("loss/")}
        assert all(torch.tensor(list(losses.values())).isfinite()), losses
        assert ("loss/d/ggdr" in losses) == ggdr
    for turn, player in run.players.items():
        assert all(p.isfinite().all() for p in player.parameters), turn
        assert any(not torch.equal(a, b) for a, b in zip(before[turn], player.parameters, strict=True)), turn


def test_ggdr_is_added_with_a_decoder_and_taken_out_again():
    recipe = load_recipe(ROOT / "recipes" / "zoo" / "dcgan.py")
    guided = arms.with_ggdr(recipe)
    assert guided.regularizers == {"ggdr": GGDR()} and guided.discriminator == UNetDiscriminatorConfig(
        encoder=recipe.discriminator
    )
    assert arms.without_ggdr(guided).regularizers == {}
    own = dataclasses.replace(guided, regularizers={"mine": GGDR(resolutions=(4,), weight=3.0)})
    assert arms.with_ggdr(own) is own and arms.without_ggdr(own).regularizers == {}


def test_another_side_is_taken_where_the_default_is_not_to_be_had():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Sparse(DCGANGeneratorConfig):
        """A generator that hands over the maps of one side alone."""

        def build(self, spec):
            network = super().build(spec)
            network.feature_channels = {4: network.feature_channels[4]}
            return network

    recipe = dataclasses.replace(tiny.dcgan(tiny.recipe), regularizers={})
    assert arms.resolutions(recipe) == [(8,), (4,)] and arms.with_ggdr(recipe).regularizers == {"ggdr": GGDR()}
    sparse = dataclasses.replace(recipe, generator=Sparse())
    guided = arms.with_ggdr(sparse)
    fitted = fit(guided, {"real": guided.data.open().spec})
    assert guided.regularizers == {"ggdr": GGDR()} and fitted.recipe.regularizers["ggdr"].resolutions == (4,)


def test_what_cannot_carry_ggdr_is_refused_in_the_words_of_the_first_try():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Bare(type(tiny.STYLEGAN2)):
        """A generator that hands over no feature maps."""

        provides = frozenset()

    recipe = dataclasses.replace(tiny.recipe, generator=Bare(), regularizers={})
    with pytest.raises(ValueError, match="regularizer 'ggdr' requires g_features"):
        arms.with_ggdr(recipe)


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="no recipe dcgna in .*; there are: .*dcgan"):
        arms.zoo(("dcgna",))


def planned(out):
    """The runs of a survey of two arms and one seed."""
    survey = measure.Survey(out=out, kimg=0.064, seeds=(3,), recipes=("dcgan",), images=64)
    refused, runs = measure.planned(survey)
    assert not refused
    return runs


def trained(run):
    """Train a run in this process."""
    alive = tiny.tiny_run(run.recipe, run.folder)
    with Trainer(alive) as trainer:
        train_loop(trainer)


def survey(out, *flags):
    """The cells of the survey."""
    assert measure.main(["--out", str(out), "--json", str(out / "zoo.json"), *BUDGET, *flags]) == 0
    return json.loads((out / "zoo.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A survey whose runs were trained by hand, and what it told."""
    out = tmp_path_factory.mktemp("zoo")
    for run in planned(out):
        trained(run)
    return out, survey(out)


def test_runs_are_measured_once(made):
    out, told = made
    assert [(cell["recipe"], cell["ggdr"], cell["seed"], cell["state"]) for cell in told["cells"]] == [
        ("dcgan", False, 3, "measured"),
        ("dcgan", True, 3, "measured"),
    ]
    assert all(set(cell["metrics"]) == set(told["better"]) == set(measure.METRICS) for cell in told["cells"])
    assert (told["kimg"], told["threads"]) == (0.064, 1)
    stamps = {file: file.stat().st_mtime_ns for file in out.rglob("cell.json")}
    assert survey(out, "--jobs", "1")["cells"] == told["cells"]
    assert stamps == {file: file.stat().st_mtime_ns for file in out.rglob("cell.json")} and len(stamps) == 2


def test_an_arm_alone_in_its_own_budget():
    survey = measure.Survey(kimg=None, seeds=(3,), recipes=("dcgan", "san"), arms=("plain",))
    _, runs = measure.planned(survey)
    own = {name: load_recipe(ROOT / "recipes" / "zoo" / f"{name}.py").total_kimg for name in survey.recipes}
    assert {run.about["recipe"]: run.recipe.total_kimg for run in runs} == own
    assert not any(run.about["ggdr"] for run in runs) and own["san"] > own["dcgan"]


def test_what_was_made_of_something_else_is_not_known(made):
    out, _ = made
    for run in planned(out):
        assert run.known()["state"] == "measured"
        run.made_of = run.made_of | {"measured": ["--images", "32"]}
        assert run.known()["state"] == "trained"
        run.made_of = run.made_of | {"version": "0"}
        assert run.known() is None


@pytest.mark.slow
def test_a_run_that_fails_is_kept_with_what_it_said(tmp_path):
    plain, guided = planned(tmp_path)
    trained(plain)
    guided.folder.mkdir(parents=True)
    (guided.folder / "checkpoints").write_text("in the way")
    cells = survey(tmp_path)["cells"]
    assert [cell["state"] for cell in cells] == ["measured", "failed"]
    assert (
        cells[1]["message"].startswith("OUT holds checkpoints, which no run wrote")
        and str(tmp_path) not in cells[1]["message"]
    )
    assert "1 of 1 failed" in reading.results({**json.loads((tmp_path / "zoo.json").read_text())}, {"dcgan": "dcgan"})


def cell(recipe, ggdr, seed, fid, coverage=0.5, **more):
    numbers = {"FID": fid, "coverage": coverage}
    about = {"recipe": recipe, "ggdr": ggdr, "seed": seed, "state": "measured", "metrics": numbers}
    return about | more


def told(*cells):
    head = {"command": "measure", "date": "2026-01-01", "machine": "a machine", "torch": "2", "threads": 1}
    return head | {"kimg": 8.0, "measured": "evaluate", "better": BETTER, "warnings": [], "cells": list(cells)}


def table_of(*cells):
    """Recipe -> its row, and the whole text."""
    machine = {"command": "pace", "threads": 2, "device": "a processor", "date": "2026-01-01"}
    paces = {"machine": machine, "rows": [[name, 2.0, 3.0, "1.50", "1%", "1%"] for name in "abcd"]}
    text = reading.results(told(*cells), {name: name for name in "abcde"}, paces)
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {row[0]: row for row in rows}, text


def test_a_verdict_is_given_only_where_the_seeds_do_not_overlap():
    rows, text = table_of(
        *(cell("a", False, s, 10.0 + s, 0.2 + s / 10) for s in (0, 1)),
        *(cell("a", True, s, 8.0 + s, 0.1 - s / 100) for s in (0, 1)),
        *(cell("b", False, s, 10.0 + s) for s in (0, 1)),
        *(cell("b", True, s, 9.0 + 1.5 * s) for s in (0, 1)),
        cell("c", False, 0, 10.0),
        cell("c", True, 0, 1.0),
    )
    assert rows["a"][1:5] == ["2", "3", "10.5 (10, 11)", "8.5 (8, 9)"]
    assert [rows[name][-1] for name in "abc"] == ["better by FID; worse by coverage", "", ""]
    assert rows["c"][3:5] == ["10", "1"]
    assert "By FID GGDR made 1 better and 0 worse; 2 unclear. By coverage GGDR made 0 better and 1 worse" in text
    assert "chance alone would do that to about 0.67 of 3" in text and "takes 1.50 times as long" in text
    ratio = (8.5 / 10.5 * 9.75 / 10.5 * 1 / 10) ** (1 / 3)
    assert f"FID with GGDR is {ratio:.2f} times that without" in text and "it is lower in 3 of 3" in text
    assert "covers a tenth" not in text


def test_what_learns_next_to_nothing_at_this_budget_is_named():
    _, text = table_of(
        cell("a", False, 0, 10.0, 0.05),
        cell("a", True, 0, 9.0, 0.09),
        cell("b", False, 0, 9.0, 0.09),
        cell("b", True, 0, 9.0),
    )
    assert "no run of `a` covers a tenth of the real images" in text
    assert "same two arms" not in text


def test_recipes_of_the_same_arms_are_named():
    both = [cell(name, ggdr, 0, 9.0 + ggdr) for name in "ab" for ggdr in (False, True)]
    assert "`a` and `b` are the same two arms, and count twice" in table_of(*both)[1]


def test_what_failed_and_what_cannot_be_is_counted_and_said():
    broken = {"recipe": "a", "ggdr": True, "seed": 1, "state": "failed", "message": "it diverged"}
    cannot = {"recipe": "b", "ggdr": True, "state": "cannot", "message": "needs g_features"}
    rows, text = table_of(
        *(cell("a", False, s, 10.0 + s) for s in (0, 1)),
        cell("a", True, 0, 1.0),
        broken,
        cell("b", False, 0, 10.0),
        cannot,
    )
    assert rows["a"][4] == "1; 1 of 2 failed" and rows["a"][-1] == ""
    assert rows["b"][4] == "" and rows["b"][-1] == "cannot carry it"
    assert "Of 2 recipes, 1 cannot carry GGDR, 1 had a run that failed, without GGDR or with it, and 0 can be" in text
    assert "- a, seed 1, with: it diverged" in text and "- b: needs g\\_features" not in text
    assert "- b: needs g_features" in text


def test_the_page_says_which_recipes_have_learned_in_their_own_budget():
    cells = [
        cell("a", False, 0, 7.9, 0.4, kimg=30.0, minutes=2.34),
        cell("b", False, 0, 8.1, 0.5, kimg=30.0),
        cell("c", False, 0, 3.0, 0.39, kimg=10.0, minutes=1.0),
        cell("c", False, 1, 3.0, 0.41, kimg=10.0, minutes=1.0),
    ]
    text = reading.own_budgets(told(*cells), {name: name for name in "abc"})
    assert "coverage at least 0.4: `a`, `c`; not yet `b`." in text
    assert "| a | 0 | 30 | 2.3 | 7.9 | 0.4 |" in text and "| b | 0 | 30 |  | 8.1 | 0.5 |" in text


def test_the_chance_of_a_verdict_is_that_of_a_permutation():
    """Of the 20 ways to draw 3 of 6 values, 2 take the lowest or the highest three."""
    assert reading.chance(3, 3) == pytest.approx(2 / 20)
    assert reading.chance(2, 2) == pytest.approx(1 / 3) and reading.chance(1, 2) == 0


def test_the_page_is_as_it_would_be_written():
    """In a process of its own, in which no test has registered parts."""
    command = [sys.executable, str(ROOT / "scripts" / "render_zoo.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_commands_on_the_page_are_the_two_arms(monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = page.PAGE.read_text().partition("```bash\n")[2].partition("```")[0].replace("\\\n", "").splitlines()
    plain, guided = (parse(shlex.split(line)[2:], "test").recipe for line in lines)
    assert plain == load_recipe("recipes/zoo/dcgan.py") and guided == arms.with_ggdr(plain)


def test_the_page_names_every_part_and_recipe():
    discover()
    text = page.PAGE.read_text()
    assert all(f"](../recipes/zoo/{file.name})" in text for file in FILES)
    for kind in page.KINDS:
        section = text.partition(f"## {kind.capitalize()}: ")[2].partition("\n## ")[0]
        names = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        own = {name for name, part in REGISTRIES[kind].items() if part.__module__.startswith("ggdr.")}
        assert set(names) == own and section.startswith(f"{len(own)}\n")
