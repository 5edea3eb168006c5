"""What a sweep says of its runs: the best of k, medians by ranks, runs that diverged, tables and figures."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import random

import pytest
from latex_tables import check_tables
from PIL import Image

from ggdr.comparison import sweep_plots, sweep_tables
from ggdr.comparison.draws import Drawn
from ggdr.comparison.ranks import best_of, median_of
from ggdr.comparison.report import Curve, Number
from ggdr.comparison.samples import Swept
from ggdr.comparison.sweep_result import budgets, found, pairs
from ggdr.comparison.trials import Arm, Trial
from ggdr.ranges import LogUniform

VALUES = [5.0, 1.0, 4.0, 9.0]
NAMES = {"a_b": "a_b", "a_b+x": "a_b", "c": "c"}


def number(better="lower", factor=1.0):
    values = {
        "a_b": {0: 3.0, 1: 2.0, 2: 8.0, 3: math.nan},
        "a_b+x": {0: 1.0, 1: 4.0, 2: 5.0, 3: 7.0},
        "c": {0: 6.0},
    }
    curves = [
        Curve(arm, [1.0, 2.0], {sample: [0.0, value * factor] for sample, value in each.items()})
        for arm, each in values.items()
    ]
    return found(Number("fid", better, curves), NAMES, {"c": [1, 2]})


def swept(tmp_path):
    def arm(name):
        trials = [Trial(Arm(name, [], {}), 100 + n, tmp_path / name / f"sample{n}") for n in range(5)]
        drawn = [{"g_optimizer.lr": 0.001 * (n + 1), "x|y": "p"} for n in range(5)]
        return Swept(
            name, NAMES[name], ["dcgan"], [Drawn("g_optimizer.lr", "lr", LogUniform(1, 2), False)], drawn, trials
        )

    return [arm(name) for name in NAMES]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_the_best_of_k_is_that_of_all_equally_likely_draws(k, better):
    pick = min if better == "lower" else max
    every = sorted(pick(draws) for draws in itertools.product(VALUES, repeat=k))
    best = best_of(VALUES, k, better)
    assert best.value == pytest.approx(sum(every) / len(every))
    low, high = every[math.ceil(0.025 * len(every)) - 1], every[math.ceil(0.975 * len(every)) - 1]
    if better == "higher":
        down = every[::-1]
        high, low = down[math.ceil(0.025 * len(every)) - 1], down[math.ceil(0.975 * len(every)) - 1]
    assert best.interval == (low, high)


def test_the_best_of_many_is_the_best_of_all_and_of_one_the_mean():
    assert best_of(VALUES, 1, "lower").value == pytest.approx(sum(VALUES) / 4)
    assert best_of(VALUES, 1000, "lower") == (pytest.approx(1.0), (1.0, 1.0))
    assert best_of([3.0], 1, "lower") == (3.0, (3.0, 3.0))


def test_the_median_holds_its_interval_for_any_distribution():
    assert median_of([1.0, 2.0, 4.0]).value == 2.0 and median_of([1.0, 2.0, 4.0, math.inf]).value == 3.0
    assert median_of([1.0, math.inf, math.inf]).value == math.inf
    assert median_of([*range(5)]).interval is None and median_of([*range(6)]).interval == (0, 5)
    assert median_of([*range(20)]).interval == (5, 14)
    draws = random.Random(0)
    held = 0
    for _ in range(2000):
        low, high = median_of([draws.expovariate(1.0) for _ in range(12)]).interval
        held += low <= math.log(2) <= high
    assert 0.95 <= held / 2000 < 0.99


def test_runs_that_diverged_are_the_worst_and_count_as_the_worst_of_the_others_in_means():
    result = number()
    a, x, c = result.columns
    assert a.values == {0: 3.0, 1: 2.0, 2: 8.0, 3: math.inf} and a.diverged == [3] and c.diverged == [1, 2]
    assert (a.best, x.best, c.best) == (1, 0, 0) and result.worst == 8.0
    assert result.best_of(a, 1).value == pytest.approx((3 + 2 + 8 + 8) / 4)
    assert c.median().value == math.inf
    upward = number("higher")
    assert upward.columns[0].values[3] == -math.inf and upward.columns[0].best == 2 and upward.worst == 1.0


def test_a_variant_is_held_against_its_arm_sample_by_sample():
    (a, x), (c, none) = number().arms()
    both = pairs(a, x)
    assert both.gaps == [-2.0, 2.0, -3.0, -math.inf] and both.better == 3
    assert none is None and pairs(c, none) is None
    assert pairs(*number("higher").arms()[0]).better == 2  # 4 above 2, and 7 where the arm diverged


def test_budgets_are_round_numbers_and_all():
    assert budgets(1) == [1] and budgets(20) == [1, 2, 5, 10, 20] and budgets(120) == [1, 2, 5, 10, 20, 50, 100, 120]


def test_tables_tell_arms_variants_and_what_was_drawn(tmp_path):
    text = sweep_tables.markdown([number()], swept(tmp_path), {"a_b": 3.21, "a_b+x": 4.0, "c": None})
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")
    ]
    assert rows[0][:5] == ["arm", "best", "best with x", "median", "median with x"]
    assert rows[2] == ["a_b", "2", "1", "5.5", "4.5", "1 of 4", "0 of 4", "-2.5", "3 of 4", "3.21"]
    assert rows[3] == ["c", "6", "", "diverged", "", "2 of 3", "", "", "", ""]
    assert rows[4] == ["arm", "one run", "best of 2", "best of 4"]
    assert rows[6][0] == "a_b" and rows[6][1] == "5.25 (2 to 8)" and rows[8][3] == ""
    assert "| a_b | 1 | 2 | `--g-optimizer.lr 0.002 '--x\\|y' p` |" in text
    assert "| `g_optimizer.lr` | `log:1:2` |  | all |" in text
    assert "in 10^6" in sweep_tables.markdown([number(factor=1e6)], swept(tmp_path), dict.fromkeys(NAMES))


def test_every_run_is_a_line_of_the_csv(tmp_path):
    lines = list(csv.DictReader(io.StringIO(sweep_tables.as_csv([number()], swept(tmp_path)))))
    assert [(line["run"], line["sample"]) for line in lines][3:6] == [("a_b", "3"), ("a_b+x", "0"), ("a_b+x", "1")]
    assert lines[3]["fid"] == "inf" and lines[4] == {
        "run": "a_b+x", "arm": "a_b", "sample": "0", "seed": "100", "fid": "1.0", "g_optimizer.lr": "0.001"
    }  # fmt: skip


def test_json_has_numbers_alone():
    told = json.loads(json.dumps(number().as_json(), allow_nan=False))
    assert told["arms"]["a_b"]["values"] == {"0": 3.0, "1": 2.0, "2": 8.0, "3": None}
    assert told["arms"]["a_b"]["diverged"] == [3] and told["arms"]["c"]["median"]["value"] is None
    assert told["arms"]["a_b+x"]["pairs"]["better"] == 3 and len(told["arms"]["a_b"]["best_of"]) == 4


@pytest.mark.parametrize(("factor", "gap"), [(1.0, "-2.5"), (1e-5, "-25"), (1e6, "-2.5")])
def test_latex_is_whole(factor, gap):
    text = sweep_tables.latex([number(factor=factor)], dict.fromkeys(NAMES, 3.0))
    check_tables(text)
    assert r"a\_b & " in text and f"${gap}$" in text and text.count(r"\begin{tabular}") == 2


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize("factor", [1.0, -1.0, 1e3])
def test_figures_are_drawn(better, factor, tmp_path):
    for plot in (sweep_plots.plot_runs, sweep_plots.plot_best_of):
        plot(number(better, factor), tmp_path / "figure.png")
        with Image.open(tmp_path / "figure.png") as picture:
            colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
            assert {(47, 109, 181), (217, 100, 44)} <= colours


def test_axes_are_logarithmic_where_values_differ_much_and_hold_them_all():
    assert sweep_plots.limits_of([1.0, 100.0, math.inf]).log and not sweep_plots.limits_of([1.0, 10.0]).log
    low, high, log = sweep_plots.limits_of([-1.0, 100.0])
    assert low < -1 and high > 100 and not log
    assert sweep_plots.limits_of([math.inf]).low < 1
