"""Two domains of a data set of a Hub: columns, configurations and classes, against a Hub on loopback."""

import json

import pytest
from hub_server import client, serving

PUSH = """
from datasets import Dataset, disable_progress_bars, load_dataset
from data_sources import parquet
from domain_layouts import column_table
from huggingface_hub import HfApi
disable_progress_bars()

def table(source):
    return load_dataset("parquet", data_files=source, split="train")

columns = table(column_table(home / "c.parquet"))
columns.push_to_hub("tester/horse2zebra")
columns.select(range(3)).push_to_hub("tester/horse2zebra", split="test")
for kind, count in (("horse", 5), ("zebra", 3)):
    rows = columns.select(range(count)).select_columns("imageA").rename_column("imageA", "image")
    rows.push_to_hub("tester/configs", config_name=kind)
    rows.select(range(2)).push_to_hub("tester/configs", config_name=kind, split="test")
table(parquet(home / "a.parquet", range(9))).push_to_hub("tester/afhq")
api = HfApi()
api.create_repo("tester/script", repo_type="dataset")
api.upload_file(repo_id="tester/script", repo_type="dataset", path_in_repo="script.py", path_or_fileobj=b"x = 1")
"""

READ = """
import json
from datasets import disable_progress_bars
from ggdr.data.domains import Domains
from ggdr.data.pairs import Pairs
disable_progress_bars()

def seen(settings):
    try:
        images, held = settings.open(), settings.held_out()
        counts = {name: len(each) for name, each in images.sets.items()} if settings.name == "domains" else len(images)
        return [counts, held and [held.split, len(held.open())], list(images.domains)]
    except ValueError as error:
        return str(error)

print("found", json.dumps({
    "columns": seen(Domains(source="tester/horse2zebra")),
    "configurations": seen(Domains(source="tester/configs")),
    "classes": seen(Domains(source="tester/afhq", labels="label", names=("a", "c"), hold_out=1)),
    "pairs": seen(Pairs(source="tester/horse2zebra")),
    "one column": seen(Domains(source="tester/afhq")),
    "script": seen(Pairs(source="tester/script")),
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What became of the Hub's data sets."""
    with serving() as url:
        client(PUSH, url, tmp_path_factory.mktemp("pusher"))
        out = client(READ, url, tmp_path_factory.mktemp("reader"))
    return json.loads(out.split("found ")[1])


def test_columns_configurations_and_classes_are_two_domains(found):
    assert found["columns"] == [{"horse": 6, "zebra": 4}, ["test", 3], ["horse", "zebra"]]
    assert found["configurations"] == [{"horse": 5, "zebra": 3}, ["test", 2], ["horse", "zebra"]]
    assert found["classes"] == [{"a": 2, "c": 2}, ["test", 1], ["a", "c"]]


def test_columns_are_pairs_by_row(found):
    assert found["pairs"] == [6, ["test", 3], ["horse", "zebra"]]


def test_what_tells_no_two_domains_apart_says_how_to(found):
    assert "'tester/afhq' does not tell two domains apart" in found["one column"]
    assert "type labels LABELS names CLASS CLASS, or a.source A b.source B." in found["one column"]


def test_a_loading_script_is_not_run(found):
    assert (
        "'tester/script' is read by a program of the data set's own, which is not run; look on the Hub"
        in found["script"]
    )
