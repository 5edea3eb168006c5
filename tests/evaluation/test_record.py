"""Records: intervals, numbers that JSON can hold, and names that are never taken twice."""

import json
import math
from statistics import stdev

import pytest
from scipy import stats

from ggdr.evaluation.record import (
    Row,
    Spread,
    check_free,
    check_writable,
    number,
    table,
    versions,
    write_numbered,
    write_record,
)


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0, 3.5, 2.75], [0.1, 0.2, 0.3, 0.25, 0.7]])
def test_the_interval_is_students(values):
    spread = Spread(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values))
    assert spread.as_json()["interval"] == pytest.approx([low, high])
    assert spread.std == pytest.approx(stdev(values)) and spread.mean == pytest.approx(sum(values) / len(values))


def test_equal_values_have_an_interval_of_no_width():
    found = Spread([2.5, 2.5, 2.5]).as_json()
    assert found == {"mean": 2.5, "std": 0.0, "interval": [2.5, 2.5], "repeats": [2.5, 2.5, 2.5]}


def test_a_single_value_has_no_interval():
    assert Spread([4.0]).as_json() == {"mean": 4.0, "std": None, "interval": None, "repeats": [4.0]}


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_null(value):
    assert number(value) is None
    assert json.loads(json.dumps(Spread([math.nan, 1.0]).as_json(), allow_nan=False))["mean"] is None


def test_records_are_numbered_and_never_overwritten(tmp_path):
    first, second = (write_numbered({"n": n}, tmp_path / "metrics", "fid-kid") for n in range(2))
    assert [first.name, second.name] == ["0001-fid-kid.json", "0002-fid-kid.json"]
    assert [json.loads(file.read_text())["n"] for file in (first, second)] == [0, 1]
    first.unlink()
    assert write_numbered({}, tmp_path / "metrics", "swd").name == "0003-swd.json"


def test_two_evaluations_at_once_get_two_names(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda n: write_numbered({"n": n}, tmp_path, "swd"), range(16)))
    assert len(set(files)) == 16 and sorted(json.loads(file.read_text())["n"] for file in files) == list(range(16))


def test_a_file_that_is_there_is_refused_before_and_after(tmp_path):
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(ValueError, match="is there already, and records are never overwritten; give another name"):
        check_free(tmp_path / "a.json")
    with pytest.raises(FileExistsError):
        write_record({}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "mine"
    check_free(tmp_path / "new" / "folder" / "b.json")


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    with pytest.raises(ValueError, match="no record can be written to .*; give another place by --out FILE"):
        check_writable(tmp_path / "file" / "folder")


def test_versions_name_what_values_depend_on():
    found = versions()
    assert {"ggdr", "torch", "numpy", "pillow", "scipy"} <= found.keys() and all(found.values())


def test_the_table_has_columns():
    rows = [Row("fid", Spread([10.0, 12.0]), "lower", "8, 8", "digits"), Row("a long name", Spread([1]), "-", "8", "-")]
    head, first, second = table(rows)
    assert first.split()[:5] == ["fid", "11", "-1.7", "..", "23.7"]
    assert head.index("value") == first.index("11") == second.index("1") and second.split()[3:5] == ["1", "-"]
