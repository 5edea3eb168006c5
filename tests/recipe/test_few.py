"""The recipe for few pictures of one's own, and that its page says what it does."""

from __future__ import annotations

import sys

import pytest

from ggdr.flags.recipe import parse
from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.training.health import Health
from ggdr.verbs.recommend import FOR_ADA

RECIPE = load_recipe("few")
TEXT = " ".join((sys.modules["few"].__doc__ or "").split())


def flags_told(start: str) -> list[str]:
    """The flags that the docstring has, from these words to a line's end."""
    text = sys.modules["few"].__doc__ or ""
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(start)).split()


@pytest.mark.parametrize(("side", "gamma"), [(256, "0.8"), (128, "0.2")])
def test_gamma_is_what_the_page_says(side, gamma):
    found = fit(RECIPE, {"real": ImageSpec(side, side, 3)})
    assert f"{found.recipe.regularizers['r1'].weight:.1f}" == gamma and f"{gamma} at {side}" in TEXT
    assert not found.extra.target_channels, "a decoder that nothing reads"


def test_ggdr_is_off_and_one_flag_adds_it():
    assert "ggdr" not in RECIPE.regularizers and "18.28 against 16.49" in TEXT and "6.11 against 8.29" in TEXT
    tables = load_recipe("ffhq256_ada_2k").about.figures, load_recipe("ffhq256_ada_10k").about.figures
    assert [table["ADA + GGDR"].split()[0] for table in tables] == ["18.28", "6.11"]
    assert [table["ADA"].split()[0] for table in tables] == ["16.49", "8.29"]
    added = parse("few --data.source x --regularizers.ggdr ggdr".split(), "ggdr train").recipe
    assert "`--regularizers.ggdr ggdr` adds it" in TEXT
    assert {*fit(added, {"real": ImageSpec(256, 256, 3)}).extra.target_channels} == {64}


def test_a_warm_start_is_typed_as_the_page_says():
    flags = flags_told("--init-from")
    recipe = parse(["few", "--data.source", "x", *flags], "ggdr train").recipe
    assert (recipe.init_from, recipe.freeze_d, recipe.total_kimg) == ("MODEL", 4, 1000.0)
    assert recipe.augment.speed_kimg == 100.0, "p climbs within the shorter run"


def test_the_first_command_of_the_page_is_the_recipe_itself_and_the_metric_can_be_another():
    words = flags_told("ggdr train few")[2:]
    assert parse(words, "ggdr train").recipe.generator == RECIPE.generator
    other = parse([*words, "--metrics.kid", "kid", "--keep-best", "kid"], "ggdr train").recipe
    assert other.keep_best == "kid" and fit(other, {"real": ImageSpec(256, 256, 3)}).recipe.metrics.keys() == {
        "swd",
        "kid",
    }
    assert "`--metrics.kid kid --keep-best kid`" in TEXT and RECIPE.keep_best == "swd" and RECIPE.metric_kimg == 100
    assert RECIPE.total_kimg == 3000 and "3,000 kimg" in TEXT and f"below {FOR_ADA:,}" in TEXT


def test_the_log_says_that_d_overfits_where_the_page_says_so():
    health, said = Health(), []
    for kimg in range(100):
        seen = {"signs/real": 0.99, "signs/fake": -0.99, "augment/p": 0.95, "logits/real": 3.0, "logits/fake": -3.0}
        said += health.advice({"kimg": float(kimg), **seen})
    assert any("D tells nearly all reals from fakes" in line for line in said)
    assert any("p stays at" in line for line in said) and all(line.startswith("Health") for line in said)
    assert 'in a line that begins with "Health"' in TEXT
