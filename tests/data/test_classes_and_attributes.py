"""Labels from sub-folders and csv files: classes, attributes, continuous values."""

import pytest
from data_sources import encoded, folder, gray_of, label_of, zipped

from ggdr.data.images import ImageFiles

FILES = {"cat/1.png": encoded(1), "cat/deep/2.png": encoded(2), "dog/3.png": encoded(3)}


@pytest.mark.parametrize("wrap", ["", "train/"])
@pytest.mark.parametrize("kind", [folder, zipped])
def test_sub_folders_are_classes(tmp_path, kind, wrap):
    source = kind(tmp_path / "x.zip", {wrap + name: data for name, data in FILES.items()})
    assert label_of(source, "folders") == ({1: [1, 0], 2: [1, 0], 3: [0, 1]}, ("cat", "dog"))


def test_an_image_in_no_sub_folder_is_named(tmp_path):
    source = folder(tmp_path, FILES | {"stray.png": encoded(4)})
    with pytest.raises(ValueError, match="'stray.png' lies in no sub-folder"):
        label_of(source, "folders")


@pytest.mark.parametrize(
    ("text", "labels", "names"),
    [
        ("file,kind\n1.png,b\n2.png,a\ndog/3.png,b", {1: [0, 1], 2: [1, 0], 3: [0, 1]}, ("a", "b")),
        ("1.png,10\n2.png,9\n3.png,10", {1: [0, 1], 2: [1, 0], 3: [0, 1]}, ("9", "10")),
        ("file,one,two\n1.png,1,0\n2.png,0,1\n3.png,0,1", {1: [1, 0], 2: [0, 1], 3: [0, 1]}, ("one", "two")),
        ("file,age\n1.png,0.5\n2.png,2\n3.png,1", {1: [0.5], 2: [2], 3: [1]}, ("age",)),
        ("file,hat,tie\n1.png,1,0\n2.png,1,1\n3.png,0,0", {1: [1, 0], 2: [1, 1], 3: [0, 0]}, ("hat", "tie")),
        ("1.png,0.1,-2\n2.png,0,0\n3.png,1,1\nother.png,9,9", {1: [0.1, -2], 2: [0, 0], 3: [1, 1]}, ("0", "1")),
    ],
)
def test_a_csv_gives_classes_attributes_or_values(tmp_path, text, labels, names):
    source = folder(tmp_path / "images", FILES)
    (tmp_path / "labels.csv").write_text(text)
    found, found_names = label_of(source, str(tmp_path / "labels.csv"))
    assert found == {value: pytest.approx(label) for value, label in labels.items()}
    assert found_names == names


def test_a_csv_inside_the_folder_is_found_by_its_name(tmp_path):
    source = folder(tmp_path, FILES | {"labels.csv": b"f,l\n1.png,0\n2.png,1\n3.png,1"})
    assert label_of(source, "labels.csv")[0] == {1: [1, 0], 2: [0, 1], 3: [0, 1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,kind\n1.png,b", "2 of 3 images have no label, such as 'cat/deep/2.png': no line"),
        ("1.png\n2.png\n3.png", "has no label column"),
        ("f,a,b\n1.png,1,2\n2.png,1\n3.png,1,2", "a line has 1 labels where 2 are due"),
        ("f,a\n1.png,inf\n2.png,0.5\n3.png,1", "labels a hold values that are not finite"),
        ("f,a,b\n1.png,1,x\n2.png,1,2\n3.png,1,2", "several label columns must hold numbers"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(tmp_path, text, message):
    source = folder(tmp_path, FILES | {"labels.csv": text.encode()})
    with pytest.raises(ValueError, match=message):
        label_of(source, "labels.csv")


def test_labels_that_are_neither_folders_nor_a_csv_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mean nothing for a folder; type 'folders'"):
        label_of(folder(tmp_path, FILES), "label")
    with pytest.raises(ValueError, match="no label file 'absent.csv'"):
        label_of(folder(tmp_path, FILES), "absent.csv")


def test_labels_keep_their_width_in_a_subset_and_stay_with_their_images(tmp_path):
    source = folder(tmp_path, {f"{value % 3}/{value}.png": encoded(value) for value in range(30)})
    images = ImageFiles(source=source, labels="folders", subset=7, mirror=True).open()
    batch = images.at(range(14), 0)
    assert batch.labels.shape == (14, 3)
    assert [gray_of(image) % 3 for image in batch.images] == batch.labels.argmax(1).tolist()
