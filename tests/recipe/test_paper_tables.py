"""The paper's tables: docs/paper.md, recipes and model cards hold the same numbers, all of them."""

from __future__ import annotations

import re

import pytest
from places import ROOT

from ggdr.flags.recipe import parse
from ggdr.recipe.built_in import built_in
from ggdr.recipe.files import load_recipe

TEXT = (ROOT / "docs/paper.md").read_text()
OWN = [name for name in built_in() if (about := load_recipe(name).about) and about.paper == "2207.13320"]


def table(title: str) -> dict[str, dict[str, str]]:
    """Recipe -> method -> number, as the section of that title has them: each column is a recipe's."""
    (section,) = (part for part in TEXT.split("\n## ") if part.startswith(title))
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
    recipes = next(row for row in rows if all("recipes/" in cell for cell in row[1:]))
    found: dict[str, dict[str, str]] = {}
    for place, cell in enumerate(recipes[1:], 1):
        numbers = {row[0]: row[place].replace("**", "") for row in rows[2:] if row is not recipes}
        found[re.findall(r"recipes/(\w+)\.py", cell)[0]] = {name: n for name, n in numbers.items() if n != "-"}
    return found


def test_the_page_has_a_column_for_each_recipe_of_the_paper():
    columns = [name for number in (1, 2, 4) for name in table(f"Table {number}")] + [*table("Table 3")]
    assert {*columns} == {*OWN} and columns.count("ffhq256") == 2 and len(columns) == len(OWN) + 1


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_recipes_and_their_cards_state_every_number_of_their_column(number):
    for name, numbers in table(f"Table {number}").items():
        about = load_recipe(name).about
        assert about is not None
        if (name, number) == ("ffhq256", 3):  # a card has one table; the other is told in a note
            assert all(value in about.note for value in numbers.values())
            continue
        assert about.figures == numbers and about.table == f"table {number}"
        card = (ROOT / f"model_cards/{name}.md").read_text()
        assert all(f"| {method} | {value} |" in card for method, value in numbers.items())


def test_the_best_known_numbers_are_the_papers_and_no_other_s():
    assert table("Table 1")["ffhq256"]["StyleGAN2 + GGDR"] == "3.14 ± 0.03"
    assert table("Table 3")["lsun_church"]["StyleGAN2 + GGDR"] == "3.15 / 0.61 / 0.46"
    two = table("Table 1")["ffhq256_ada_2k"]
    assert (two["ADA"], two["ADA + GGDR"]) == ("16.49 ± 0.65", "18.28 ± 0.77")


def test_what_the_page_says_to_type_for_an_ablation_is_taken():
    typed = re.findall(r"\| `(--\S+ \S+)` \|", TEXT)
    assert len(typed) == 6
    given = [parse(["lsun_cat", "--data.source", "cats", *flags.split()], "ggdr train").recipe for flags in typed]
    assert "ggdr" not in given[0].regularizers
    assert [recipe.regularizers["ggdr"].resolutions for recipe in given[1:4]] == [(8,), (16,), (32,)]
    assert given[4].discriminator.activation == "lrelu" and given[5].discriminator.kernel == 3
