"""Files of labels as people have them: missing labels, names written in many ways, delimiters, NVIDIA's and others."""

import json

import pytest
from data_sources import encoded, folder, label_of, zipped

from ggdr.data.images import ImageFiles
from ggdr.data.reading.labels.column import are_classes, labels_from_column
from ggdr.data.reading.labels.folders import are_shards
from ggdr.data.reading.labels.matching import match

FILES = {f"cat/{n}.png": encoded(n) for n in (1, 2)} | {f"dog/{n}.png": encoded(n) for n in (3, 4)}
HALVES = {1: [1, 0], 2: [1, 0], 3: [0, 1], 4: [0, 1]}


def opened(source: str, labels: str, **settings):
    return ImageFiles(source=source, labels=labels, **settings).open()


def refusal(source: str, labels: str, **settings) -> str:
    with pytest.raises(ValueError) as refused:
        opened(source, labels, **settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "unknown", "Unknown", "N/A", "null", "?"])
@pytest.mark.parametrize("good", [("a", "a", "b"), ("0.5", "1", "2.5"), ("0", "0", "1")])
def test_a_cell_without_a_label_is_no_class(tmp_path, cell, good):
    lines = "\n".join(f"{n}.png,{value}" for n, value in zip((1, 2, 3, 4), (cell, *good), strict=True))
    source = folder(tmp_path, FILES | {"labels.csv": f"file,kind\n{lines}".encode()})
    said = refusal(source, "labels.csv")
    assert said.startswith("1 of 4 images have no label, such as 'cat/1.png'") and "unlabelled skip" in said
    images = opened(source, "labels.csv", unlabelled="skip")
    assert len(images) == 3 and images.spec.labels == len(set(good) if "." not in good[0] else ["kind"])
    assert any("1 of 4 images have no label and are left out" in note for note in images.notes)


def test_images_without_a_label_may_be_a_class_of_their_own(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"1.png,a\n2.png,unknown\n3.png,b"})
    images = opened(source, "labels.csv", unlabelled="class")
    assert images.label_names == ("a", "b", "unlabelled") and len(images) == 4
    numbers = folder(tmp_path / "n", FILES | {"labels.csv": b"1.png,0.5\n2.png,\n3.png,1\n4.png,2"})
    assert "unlabelled class" not in refusal(numbers, "labels.csv", unlabelled="class")


def test_a_subset_is_drawn_of_the_images_that_have_a_label(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"1.png,a\n4.png,b"})
    images = opened(source, "labels.csv", unlabelled="skip", subset=2)
    assert len(images) == 2 and images.at([0, 1], 0).labels.sum(0).tolist() == [1, 1]
    assert "the source has 2: choose 1 to 2" in refusal(source, "labels.csv", unlabelled="skip", subset=3)


def test_no_label_at_all_is_refused_whatever_is_asked(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"f,k\n1.png,\n2.png,\n3.png,?\n4.png,nan"})
    assert "column 'k' holds no label" in refusal(source, "labels.csv", unlabelled="skip")


def test_rows_that_disagree_are_refused_and_rows_that_agree_are_not(tmp_path):
    lines = "1.png,a\n2.png,a\n3.png,b\n4.png,b\n"
    good = folder(tmp_path / "good", FILES | {"labels.csv": f"{lines}dog/4.png,b".encode()})
    assert label_of(good, "labels.csv")[0] == HALVES
    bad = folder(tmp_path / "bad", FILES | {"labels.csv": f"{lines}dog/4.png,a".encode()})
    said = refusal(bad, "labels.csv")
    assert said == "labels.csv has two labels for 'dog/4.png': 'b' (by '4.png') and 'a' (by 'dog/4.png'); remove one."


@pytest.mark.parametrize(
    "write",
    [
        lambda name, here: name.replace("/", "\\"),
        lambda name, here: f"./{name}",
        lambda name, here: f"{here}/{name}",
        lambda name, here: f"C:\\Users\\me\\images\\{name}".replace("/", "\\"),
        lambda name, here: f"/elsewhere/data/{name}",
        lambda name, here: f"images/{name}",
        lambda name, here: f"other/{name.rpartition('/')[2]}",
        lambda name, here: name.removesuffix(".png"),
        lambda name, here: name.rpartition("/")[2].removesuffix(".png"),
        lambda name, here: name.upper(),
        lambda name, here: f"./{name.title()}".replace(".Png", ".JPG"),
    ],
)
@pytest.mark.parametrize("kind", [folder, zipped])
def test_names_may_be_written_in_many_ways(tmp_path, write, kind):
    here = tmp_path / ("images" if kind is folder else "images.zip")
    source = kind(here, FILES)
    kinds = {name: name.partition("/")[0] for name in FILES}
    lines = [f"{write(name, tmp_path / 'images')},{each}" for name, each in kinds.items()]
    for heading in ([], ["image,kind"]):
        (tmp_path / "labels.csv").write_text("\n".join(heading + lines))
        assert label_of(source, str(tmp_path / "labels.csv")) == (HALVES, ("cat", "dog"))


@pytest.mark.parametrize(("kind", "name"), [(folder, "train"), (zipped, "train.zip")])
def test_the_folder_of_the_source_tells_namesakes_of_two_splits_apart(tmp_path, kind, name):
    source = kind(tmp_path / name, {"1.png": encoded(1), "2.png": encoded(2)})
    (tmp_path / "all.csv").write_text("train/1.png,a\ntest/1.png,b\ntest/2.png,b")
    assert "1 of 2 images have no label, such as '2.png'" in refusal(source, str(tmp_path / "all.csv"))


def test_names_that_mean_no_image_are_shown_beside_those_of_the_images(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"file,kind\nx1.png,a\nx2.png,b"})
    said = refusal(source, "labels.csv")
    assert "names none of the 4 images" in said and "'x2.png'" in said and "'cat/1.png'" in said
    some = folder(tmp_path / "some", FILES | {"labels.csv": b"file,kind\n1.png,a\n2.png,b\nx3.png,a"})
    assert "a line of the labels names 'x3.png', which is none of them" in refusal(some, "labels.csv")


def test_a_name_that_may_mean_two_images_means_none(tmp_path):
    files = {"cat/1.png": encoded(1), "dog/1.png": encoded(2), "dog/2.png": encoded(3)}
    source = folder(tmp_path, files | {"labels.csv": b"1.png,a\n2.png,b"})
    assert "2 of 3 images have no label, such as 'cat/1.png'" in refusal(source, "labels.csv")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.tsv", "file\tkind\n1.png\ta\n2.png\ta\n3.png\tb\n4.png\tb"),
        ("labels.csv", "file;kind\n1.png;a\n2.png;a\n3.png;b\n4.png;b"),
        ("labels.csv", "1.png;a\n2.png;a\n3.png;b\n4.png;b"),
        ("labels.csv", "kind,file_name\na,1.png\na,2.png\nb,3.png\nb,4.png"),
        ("labels.csv", "kind;name\na,x;1.png\na,x;2.png\nb,y;3.png\nb,y;4.png"),
        ("labels.csv", '"file","kind"\n"1.png","a, or b"\n"2.png","a, or b"\n"3.png","c"\n"4.png","c"'),
    ],
)
def test_delimiters_and_the_column_of_names_are_found(tmp_path, name, text):
    source = folder(tmp_path, FILES | {name: text.encode()})
    assert label_of(source, name)[0] == HALVES


def test_decimal_commas_are_numbers(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"f;price\n1.png;0,5\n2.png;1,25\n3.png;2\n4.png;3,0"})
    assert label_of(source, "labels.csv") == ({1: [0.5], 2: [1.25], 3: [2], 4: [3]}, ("price",))


@pytest.mark.parametrize(
    ("column", "cells", "names"),
    [
        ("age", (30, 40, 41, 40), ("age",)),
        ("Age_years", (1, 2, 1, 2), ("Age_years",)),
        ("value", (3, 5, 7, 7), ("value",)),
        ("x", (3, 5, 7, 7), ("x",)),
        ("x", (0, 1, 2, 3), ("x",)),
        ("x", (0, 1, 0, 1), ("0", "1")),
        ("x", (-1, 1, 1, -1), ("-1", "1")),
        ("x", ("1.0", "2.0", "1.0", "2.0"), ("1", "2")),
        ("class", (3, 5, 7, 7), ("3", "5", "7")),
        ("labelId", (3, 5, 7, 7), ("3", "5", "7")),
        ("x", (0.5, 1, 2, 2), ("x",)),
    ],
)
def test_whole_numbers_are_classes_or_values_and_it_is_told_which(tmp_path, column, cells, names):
    lines = "\n".join(f"{n}.png,{cell}" for n, cell in zip((1, 2, 3, 4), cells, strict=True))
    source = folder(tmp_path, FILES | {"labels.csv": f"f,{column}\n{lines}".encode()})
    images = opened(source, "labels.csv")
    assert images.label_names == names and bool(images.spec.label_ranges) == (len(names) == 1)
    if 0.5 not in cells:
        other = "classes" if len(names) == 1 else "continuous"
        (note,) = images.notes
        assert f"--data.label-kind {other}" in note and repr(column) in note
        assert len(opened(source, "labels.csv", label_kind=other).label_names) == (len(set(cells)), 1)[len(names) > 1]


def test_words_are_no_numbers(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"1.png,a\n2.png,a\n3.png,b\n4.png,b"})
    assert "holds words, such as 'a'; they can only be classes" in refusal(
        source, "labels.csv", label_kind="continuous"
    )


def test_one_column_of_several_is_chosen_by_its_name(tmp_path):
    text = b"file,kind,hat,tie\n1.png,a,1,0\n2.png,a,1,1\n3.png,b,0,0\n4.png,b,0,1"
    source = folder(tmp_path, FILES | {"labels.csv": text})
    assert "as labels labels.csv:kind" in refusal(source, "labels.csv")
    assert label_of(source, "labels.csv:kind") == (HALVES, ("a", "b"))
    assert label_of(source, "labels.csv:hat,tie")[1] == ("hat", "tie")
    assert "labels.csv has no column 'cap'; its columns are kind, hat, tie" in refusal(source, "labels.csv:cap")


@pytest.mark.parametrize("kind", [folder, zipped])
@pytest.mark.parametrize("wrap", ["", "set/"])
def test_metadata_jsonl_and_csv_lie_among_the_images(tmp_path, kind, wrap):
    rows = [{"file_name": f"{each}/{n}.png", "label": each} for each, n in (("cat", 1), ("cat", 2), ("dog", 3))]
    rows.append({"file_name": "dog/4.png", "label": "dog"})
    files = {wrap + name: data for name, data in FILES.items()}
    jsonl = "\n".join(map(json.dumps, rows)).encode()
    csv = "\n".join(["label,file_name", *(f"{row['label']},{row['file_name']}" for row in rows)]).encode()
    source = kind(tmp_path / "x.zip", files | {f"{wrap}metadata.jsonl": jsonl, f"{wrap}metadata.csv": csv})
    for name in ("metadata.jsonl", "metadata.csv"):
        assert label_of(source, name) == (HALVES, ("cat", "dog"))


def test_metadata_may_hold_vectors_and_say_of_some_that_there_is_none(tmp_path):
    rows = [{"file_name": f"{n}.png", "pose": [n / 2, 1]} for n in (1, 2, 3)] + [{"file_name": "4.png", "pose": None}]
    source = folder(tmp_path, FILES | {"metadata.jsonl": "\n".join(map(json.dumps, rows)).encode()})
    assert "1 of 4 images have no label" in refusal(source, "metadata.jsonl")
    images = opened(source, "metadata.jsonl", unlabelled="skip")
    assert images.label_names == ("pose_0", "pose_1") and images.spec.label_ranges == ((0.5, 1.5), (1, 1))


SHARDS = {f"0000{shard}/img0000000{n}.png": encoded(n) for shard, n in ((0, 1), (0, 2), (1, 3), (1, 4))}


def dataset_json(*labels) -> bytes:
    pairs = [[name, label] for name, label in zip(SHARDS, labels, strict=False)]
    return json.dumps({"labels": pairs if labels else None}).encode()


@pytest.mark.parametrize("kind", [folder, zipped])
@pytest.mark.parametrize(
    ("labels", "found", "names"),
    [
        ((0, 0, 2, 2), {1: [1, 0, 0], 2: [1, 0, 0], 3: [0, 0, 1], 4: [0, 0, 1]}, ("0", "1", "2")),
        (([0.5, 1], [0, 1], [1, 0], [2, 2]), {1: [0.5, 1], 2: [0, 1], 3: [1, 0], 4: [2, 2]}, ("label_0", "label_1")),
        (([1, 0], [0, 1], [1, 0], [0, 1]), {1: [1, 0], 2: [0, 1], 3: [1, 0], 4: [0, 1]}, ("label_0", "label_1")),
    ],
)
def test_nvidias_dataset_json_gives_class_numbers_or_vectors(tmp_path, kind, labels, found, names):
    source = kind(tmp_path / "x.zip", SHARDS | {"dataset.json": dataset_json(*labels)})
    assert label_of(source, "dataset.json") == (found, names)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (dataset_json(), "dataset.json says that its images have no labels (null); leave labels out."),
        (dataset_json(0, 1), "2 of 4 images have no label, such as '00001/img00000003.png'"),
        (dataset_json(0, 1, None, 1), "1 of 4 images have no label"),
        (dataset_json(0, 10**9, 1, 1), "class number 1,000,000,000; 1,000,000 classes are the most"),
        (dataset_json([1.0], [1.0, 2.0], [1.0], [0.0]), "lists of differing length"),
        (dataset_json([1.0], 2, [1.0], [0.0]), "lists of differing length"),
        (b"{}", "it is to be"),
        (b'{"labels": [["a"]]}', "it is to be"),
        (b"[" * 100_000, "dataset.json is no JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_dataset_json_is_said(tmp_path, data, said):
    assert said in refusal(folder(tmp_path, SHARDS | {"dataset.json": data}), "dataset.json")


def test_shards_are_no_classes(tmp_path):
    source = folder(tmp_path, SHARDS)
    said = refusal(source, "folders")
    assert "00000, 00001 are shards, no classes" in said and "labels top-folders" in said
    assert opened(source, "top-folders").label_names == ("00000", "00001")
    thousands = folder(tmp_path / "ffhq", {f"{n:02}000/{n}.png": encoded(n) for n in range(4)})
    assert "are shards" in refusal(thousands, "folders")
    people = folder(tmp_path / "people", {f"{n:07}/{n}.png": encoded(n) for n in (45, 99, 100)})
    assert opened(people, "folders").spec.labels == 3
    digits = folder(tmp_path / "digits", {f"{n}/{n}.png": encoded(n) for n in range(3)})
    assert opened(digits, "folders").label_names == ("0", "1", "2")


@pytest.mark.parametrize("kind", [folder, zipped])
def test_folders_of_splits_are_no_classes(tmp_path, kind):
    inner = {f"{split}/{name}": data for split in ("train", "Valid") for name, data in FILES.items()}
    source = kind(tmp_path / "x.zip", inner)
    images = opened(source, "folders")
    assert images.label_names == ("cat", "dog") and len(images) == 4
    (note,) = images.notes
    assert "are splits (Valid: 4, train: 4), of which train is read; --data.split all reads all" in note
    assert len(opened(source, "folders", split="all")) == len(opened(source, "", split="all")) == 8
    assert len(opened(source, "", split="val")) == len(opened(source, "")) == 4
    assert opened(source, "top-folders", split="all").label_names == ("Valid", "train")
    assert "has the splits Valid: 4, train: 4, and no 'test'" in refusal(source, "", split="test")


def test_splits_without_classes_below_are_refused_as_classes(tmp_path):
    source = folder(tmp_path, {"train/1.png": encoded(1), "test/2.png": encoded(2)})
    for split in ("train", "all"):
        said = refusal(source, "folders", split=split)
        assert "splits of a data set, no classes" in said and "split all labels top-folders" in said
    assert "has no split 'valid'" in refusal(folder(tmp_path / "flat", FILES), "", split="valid")


def test_labels_near_the_split_that_is_read_are_taken(tmp_path):
    files = {f"{split}/{n}.png": encoded(n) for split in ("train", "test") for n in (1, 2)}
    lines = {"train": b"file_name,l\n1.png,a\n2.png,b", "test": b"file_name,l\n1.png,b\n2.png,b"}
    source = folder(tmp_path, files | {f"{split}/metadata.csv": text for split, text in lines.items()})
    assert label_of(source, "metadata.csv")[0] == {1: [1, 0], 2: [0, 1]}
    assert "there are several 'metadata.csv'" in refusal(source, "metadata.csv", split="all")


@pytest.mark.parametrize(
    ("values", "column", "found"),
    [
        ([0, 1, 2] * 2, "x", True), ([1, 2, 3] * 2, "x", True), ([5, 6, 7] * 2, "x", False),
        ([0, 1, 3] * 2, "x", False), ([0, 1, 2, 3, 3], "x", False), ([0, 1, 2] * 2, "birthYear", False),
        ([9, 5, 7], "y", True), ([7, 7], "x", False),
    ],
)  # fmt: skip
def test_whole_numbers_are_those_of_classes_by_name_or_if_they_look_so(values, column, found):
    assert are_classes(values, column) == found


def test_a_column_of_a_table_may_have_cells_without_a_label():
    labels = labels_from_column([0.5, float("nan"), None, 2.0], "x")
    assert labels.missing.tolist() == [False, True, True, False] and labels.ranges == ((0.5, 2.0),)
    assert labels_from_column([1, -1, 0], "x", names=("a", "b")).missing.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (["00000", "00001"], True), (["00000", "01000", "02000"], True), (["00000", "00001", "00003"], False),
        (["00001", "00002"], False), (["0000", "0001"], False), (["00000"], True),
        (["00001"], False), (["00000", "dogs0"], False),
    ],
)  # fmt: skip
def test_shards_are_numbered_evenly_from_zero_with_five_digits(folders, found):
    assert are_shards(folders) == found


@pytest.mark.parametrize(
    ("names", "files", "found"),
    [
        (["1.PNG", "1.JPG"], ["1.jpg", "1.png"], [1, 0]),
        (["/far/cat/1.png", "/far/dog/1.png"], ["dog/1.png", "cat/1.png"], [1, 0]),
        (["x/1.png", "x/2.png", "y/2.png"], ["a/1.png", "a/2.png"], [0, None, None]),
        (["img.0001", "img.0002"], ["img.0002.png", "img.0001.png"], [1, 0]),
        (["2", "x"], ["1.png"], [None, None]),
    ],
)
def test_a_name_means_the_one_file_that_is_most_alike(names, files, found):
    assert match(names, files).files == found


def test_a_heading_may_be_called_as_an_image_is(tmp_path):
    source = folder(tmp_path, FILES | {"image.png": encoded(5)})
    (tmp_path / "l.csv").write_text("image,kind\n1.png,a\n2.png,a\n3.png,b\n4.png,b\nimage.png,b")
    assert label_of(source, str(tmp_path / "l.csv")) == (HALVES | {5: [0, 1]}, ("a", "b"))


def test_file_name_is_the_column_of_names_whatever_else_may_be(tmp_path):
    text = b"id,file_name,kind\n4,1.png,a\n3,2.png,a\n2,3.png,b\n1,4.png,b"
    source = folder(tmp_path, FILES | {"metadata.csv": text})
    assert label_of(source, "metadata.csv:kind") == (HALVES, ("a", "b"))
