"""Images that do not change: the hash of their pixels, and features that are kept on disk under it."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ggdr.evaluation.disk_cache import DiskFeatureCache
from ggdr.features.base import Features
from ggdr.features.digits import Digits

DIGITS = Digits()


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    """Noise [count, 1, 16, 16] uint8."""
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 1, 16, 16), generator=dice).to(torch.uint8)


class Shelf:
    """A set of images over one folder, what was said of it, and which chunks were made."""

    def __init__(self, folder: Path | None, images: torch.Tensor):
        self.said, self.done = [], 0
        self.images = images
        self.set = DiskFeatureCache(self.make, len(images), on_progress=self.count, folder=folder, say=self.said.append)

    def make(self, places: range) -> torch.Tensor:
        return self.images[places.start : places.stop]

    def count(self, images: int) -> None:
        self.done += images

    def features(self, n: int = 1000) -> torch.Tensor:
        return self.set.features(DIGITS, n)


def test_features_are_kept_and_used_again(tmp_path):
    images = pictures(100)
    first, second = Shelf(tmp_path, images), Shelf(tmp_path, images)
    rows = first.features()
    assert first.said == [] and first.done == 200  # made, described
    (file,) = tmp_path.iterdir()
    assert torch.equal(second.features(), rows) and torch.equal(second.features(30), rows[:30])
    assert second.said == [f"features of 100 images by digits from the cache, {file}"] and second.done == 200
    assert torch.equal(second.set.logits(DIGITS, 100), first.set.logits(DIGITS, 100))


def test_what_is_kept_is_really_read(tmp_path):
    images = pictures(70)
    shelf = Shelf(tmp_path, images)
    shelf.features()
    identity = shelf.set.identity(DIGITS, 70)
    shelf.set.store(Features(torch.full((70, 64), 3.0), torch.full((70, 10), 4.0)), DIGITS, identity)
    again = Shelf(tmp_path, images)
    assert again.features().eq(3).all() and again.set.logits(DIGITS, 70).eq(4).all()


@pytest.mark.parametrize("change", ["one pixel", "order", "number"])
def test_other_images_have_other_features(tmp_path, change):
    images = pictures(40)
    Shelf(tmp_path, images).features()
    other = images.clone()
    if change == "one pixel":
        other[17, 0, 3, 3] ^= 1
    other = {"order": other.flip(0), "number": other[:39]}.get(change, other)
    shelf = Shelf(tmp_path, other)
    assert torch.equal(shelf.features(), Shelf(None, other).features())
    assert shelf.said == [] and len(list(tmp_path.iterdir())) == 2


def test_another_network_has_its_own_file(tmp_path):
    shelf = Shelf(tmp_path, pictures(20))
    before = shelf.set.file(shelf.set.identity(DIGITS, 20))
    shelf.set.embedder(DIGITS).weights_hash = "0" * 16
    between = shelf.set.file(shelf.set.identity(DIGITS, 20))
    shelf.set.embedder(DIGITS).protocol = {"side": 17}
    assert len({before, between, shelf.set.file(shelf.set.identity(DIGITS, 20))}) == 3


@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_what_is_torn_is_computed_anew(tmp_path, harm):
    images = pictures(20)
    rows = Shelf(tmp_path, images).features()
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    Shelf(tmp_path / "other", pictures(20, seed=1)).features()
    other = next((tmp_path / "other").iterdir()).read_bytes()
    file.write_bytes({"cut": whole[:-100], "empty": b"", "other": other}[harm])
    shelf = Shelf(tmp_path, images)
    assert torch.equal(shelf.features(), rows)
    assert shelf.said == [f"the cached features in {file} are damaged and are computed again"]
    assert file.read_bytes() == whole


def test_a_disk_that_refuses_is_no_obstacle(tmp_path):
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file", pictures(20))
    assert shelf.features().shape == (20, 64)
    assert len(shelf.said) == 1 and "features by digits cannot be stored in" in shelf.said[0]


def test_nothing_is_kept_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shelf = Shelf(None, pictures(20))
    shelf.features()
    assert shelf.said == [] and not list(tmp_path.iterdir())


def test_a_larger_number_takes_over_what_is_known(tmp_path):
    images = pictures(200)
    shelf = Shelf(tmp_path, images)
    shelf.features(70)
    described = shelf.done
    assert torch.equal(shelf.features(200), Shelf(None, images).features(200))
    assert shelf.done - described == 2 * (200 - 64)  # the first chunk is not made or described again


def test_the_content_is_that_of_the_images_asked_for():
    images = pictures(150)
    whole = Shelf(None, images).set
    assert whole.content(70) == Shelf(None, images[:70]).set.content(70) != whole.content(150)
    assert whole.content(70) == Shelf(None, images).set.content(70)  # whatever was asked before
    assert whole.content(1000) == whole.content(150)
    tall = images.view(150, 1, 32, 8)
    assert Shelf(None, tall).set.content(150) != whole.content(150)  # the same bytes, another shape


def test_the_file_says_what_it_holds(tmp_path):
    shelf = Shelf(tmp_path, pictures(20))
    shelf.features()
    with safe_open(next(tmp_path.iterdir()), "pt") as kept:
        identity = json.loads(kept.metadata()["identity"])
    assert identity["images"] == shelf.set.content(20) and identity["number"] == 20
    assert identity["weights"] == shelf.set.embedder(DIGITS).weights_hash
