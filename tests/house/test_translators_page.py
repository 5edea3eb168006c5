"""What the page of each translator shows can be typed: recipes and flags are known, and OpenMoji's train dry."""

from __future__ import annotations

import re
import shlex

import pytest
from places import ROOT

from ggdr.flags.command_line import parsed
from ggdr.flags.recipe import parse
from ggdr.networks.base import TranslatorConfig
from ggdr.recipe.files import load_recipe
from ggdr.registry import games
from ggdr.verbs import blend, convert, stylize, translate

PAGES = [ROOT / "docs" / name for name in ("translators.md", "translation.md")]
TEXT = "\n".join(page.read_text() for page in PAGES)
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)]
COMMANDS = sorted({line for block in BLOCKS for line in block.splitlines() if line.startswith("ggdr ")})
VERBS = {"translate": translate.Translate, "blend": blend.Blend, "stylize": stylize.Stylize, "convert": convert.Convert}


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("ggdr train")])
def test_recipes_and_flags_are_known(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert parse(shlex.split(command, comments=True)[2:], "ggdr train").recipe.game.name in games


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.split()[1] in VERBS])
def test_flags_of_other_commands_are_known(command):
    words = shlex.split(command, comments=True)
    assert parsed(VERBS[words[1]], words[2:], "ggdr", "")


def test_every_recipe_of_openmoji_that_translates_is_shown():
    files = (ROOT / "recipes").glob("openmoji_*.py")
    recipes = {file.name for file in files if isinstance(load_recipe(file).generator, TranslatorConfig)}
    assert recipes == set(re.findall(r"openmoji_\w+\.py", TEXT))


def test_places_in_the_page_that_are_linked_exist():
    page = PAGES[0].read_text()
    titles = {
        re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in re.findall(r"^## (.*)", page, re.M)
    }
    assert titles.issuperset(re.findall(r"\]\(#([^)]+)\)", page))
