"""The example package without images: installed as users install it, its parts go through the commands of its page."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib

import pytest
from places import ROOT
from plugins import commands, copied, installed, missing_files, python, run

PACKAGE = ROOT / "examples" / "molecules"
SHORT = ["--total-kimg", "0.512", "--log-kimg", "0.256", "--metric-kimg", "0.512"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return copied(PACKAGE, tmp_path_factory.mktemp("molecules") / "mine")


@pytest.fixture(scope="module")
def site(copy):
    return installed(copy)


def test_its_own_tests_pass(copy, site):
    assert "passed" in run(["pytest", "-q", "-p", "no:cacheprovider"], site, copy)


def test_its_parts_are_listed_once_it_is_installed(copy, site):
    listed = run(["ggdr", "list"], site, copy.parent)
    for part in ("fingerprints", "bit_cross_entropy", "fingerprint_sets"):
        assert re.search(rf"^  {part} ", listed, re.MULTILINE), part


def test_the_commands_of_its_page_look_train_measure_make_and_encode(copy, site):
    """But for the first two, which install and test it; training is short."""
    install, test, listing, check, training, measuring, making, looking, encoding = commands(PACKAGE / "README.md")
    assert install[:2] == ["pip", "install"] and test == ["pytest"]
    assert re.search("^  fingerprint_sets ", run(listing, site, copy), re.MULTILINE)
    told = run(check, site, copy)
    assert "166 numbers each" in told and "they are bits" in told and "held out    478 for tests" in told
    run([*training, *SHORT], site, copy)
    last: dict[str, float] = {}
    for line in (copy / "runs/molecules/metrics.jsonl").read_text().splitlines():
        last |= json.loads(line)
    assert last["loss/e/bit_cross_entropy"] > 0 and 0 < last["metric/fingerprint_sets/fakes/similarity"] < 1
    measured = run([*measuring, "--images", "64", "--repeats", "1"], site, copy)
    assert {"similarity", "consistent", "unique", "novel", "diversity"} <= {*measured.split()}
    assert "10 vectors by runs/molecules" in run(making, site, copy)
    assert re.fullmatch(r"(\d\.\d\d  \S+\n){10}", run(looking[2:], site, copy))
    assert "codes of 478 vectors" in run(encoding, site, copy)
    assert all((copy / name).is_file() for name in ("made.npz", "codes.npz", "codes.png"))


def test_its_model_is_no_riddle_where_the_package_is_missing(copy, site):
    away = python(["ggdr", "train", "recipe.py", "--dry-run"], [ROOT], copy)
    assert away.returncode == 2 and "ggdr_molecules" in away.stderr and "Traceback" not in away.stderr


def test_its_page_names_files_that_are_there():
    assert not missing_files(PACKAGE / "README.md")


def test_what_it_needs_is_installed_where_ggdr_is_developed():
    wanted = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["dependencies"]
    developed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    assert [each for each in wanted if each != "ggdr"] == [each for each in developed if each.startswith("rdkit")]
    assert importlib.metadata.version("rdkit") == re.search(
        r"^rdkit==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    ).group(1)
