"""What is installed has the recipes, and trains them by name, away from this repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from places import ROOT

from ggdr.recipe.built_in import built_in


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel of this tree is unpacked to."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(installed, tmp_path, line: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ggdr", *line.split()], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_has_all_recipes_and_files_that_are_no_code(installed):
    ours = {file.relative_to(ROOT / "recipes") for file in built_in().values()}
    assert {file.relative_to(installed / "ggdr/recipes") for file in (installed / "ggdr/recipes").rglob("*.py")} == ours
    assert (installed / "ggdr/py.typed").is_file() and (installed / "ggdr/papers.bib").stat().st_size > 1000
    assert not [*installed.rglob("*.pyc")] and {path.name.split("-")[0] for path in installed.iterdir()} == {"ggdr"}


def test_an_installed_ggdr_trains_a_recipe_by_its_name(installed, tmp_path):
    assert len(run(installed, tmp_path, "list recipes").splitlines()) == len(built_in())
    told = run(installed, tmp_path, "train digits --dry-run --out run")
    assert "time per kimg" in told
    run(installed, tmp_path, "new mine.py --like dcgan")
    assert "time per kimg" in run(installed, tmp_path, "train mine.py --dry-run --out run")
