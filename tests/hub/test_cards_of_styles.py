"""Cards of translators that need labels or a style: what they say to type is what the model takes."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from translator_runs import photo
from translators import TintedGame, TintedTranslatorConfig

from ggdr.hub.facts import facts_of
from ggdr.hub.sections import usage
from ggdr.networks.base import ImageSpec
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.recipe.about import Description
from ggdr.verbs.translate import main

PLAIN = ImageSpec(16, 16)
MAKES = {
    "plain": PLAIN,
    "named": PLAIN._replace(labels=2, label_names=("a cat", "dog")),
    "numbered": PLAIN._replace(labels=2),
    "ranged": PLAIN._replace(labels=2, label_ranges=((0.0, 1.0), (-4.0, 2.0))),
}


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("name", MAKES)
def test_what_a_card_says_to_type_works_as_it_stands(tmp_path, monkeypatch, name, drawn):
    monkeypatch.chdir(tmp_path)
    network = TintedTranslatorConfig(drawn=drawn).build(MAKES[name], PLAIN)
    TranslationPipeline({"generator": network}, TintedGame(), ("a", "b")).save_pretrained("model")
    for file in ("picture.png", "style.png"):
        photo(20, 16).save(file)
    facts = facts_of(Path("model"), None, Description())
    blocks = usage(facts).replace(facts.place, "model").split("```")
    exec(blocks[1].removeprefix("python\n"), {})
    assert main(shlex.split(blocks[3].removeprefix("bash\n"))[2:]) == 0
    assert Path("translated.png").is_file() and Path("translated/picture.png").is_file()
    assert ("style" in blocks[1]) == ("--style" in blocks[3]) == (not drawn)
