"""A run goes on with the images that it was trained on: what has changed is said, and refused unless it is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tiny
from data_sources import folder, noise, parquet, zipped

from ggdr.data.images import ImageFiles
from ggdr.saving import checkpoint
from ggdr.train import main

CATS = {
    f"{name}/{number}.png": noise(number + 9 * place)
    for place, name in enumerate(("cat", "dog", "elk"))
    for number in range(3)
}
SHORT = ["--data", "images", "--data.size", "16", "--checkpoint-kimg", "0.008", "--data.labels", "folders"]


def train(source: Path | str, out: Path, *flags: str, kimg: str = "0.016") -> None:
    assert (
        main([tiny.__file__, "--data.source", str(source), "--out", str(out), *SHORT, "--total-kimg", kimg, *flags])
        == 0
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Nine images of three classes, and a run of one step on them."""
    root = tmp_path_factory.mktemp("trained")
    train(folder(root / "set", CATS), root / "run", kimg="0.008")
    return root


@pytest.fixture
def place(trained, tmp_path, monkeypatch) -> Path:
    """The same, to change; the source is typed alike."""
    monkeypatch.chdir(shutil.copytree(trained, tmp_path / "place"))
    recipe = Path("run/checkpoints/00000001/recipe.json")
    recipe.write_text(recipe.read_text().replace(str(trained / "set"), "set"))
    (recipe.parent / checkpoint.SUMS).unlink()
    return tmp_path / "place"


CHANGES = {
    "removed": (
        lambda s: (s / "cat/0.png").unlink(),
        "9 images an epoch before, 8 now; 1 image removed;",
    ),
    "added": (lambda s: (s / "cat/9.png").write_bytes(noise(99)), "10 now; 1 image added;"),
    "both": (
        lambda s: (s / "cat/0.png").rename(s / "cat/9.png"),
        "the run/checkpoints/00000001: 1 image removed, 1 added;",
    ),
    "replaced": (lambda s: (s / "cat/0.png").write_bytes(noise(1, 17)), "00000001: 1 image replaced;"),
    "renamed": (
        lambda s: (s / "cat").rename(s / "yak"),
        "the label 'cat' is now 'yak'; 3 images removed, 3 added",
    ),
    "moved": (lambda s: (s / "dog/0.png").rename(s / "elk/0x.png"), "00000001: 1 image removed, 1 added;"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_images_that_changed_are_refused_with_what_changed(change, place):
    act, said = CHANGES[change]
    act(place / "set")
    with pytest.raises(ValueError, match=r"the images have changed since .* or add --allow-changes") as refused:
        train("set", Path("run"))
    assert said.removeprefix("the run/checkpoints/00000001: ") in str(refused.value)
    assert checkpoint.latest(Path("run")).name == "00000001"


def test_changes_that_are_allowed_are_told(place, capsys):
    (place / "set" / "cat" / "0.png").unlink()
    train("set", Path("run"), "--allow-changes")
    assert "changed: 1 image removed" in capsys.readouterr().out
    assert checkpoint.latest(Path("run")).name == "00000002"
    train("set", Path("run"), kimg="0.024")  # which is now what it was trained on


def test_images_that_are_the_same_go_on_in_silence(place, capsys):
    for file in (place / "set").rglob("*.png"):
        file.touch()
    train("set", Path("run"))
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "changed" in line] == ["changed: total_kimg was 0.008, is 0.016"]


def test_a_class_that_was_added_is_what_is_blamed(place):
    folder(place / "set", {"fox/0.png": noise(50)})
    for flags in ([], ["--allow-changes"]):
        with pytest.raises(ValueError) as refused:
            train("set", Path("run"), *flags)
        said = str(refused.value)
        assert "3 labels before, 4 now; 9 images an epoch before, 10 now;" in said
        assert "the label 'fox' is new; 1 image added; choose another --out" in said
        assert "total_kimg" not in said and "--allow-changes" not in said


def test_a_label_file_that_changed_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "set", {f"{number}.png": noise(number) for number in range(4)})
    labels = tmp_path / "labels.csv"
    for rows, flags in (("abab", []), ("abba", ["--allow-changes"])):
        labels.write_text("".join(f"{number}.png,{row}\n" for number, row in enumerate(rows)))
        if flags:
            with pytest.raises(ValueError, match="since .*: 2 images with another label; put them back"):
                train("set", Path("run"), "--data.labels", "labels.csv")
        train("set", Path("run"), "--data.labels", "labels.csv", *flags)


def test_a_checkpoint_of_before_goes_on(place):
    for file in Path("run/checkpoints/00000001").glob("data.*"):
        file.unlink()
    (place / "set" / "cat" / "0.png").unlink()
    train("set", Path("run"))


def test_a_zip_knows_its_files_and_a_table_its_version(tmp_path):
    files = {name.rpartition("/")[2]: data for name, data in list(CATS.items())[:3]}
    contents = []
    for data in (noise(0), noise(0), noise(8)):
        source = zipped(tmp_path / "a.zip", files | {"0.png": data})
        contents.append(ImageFiles(source=source).open().content())
    first, same, other = [content.items["stamps"].tolist() for content in contents]
    assert first == same and sum(a != b for a, b in zip(first, other, strict=True)) == 1
    versions = []
    for count in (3, 4):
        table = ImageFiles(source=parquet(tmp_path / "a.parquet", range(count)), image_column="image").open()
        versions.append(table.content().revision)
    assert versions[0] and versions[0] != versions[1]


def written(file: Path, images: np.ndarray, kinds: np.ndarray) -> None:
    """Images and labels in one file, with which no version is saved."""
    file.unlink(missing_ok=True)  # a run may have it open
    if file.suffix == ".npz":
        np.savez(file, x=images, kind=kinds)
        return
    with h5py.File(file, "w") as opened:
        opened["x"], opened["kind"] = images, kinds


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_arrays_know_their_rows_and_their_labels(ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, kinds = np.random.default_rng(0).integers(0, 256, (200, 16, 16, 3), np.uint8), np.arange(200) % 2
    source, labels = Path(f"a{ending}"), ("--data.labels", "kind")
    written(source, images, kinds)
    train(source, Path("run"), *labels, kimg="0.008")
    written(source, images, 1 - kinds)
    with pytest.raises(ValueError, match="since .*00000001: images have other labels; put them back"):
        train(source, Path("run"), *labels)
    written(source, images[::-1], kinds)
    with pytest.raises(ValueError, match=r"00000001: the source is another version \(\w{16} before, \w{16} now"):
        train(source, Path("run"), *labels)
    written(source, images, kinds)
    train(source, Path("run"), *labels)


def test_an_lmdb_knows_the_sizes_of_its_images(tmp_path):
    import lmdb

    known = []
    for value in (noise(0), noise(0), noise(0, 17)):
        with lmdb.open(str(tmp_path / "set"), map_size=2**20) as library, library.begin(write=True) as batch:
            batch.put(b"a", value)
            batch.put(b"b", noise(1))
        known.append(ImageFiles(source=str(tmp_path / "set"), size=16).open().content().items["stamps"].tolist())
    first, same, other = known
    assert first == same and first[1] == other[1] and first[0] != other[0]
