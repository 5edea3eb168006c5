"""Hyperparameters that are drawn: what has a range, what stays, and that a draw depends on nothing but its name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import pytest

from ggdr.comparison.draws import draw, drawn_settings, flags_in, read_override, seed_of_training, with_values, words_of
from ggdr.flags.recipe import parse
from ggdr.play.term import Regularizer
from ggdr.ranges import Choice, LogUniform, Uniform, read_range
from ggdr.registry import regularizers

MANY = range(2000)
PINNED = {
    "discriminator.norm": "none",
    "loss.clip": 0.01778,
    "g_optimizer.lr": 0.007005,
    "g_optimizer.beta1": 0.2159,
    "d_optimizer.lr": 0.007005,
    "d_optimizer.beta1": 0.2159,
    "n_critic": 5,
}


def recipe_of(*words):
    return parse(["dcgan", *words], "test").recipe


def drawn(*words, ranges=()):
    settings = drawn_settings(recipe_of(*words), flags_in(words), [read_override(text) for text in ranges])
    return {setting.path: setting for setting in settings}


def values(settings, sample, seed=0):
    return draw(list(settings.values()), seed, sample)


BOTH = ["n_critic", "discriminator.norm", *(f"{side}_optimizer.{name}" for side in "gd" for name in ("beta1", "lr"))]


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ([], []),
        (["--loss", "least_squares"], []),
        (["--loss", "wasserstein"], ["loss.clip"]),
        (["--loss", "began"], ["loss.gamma", "loss.lambda_k"]),
        (["--regularizers.gp", "wgan_gp"], ["regularizers.gp.weight"]),
        (["--regularizers.dragan", "dragan"], ["regularizers.dragan.weight"]),
    ],
)
def test_what_lucic_et_al_draw_is_declared_where_it_is(words, more):
    found = drawn(*words)
    assert sorted(found) == sorted([*BOTH, *more])
    assert {setting.range.paper for setting in found.values()} == {"1711.10337"}


def test_the_ranges_are_those_of_the_study():
    words = ["--loss", "wasserstein", "--regularizers.gp", "wgan_gp", "--regularizers.dragan", "dragan"]
    written = {path: str(setting.range) for path, setting in (drawn(*words) | drawn("--loss", "began")).items()}
    assert written == {
        "g_optimizer.lr": "log:1e-05:0.01",
        "d_optimizer.lr": "log:1e-05:0.01",
        "g_optimizer.beta1": "uniform:0:1",
        "d_optimizer.beta1": "uniform:0:1",
        "n_critic": "choice:1:5",
        "discriminator.norm": "choice:batch:none",
        "loss.clip": "log:0.001:1",
        "loss.gamma": "uniform:0:1",
        "loss.lambda_k": "log:0.0001:0.01",
        "regularizers.gp.weight": "log:0.1:100",
        "regularizers.dragan.weight": "log:0.1:100",
    }


def test_both_players_have_one_draw_as_in_the_study_and_arms_share_it():
    plain, around = drawn(), drawn("--discriminator", "unet", "--discriminator.encoder", "dcgan", "--loss", "began")
    one, other = values(plain, 17), values(around, 17)
    assert one["g_optimizer.lr"] == one["d_optimizer.lr"] != one["g_optimizer.beta1"]
    shared = one.keys() & other.keys()
    assert len(shared) == 5 and all(one[path] == other[path] for path in shared)
    assert {one["discriminator.norm"]} == {other["discriminator.encoder.norm"]}


def test_a_sample_depends_on_its_number_and_the_seed_alone():
    found = drawn()
    assert values(found, 17) == values(drawn(), 17) == values(dict(reversed(found.items())), 17)
    assert len({values(found, sample)["g_optimizer.lr"] for sample in range(100)}) == 100
    assert values(found, 17, seed=1) != values(found, 17)
    assert len({seed_of_training(seed, sample) for seed in (0, 1) for sample in range(100)}) == 200


def test_sample_17_is_what_it_always_was():
    assert values(drawn("--loss", "wasserstein"), 17) == PINNED and seed_of_training(0, 17) == 1640251386


@pytest.mark.parametrize(
    ("words", "stays"),
    [
        (["--g-optimizer.lr", "0.002"], "g_optimizer.lr"),
        (["--g_optimizer.beta1=0.3"], "g_optimizer.beta1"),
        (["--loss", "wasserstein", "--loss.clip", "0"], "loss.clip"),
        (["--d-optimizer.lr", "cosine", "--d-optimizer.lr.end", "0.0001"], "d_optimizer.lr"),
        (["--d-optimizer.lr", "linear", "--d-optimizer.lr.end", "0.0001"], "d_optimizer.lr"),
    ],
)
def test_what_a_flag_gives_stays(words, stays):
    assert stays not in drawn(*words) and len(drawn(*words)) >= 5


def test_what_a_range_could_not_have_drawn_was_chosen_on_purpose_and_stays():
    recipe = recipe_of(
        "--discriminator.norm", "spectral", "--loss", "wasserstein", "--loss.clip", "0", "--n-critic", "3"
    )
    assert sorted(setting.path for setting in drawn_settings(recipe, [], [])) == sorted(BOTH[2:])
    forced = [read_override("loss.clip=log:0.01:0.1"), read_override("n_critic=choice:2:4")]
    assert {"loss.clip", "n_critic"} <= {setting.path for setting in drawn_settings(recipe, [], forced)}


def test_a_range_of_ones_own_replaces_that_of_the_field_and_draws_apart_or_together():
    apart = drawn(ranges=["g_optimizer.lr=log:1e-4:1e-3"])
    assert str(apart["g-optimizer.lr".replace("-", "_")].range) == "log:0.0001:0.001"
    assert (
        values(apart, 3)["g_optimizer.lr"] != values(apart, 3)["d_optimizer.lr"] == values(drawn(), 3)["d_optimizer.lr"]
    )
    together = values(drawn(ranges=["--g-optimizer.lr,d_optimizer.lr=log:1e-4:1e-3"]), 3)
    assert together["g_optimizer.lr"] == together["d_optimizer.lr"] != values(drawn(), 3)["g_optimizer.lr"]
    added = drawn(
        "--loss.weight", "1", ranges=["batch_size=choice:8:16", "loss.weight=uniform:0:1", "not.there=log:1:2"]
    )
    assert "batch_size" in added and not {"loss.weight", "not.there"} & added.keys()


@pytest.fixture
def leaning():
    """A regularizer of one's own, registered for one test."""

    @regularizers.register("leaning")
    @dataclass(frozen=True, kw_only=True)
    class Leaning(Regularizer):
        """Lean on the logits."""

        weight: Annotated[float, LogUniform(0.001, 10)] = 0.01
        margin: Annotated[int, Uniform(2, 4)] = 3
        squared: Annotated[bool, Choice(True, False)] = True

        def d_loss(self, duel):
            return duel.on_real.logits.mean()

    yield ["--regularizers.x", "leaning"]
    del regularizers["leaning"]


def test_a_part_of_ones_own_declares_a_range_in_one_line(leaning):
    found = drawn(*leaning)
    samples = [values(found, sample) for sample in MANY]
    assert {sample["regularizers.x.margin"] for sample in samples} == {2, 3, 4}
    assert {sample["regularizers.x.squared"] for sample in samples} == {True, False}
    for sample in samples[:4]:
        assert with_values(recipe_of(*leaning), sample) == recipe_of(*leaning, *words_of(sample))
    assert {"regularizers.x.squared", "regularizers.x.margin"}.isdisjoint(
        drawn(*leaning, "--regularizers.x.no-squared", "--regularizers.x.margin=2")
    )


def test_draws_are_spread_as_their_range_says():
    found = drawn("--loss", "began")
    samples = [values(found, sample) for sample in MANY]
    rates = sorted(math.log10(sample["g_optimizer.lr"]) for sample in samples)
    decays = sorted(sample["g_optimizer.beta1"] for sample in samples)
    for share in (0.1, 0.5, 0.9):
        assert rates[int(share * len(rates))] == pytest.approx(-5 + 3 * share, abs=0.1)
        assert decays[int(share * len(decays))] == pytest.approx(share, abs=0.03)
    assert 900 < sum(sample["n_critic"] == 5 for sample in samples) < 1100
    together = sum((math.log10(s["g_optimizer.lr"]) + 3.5) * (s["g_optimizer.beta1"] - 0.5) for s in samples) / 2000
    assert abs(together) < 0.02


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.999999999, 1 - 2**-53])
def test_ends_are_kept(chance):
    assert 0 <= Uniform(0, 1).draw(chance) < 1 and 1e-5 <= LogUniform(1e-5, 1e-2).draw(chance) < 1e-2
    assert 1 <= Uniform(1, 5).draw(chance, whole=True) <= 5 and 8 <= LogUniform(8, 64).draw(chance, whole=True) <= 64
    drawn_number = LogUniform(1e-5, 1e-2).draw(chance)
    assert float(f"{drawn_number:.4g}") == drawn_number


def test_numbers_have_four_digits():
    assert Uniform(-2, -1).draw(0.99999) == -1.001
    assert Uniform(0, 1).draw(0.123456) == 0.1234 and Uniform(-1, 0).draw(0.123456) == -0.8766
    assert LogUniform(1e-5, 1e-2).draw(0.5) == 0.0003162


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("log:0:1", "begins at 0; give a number above 0"),
        ("uniform:2:1", "goes from 2 to 1; give two finite numbers, the lower one first"),
        ("uniform:0:inf", "two finite numbers"),
        ("log:1", "'log:1' is no range; write log:LOW:HIGH"),
        ("uniform:a:b", "is no range"),
        ("magic:1:2", "is no range"),
        ("choice", "is no range"),
    ],
)
def test_what_is_no_range_is_refused_with_what_is_one(text, hint):
    with pytest.raises(ValueError, match=hint):
        read_range(text)


def test_choices_are_numbers_words_and_yes_or_no():
    assert read_range("choice:1:2.5:batch:True").options == (1, 2.5, "batch", True)
    assert 1 not in Choice(True, False) and True not in Choice(0, 1) and 1 in Choice(1, 5)


@pytest.mark.parametrize("text", ["g_optimizer.lr", "=log:1:2", "a,=log:1:2"])
def test_an_override_names_its_settings(text):
    with pytest.raises(ValueError, match="write PATH=RANGE, such as g_optimizer.lr=log:1e-5:1e-3"):
        read_override(text)


def test_a_value_that_a_part_refuses_is_told_with_its_flag():
    with pytest.raises(ValueError) as refused:
        with_values(recipe_of(), {"g_optimizer.beta1": 1.5})
    assert "beta1 is 1.5" in str(refused.value)
    with pytest.raises(ValueError) as refused:
        with_values(recipe_of(), {"g_optimizer.lr": -1.0})
    assert refused.value.in_flags().startswith("--g-optimizer.lr is -1.0")
