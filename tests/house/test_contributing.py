"""CONTRIBUTING's example is true: its file and its commands are taken from the page and run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def block(language: str, containing: str) -> str:
    """The one code block of the page in this language that contains these words."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if containing in text]
    return found


def run(command: str, where: Path, *path: Path) -> subprocess.CompletedProcess:
    """Run a command of the page in a folder; `ggdr` is the checkout's, and `path` is importable."""
    words = shlex.split(command)
    words = [sys.executable, "-m", *words] if words[0] == "ggdr" else words
    importable = os.pathsep.join(map(str, [*path, ROOT]))
    env = {**os.environ, "PYTHONPATH": importable, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.run(words, cwd=where, env=env, capture_output=True, text=True, timeout=240)


@pytest.fixture
def desk(tmp_path):
    """A folder in which someone has written the page's file, beside the recipes."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "drift.py").write_text(block("python", "drift"))
    return tmp_path


@pytest.fixture
def package(tmp_path):
    """The page's file as an installed package, with the metadata that an installer makes of the page's pyproject."""
    project = tomllib.loads(block("toml", "entry-points"))["project"]
    entries = project["entry-points"]["ggdr"]
    (tmp_path / f"{entries['drift']}.py").write_text(block("python", "drift"))
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("[ggdr]\n" + "".join(f"{name} = {of}\n" for name, of in entries.items()))
    return tmp_path


def test_the_commands_list_explain_and_train_the_example(desk):
    listing, explaining, training, reading = block("sh", "drift.py").strip().splitlines()

    listed = run(listing, desk)
    assert re.search(r"^  drift +Drift penalty: .*\n.*arXiv 1710\.10196", listed.stdout, re.MULTILINE), listed.stderr

    explained = run(explaining, desk)
    assert "--regularizers.drift.weight" in explained.stdout, explained.stderr
    assert "epsilon_drift" in explained.stdout

    trained = run(training, desk)
    assert trained.returncode == 0, trained.stderr
    saved = json.loads((desk / "runs" / "drift" / "recipe.json").read_text())["regularizers"]["drift"]
    assert saved == {"type": "drift", "weight": 0.01, "every": 1}

    logged = run(reading, desk).stdout.splitlines()
    assert logged and all(json.loads(line)["loss/d/drift"] >= 0 for line in logged)


def test_the_commands_list_and_run_the_callback(desk):
    (desk / "weights.py").write_text(block("python", "WeightNorm"))
    listing, training, reading = block("sh", "weights.py").strip().splitlines()
    listed = run(listing, desk)
    assert re.search(r"^  weight_norm +Log the norm of all weights", listed.stdout, re.MULTILINE), listed.stderr
    assert re.search(r"^  checkpoint +Save all that the run needs", listed.stdout, re.MULTILINE)
    trained = run(training, desk)
    assert trained.returncode == 0, trained.stderr
    rows = [json.loads(line) for line in run(reading, desk).stdout.splitlines()]
    assert [row["kimg"] for row in rows] == [0.032, 0.064] and all(row["weight_norm/generator"] > 1 for row in rows)


def test_an_installed_package_is_found_without_a_flag(package, tmp_path):
    listed = run("ggdr list regularizers", tmp_path, package)
    assert re.search(r"^  drift ", listed.stdout, re.MULTILINE), listed.stderr


def test_a_broken_package_is_reported_and_stops_nobody(package, tmp_path):
    (package / "ggdr_drift.py").write_text("import a_module_that_nobody_has\n")
    listed = run("ggdr list regularizers", tmp_path, package)
    assert listed.returncode == 0
    assert re.search(r"^  r1 ", listed.stdout, re.MULTILINE)
    assert "'drift'" in listed.stderr and "a_module_that_nobody_has" in listed.stderr


def test_a_file_put_into_the_package_registers_itself(tmp_path):
    shutil.copytree(ROOT / "ggdr", tmp_path / "ggdr", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "ggdr" / "regularizers" / "drift.py").write_text(block("python", "drift"))
    listed = run("ggdr list regularizers", tmp_path, tmp_path)
    assert re.search(r"^  drift ", listed.stdout, re.MULTILINE), listed.stderr


def test_the_page_names_only_what_exists():
    table = PAGE[PAGE.index("What else a term can do") : PAGE.index("### Ship it")]
    assert not [
        name for name in re.findall(r"`(\w+\.py)`", table) if not (ROOT / "ggdr" / "regularizers" / name).is_file()
    ]
    assert not [name for name in re.findall(r"`(ggdr/\w+)`", PAGE) if not (ROOT / name).is_dir()]
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()}
    assert not set(re.findall(r"^make (\w+)", PAGE, re.MULTILINE)) - targets
