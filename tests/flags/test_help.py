"""`ggdr train RECIPE.py --help`: a page to begin with, and by --help-all every flag."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from places import ROOT

from ggdr.flags.command_line import flags_of
from ggdr.flags.overview import FIRST, WIDTH, shortened
from ggdr.flags.parts import held_parts
from ggdr.flags.recipe import Command, parse
from ggdr.recipe.files import load_recipe
from ggdr.registry import Part
from ggdr.verbs.features import parse_features

RECIPES = ["recipes/digits.py", "recipes/ffhq256.py", "recipes/zoo/progan.py", "recipes/zoo/fastgan.py"]


def shown(capsys, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parse([*words], "ggdr train")
    assert not ended.value.code
    return capsys.readouterr().out


def explained(text: str) -> set[str]:
    """The flags that have a text of their own; tyro draws boxes where the terminal can show them."""
    lines = re.findall(r"^(?:│ |  )(--?\w.*)$", text[text.index(" options ") :], re.MULTILINE)
    return {flag for line in lines for flag in re.findall(r"--[\w.-]+", line)}


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_help_is_a_page_that_names_every_part_and_every_flag_of_the_recipe(recipe, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    text, held = shown(capsys, recipe, "--help"), load_recipe(recipe)
    assert len(text.splitlines()) <= 66 and "--help-all every flag" in text
    boxed = text[text.index("parts, and") :].splitlines()
    assert max(map(len, boxed)) <= WIDTH
    for flag, part in held_parts(held):
        assert not isinstance(part, Part) or re.search(rf"^  {flag} +{part.name}\b", text, re.MULTILINE)
    command = Command(held, out=ROOT)
    assert {flag for flag in flags_of(held) if "." not in flag and not flag.startswith("--no-")} <= {
        word for word in re.findall(r"--[\w.-]+", text)
    }
    assert explained(text) >= {f"--{field.replace('_', '-')}" for field in FIRST if field != "recipe"}
    assert explained(text) <= {*flags_of(command), *flags_of(held), "--help"}


def test_all_flags_are_explained_where_all_are_asked_for(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    held = load_recipe("recipes/digits.py")
    for words in (["--help-all"], ["--help", "--help-all"]):
        text = shown(capsys, "recipes/digits.py", *words)
        assert {flag for flag in flags_of(held) if "." in flag} <= explained(text)
        assert re.search(r"^  generators: .*biggan_deep", text, re.MULTILINE)


def test_the_help_knows_what_was_swapped(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = shown(
        capsys, "recipes/digits.py", "--g-optimizer.lr", "cosine", "--augment", "diffusion", "-h", "--seed", "7"
    )
    assert re.search(r"--g-optimizer.lr +cosine +start warmup-kimg", text) and re.search(r"--augment +diffusion", text)
    assert "(default: 0)" in text[text.index("--seed INT") :]
    assert "lr" not in re.search(r"--g-optimizer +adam (.*)", text)[1].split()
    assert "lr" in re.search(r"--d-optimizer +adam (.*)", text)[1].split()


def test_help_without_a_recipe_says_both_helps(capsys):
    for word in ("--help", "-h", "--help-all"):
        assert "--help explains what one needs first, --help-all every flag of this recipe." in shown(capsys, word)


def test_the_help_imports_nothing_that_it_has_no_use_for():
    heavy = (
        "torch",
        "numpy",
        "urllib.request",
        "importlib.metadata.metadata",
        "ggdr.networks.biggan",
        "ggdr.losses.began",
    )
    code = (
        "import sys, ggdr.train\n"
        "try: ggdr.train.main(['recipes/digits.py', '--help'])\n"
        f"finally: print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_settings_that_do_not_fit_a_line_are_dots():
    assert shortened(["one", "two-three", "four"], 14) == "one ..."
    assert shortened(["one", "two-three"], 13) == "one two-three"


def test_the_help_of_features_lists_the_probe_and_with_data_the_settings_of_these(capsys):
    for words, flags in (
        (["--help"], {"--probe", "--probe-images"}),
        (["x", "--probe", "openmoji", "--help"], {"--probe.task"}),
    ):
        with pytest.raises(SystemExit):
            parse_features(words)
        assert flags <= explained(capsys.readouterr().out)
