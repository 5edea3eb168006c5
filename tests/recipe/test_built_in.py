"""The recipes that come with ggdr are found by name, listed, and begun anew as one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from ggdr.errors import UserError
from ggdr.recipe.about import About
from ggdr.recipe.built_in import built_in, find_recipe
from ggdr.recipe.files import load_recipe, to_python
from ggdr.verbs.listing import main as listing
from ggdr.verbs.new import main as new


def test_every_recipe_is_found_by_a_name_of_its_own():
    files = [*(ROOT / "recipes").glob("*.py"), *(ROOT / "recipes/zoo").glob("*.py")]
    assert {*built_in().values()} == {*files} and all(name.isidentifier() for name in built_in())


def test_a_name_means_the_recipe_of_ggdr_even_beside_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    assert find_recipe("digits") == ROOT / "recipes/digits.py" and load_recipe("dcgan").generator.name == "dcgan"
    Path("digits.py").write_text("")
    assert find_recipe("digits.py") == Path("digits.py")


def test_what_is_not_there_is_told_with_what_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"'recipes/digits.py' is not there; .* type digits alone\.$"):
        find_recipe("recipes/digits.py")
    for name in ("ffhq-256", "ffhq265"):
        with pytest.raises(UserError, match=rf"no recipe of ggdr is called '{name}', .* Did you mean 'ffhq256'\?"):
            find_recipe(name)
    with pytest.raises(UserError, match=r"called 'zzzz', and no file\. `ggdr list recipes` shows them"):
        find_recipe("zzzz")
    assert find_recipe("mine/new.py") == Path("mine/new.py"), "who reads it says that it is not there"


@pytest.mark.parametrize("name", built_in())
def test_what_differs_from_the_defaults_is_the_whole_recipe(name):
    recipe, told = load_recipe(name), {}
    text = to_python(recipe, "Mine.", whole=False)
    exec(text, told)
    assert told["recipe"] == recipe and text.startswith('"""Mine."""') and "e_optimizer=None" not in text


def test_a_new_recipe_is_the_other_one_without_what_is_said_of_its_images(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new(["mine_of_ffhq.py", "--like", "ffhq256"]) == 0
    assert (
        "mine_of_ffhq.py: begins as ffhq256; change it, and type: ggdr train mine_of_ffhq.py" in capsys.readouterr().out
    )
    assert load_recipe("mine_of_ffhq.py") == replace(load_recipe("ffhq256"), about=About())
    before = Path("mine_of_ffhq.py").read_text()
    assert "`ggdr train mine_of_ffhq.py --help-all` shows" in before
    with pytest.raises(UserError, match="'mine_of_ffhq.py' is there; give another name"):
        new(["mine_of_ffhq.py"])
    assert Path("mine_of_ffhq.py").read_text() == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mine", "'mine' is no name of a Python file; give one that ends in .py"),
        ("no/mine.py", "there is no folder 'no'; make it, or give another FILE.py"),
        ("mine.py --like ffhq265", "no recipe of ggdr is called 'ffhq265', and no file. Did you mean 'ffhq256'"),
    ],
)
def test_a_new_recipe_that_cannot_be_written_is_told_in_a_sentence(line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        new(line.split())
    assert not [*tmp_path.iterdir()]


def test_recipes_are_listed_with_images_size_length_and_paper(capsys):
    assert listing(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(built_in())
    (digits,) = (line for line in lines if line.split()[0] == "digits")
    assert digits.split()[:5] == ["digits", "digits", "32", "px", "70"] and "StyleGAN2 with GGDR" in digits
    assert listing(["recipes", "--paper", "2207.13320"]) == 0
    own = capsys.readouterr().out
    assert "ffhq256 " in own and "dcgan" not in own
    with pytest.raises(UserError, match="no recipe is of paper '9999.99999'; `ggdr list recipes` shows all"):
        listing(["recipes", "--paper", "9999.99999"])
