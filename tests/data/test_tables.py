"""Parquet files, read as a whole or as a stream."""

import threading
from itertools import islice

import pytest
import torch
from data_sources import broken_parquet, encoded, folder, gray_of, label_of, parquet, plain_parquet

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.data.stream import ImageStream


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Arrow copies go with the test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


@pytest.fixture
def shards(tmp_path) -> str:
    """Three files of ten images each."""
    for shard in range(3):
        parquet(tmp_path / "shards" / f"train-{shard:05}-of-00003.parquet", range(10 * shard, 10 * shard + 10))
    parquet(tmp_path / "shards" / "test-00000-of-00001.parquet", [100, 101])
    return str(tmp_path / "shards")


def values(images, positions, seed=0) -> list[int]:
    return [gray_of(image) for image in images.at(list(positions), seed).images]


def test_a_parquet_file_is_read(tmp_path):
    images = ImageFiles(source=parquet(tmp_path / "a.parquet", range(5))).open()
    assert images.spec[:4] == (8, 8, 3, 0)
    assert sorted(values(images, range(5))) == [0, 1, 2, 3, 4]


def test_workers_read_a_table_as_one_process_does(shards):
    images = ImageFiles(source=shards, labels="label", cache_mb=0).open()
    one, two = (list(islice(batches(images, seed=0, start=5, batch_size=8, num_workers=n), 6)) for n in (0, 2))
    for (a, b), (c, d) in zip((each["real"] for each in one), (each["real"] for each in two), strict=True):
        assert torch.equal(a, c) and torch.equal(b, d)


def test_a_folder_of_parquet_files_is_read_by_split(shards):
    assert sorted(values(ImageFiles(source=shards).open(), range(30))) == list(range(30))
    assert sorted(values(ImageFiles(source=shards, split="test").open(), range(2))) == [100, 101]


def test_columns_of_plain_bytes_and_of_records_are_images(tmp_path):
    data = [encoded(value) for value in range(3)]
    for rows in (data, [{"bytes": each, "path": None} for each in data]):
        source = plain_parquet(tmp_path / f"{type(rows[0]).__name__}.parquet", {"picture": rows})
        assert sorted(values(ImageFiles(source=source).open(), range(3))) == [0, 1, 2]
        assert sorted(values(ImageStream(source=source).open(), range(3))) == [0, 1, 2]


def test_an_image_that_is_only_named_is_read_from_its_path(tmp_path):
    source = folder(tmp_path / "files", {"a.png": encoded(5)})
    rows = [{"bytes": None, "path": f"{source}/a.png"}]
    assert values(ImageFiles(source=plain_parquet(tmp_path / "a.parquet", {"image": rows})).open(), [0]) == [5]


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_what_a_table_lacks_is_said(tmp_path, kind):
    numbers = plain_parquet(tmp_path / "numbers.parquet", {"x": [1, 2]})
    with pytest.raises(ValueError, match="no image column; its columns are x"):
        kind(source=numbers).open()
    two = plain_parquet(tmp_path / "two.parquet", {"one": [encoded(1)], "two": [encoded(2)]})
    with pytest.raises(ValueError, match="several image columns; type image_column one or two"):
        kind(source=two).open()
    assert values(kind(source=two, image_column="two").open(), [0]) == [2]
    with pytest.raises(ValueError, match="no column 'three'; its columns are one, two"):
        kind(source=two, image_column="three").open()
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="cannot read '.*bad.parquet'"):
        kind(source=str(tmp_path / "bad.parquet")).open()


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_an_unknown_split_is_answered_with_those_there_are(shards, kind):
    with pytest.raises(ValueError, match=r"(?s)evil.*test"):
        kind(source=shards, split="evil").open()


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_broken_images_of_a_table_are_stood_in_for(tmp_path, kind):
    images = kind(source=broken_parquet(tmp_path / "a.parquet", good=range(6), broken=(2, 3))).open()
    first, again = values(images, range(8)), values(images, range(8))
    assert first == again and set(first) <= set(range(6)) and len(first) == 8
    assert len(images.unreadable) == 2


@pytest.mark.parametrize(
    ("column", "labels", "names"),
    [
        ("label", {0: [1, 0, 0], 1: [0, 1, 0], 2: [0, 0, 1]}, ("a", "b", "c")),
        ("word", {0: [1, 0, 0], 1: [0, 1, 0], 2: [0, 0, 1]}, ("a", "b", "c")),
        ("age", {0: [0], 1: [0.5], 2: [1]}, ("age",)),
        ("marks", {0: [0, 1], 1: [1, 1], 2: [0, 1]}, ("marks_0", "marks_1")),
    ],
)
def test_a_column_of_a_table_gives_labels(tmp_path, column, labels, names):
    assert label_of(parquet(tmp_path / "a.parquet", range(3)), column) == (labels, names)


def test_an_unknown_column_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="no column 'lable'; its columns are image, label, word, age, marks"):
        label_of(parquet(tmp_path / "a.parquet", range(3)), "lable")


def test_a_stream_shows_each_image_once_an_epoch_in_an_order_of_its_own(shards):
    images = ImageStream(source=shards, buffer=7).open()
    epochs = [values(images, range(30 * epoch, 30 * epoch + 30)) for epoch in range(3)]
    assert len(images) == 30
    assert all(sorted(epoch) == list(range(30)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] and epochs[0] != list(range(30))
    assert values(images, range(30), seed=1) != epochs[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_resumes_and_is_shared_as_it_would_have_gone_on(shards, workers):
    def read(**settings):
        loader = batches(ImageStream(source=shards, buffer=7, mirror=True).open(), seed=2, batch_size=8, **settings)
        return torch.cat([batch["real"].images for batch in islice(loader, 6)])

    whole = read(start=0)
    assert torch.equal(read(start=24, num_workers=workers)[:24], whole[24:])
    halves = [read(start=0, rank=rank, world=2, num_workers=workers).view(6, 4, 3, 8, 8) for rank in (0, 1)]
    assert torch.equal(torch.cat(halves, 1).flatten(0, 1), whole)


def test_looking_back_does_not_disturb_a_stream(shards):
    images = ImageStream(source=shards, buffer=7).open()
    ahead = values(images, range(16, 24))
    assert values(images, range(8)) == values(ImageStream(source=shards, buffer=7).open(), range(8))
    assert values(images, range(16, 24)) == ahead
    assert values(images, [20, 17]) == [ahead[4], ahead[1]]


def test_a_stream_ends_its_thread_with_its_reader(shards):
    before = threading.active_count()
    loader = batches(ImageStream(source=shards).open(), seed=0, start=0, batch_size=4, num_workers=1)
    next(loader)
    loader.close()
    assert threading.active_count() <= before


def test_a_stream_gives_labels(shards):
    batch = ImageStream(source=shards, labels="label").open().at(range(30), 0)
    assert batch.labels.argmax(1).tolist() == [gray_of(image) % 3 for image in batch.images]
    ages = ImageStream(source=shards, labels="age").open().at(range(30), 0)
    assert ages.labels[:, 0].tolist() == [gray_of(image) / 2 for image in ages.images]
    assert ImageStream(source=shards, labels="marks").open().label_names == ("marks_0", "marks_1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": "word"}, "'word' does not declare its classes"),
        ({"labels": "lable"}, "no column 'lable'"),
        ({"buffer": 0}, "shuffle buffer of 0"),
        ({"source": ""}, "no source of images"),
        ({"source": "/nowhere"}, "no file or folder '/nowhere'"),
    ],
)
def test_what_cannot_be_streamed_is_said(shards, settings, message):
    with pytest.raises(ValueError, match=message):
        ImageStream(**{"source": shards, **settings}).open()


def test_a_stream_shorter_than_its_stated_length_is_begun_again(tmp_path):
    images = ImageStream(source=parquet(tmp_path / "a.parquet", range(5)), length=8, buffer=2).open()
    shown = values(images, range(8))
    assert len(images) == 8 and sorted(shown[:5]) == [0, 1, 2, 3, 4] and len(shown) == 8


def test_a_stream_mirrors_half_of_its_images(tmp_path):
    import io

    import numpy as np
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(buffer, "PNG")
    source = plain_parquet(tmp_path / "a.parquet", {"image": [buffer.getvalue()] * 200})
    images = ImageStream(source=source, mirror=True).open()
    lit_left = (images.at(range(200), 0).images[:, 0, 0, 0] == 255).float().mean()
    assert 0.35 < lit_left < 0.65


def test_a_stream_passes_over_rows_without_a_label(tmp_path):
    rows = {"image": [encoded(value) for value in range(6)], "age": [None, 1.5, float("nan"), 3.0, 4.0, 5.0]}
    images = ImageStream(source=plain_parquet(tmp_path / "a.parquet", rows), labels="age").open()
    batch = images.at(range(12), 0)
    assert {gray_of(image) for image in batch.images} <= {1, 3, 4, 5} and batch.labels.isfinite().all()
    assert set(images.unreadable.values()) == {"it has no label in 'age'"}
    assert images.spec.label_names == ("age",) and images.spec.label_ranges == ((1.5, 5.0),)


def test_whole_numbers_of_a_stream_are_numbers_if_that_is_said(tmp_path):
    rows = {"image": [encoded(value) for value in range(3)], "age": [30, 40, 50]}
    source = plain_parquet(tmp_path / "a.parquet", rows)
    with pytest.raises(ValueError, match="if it holds quantities, type label_kind continuous"):
        ImageStream(source=source, labels="age").open()
    images = ImageStream(source=source, labels="age", label_kind="continuous").open()
    assert sorted(images.at(range(3), 0).labels[:, 0].tolist()) == [30, 40, 50]
