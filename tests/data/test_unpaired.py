"""Two domains without pairs: how they are found, named, ordered and held out."""

from __future__ import annotations

import warnings

import pytest
import torch
from data_sources import encoded, folder, parquet, zipped
from domain_layouts import column_table, two_folders

from ggdr.data.domains import Domain, Domains
from ggdr.data.loader import batches
from ggdr.data.reading.domains.traps import describe_trap
from ggdr.errors import UserError
from ggdr.recipe.files import from_json, to_json


@pytest.fixture
def horses(tmp_path) -> str:
    return two_folders(tmp_path / "horse2zebra")


def sizes(settings: Domains) -> dict[str, int]:
    return {name: len(images) for name, images in settings.open().sets.items()}


def test_train_a_and_train_b_are_found_by_themselves_and_named_after_the_folder(horses):
    images = Domains(source=horses).open()
    assert list(images.domains) == ["horse", "zebra"]
    assert (len(images), sizes(Domains(source=horses))) == (5, {"horse": 5, "zebra": 3})
    found = images.domain_batches(list(range(20)), 0)
    assert found["horse"].images[:, 0].max() < 100 < found["zebra"].images[:, 0].min()
    assert images.notes == (
        "images: 5 of horse and 3 of zebra, each in another order; an epoch is the longer of them.",
    )


def test_the_test_folders_are_held_out_in_full_and_without_jitter(horses):
    settings = Domains(source=horses, size=16, load_size=18, flip=True, subset=2)
    held = settings.held_out()
    assert (held.split, held.load_size, held.flip, held.subset) == ("test", None, False, None)
    assert held.held_out() is None
    assert sizes(held) == {"horse": 5, "zebra": 3} and sizes(settings) == {"horse": 2, "zebra": 2}


def test_an_archive_of_the_folders_is_read_as_they_are(tmp_path, horses):
    files = {f"horse2zebra/{p.relative_to(horses)}": p.read_bytes() for p in sorted(tmp_path.rglob("*.png"))}
    packed = Domains(source=zipped(tmp_path / "horse2zebra.zip", files))
    assert sizes(packed) == sizes(packed.held_out()) == {"horse": 5, "zebra": 3}
    one, two = (settings.open().domain_batches([0, 7], 3) for settings in (packed, Domains(source=horses)))
    assert all(torch.equal(one[name].images, two[name].images) for name in one)


@pytest.mark.parametrize("names", ["{kind}/{split}", "{split}/{kind}", "{kind}"])
def test_any_two_folders_are_two_domains(tmp_path, names):
    source = folder(
        tmp_path,
        {
            f"{names.format(kind=kind, split=split)}/{n}.png": encoded(
                n + 50 * (kind == "dog") + 10 * (split == "test")
            )
            for kind in ("cat", "dog")
            for split in ("train", "test")
            for n in range(3)
        },
    )
    settings = Domains(source=source, hold_out=1 if names == "{kind}" else 0)
    shown = settings.open().domain_batches(list(range(9)), 0)
    assert {name: {int(value) // 50 for value in batch.images[:, 0, 0, 0]} for name, batch in shown.items()} == {
        "cat": {0},
        "dog": {1},
    }
    held = settings.held_out().open().domain_batches(list(range(9)), 0)
    for name, batch in shown.items():
        assert not set(batch.images[:, 0, 0, 0].tolist()) & set(held[name].images[:, 0, 0, 0].tolist())


def test_each_domain_has_an_order_of_its_own_and_an_epoch_is_the_longer(horses):
    images = Domains(source=horses).open()
    batch = images.domain_batches(list(range(15)), 1)
    for name, count in (("horse", 5), ("zebra", 3)):
        seen = [image.sum().item() for image in batch[name].images.int()]
        epochs = [seen[first : first + count] for first in range(0, 15, count)]
        assert all(len(set(epoch)) == count and set(epoch) == set(epochs[0]) for epoch in epochs)
    same = Domains(a=Domain(source=f"{horses}/trainA"), b=Domain(source=f"{horses}/testA"), names=("x", "y")).open()
    x, y = same.domain_batches(list(range(5)), 1).values()
    assert not torch.equal(x.images, y.images)  # the same pictures under another name, in another order


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_and_sharing_change_nothing(horses, workers):
    images = Domains(source=horses, size=16, load_size=20, flip=True).open()
    whole = images.domain_batches(list(range(16)), 2)
    later = batches(images, seed=2, start=8, batch_size=4, num_workers=workers)
    found = [next(later) for _ in range(2)]
    for name, batch in whole.items():
        assert torch.equal(torch.cat([each[name].images for each in found]), batch.images[8:])


def test_two_classes_of_a_label_column_are_two_domains(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    source = parquet(tmp_path / "afhq.parquet", range(9))  # classes a, b, c
    settings = Domains(source=source, labels="label", names=("a", "c"), hold_out=1)
    shown = settings.open().domain_batches(list(range(4)), 0)
    assert {name: {int(v) % 3 for v in batch.images[:, 0, 0, 0]} for name, batch in shown.items()} == {
        "a": {0},
        "c": {2},
    }
    assert sizes(settings) == {"a": 2, "c": 2} and sizes(settings.held_out()) == {"a": 1, "c": 1}
    with pytest.raises(UserError, match=r"labels 'label' have 3 classes \(a, b, c\); choose two, as names a b."):
        Domains(source=source, labels="label").open()


def test_two_columns_of_a_table_are_two_domains_and_the_repeats_of_the_shorter_are_left_out(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    settings = Domains(source=column_table(tmp_path / "horse2zebra.parquet"))
    assert sizes(settings) == {"horse": 6, "zebra": 4}
    note = settings.open().notes[0]
    assert note.startswith("2 of 6 images of column 'imageB' (zebra) are empty or repeat another one, since the table")
    assert settings.held_out() is None  # a single file has no splits, whatever one asks it for


def test_a_set_without_tests_says_so_and_may_hold_some_out(tmp_path, horses):
    apart = {"a": Domain(source=f"{horses}/trainA"), "b": Domain(source=f"{horses}/trainB")}
    note = Domains(**apart).open().notes[-1]
    assert "has no images for tests, so metrics and grids look at those of training; --data.hold-out" in note
    held = Domains(**apart, hold_out=2)
    assert sizes(held) == {"a": 3, "b": 1}
    kept, out = (settings.open().domain_batches(list(range(6)), 0) for settings in (held, held.held_out()))
    for one, other in zip(kept.values(), out.values(), strict=True):
        assert not {int(i.int().sum()) for i in one.images} & {int(i.int().sum()) for i in other.images}
    with pytest.raises(UserError, match=r"hold_out 3: b has 3 images; give 1 to 2\."):
        Domains(**apart, hold_out=3).open()


def test_one_unreadable_file_is_named_with_its_domain(tmp_path):
    source = folder(tmp_path / "d", {"A/1.png": encoded(1), "A/2.png": b"no", "B/1.png": encoded(2), "B/2.png": b"no"})
    images = Domains(source=source, size=8).open()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = next(batches(images, seed=0, start=0, batch_size=4))
    assert {name: set(batch.images.flatten().tolist()) for name, batch in found.items()} == {"a": {1}, "b": {2}}
    assert set(images.unreadable) == {"a: 2.png", "b: 2.png"} and len(caught) == 2


def test_content_tells_a_change_in_either_domain(horses, tmp_path):
    before = Domains(source=horses, size=8).open().content()
    assert len(before.items["names"].unique()) == 8  # 0.png of both domains are two
    (tmp_path / "horse2zebra/trainB/0.png").write_bytes(encoded(3))
    after = Domains(source=horses, size=8).open().content()
    assert int((before.items["stamps"] != after.items["stamps"]).sum()) == 1
    (tmp_path / "horse2zebra/trainB/0.png").unlink()
    assert len(Domains(source=horses, size=8).open().content().items["names"]) == 7


def test_settings_survive_being_written_down(horses):
    settings = Domains(source=horses, names=("x", "y"), a=Domain(size=16), load_size=(18, 20))
    assert from_json(Domains, to_json(settings), "data") == settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no source of images; give one with both domains by source, or a.source A b.source B."),
        ({"a": Domain(source="HERE/trainA")}, "one domain alone, '.*trainA'; give the other by b.source."),
        (
            {"a": Domain(source="HERE/trainA"), "b": Domain(source="HERE/trainA")},
            "both domains are '.*trainA'; give two",
        ),
        (
            {"source": "HERE", "names": ("x", "x")},
            "names 'x' 'x': give two names of letters and digits, as names horse",
        ),
        ({"source": "HERE", "names": ("a b", "c/d")}, "names 'a b' 'c/d': give two names of letters and digits"),
        ({"source": "HERE", "split": "valid"}, "but no validA and validB; a set of two domains needs both."),
        ({"source": "HERE/trainA"}, "does not tell two domains apart: it has no trainA and trainB, no two folders"),
        (
            {"source": "HERE", "size": 16, "load_size": 8},
            "load_size 8 8 is smaller than the images that are cut from it",
        ),
    ],
)
def test_settings_that_tell_no_two_domains_are_refused(horses, settings, message):
    here = {
        name: value.replace("HERE", horses)
        if isinstance(value, str)
        else Domain(source=value.source.replace("HERE", horses))
        if isinstance(value, Domain)
        else value
        for name, value in settings.items()
    }
    with pytest.raises(UserError, match=message):
        Domains(**here).open()


def test_what_is_known_of_sets_of_the_hub_is_told():
    assert describe_trap("huggan/horse2zebra", pairs=False) == describe_trap("org/horse2zebra", pairs=True) == ()
    assert "holds no pairs, but two lists side by side" in describe_trap("huggan/horse2zebra", pairs=True)[0]
    assert "its two columns do not correspond" in describe_trap("Chris1/cityscapes", pairs=True)[0]
    assert "its one split holds the 400 pairs of training" in describe_trap("huggan/facades", pairs=True)[0]


def test_an_empty_domain_is_named(tmp_path):
    source = folder(tmp_path / "d", {"trainA/1.png": encoded(1), "trainB/notes.txt": b"nothing"})
    with pytest.raises(UserError, match=r"folder '.*trainB' holds no images, only 1 of .txt; images end in"):
        Domains(source=source).open()
