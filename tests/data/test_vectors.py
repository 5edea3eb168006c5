"""Vectors from files: what is read, held out, scaled, and refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ggdr.data.vectors import Vectors
from ggdr.errors import UserError

NAMES = ("ant", "bee", "cat")
PLACES = np.array([0, 1, 2, 0, 1, 2])
VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)
DESCRIBED = np.eye(3, 5, dtype=np.float32)


def written(folder: Path, **arrays: np.ndarray) -> str:
    """A .npz of these arrays."""
    np.savez(folder / "birds.npz", **arrays)
    return str(folder / "birds.npz")


@pytest.fixture
def file(tmp_path) -> str:
    return written(tmp_path, vectors=VECTORS, classes=PLACES, class_names=np.array(NAMES), class_vectors=DESCRIBED)


def values(data: Vectors) -> torch.Tensor:
    """All its vectors [N, K], sorted by their first number."""
    images = data.open()
    found = images.at(list(range(len(images))), 0).images
    assert found.dtype == torch.float32 and found.shape[2:] == (1, 1)
    return found.flatten(1).sort(0).values


def test_vectors_are_as_in_the_file_where_nothing_is_scaled(file):
    data = Vectors(source=file, scale="none")
    assert torch.equal(values(data), torch.from_numpy(VECTORS))
    spec = data.open().spec
    assert (spec.height, spec.width, spec.channels, spec.label_names, spec.continuous) == (1, 1, 4, NAMES, True)


def test_labels_are_the_classes_of_the_file_and_stay_with_their_vectors(file):
    vectors, labels = Vectors(source=file, scale="none").open().at(list(range(6)), 3)
    assert sorted(vectors[:, 0, 0, 0].tolist()) == VECTORS[:, 0].tolist()
    for vector, label in zip(vectors, labels, strict=True):
        (row,) = np.flatnonzero(VECTORS[:, 0] == vector[0].item())
        assert label.argmax() == PLACES[row]
    assert Vectors(source=file, labels="none").open().at([0], 0).labels is None


def test_classes_may_be_names_and_a_table_a_parquet_file(file, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    names = [NAMES[place] for place in PLACES]
    worded = written(tmp_path, vectors=VECTORS, classes=np.array(names))
    pyarrow.parquet.write_table(
        pa.table({"vector": VECTORS.tolist(), "class": names}), table := str(tmp_path / "t.parquet")
    )
    for source in (worded, table):
        data = Vectors(source=source, scale="none")
        assert torch.equal(values(data), torch.from_numpy(VECTORS)) and data.open().spec.label_names == NAMES


def test_what_is_held_out_is_not_learnt_from_and_keeps_its_place_in_the_label(file):
    data = Vectors(source=file, unseen=("bee",), scale="none")
    held_out = data.held_out()
    assert [len(data.open()), len(held_out.open()), held_out.held_out()] == [4, 2, None]
    assert held_out.open().at([0, 1], 0).labels.argmax(1).tolist() == [1, 1]
    assert data.open().at(list(range(4)), 0).labels.sum(0).tolist() == [2, 0, 2]
    assert "bee" in data.open().notes[0] and Vectors(source=file).held_out() is None


def test_a_file_may_say_which_classes_are_held_out(file):
    arrays = dict(np.load(file)) | {"unseen": np.array(["ant", "cat"])}
    source = written(Path(file).parent, **arrays)
    data = Vectors(source=source, scale="none")
    assert [len(data.open()), len(data.held_out().open())] == [2, 4]
    assert len(Vectors(source=source, unseen=("bee",)).open()) == 4, "the setting has the last word"
    assert Vectors(source=source, part="unseen").held_out() is None


def test_the_range_is_that_of_the_classes_to_learn_from(file):
    each, whole = (Vectors(source=file, unseen=("cat",), scale=scale) for scale in ("each", "all"))
    seen = VECTORS[PLACES != 2]
    for data, low, high in ((each, seen.min(0), seen.max(0)), (whole, seen.min(), seen.max())):
        expected = (seen - low) / (high - low) * 2 - 1
        torch.testing.assert_close(values(data), torch.from_numpy(expected.astype(np.float32)))
        assert values(data.held_out()).max() > 1
    constant = np.full((6, 1), 7, np.float32)
    flat = written(Path(file).parent, vectors=np.hstack([VECTORS, constant]))
    assert (values(Vectors(source=flat))[:, 4] == -1).all()


def test_digits_come_without_a_file_and_say_which_segments_show_them():
    data = Vectors(unseen=("4", "7"), scale="all")
    assert len(data.open()) + len(data.held_out().open()) == 1797
    images = data.open().at(list(range(8)), 0).images
    assert images.shape == (8, 64, 1, 1) and images.min() == -1 and images.max() <= 1
    vectors, labels = Vectors(labels="class_vectors").open().at(list(range(64)), 0)
    assert labels.shape == (64, 7) and {tuple(row) for row in labels.tolist()} >= {(1,) * 7, (0, 1, 1, 0, 0, 0, 0)}


def test_labels_may_be_what_the_file_says_of_each_class(file, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    columns = {"vector": VECTORS.tolist(), "class": PLACES.tolist(), "class_vector": DESCRIBED[PLACES].tolist()}
    pyarrow.parquet.write_table(pa.table(columns), table := str(tmp_path / "t.parquet"))
    for source in (file, table):
        data = Vectors(source=source, labels="class_vectors", scale="none")
        vectors, labels = data.open().at(list(range(6)), 0)
        rows = [int(np.flatnonzero(VECTORS[:, 0] == vector[0].item())[0]) for vector in vectors]
        assert torch.equal(labels, torch.from_numpy(DESCRIBED[PLACES[rows]]))
        assert data.open().spec.label_ranges == ((0, 1), (0, 1), (0, 1), (0, 0), (0, 0))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": VECTORS}, r"holds no vectors: give them as an array vectors \[N, K\]"),
        ({"vectors": VECTORS[0]}, r"float32 \[4\]; give numbers \[N, K\]"),
        ({"vectors": np.array([["a"]])}, r"give numbers \[N, K\]"),
        ({"vectors": VECTORS * np.nan}, "not all finite; leave out rows with NaN"),
        ({"vectors": VECTORS, "classes": PLACES[:5]}, r"6 vectors and classes \[5\]; give one each"),
        ({"vectors": VECTORS, "classes": PLACES, "class_names": np.array(["a"])}, "classes 0 to 2 and 1 class_names"),
        (
            {"vectors": VECTORS, "classes": np.array(["a"] * 6), "class_names": np.array(["b"])},
            "has the class 'a', which its class_names do not have",
        ),
    ],
)
def test_what_is_no_table_of_vectors_is_refused_in_one_sentence(arrays, message, tmp_path):
    with pytest.raises(UserError, match=message) as caught:
        Vectors(source=written(tmp_path, **arrays)).open()
    assert "\n" not in str(caught.value)


def test_a_wrong_source_or_class_is_refused_in_one_sentence(file, tmp_path):
    with pytest.raises(UserError, match=r"from a .npz or .parquet file, or from 'digits', and 'gone.npz' is none"):
        Vectors(source="gone.npz").check_source()
    with pytest.raises(UserError, match="has no class 'dog' to hold out; it has classes ant, bee, cat"):
        Vectors(source=file, unseen=("dog",)).open()
    with pytest.raises(UserError, match="there are no seen vectors .* and not to all"):
        Vectors(source=file, unseen=NAMES).open()
    with pytest.raises(UserError, match="there are no unseen vectors of .* when nothing is held out"):
        Vectors(source=file, part="unseen").open()
    (tmp_path / "broken.npz").write_bytes(b"PK, but no zip")
    with pytest.raises(UserError, match=r"is no readable .npz or .parquet"):
        Vectors(source=str(tmp_path / "broken.npz")).open()
    with pytest.raises(UserError, match="says nothing of its classes: add an array class_vectors"):
        Vectors(source=written(tmp_path, vectors=VECTORS, classes=PLACES), labels="class_vectors").open()
    short = written(tmp_path, vectors=VECTORS, classes=PLACES, class_vectors=DESCRIBED[:2])
    with pytest.raises(UserError, match="are 2 and the classes 3; give one each"):
        Vectors(source=short).open()


def test_a_run_knows_its_file_by_its_content(file):
    before = Vectors(source=file).open().content().revision
    written(Path(file).parent, vectors=VECTORS + 1)
    assert before and Vectors(source=file).open().content().revision != before
