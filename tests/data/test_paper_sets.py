"""The settings of the papers' sets, as the page on data writes them, on generated images of each one's layout."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from data_sources import folder, parquet
from domain_layouts import colours, column_table, label_maps, numbers, png
from places import ROOT

from ggdr.data.domains import Domain, Domains, TwoDomains
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.recipe.files import load_recipe

ROWS = re.compile(r"^\| ([\w ]+) \| `((?:Pairs|Domains)\(.*\))` \|$", re.MULTILINE)
"""rows of the page: a set, and its settings as Python"""
NAMES = {"Pairs": Pairs, "Domains": Domains, "Domain": Domain, "LabelMaps": LabelMaps}


def documented() -> dict[str, TwoDomains]:
    """Each set and its settings."""
    found = ROWS.findall((ROOT / "docs/data.md").read_text())
    return {name: eval(text, NAMES) for name, text in found}


def generated(name: str, root: Path) -> str:
    """Images of the layout in which a set comes."""
    if name == "cat2dog":
        file = Path(parquet(root / "afhq.parquet", [n % 251 for n in range(1530)]))
        return str(file)
    if name == "Cityscapes":
        return label_maps(root / "cityscapes", size=32)
    if name == "ADE20K":
        files = {
            f"annotations/{split}/ADE_{n}.png": png(numbers(n)) for split in ("training", "validation") for n in (1, 2)
        }
        files |= {each.replace("annotations", "images"): png(colours(1)) for each in files}
        return folder(root / "ADEChallengeData2016", files)
    longer = 210 if name == "facades" else 6
    return column_table(root / f"{name}.parquet", longer, pairs=name in ("facades", "edges2shoes"), size=8)


@pytest.mark.parametrize(
    "name", ["facades", "edges2shoes", "horse2zebra", "cat2dog", "summer2winter", "Cityscapes", "ADE20K"]
)
def test_the_settings_of_a_paper_read_its_layout(tmp_path, monkeypatch, name):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    settings = documented()[name]
    settings = replace(settings, source=generated(name, tmp_path))
    if name == "cat2dog":
        settings = replace(settings, names=("a", "b"))
    images = settings.open()
    height, width = (settings.size, settings.size) if isinstance(settings.size, int) else settings.size
    batches = images.domain_batches([0, 1], 0)
    assert [batch.images.shape[2:] for batch in batches.values()] == [(height, width)] * 2
    assert all(spec.channels in (3, spec.classes) for spec in images.domains.values())
    held = settings.held_out()
    assert (held is None) == (name in ("edges2shoes", "horse2zebra", "summer2winter"))
    if held:
        assert len(held.open()) == {"facades": 206, "cat2dog": 500, "Cityscapes": 4, "ADE20K": 2}[name]


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("facades", "facades_pix2pix"),
        ("edges2shoes", "edges2shoes_pix2pix"),
        ("horse2zebra", "horse2zebra_cyclegan"),
        ("summer2winter", "summer2winter_cyclegan"),
        ("summer2winter", "summer2winter_nice"),
    ],
)
def test_the_page_has_the_settings_of_the_recipes(name, recipe):
    assert documented()[name] == replace(load_recipe(ROOT / "recipes" / f"{recipe}.py").data, channels=0)


def test_the_page_names_every_set_that_is_tried():
    assert {*documented()} == {
        "facades",
        "edges2shoes",
        "horse2zebra",
        "cat2dog",
        "summer2winter",
        "Cityscapes",
        "ADE20K",
    }
