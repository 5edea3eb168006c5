"""Each schedule against its formula, before, at and after its span; what is left open; what is refused, and shown."""

from __future__ import annotations

import dataclasses
import math

import pytest
import tiny

from ggdr.augment.ada import ADA
from ggdr.errors import UserError
from ggdr.flags.recipe import parse
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, to_json, to_python
from ggdr.recipe.fitting import fit
from ggdr.regularizers.r1 import R1
from ggdr.schedules.base import value_at
from ggdr.schedules.constant import Constant
from ggdr.schedules.cosine import Cosine
from ggdr.schedules.inverse import Inverse
from ggdr.schedules.inverse_sqrt import InverseSqrt
from ggdr.schedules.linear import Linear
from ggdr.schedules.steps import Steps

KIMG = [0.0, 1.0, 3.0, 4.0, 5.0, 8.0, 100.0]
DIGITS = ["recipes/digits.py", "--out", "nowhere"]


@pytest.mark.parametrize("span", [Linear, Cosine])
def test_a_span_stands_at_its_start_and_after_its_end_and_is_half_way_in_the_middle(span):
    schedule = span(start=0.3, end=0.1, kimg=4.0, hold_kimg=2.0)
    assert [schedule.at(kimg) for kimg in (0.0, 1.9, 2.0)] == [0.3] * 3
    assert [schedule.at(kimg) for kimg in (6.0, 6.1, 1e6)] == [0.1] * 3
    assert schedule.at(4.0) == pytest.approx(0.2)


def test_linear_is_a_line_and_cosine_half_a_cosine_as_torch_has_it():
    line, wave = Linear(start=1.0, end=3.0, kimg=8.0), Cosine(start=2e-4, end=5e-5, kimg=8.0)
    assert [line.at(kimg) for kimg in KIMG] == pytest.approx([1 + 2 * min(kimg / 8, 1) for kimg in KIMG])
    assert [wave.at(kimg) for kimg in KIMG] == pytest.approx(
        [5e-5 + 1.5e-4 * (1 + math.cos(math.pi * min(kimg / 8, 1))) / 2 for kimg in KIMG]
    )


def test_steps_multiply_from_each_milestone_on():
    schedule = Steps(start=1.0, factor=0.5, milestones_kimg=(3.0, 5.0))
    assert [schedule.at(kimg) for kimg in KIMG] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]
    assert schedule.at(2.999) == 1 and Steps(start=2.0).at(9.0) == 2


def test_inverse_is_half_at_its_kimg_and_what_adain_divides_its_rate_by():
    rate = Inverse(start=1e-4, kimg=160.0).resolve(1280.0)
    assert rate.at(0.0) == 1e-4 and rate.at(160.0) == pytest.approx(5e-5)
    for iteration in (100, 10_000, 160_000):  # batches of 8
        assert rate.at(iteration * 8 / 1000) == pytest.approx(1e-4 / (1 + 5e-5 * iteration))
    with pytest.raises(UserError, match="the value is half"):
        Inverse(start=1.0).resolve(1.0)


def test_inverse_sqrt_falls_from_its_kimg_on():
    schedule = InverseSqrt(start=2.0, kimg=4.0)
    assert [schedule.at(kimg) for kimg in KIMG] == pytest.approx([2 / math.sqrt(max(kimg / 4, 1)) for kimg in KIMG])
    assert schedule.at(4.0) == 2 and schedule.at(16.0) == 1


def test_a_warm_up_is_a_factor_of_any_of_them():
    for schedule in (Constant(start=3.0), Cosine(start=3.0, kimg=9.0), InverseSqrt(start=3.0, kimg=2.0)):
        warm = dataclasses.replace(schedule, warmup_kimg=4.0)
        assert [warm.at(kimg) for kimg in KIMG] == pytest.approx(
            [schedule.at(kimg) * min(kimg / 4, 1) for kimg in KIMG]
        )
        assert warm.at(0.0) == 0


def test_a_number_is_a_constant():
    assert value_at(0.3, 5.0) == 0.3 == value_at(Constant(start=0.3), 5.0)


def test_what_is_left_open_is_the_rest_of_the_run_or_its_end():
    whole = Cosine(start=1.0).resolve(70.0)
    assert (whole.hold_kimg, whole.kimg) == (0.0, 70.0)
    assert Cosine(start=1.0, hold_kimg=20.0).resolve(70.0).kimg == 50.0
    last = Linear(start=1.0, kimg=10.0, hold_kimg=None).resolve(70.0)
    assert [last.at(kimg) for kimg in (60.0, 65.0, 70.0)] == pytest.approx([1.0, 0.5, 0.0])
    assert last.resolve(90.0) == last


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Cosine(), "start is None; give the number that the 'cosine' schedule begins with"),
        (
            Linear(start=1.0, hold_kimg=None),
            "kimg and g_optimizer.lr.hold_kimg are both None; give one of them a number",
        ),
        (Linear(start=1.0, kimg=80.0, hold_kimg=None), "kimg is 80, and the run is 70 kimg long; give less, such as"),
        (Linear(start=1.0, hold_kimg=70.0), "hold_kimg is 70, and the run is 70 kimg long; give less, such as 35."),
        (Steps(start=1.0), "milestones_kimg is empty"),
        (InverseSqrt(start=1.0), "kimg is None; give the thousands of reals"),
    ],
)
def test_what_a_run_cannot_follow_is_refused_by_the_settings_path(schedule, said):
    recipe = dataclasses.replace(tiny.recipe, g_optimizer=Adam(lr=schedule), total_kimg=70.0)
    with pytest.raises(UserError) as refused:
        fit(recipe, recipe.data.open().domains)
    assert f"g_optimizer.lr.{said}" in str(refused.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Adam(lr=Linear(start=-1.0)), "lr is linear from -1 to 0"),
        (lambda: Adam(beta2=Cosine(start=0.9, end=1.0)), "beta2 cosine from 0.9 to 1"),
        (lambda: ADA(fixed_p=Cosine(start=0.0, end=1.1)), "fixed_p (cosine from 0 to 1.1"),
        (lambda: dataclasses.replace(tiny.recipe, ema_kimg=Linear(start=3.0, end=-1.0)), "ema_kimg is linear from 3"),
    ],
)
def test_a_schedule_that_leaves_what_its_setting_may_be_is_refused(make, said):
    with pytest.raises(UserError) as refused:
        make()
    assert said in str(refused.value)


def everything() -> Recipe:
    """Schedules in all five places."""
    return dataclasses.replace(
        tiny.recipe,
        g_optimizer=Adam(lr=Cosine(start=2e-4, end=5e-5), beta2=Cosine(start=0.9, end=0.99)),
        regularizers={"r1": R1(weight=Linear(start=2.0, end=0.2, kimg=0.03))},
        augment=ADA(fixed_p=Cosine(start=0.0, end=0.3)),
        ema_kimg=Steps(start=1.0, factor=2.0, milestones_kimg=(0.02,)),
    )


def test_a_recipe_with_schedules_makes_the_round_trip_through_json_and_python():
    recipe, bound = everything(), {}
    assert from_json(Recipe, to_json(recipe)) == recipe
    assert to_json(recipe)["g_optimizer"]["lr"]["type"] == "cosine"
    exec(to_python(recipe), bound)  # noqa: S102
    assert bound["recipe"] == recipe


def test_what_is_chosen_for_them_is_told_and_the_recipe_itself_stays():
    recipe = everything()
    fitted = fit(recipe, recipe.data.open().domains)
    assert recipe == everything() and fitted.recipe.g_optimizer.lr.kimg == recipe.total_kimg
    assert fitted.reasons["g_optimizer.lr"] == "cosine from 0.0002 to 5e-05 over 0.064 kimg"
    assert fitted.reasons["ema_kimg"] == "steps from 1 times 2 at 0.02 kimg"
    assert {"regularizers.r1.weight", "augment.fixed_p", "g_optimizer.beta2"} <= fitted.reasons.keys()
    assert fitted.recipe.augment.fixed_p.kimg == recipe.total_kimg


def from_flags(*flags: str) -> Recipe:
    return parse([*DIGITS, *flags], "ggdr train").recipe


def test_a_schedule_takes_the_place_of_another_and_begins_with_its_number():
    recipe = from_flags(
        "--g-optimizer.lr", "cosine", "--g-optimizer.lr", "constant", "--g-optimizer.lr.warmup-kimg", "2"
    )
    assert recipe.g_optimizer.lr == Constant(start=from_flags().g_optimizer.lr, warmup_kimg=2.0)


def test_flags_put_a_schedule_in_the_place_of_a_number_and_begin_there():
    recipe = from_flags("--g-optimizer.lr", "cosine", "--g-optimizer.lr.end", "5e-5", "--g-optimizer.lr.kimg", "20")
    assert recipe.g_optimizer.lr == Cosine(start=0.004, end=5e-5, kimg=20.0) and recipe.d_optimizer.lr == 0.004
    recipe = from_flags("--regularizers.r1.weight", "linear", "--regularizers.r1.weight.start", "2")
    assert recipe.regularizers["r1"].weight == Linear(start=2.0)
    flags = "--ema-kimg inverse_sqrt --ema-kimg.kimg 9 --augment ada --augment.fixed-p cosine --augment.fixed-p.end 0.3"
    recipe = from_flags(*flags.split(), "--augment.fixed-p.start", "0")
    assert recipe.ema_kimg.kimg == 9 and recipe.augment.fixed_p == Cosine(start=0.0, end=0.3)
    assert from_flags(
        "--g-optimizer.lr", "steps", "--g-optimizer.lr.milestones-kimg", "3", "5"
    ).g_optimizer.lr == Steps(start=0.004, milestones_kimg=(3.0, 5.0))


def test_flags_put_a_number_or_none_in_the_place_of_a_schedule():
    assert from_flags("--g-optimizer.lr", "0.002").g_optimizer.lr == 0.002
    assert from_flags("--g-optimizer.lr=cosine", "--g-optimizer.lr=0.001").g_optimizer.lr == 0.001
    flags = "--augment ada --augment.fixed-p linear --augment.fixed-p none"
    assert from_flags(*flags.split()).augment.fixed_p is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--g-optimizer.lr nosine", "--g-optimizer.lr takes a number or a schedule; unknown schedule 'nosine'"),
        ("--g-optimizer.lr none", "--g-optimizer.lr takes a number or a schedule; "),
        ("--g-optimizer.lr -1", "--g-optimizer.lr is -1.0; give a number above 0."),
        ("--regularizers.r1.weight linear --ema-kimg -1", "--ema-kimg is -1.0; give 0 or more."),
        ("--g-optimizer.lr.kimg 4", "It is a number; type --g-optimizer.lr cosine"),
        ("--g-optimizer.lr cosine --g-optimizer.lr.factor 4", "steps has one: add --g-optimizer.lr steps"),
    ],
)
def test_flags_that_are_no_schedule_are_told_what_to_type(flags, said):
    with pytest.raises(UserError) as refused:
        from_flags(*flags.split())
    assert said in refused.value.in_flags()


def test_help_shows_the_settings_of_the_schedule_that_is_there(capsys):
    with pytest.raises(SystemExit):
        from_flags("--g-optimizer.lr", "cosine", "--help-all")
    shown = capsys.readouterr().out
    assert "--g-optimizer.lr.hold-kimg" in shown and "--d-optimizer.lr FLOAT" in shown
    assert "cosine, inverse, inverse_sqrt, linear" in shown
