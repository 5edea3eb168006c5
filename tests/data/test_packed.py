"""Tars, WebDataset shards, LMDBs and saved data sets, read in place."""

import json
import re
import tarfile
from pathlib import Path

import pytest
import torch
from data_sources import encoded, folder, gray_of, label_of, lmdb, noise, shard, tar

from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.data.reading.files.index import Entry, load_index, read_range
from ggdr.data.reading.files.lmdb import newest_state, page_nodes
from ggdr.verbs.datacheck import main


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """What is remembered goes with the test."""
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path / "cache"))


def grays(source: str, **settings) -> list[int]:
    images = ImageFiles(source=source, **settings).open()
    return sorted(gray_of(image) for image in images.at(range(len(images)), 0).images)


def test_a_tar_gives_what_its_folder_gives(tmp_path):
    files = {f"{number}/x.png": noise(number) for number in range(5)} | {"a" * 150 + ".png": noise(9), "note.txt": b"x"}
    one = ImageFiles(source=folder(tmp_path / "files", files)).open()
    other = ImageFiles(source=tar(tmp_path / "files.tar", files)).open()
    assert torch.equal(one.at(range(12), 3).images, other.at(range(12), 3).images)


def test_shards_are_one_set_however_they_are_named(tmp_path):
    for number in range(3):
        shard(tmp_path / "set" / f"train-{number:03}.tar", range(10 * number, 10 * number + 10))
    for source in ("set", "set/train-{000..002}.tar", "set/train-{000,001,002}.tar", "set/train-*.tar"):
        assert grays(str(tmp_path / source)) == [*range(30)]
    assert grays(str(tmp_path / "set/train-{001..002}.tar")) == [*range(10, 30)]
    with pytest.raises(ValueError, match="no file '.*train-003.tar', which"):
        ImageFiles(source=str(tmp_path / "set/train-{000..003}.tar")).open()


def test_classes_come_from_members_beside_the_images(tmp_path):
    for number in range(2):
        shard(tmp_path / "set" / f"{number}.tar", range(10 * number, 10 * number + 6))
    labels, names = label_of(str(tmp_path / "set"), "cls")
    assert names == ("0", "1", "2") and labels[14] == [0, 0, 1] and labels[3] == [1, 0, 0]
    labels, names = label_of(str(tmp_path / "set"), "json.kind")
    assert names == ("0", "1") and labels[15] == [0, 1]
    labels, names = label_of(str(tmp_path / "set"), "json.age")
    assert names == ("json.age",) and labels[15] == [7.5]
    for wrong in ("json.nothing", "json.kind.x", "cls"):
        source = str(tmp_path / "set") if "." in wrong else tar(tmp_path / "a.tar", {"1.png": encoded(1)})
        with pytest.raises(
            ValueError, match=f"labels {wrong}: no member beside an image holds them; labels: (cls|none)"
        ):
            ImageFiles(source=source, labels=wrong).open()


def test_folders_within_shards_are_classes_and_shards_are_none(tmp_path):
    for number in range(2):
        files = {f"{kind}/{number}.png": encoded(10 * number + place) for place, kind in enumerate(("cat", "dog"))}
        tar(tmp_path / "set" / f"{number}.tar", files)
    labels, names = label_of(str(tmp_path / "set"), "folders")
    assert names == ("cat", "dog") and labels[11] == [0, 1]


def test_an_image_without_its_class_is_named(tmp_path):
    source = tar(tmp_path / "a.tar", {"1.png": encoded(1), "1.cls": b"0", "2.png": encoded(2)})
    with pytest.raises(ValueError, match="1 of 2 images have no label, such as '2.png'"):
        ImageFiles(source=source, labels="cls").open()
    assert len(ImageFiles(source=source, labels="cls", unlabelled="skip").open()) == 1


def test_of_several_images_a_sample_one_is_chosen(tmp_path):
    files = {f"{n}.{end}": encoded(value) for n in range(9) for end, value in (("png", n), ("mask.png", 200))}
    source = tar(tmp_path / "a.tar", files)
    with pytest.raises(ValueError, match="type image_column mask.png or png"):
        ImageFiles(source=source).open()
    assert grays(source, image_column="png") == [*range(9)]
    assert grays(tar(tmp_path / "b.tar", {f"img.{n}.png": encoded(n) for n in range(9)})) == [*range(9)]


def test_workers_read_what_one_process_reads(tmp_path):
    source = shard(tmp_path / "a.tar", range(40))
    for where in (source, lmdb(tmp_path / "b", {b"%04d" % n: encoded(n) for n in range(40)})):
        images = ImageFiles(source=where, cache_mb=0).open()
        alone, shared = (batches(images, seed=0, start=0, batch_size=8, num_workers=workers) for workers in (0, 2))
        assert all(torch.equal(next(alone)["real"].images, next(shared)["real"].images) for _ in range(8))


def test_members_are_looked_up_once_and_again_when_the_tar_has_changed(tmp_path, monkeypatch):
    source = shard(tmp_path / "a.tar", range(4))
    assert grays(source) == [0, 1, 2, 3]
    (kept,) = (tmp_path / "cache" / "indexes").iterdir()
    feature_resolutions = []
    monkeypatch.setattr(tarfile, "open", lambda *args, **options: feature_resolutions.append(args))
    assert grays(source) == [0, 1, 2, 3] and not feature_resolutions
    monkeypatch.undo()
    kept.write_bytes(b"torn")
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path / "cache"))
    assert grays(source) == [0, 1, 2, 3]
    shard(tmp_path / "a.tar", range(10, 15))
    assert grays(source) == [10, 11, 12, 13, 14]


def test_a_compressed_tar_is_told_from_a_broken_one(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(ValueError, match="is compressed.*gunzip"):
        ImageFiles(source=str(tmp_path / "a.tar.gz")).open()


def test_a_tar_cut_anywhere_is_refused(tmp_path):
    whole = Path(shard(tmp_path / "a.tar", range(6))).read_bytes()
    for length in (0, 100, 512, 600, 512 * 7 + 100, len(whole) // 2 - 100):
        (tmp_path / "a.tar").write_bytes(whole[:length])
        with pytest.raises(ValueError) as refused:
            ImageFiles(source=str(tmp_path / "a.tar")).open()
        assert "a.tar" in str(refused.value) and str(refused.value).isprintable()


def test_a_tar_without_an_end_mark_may_be_cut_off(tmp_path):
    whole = Path(tar(tmp_path / "a.tar", {f"{n}.png": encoded(n + 1) for n in range(4)})).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: 3 * 1024])  # a head and a padded image each
    for _ in range(2):
        with pytest.warns(UserWarning, match="a.tar' ends without the mark that ends a tar: it may be cut off"):
            assert grays(str(tmp_path / "a.tar")) == [1, 2, 3]


def test_shards_lie_beside_notes_and_in_the_folders_of_splits(tmp_path):
    shard(tmp_path / "one" / "0.tar", range(4))
    folder(tmp_path / "one", {"README.md": b"x", "more/index.json": b"{}"})
    assert grays(str(tmp_path / "one")) == [*range(4)]
    for split, first in (("train", 0), ("val", 100)):
        for number in range(2):
            shard(tmp_path / "two" / split / f"{number}.tar", range(first + 4 * number, first + 4 * number + 4))
    assert grays(str(tmp_path / "two"), split="val") == [*range(100, 108)]
    assert grays(str(tmp_path / "two")) == [*range(8)]


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({"a/data.mdb": b"", "b/data.mdb": b""}, "2 of .mdb (give one of them as the source)"),
        ({"a.zip": b"", "b.zip": b""}, "2 of .zip (give one of them as the source)"),
        ({"a.rar": b""}, "1 of .rar (unpack them)"),
    ],
)
def test_what_cannot_be_read_as_a_folder_is_told_what_to_do_with(tmp_path, files, advice):
    with pytest.raises(ValueError, match=re.escape(advice)):
        ImageFiles(source=folder(tmp_path / "set", files)).open()


def test_a_file_that_is_not_there_is_no_data_set_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/a.tar", "data/A.ZIP", "data/a.npz", "data/a.parquet"):
        with pytest.raises(ValueError, match=f"no file or folder '{name}'; give"):
            ImageFiles(source=name).open()


def test_images_beside_a_tar_are_a_folder_of_images(tmp_path):
    shard(tmp_path / "set" / "more.tar", range(4))
    assert grays(folder(tmp_path / "set", {"1.png": encoded(1)})) == [1]


@pytest.mark.parametrize("count", [1, 3, 2000])
def test_an_lmdb_gives_what_its_library_put_in(tmp_path, count):
    values = {f"{number:040}".encode(): encoded(number % 250, height=2, width=2) for number in range(count)}
    values[b"big"] = noise(1, 200, 200)  # has pages of its own
    values[b"length"] = b"2000"
    source = lmdb(tmp_path / "set_lmdb", values)
    images = ImageFiles(source=source, size=2).open()
    assert len(images) == count + 1 and not images.unreadable
    reader = images.pictures.pictures.reader
    assert {reader.name(item).encode(): reader.read(item) for item in range(len(reader))} == {
        key: value for key, value in values.items() if key != b"length"
    }


def test_lsuns_own_webp_and_a_file_without_a_folder_are_read(tmp_path):
    values = {bytes([number]) * 4: encoded(number, kind="WEBP") for number in range(10)}
    assert len(grays(lmdb(tmp_path / "a.mdb", values, subdir=False))) == 10


def test_a_store_written_and_changed_many_times_gives_its_newest_state(tmp_path):
    source = lmdb(tmp_path / "a", {b"%d" % number: encoded(number) for number in range(50)})
    lmdb(tmp_path / "a", {b"%d" % number: encoded(number + 100) for number in range(25)})
    assert grays(source) == sorted([*range(100, 125), *range(25, 50)])


def test_an_lmdb_cut_off_is_refused_and_not_the_end_of_the_process(tmp_path):
    source = Path(lmdb(tmp_path / "a", {b"%d" % number: noise(number, 40, 40) for number in range(50)})) / "data.mdb"
    whole = source.read_bytes()
    for length in (0, 100, 4096, 5000, 9000, len(whole) // 2, len(whole) - 4096):
        source.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is no readable LMDB.*copy it again"):
            ImageFiles(source=str(source.parent)).open()


def test_an_lmdb_whose_pages_lie_in_a_circle_is_refused(tmp_path):
    source = Path(lmdb(tmp_path / "a", {b"%06d" % number: encoded(1) for number in range(500)})) / "data.mdb"
    with source.open("r+b") as file:
        page_size, root = newest_state(file, source.stat().st_size)
        file.seek(root * page_size)
        page = bytearray(file.read(page_size))
        for place, *_ in page_nodes(bytes(page)):
            page[place : place + 2] = root.to_bytes(2, "little")
        file.seek(root * page_size)
        file.write(page)
    with pytest.raises(ValueError, match="its pages lie in a circle"):
        ImageFiles(source=str(source)).open()


def test_another_tree_in_an_lmdb_is_no_image(tmp_path):
    import lmdb as library

    source = lmdb(tmp_path / "a", {b"1": encoded(1)})
    with library.open(source, max_dbs=1, map_size=2**26) as opened:
        opened.open_db(b"other")
    assert len(ImageFiles(source=source).open()) == 1


def test_a_damaged_head_amid_a_tar_is_refused(tmp_path):
    whole = bytearray(Path(tar(tmp_path / "a.tar", {f"{n}.png": encoded(n) for n in range(4)})).read_bytes())
    whole[2 * 1024 + 150] ^= 1  # in the third head's sum
    (tmp_path / "a.tar").write_bytes(whole)
    with pytest.raises(ValueError, match="what begins at byte 2,048 is no member: it is damaged"):
        ImageFiles(source=str(tmp_path / "a.tar")).open()


def test_no_entry_lies_beyond_its_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    for start, size in ((0, 101), (90, 11), (-1, 5), (0, -5), (2**62, 2**62)):
        with pytest.raises(ValueError, match="lies beyond its end"):
            load_index(tmp_path / "a", lambda file, length, place=(start, size): [Entry("a", *place)])
    with pytest.raises(ValueError, match="has become shorter"):
        read_range(tmp_path / "a", 90, 11)


def test_a_saved_data_set_is_read_with_its_splits_and_labels(tmp_path):
    import datasets

    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=["a", "b"]))
    rows = {
        kind: {"image": [{"bytes": encoded(first + n), "path": None} for n in range(6)], "label": [0, 1] * 3}
        for kind, first in (("train", 0), ("test", 100))
    }
    splits = {kind: datasets.Dataset.from_dict(some, features) for kind, some in rows.items()}
    datasets.disable_progress_bars()
    splits["train"].save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "two"))
    assert grays(str(tmp_path / "one")) == grays(str(tmp_path / "two")) == [*range(6)]
    assert grays(str(tmp_path / "two"), split="test") == [*range(100, 106)]
    labels, names = label_of(str(tmp_path / "two"), "label")
    assert names == ("a", "b") and labels[3] == [0, 1]
    with pytest.raises(ValueError, match="no split 'all'; choose one with split train or test"):
        ImageFiles(source=str(tmp_path / "two"), split="all").open()


def test_a_saved_data_set_names_no_file_elsewhere(tmp_path):
    import datasets

    one = {"image": [{"bytes": encoded(1), "path": None}]}
    secret = datasets.Dataset.from_dict(one, datasets.Features(image=datasets.Image()))
    secret.save_to_disk(str(tmp_path / "secret"))
    secret.save_to_disk(str(tmp_path / "one"))
    state = json.loads((tmp_path / "one" / "state.json").read_text())
    for name in (str(tmp_path / "secret" / "data-00000-of-00001.arrow"), "../secret/data-00000-of-00001.arrow"):
        state["_data_files"] = [{"filename": name}]
        (tmp_path / "one" / "state.json").write_text(json.dumps(state))
        with pytest.raises(ValueError, match="does not name files"):
            ImageFiles(source=str(tmp_path / "one")).open()
    (tmp_path / "one" / "dataset_dict.json").write_text('{"splits": [".."]}')
    with pytest.raises(ValueError, match="does not name its splits"):
        ImageFiles(source=str(tmp_path / "one"), split="..").open()


@pytest.mark.parametrize("kind", ["tar", "lmdb"])
def test_the_check_understands_each_kind_and_prints_its_flags(tmp_path, capsys, kind):
    if kind == "tar":
        shard(tmp_path / "set" / "{0}.tar", range(4))
        shard(tmp_path / "set" / "1.tar", range(4, 8))
        assert main(["check", str(tmp_path / "set")]) == 0
    else:
        assert main(["check", lmdb(tmp_path / "set", {b"%d" % n: encoded(n) for n in range(8)})]) == 0
    told = capsys.readouterr().out
    assert "8 readable, 0 unreadable" in told and f"--data.source {tmp_path}/set" in told
    assert ("to train with them: --data.labels cls" in told) == (kind == "tar")
