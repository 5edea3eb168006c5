"""Records: names that are never taken twice, and versions."""

import json

import pytest
from places import ROOT

from ggdr.evaluation.record import check_new_record, check_writable, versions, write_numbered, write_record
from ggdr.hub.results import results_in


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
        check_new_record(tmp_path / "a.json")
    with pytest.raises(FileExistsError):
        write_record({}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "mine"
    check_new_record(tmp_path / "new" / "folder" / "b.json")


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    with pytest.raises(ValueError, match="no record can be written to .*; give another place by --out FILE"):
        check_writable(tmp_path / "file" / "folder")


def test_versions_name_what_values_depend_on():
    found = versions()
    assert {"ggdr", "torch", "numpy", "pillow", "scipy"} <= found.keys() and all(found.values())


def test_cards_read_what_records_say_and_baselines_have_no_direction():
    record = json.loads((ROOT / "model_cards/records/digits/0001.json").read_text())
    better = {(result.metric, result.key): result.better for result in results_in([record])}
    assert better["memorization", "copied"] == better["fid", "distance"] == "lower"
    assert better["precision_recall", "recall"] == "higher"
    assert better["memorization", "reals"] == better["kid", "std"] == ""
