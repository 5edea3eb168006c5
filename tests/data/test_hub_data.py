"""Data sets of a Hub, whole and streamed, against a Hub on loopback; clients run in a process of their own."""

import json

import pytest
from hub_server import client, serving

PUSH = """
from datasets import Dataset, disable_progress_bars, load_dataset
from data_sources import encoded, parquet
from huggingface_hub import HfApi
disable_progress_bars()
source = parquet(home / "a.parquet", range(12))
rows = load_dataset("parquet", data_files=source, split="train")
rows.push_to_hub("tester/grays", num_shards=2)
rows.select(range(3)).push_to_hub("tester/grays", split="test")
api = HfApi()
for repo in ("tester/files", "tester/more"):
    api.create_repo(repo, repo_type="dataset")
    for name, value in (("cat/1.png", 1), ("cat/2.png", 2), ("dog/3.png", 3)):
        api.upload_file(repo_id=repo, repo_type="dataset", path_in_repo=name, path_or_fileobj=encoded(value))
api.create_repo("tester/texts", repo_type="dataset")
api.upload_file(repo_id="tester/texts", repo_type="dataset", path_in_repo="a.csv", path_or_fileobj=b"x,y\\n1,2\\n")
"""

READ = """
import json
from datasets import disable_progress_bars
from data_sources import gray_of
from ggdr.data.images import ImageFiles
from ggdr.data.stream import ImageStream
disable_progress_bars()

def seen(kind, **settings):
    try:
        images = kind(**settings).open()
    except ValueError as error:
        return str(error)
    batch = images.at(range(len(images)), 0)
    return [sorted(map(gray_of, batch.images)), batch.labels.argmax(1).tolist() if batch.labels is not None else None,
            [gray_of(image) for image in batch.images], images.label_names]

found = {kind.name: {
    "train": seen(kind, source="tester/grays", labels="label"),
    "test": seen(kind, source="tester/grays", split="test"),
    "files": seen(kind, source="tester/files", labels="label", **extra),
    "texts": seen(kind, source="tester/texts"),
    "absent": seen(kind, source="tester/absent"),
    "split": seen(kind, source="tester/grays", split="evil"),
} for kind, extra in ((ImageFiles, {}), (ImageStream, {"length": 3}))}
found["unknown length"] = seen(ImageStream, source="tester/more")
print("found", json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What the two kinds of data set made of the Hub."""
    with serving() as url:
        client(PUSH, url, tmp_path_factory.mktemp("pusher"))
        printed = client(READ, url, tmp_path_factory.mktemp("reader"))
    return json.loads(next(line for line in printed.splitlines() if line.startswith("found "))[6:])


@pytest.mark.parametrize("kind", ["images", "stream"])
def test_a_hub_data_set_gives_its_images_and_labels(found, kind):
    values, labels, order, names = found[kind]["train"]
    assert values == list(range(12)) and names == ["a", "b", "c"]
    assert labels == [value % 3 for value in order]


@pytest.mark.parametrize("kind", ["images", "stream"])
def test_a_split_is_chosen(found, kind):
    assert found[kind]["test"][0] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["images", "stream"])
def test_a_hub_data_set_of_loose_files_is_read(found, kind):
    values, labels, order, names = found[kind]["files"]
    assert values == [1, 2, 3] and names == ["cat", "dog"]
    assert labels == [int(value == 3) for value in order]


@pytest.mark.parametrize("kind", ["images", "stream"])
def test_what_a_hub_lacks_is_said_in_one_sentence(found, kind):
    assert "no image column; its columns are x, y" in found[kind]["texts"]
    assert found[kind]["absent"].startswith(
        "no file or folder 'tester/absent' here, and the Hub data set cannot be read"
    )
    assert "evil" in found[kind]["split"] and "test" in found[kind]["split"]


def test_a_stream_of_unknown_length_asks_for_it(found):
    assert "'tester/more' does not say how many images it holds; type length N." in found["unknown length"]
