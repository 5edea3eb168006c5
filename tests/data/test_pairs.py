"""Pairs: how partners are found, and that what is shown of them stays aligned."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from data_sources import encoded, folder, zipped
from domain_layouts import colours, column_table, png, side_by_side

from ggdr.data.domains import Domain
from ggdr.data.loader import batches
from ggdr.data.pairs import Pairs
from ggdr.errors import UserError
from ggdr.recipe.files import from_json, to_json

JITTER = {"size": 16, "load_size": 20, "flip": True}


def shown(settings: Pairs, positions: int = 12):
    """What lies at the first positions, given and to be made."""
    return [batch.images for batch in settings.open().domain_batches(list(range(positions)), 0).values()]


def negatives(settings: Pairs) -> bool:
    """Whether each image is the negative of its partner."""
    source, target = shown(settings)
    return torch.equal(source, 255 - target) and len(source.flatten(1).unique(dim=0)) > 1


@pytest.fixture
def facades(tmp_path) -> str:
    return side_by_side(tmp_path / "facades")


def two(root: Path, left: str, right: str, factor: int = 1) -> str:
    """Two folders of pictures of these names, the right ones negatives and larger by a factor."""
    files = {left.format(n): png(colours(n)) for n in range(4)}
    files |= {right.format(n): png((255 - colours(n)).repeat(factor, 0).repeat(factor, 1)) for n in range(4)}
    return folder(root, files)


def test_halves_of_a_picture_are_partners_and_move_alike(facades):
    settings = Pairs(source=facades, **JITTER)
    images = settings.open()
    assert list(images.domains) == ["source", "target"] and len(images) == 6
    assert negatives(settings)
    assert images.at([3], 1).images.equal(images.domain_batches([3], 1)["target"].images)


def test_halves_are_resized_by_themselves(tmp_path):
    half = np.concatenate([np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)], 1)
    white, black = shown(Pairs(source=folder(tmp_path, {"1.png": png(half)}), size=12), 1)
    assert (white == 255).all() and (black == 0).all()


def test_the_direction_says_which_is_made(facades):
    given, made = shown(Pairs(source=facades))
    other = Pairs(source=facades, direction="b_to_a")
    assert list(other.open().domains) == ["source", "target"]
    assert torch.equal(given, shown(other)[1]) and torch.equal(made, shown(other)[0])


def test_val_is_held_out_where_there_is_no_test(facades):
    held = Pairs(source=facades, **JITTER).held_out()
    assert (held.split, held.load_size, held.flip) == ("val", None, False) and len(held.open()) == 6


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("A/{}.png", "B/{}.jpg"),
        ("A/train/{}.png", "B/train/{}.png"),
        ("train/A/{}.png", "train/B/{}.png"),
        ("trainA/{}.png", "trainB/{}.png"),
        ("images/training/ADE_{}.png", "annotations/training/ADE_{}.png"),
        ("leftImg8bit/train/bochum/bochum_{}_leftImg8bit.png", "gtFine/train/bochum/bochum_{}_gtFine_color.png"),
        ("hr/0{}.png", "lr/0{}x4.png"),
        ("x/Photo_{}.PNG", "y/photo_{}.png"),
    ],
)
def test_images_of_two_folders_are_partners_by_name(tmp_path, left, right):
    source = two(tmp_path / "set", left, right)
    assert negatives(Pairs(source=source, **JITTER))
    files = {f"set/{p.relative_to(source)}": p.read_bytes() for p in Path(source).rglob("*") if p.is_file()}
    assert negatives(Pairs(source=zipped(tmp_path / "set.zip", files)))


def test_partners_are_matched_where_the_folders_sort_differently(tmp_path):
    files = {f"A/{name}.png": png(colours(n)) for n, name in enumerate(["B", "a", "C"])}
    files |= {f"B/{name}.png": png(255 - colours(n)) for n, name in enumerate(["b", "a", "c"])}
    assert negatives(Pairs(source=folder(tmp_path, files)))


def test_two_folders_anywhere_are_given_by_flags(tmp_path):
    source = two(tmp_path, "here/left/{}.png", "there/{}.png")
    settings = Pairs(a=Domain(source=f"{source}/here/left"), b=Domain(source=f"{source}/there"), names=("ink", "photo"))
    assert negatives(settings) and list(settings.open().domains) == ["ink", "photo"]


def test_two_columns_of_a_table_are_partners(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    settings = Pairs(source=column_table(tmp_path / "maps.parquet", pairs=True), hold_out=2, **JITTER)
    assert negatives(settings) and len(settings.open()) == 4 and len(settings.held_out().open()) == 2


@pytest.mark.parametrize("heading", ["", "drawing,photo,note\n"])
def test_a_list_of_two_paths_says_who_is_whose_partner(tmp_path, heading):
    source = two(tmp_path, "x/{}.png", "y/n{}.png")
    lines = [f"x/{n}.png,y/n{n}.png,nice" for n in (3, 1, 2)]
    (tmp_path / "pairs.csv").write_text(heading + "\n".join(lines))
    settings = Pairs(source=f"{source}/pairs.csv", flip=True)
    assert negatives(settings) and len(settings.open()) == 3


@pytest.mark.parametrize("where", ["x/9.png", "../secret.png"])
def test_a_list_opens_nothing_that_is_not_there_or_lies_outside(tmp_path, where):
    source = two(tmp_path / "set", "x/{}.png", "y/{}.png")
    (tmp_path / "secret.png").write_bytes(encoded(1))
    Path(source, "pairs.csv").write_text(f"x/1.png,y/1.png\nx/2.png,{where}")
    with pytest.raises(UserError, match=r"pairs.csv' lists '.*', which (is not there; its paths|lies outside of its)"):
        Pairs(source=f"{source}/pairs.csv").open()


def test_the_target_may_be_larger_by_a_whole_factor(tmp_path):
    source = two(tmp_path, "lr/{}.png", "up/{}.png", factor=4)
    images = Pairs(source=source, flip=True).open()
    assert [(spec.height, spec.width) for spec in images.domains.values()] == [(20, 20), (80, 80)]
    jittered = Pairs(source=source, a=Domain(size=16), size=64, load_size=80, flip=True)
    low, high = shown(jittered, 30)
    assert low.shape[2:] == (16, 16) and torch.equal(low, 255 - high[..., ::4, ::4])
    assert len(low.flatten(1).unique(dim=0)) > 20  # many offsets
    with pytest.raises(UserError, match="load_size 79 79 is no whole number of pixels of a domain of 16x16; choose a"):
        Pairs(source=source, a=Domain(size=16), size=64, load_size=79).open()


def test_labels_go_with_both_images(tmp_path):
    pictures = {f"{kind}/{n}.png": png(np.full((8, 16, 3), n, np.uint8)) for kind in "ab" for n in range(2)}
    images = Pairs(source=folder(tmp_path, pictures), layout="side_by_side", labels="folders").open()
    batch = images.domain_batches(list(range(4)), 0)
    assert images.spec.label_names == ("a", "b") and torch.equal(batch["source"].labels, batch["target"].labels)
    assert sorted(batch["target"].labels.argmax(1).tolist()) == [0, 0, 1, 1]


@pytest.mark.parametrize("cache", [0, 512])
def test_another_pair_stands_in_where_one_image_is_unreadable(tmp_path, cache):
    source = two(tmp_path, "A/{}.png", "B/{}.png")
    Path(source, "B/1.png").write_bytes(b"no")
    Path(source, "A/3.png").write_bytes(b"no")
    settings = Pairs(source=source, size=20, cache_mb=cache)
    images = settings.open()
    with warnings.catch_warnings(action="ignore"):
        batch = next(batches(images, seed=0, start=0, batch_size=4, num_workers=2))
    assert torch.equal(batch["source"].images, 255 - batch["target"].images)
    assert set(images.unreadable) == {"1.png", "3.png"}


def test_another_pair_stands_in_where_partners_have_two_shapes(tmp_path):
    source = two(tmp_path, "A/{}.png", "B/{}.png")
    images = Pairs(source=source, size=16).open()
    Path(source, "B/2.png").write_bytes(png(colours(1, 30)))  # since they were looked at
    images.domain_batches(list(range(4)), 0)
    assert images.unreadable == {"2.png": "it is 30x20, and not 20x20 as its partner '2.png'"}


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_and_sharing_change_nothing(facades, workers):
    images = Pairs(source=facades, **JITTER).open()
    whole = images.domain_batches(list(range(16)), 2)
    later = batches(images, seed=2, start=8, batch_size=4, num_workers=workers)
    found = [next(later) for _ in range(2)]
    for name, batch in whole.items():
        assert torch.equal(torch.cat([each[name].images for each in found]), batch.images[8:])


def test_content_tells_a_change_of_either_image(tmp_path):
    source = two(tmp_path, "A/{}.png", "B/{}.png")
    before = Pairs(source=source).open().content().items
    Path(source, "B/1.png").write_bytes(png(colours(9)) + b" ")
    after = Pairs(source=source).open().content().items
    assert len(before["names"].unique()) == 8 and int((before["stamps"] != after["stamps"]).sum()) == 1


def test_settings_survive_being_written_down():
    settings = Pairs(source="x", direction="b_to_a", b=Domain(size=(16, 8)))
    assert from_json(Pairs, to_json(settings), "data") == settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("B/2.png gone", r"A' has 4 images and '.*B' 3, and no partner of the same name have 2.png of '.*A'; call"),
        ("B/4.png more", r"A' has 4 images and '.*B' 5, and no partner of the same name have 4.png of '.*B'; call"),
        ("B/2.png other", r"'2.png': it is 30x20, and not 20x20 as its partner '2.png'; partners have one shape\."),
        ("B empty", r"folder '.*/B' is empty; put images into it\."),
    ],
)
def test_an_image_without_a_partner_is_named(tmp_path, change, message):
    source = two(tmp_path, "A/{}.png", "B/{}.png")
    for name in ["B/0.png", "B/1.png", "B/2.png", "B/3.png"] if change == "B empty" else [change.split()[0]]:
        Path(source, name).unlink(missing_ok=True)
    if change.endswith(("more", "other")):
        Path(source, change.split()[0]).write_bytes(png(colours(1, 30 if "other" in change else 20)))
    with pytest.raises(UserError, match=message):
        Pairs(source=source, size=16).open()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layout": "folders"}, "has no two folders; leave layout out, or give another."),
        ({"layout": "csv"}, "no file '.*facades'; give the path of a .csv of two paths by source."),
        ({"load_size": 20}, "load_size needs size, the size of what is cut."),
        ({"a": Domain(size=8)}, "pictures side by side have one size and the same channels"),
        ({"hold_out": 6}, "hold_out 6: the set has 6 images; give 1 to 5."),
    ],
)
def test_settings_that_mean_nothing_are_refused(facades, settings, message):
    with pytest.raises(UserError, match=message):
        Pairs(source=facades, **settings).open()


def test_pictures_of_odd_width_are_no_two(tmp_path):
    with pytest.raises(UserError, match="pictures of 8x9, height x width, are no two side by side: the width is odd."):
        Pairs(source=folder(tmp_path, {"1.png": encoded(1, height=8, width=9)})).open()


def test_sizes_that_differ_by_no_whole_factor_are_refused(tmp_path):
    source = two(tmp_path, "A/{}.png", "B/{}.png")
    with pytest.raises(UserError, match="the domains are 16x16 and 24x24, height x width, and sizes must be equal or"):
        Pairs(source=source, a=Domain(size=16), b=Domain(size=24)).open()
