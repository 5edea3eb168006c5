"""Results: intervals, numbers that JSON can hold, values by name, and the table."""

import json
import math
from statistics import stdev

import pytest
from scipy import stats

from ggdr.evaluation.result import EvalResult, MetricValue, finite


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0, 3.5, 2.75], [0.1, 0.2, 0.3, 0.25, 0.7]])
def test_the_interval_is_students(values):
    value = MetricValue(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values))
    assert value.as_json()["interval"] == pytest.approx([low, high])
    assert value.std == pytest.approx(stdev(values)) and value.mean == pytest.approx(sum(values) / len(values))


def test_equal_values_have_an_interval_of_no_width():
    found = MetricValue([2.5, 2.5, 2.5]).as_json()
    assert found == {"mean": 2.5, "std": 0.0, "interval": [2.5, 2.5], "better": "", "repeats": [2.5, 2.5, 2.5]}


def test_a_single_value_has_no_interval():
    assert MetricValue([4.0]).as_json() == {"mean": 4.0, "std": None, "interval": None, "better": "", "repeats": [4.0]}


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_null(value):
    assert finite(value) is None
    assert json.loads(json.dumps(MetricValue([math.nan, 1.0]).as_json(), allow_nan=False))["mean"] is None


def result() -> EvalResult:
    """The result of two metrics, one of which has two values and reads features."""
    values = {
        "fid": {"distance": MetricValue([10.0, 12.0], "lower")},
        "kid": {"mean": MetricValue([0.5], "lower"), "std": MetricValue([math.nan])},
    }
    settings = {"fid": {"extractor": {"type": "digits"}}, "kid": {"extractor": None}}
    metrics = {
        name: {"settings": settings[name], "real": {"number": 8 * (name == "fid")}, "fake": {"number": 8}}
        for name in values
    }
    return EvalResult(values, {"source": {"name": "somewhere"}, "metrics": metrics}, ["few images."], 1.25)


def test_values_are_found_by_the_name_of_their_metric_the_chief_one_alone():
    assert result()["fid"].mean == 11 and result()["kid"].mean == 0.5 and math.isnan(result()["kid/std"].mean)
    with pytest.raises(KeyError):
        result()["swd"]


def test_a_result_is_shown_as_a_table():
    head, first, second, third = str(result()).splitlines()
    assert first.split() == ["fid", "11", "-1.7", "..", "23.7", "lower", "8,", "8", "digits"]
    assert second.split() == ["kid", "mean", "0.5", "-", "lower", "-,", "8", "-"]
    assert third.split() == ["kid", "std", "nan", "-", "-,", "8", "-"]
    assert head.index("value") == first.index("11") == second.index("0.5")


def test_a_record_holds_protocol_values_and_warnings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = result().save(command="ggdr evaluate somewhere")
    assert file.relative_to(".").as_posix() == "metrics/somewhere/0001-fid-kid.json"
    record = json.loads(file.read_text())
    assert record["command"] == "ggdr evaluate somewhere" and record["warnings"] == ["few images."]
    assert record["metrics"]["fid"]["values"]["distance"] == MetricValue([10.0, 12.0], "lower").as_json()
    assert record["metrics"]["kid"]["values"]["std"]["mean"] is None and record["seconds"] == 1.2
    assert record["source"] == {"name": "somewhere"} and record["format"] == 1 and record["date"].endswith("+00:00")
    assert "command" not in json.loads(result().save(str(tmp_path / "own.json")).read_text())
