"""The template of a plug-in: installed as users install it, ggdr lists its parts and trains with them."""

from __future__ import annotations

import json
import re

import pytest
from places import ROOT
from plugins import commands, copied, installed, missing_files, python, run

PLUGIN = ROOT / "examples" / "plugin"
PARTS = ["total_variation", "spectrum", "coordinates"]
TERMS = {"loss/g/tv", "loss/g/total_variation"}
"""what the log calls its regularizer, by the names that the page's commands and the recipe give it"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return copied(PLUGIN, tmp_path_factory.mktemp("plugin") / "mine")


@pytest.fixture(scope="module")
def site(copy):
    return installed(copy)


def test_its_own_tests_pass(copy, site):
    assert "passed" in run(["pytest", "-q", "-p", "no:cacheprovider"], site, copy)


def test_ggdr_lists_its_parts_once_it_is_installed(copy, site):
    listed = run(["ggdr", "list"], site, copy.parent)
    assert not [part for part in PARTS if not re.search(rf"^  {part} ", listed, re.MULTILINE)]


def test_the_commands_of_its_page_list_train_and_measure(copy, site):
    """But for the first two, which install and test it; training is short."""
    (install, test, listing, *training, measuring) = commands(PLUGIN / "README.md")
    assert install[:2] == ["pip", "install"] and test == ["pytest"]
    assert re.search("^  coordinates ", run(listing, site, copy), re.MULTILINE)
    for words in training:
        run([*words, "--total-kimg", "0.064", "--log-kimg", "0.032", "--metric-kimg", "0"], site, copy)
        log = (copy / words[words.index("--out") + 1] / "metrics.jsonl").read_text().splitlines()
        terms = [row[key] for row in map(json.loads, log) for key in TERMS & row.keys()]
        assert len(terms) == 2 and min(terms) > 0
    assert "spectrum" in run([*measuring, "--images", "64", "--repeats", "1"], site, copy)
    # A model with its generator opens where it is installed; elsewhere it is said what lacks.
    made = ["ggdr", "generate", "runs/coordinates", "--seeds", "0-3", "--out", "grid.png"]
    run(made, site, copy)
    assert (copy / "grid.png").is_file()
    away = python([*made, "--out", "other.png"], [ROOT], copy)
    assert away.returncode == 2 and "'coordinates'" in away.stderr and "Traceback" not in away.stderr


def test_its_page_names_files_that_are_there():
    assert not missing_files(PLUGIN / "README.md")
