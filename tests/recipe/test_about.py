"""What a recipe says of its images belongs to them alone: it never goes along with the images of somebody else."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import tiny
from data_sources import folder, noise
from huggingface_hub import ModelCard
from places import ROOT

from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.data.stream import ImageStream
from ggdr.flags.recipe import parse
from ggdr.hub.card import card_of, card_of_recipe
from ggdr.hub.repository import CardWords, assemble, missing_words
from ggdr.recipe import Recipe
from ggdr.recipe.about import About, Description
from ggdr.recipe.files import from_json, load_recipe, to_json, to_python
from ggdr.registry import datasets, discover
from ggdr.train import main as train

SET = About(
    sources=("", "org/famous"),
    name="FAMOUS",
    url="https://example.org/famous",
    images="photographs of FAMOUS people",
    licence="the FAMOUS licence",
    limits="FAMOUS people alone.",
    paper="2207.13320",
    table="FAMOUS table",
    metric="FID",
    figures={"FAMOUS GAN": "3.14 ± 0.03"},
    count=8,
)
FAMOUS = replace(tiny.recipe, data=ImageFiles(size=16, channels=1), about=SET)
PUBLISHED = sorted(
    file for file in (ROOT / "recipes").glob("*.py") if not {"digits", "openmoji", "few"} & {*file.stem.split("_")}
)


@pytest.fixture
def recipe(tmp_path, monkeypatch) -> Path:
    """A recipe of a published set, in a file."""
    monkeypatch.setattr("sys.path", list(sys.path))
    file = tmp_path / f"famous_{tmp_path.name}.py"
    file.write_text(to_python(FAMOUS))
    return file


@pytest.fixture
def mine(tmp_path) -> Path:
    """A folder of eight pictures."""
    return Path(folder(tmp_path / "mine", {f"{place}.png": noise(place) for place in range(8)}))


def texts(folder: Path) -> str:
    """All that can be read in a folder."""
    files = (file for file in folder.rglob("*") if file.suffix in (".md", ".json", ".jsonl", ".py"))
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_no_recipe_speaks_of_its_own_set_when_it_trains_on_yours(file):
    about = load_recipe(file).about
    assert about is not None and about.name
    command = parse([str(file), "--data.source", "my/photos/"], "ggdr train")
    assert command.recipe.about is None
    assert about.images not in json.dumps(to_json(command.recipe)) and about.name in " ".join(command.notes)


@pytest.mark.parametrize(
    "data", [ImageFiles(source="mine"), ImageFiles(source="org/other"), ImageStream(source="org/a"), Digits()]
)
def test_a_recipe_made_of_another_drops_what_was_said_of_the_others_images(data):
    assert replace(FAMOUS, data=data).about is None and from_json(Recipe, to_json(replace(FAMOUS, data=data)))


def test_words_that_name_no_source_as_those_of_older_runs_hold_for_none():
    document = to_json(FAMOUS)
    del document["about"]["sources"]
    assert from_json(Recipe, document).about is None


def test_words_hold_for_the_sources_that_they_name():
    assert FAMOUS.about == SET
    assert replace(FAMOUS, data=ImageFiles(source="org/famous")).about == SET


def test_the_name_of_the_recipe_s_set_takes_over_what_the_recipe_says(recipe):
    command = parse([str(recipe), "--data.source", "copy", "--about.name", "famous", "--about.licence", "mine"], "x")
    assert command.recipe.about == replace(SET, sources=(*SET.sources, "copy"), licence="mine") and not command.notes
    again = replace(command.recipe, data=ImageFiles(source="another"))
    assert again.about is None, "the words went on to a third source"


def test_what_a_person_says_is_all_that_is_said(recipe):
    command = parse([str(recipe), "--data.source", "m", "--about.images", "paintings", "--about.name", "Mine"], "x")
    assert command.recipe.about == About(sources=("m",), name="Mine", images="paintings")


def test_a_person_may_correct_the_recipe_s_own_words(recipe):
    assert parse([str(recipe), "--about.limits", "Few."], "x").recipe.about == replace(SET, limits="Few.")


def test_every_data_set_knows_its_images_apart_from_others():
    discover()
    sourced = [kind for kind in datasets.values() if "source" in {setting.name for setting in fields(kind)}]
    assert sourced and all(kind(source="a").identity() != kind(source="b").identity() for kind in sourced)
    other = type("Other", (ImageFiles,), {"identity": lambda self: super(ImageFiles, self).identity()})
    assert other(subset=1).identity() != other(subset=2).identity(), "by default all settings count"


def test_a_run_on_other_images_publishes_no_word_of_the_recipe_s(recipe, mine, tmp_path, capsys):
    command = [str(recipe), "--data.source", str(mine), "--data.mirror", "--out", str(tmp_path / "run")]
    assert train(command) == 0
    said = capsys.readouterr().out
    assert "images: 8 images and their mirror images of 16 x 16 px, 1 channel, no labels" in said
    assert "what the recipe says of images is of its own, FAMOUS (if these are it: --about.name FAMOUS)" in said
    assemble(tmp_path / "run", tmp_path / "shared", "me/mine", CardWords())
    assert "FAMOUS" not in texts(tmp_path / "shared") + texts(tmp_path / "run")
    card = (tmp_path / "shared/README.md").read_text()
    assert "trained with ggdr on 8 images, which their owner has not described." in card
    assert re.search(
        r"\| SHA-256 of the list of their names, sizes and labels, first 16 digits \| `[0-9a-f]{16}` \|", card
    )
    assert "| number | 8 |" in card and "| size | 16 x 16 px, gray |" in card
    assert "| licence | not written down |" in card and "The target" not in card
    assert "Nobody has chosen a licence for the weights." in card and ModelCard(card).data.license == "unknown"
    # A run that goes on may be described, and so may a push.
    assert train([*command, "--total-kimg", "0.072", "--about.images", "my <b>cats</b>", "--hub-licence", "mit"]) == 0
    said = capsys.readouterr().out
    assert "changed: about was None, is given\n" in said and "about.name" not in said
    card = card_of(tmp_path / "run", "me/mine")
    assert "trained with ggdr on 8 images: my &lt;b&gt;cats&lt;/b&gt;." in card
    assert ModelCard(card).data.license == "mit" and "FAMOUS" not in card
    words = CardWords("cc-by-4.0", Description(name="Cats", url="javascript:alert(1)", licence="mine alone"))
    assemble(tmp_path / "run", tmp_path / "again", "me/mine", words)
    card = (tmp_path / "again/README.md").read_text()
    assert ModelCard(card).data.license == "cc-by-4.0" and "Here: mine alone." in card
    assert "trained with ggdr on Cats (8 images): my &lt;b&gt;cats" in card and "javascript" not in card


def test_a_run_on_the_set_itself_says_all_of_it(recipe, mine, tmp_path):
    flags = ["--data.source", str(mine), "--about.name", "famous"]
    assert train([str(recipe), *flags, "--out", str(tmp_path / "run")]) == 0
    card = card_of(tmp_path / "run")
    assert "on [FAMOUS](https://example.org/famous) (8 images): photographs of FAMOUS people." in card
    assert "| FAMOUS GAN | 3.14 ± 0.03 |" in card and "FAMOUS people alone." in card
    assert "--data.source FOLDER_OR_ZIP_OR_HUB_ID --about.name FAMOUS" in card
    assert train([str(recipe), *flags, "--data.subset", "7", "--out", str(tmp_path / "part")]) == 0
    card = card_of(tmp_path / "part")
    assert "photographs of FAMOUS people" in card and "The target" not in card, "numbers of other images"


def test_a_recipe_that_says_nothing_has_a_card_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "wordless.py").write_text(to_python(replace(FAMOUS, about=None)))
    card = card_of_recipe(tmp_path / "wordless.py")
    assert "to be trained on images, which their owner has not described." in card
    assert "Their owner has not described these images" in card


def test_what_nobody_has_said_is_named_with_what_to_type():
    both = missing_words("", None, "--licence")
    assert (
        len(both) == 2 and "the card says `unknown`. Choose one: --licence" in both[0] and "--about.images" in both[1]
    )
    assert not missing_words("mit", SET, "--licence")
    assert missing_words("mit", About(sources=("m",), licence="CC"), "--licence") == both[1:]


def test_a_licence_that_the_hub_cannot_know_is_refused_at_once():
    with pytest.raises(ValueError, match="licence 'my own' is not a name the Hub knows; give one such as"):
        replace(FAMOUS, hub_licence="my own")
