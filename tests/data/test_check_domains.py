"""`ggdr data check` of two domains and of pairs: what it finds by itself, what it warns of, and what to type."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from data_sources import encoded, folder
from domain_layouts import colours, column_table, label_maps, png, side_by_side, two_folders

from ggdr.data.domains import Domains
from ggdr.data.pairs import Pairs
from ggdr.data.super_resolution import SuperResolution
from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.verbs.datacheck import Check, main


@pytest.fixture(autouse=True)
def tables_in_a_folder_of_the_test(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def lines(capsys, *arguments: str) -> list[str]:
    assert main(["check", *arguments]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_train_a_and_train_b_are_told_without_a_flag(tmp_path, capsys):
    source = two_folders(tmp_path / "horse2zebra", size=32)
    assert lines(capsys, source) == [
        f"domains, two folders {source}",
        "horse       5 readable, 0 unreadable",
        "32x32: 5  (height x width); RGB: 5",
        "zebra       3 readable, 0 unreadable",
        "32x32: 3  (height x width); RGB: 3",
        "trainer     5 an epoch: horse 32x32, 3 channels; zebra 32x32, 3 channels",
        "for tests: 5 an epoch, by --data.split test",
        "warnings    images: 5 of horse and 3 of zebra, each in another order; an epoch is the longer of them.",
        f"flags       --data domains --data.source {source} --data.size 32 32",
        "recipe      horse2zebra_cyclegan: two kinds of images without pairs",
        f"train       ggdr train horse2zebra_cyclegan --data domains --data.source {source} --data.size 32 32"
        f" --data.load-size 36 36 --data.flip --out runs/{Path(source).name}",
    ]


def test_columns_that_repeat_are_two_domains_and_others_are_pairs(tmp_path, capsys):
    zipped = lines(capsys, column_table(tmp_path / "horse2zebra.parquet", size=32))
    assert zipped[0].startswith("domains, two columns")
    assert any("2 of 6 images of column 'imageB' (zebra) are empty or repeat another one" in line for line in zipped)
    pairs = lines(capsys, column_table(tmp_path / "maps.parquet", size=32, pairs=True))
    assert pairs[0].startswith("pairs, two columns") and pairs[-3].startswith("flags       --data pairs --data.source")


def test_columns_that_repeat_are_told_where_they_are_taken_for_pairs(tmp_path, capsys):
    told = lines(capsys, column_table(tmp_path / "x.parquet", size=32), "--data", "pairs")
    assert (
        "2 images of b are there before: columns that were zipped to the longer one are no pairs, and --data domains"
        in (" ".join(told))
    )


def test_pictures_side_by_side_are_checked_by_halves(tmp_path, capsys):
    source = side_by_side(tmp_path / "facades", size=32)
    told = lines(capsys, source, "--data", "pairs", "--direction", "b_to_a", "--flip")
    assert told[0] == f"pairs, pictures side by side {source}"
    assert "trainer     6 an epoch: source 32x32, 3 channels; target 32x32, 3 channels" in told
    assert told[-3] == (
        f"flags       --data pairs --data.source {source} --data.size 32 32 --data.flip --data.direction b_to_a"
    )
    again = parsed(Check, shlex.split(told[-3])[3:], "check", None, Check(data=Pairs()))
    assert again.data == Pairs(source=source, size=(32, 32), flip=True, direction="b_to_a")


def test_values_of_label_maps_are_counted(tmp_path, capsys):
    source = label_maps(tmp_path / "city", size=32)
    flags = ["--data", "pairs", "--data.a.files", "*_labelIds.png"]
    assert any(
        "a has one channel: if its images are label maps, type" in line for line in lines(capsys, source, *flags)
    )
    told = lines(capsys, source, *flags, "--maps.of", "a", "--maps.classes", "5")
    assert any(line.startswith("classes     5 values from 0 to 4; of all pixels ") for line in told)
    assert told[-3].endswith("--data.maps.of a --data.maps.classes 5")
    wrong = lines(capsys, source, *flags, "--maps.of", "a", "--maps.classes", "4")
    assert any("holds the value 4, beyond the classes 0 .. 3; raise --data.maps.classes" in line for line in wrong)


def test_pairs_of_two_shapes_are_named(tmp_path, capsys):
    files = {f"{kind}/{n}.png": png(colours(n)) for kind in "AB" for n in range(3)}
    source = folder(tmp_path / "set", files | {"B/1.png": png(colours(1, 30))})
    told = lines(capsys, source)
    assert any(
        "1 of two shapes, left out: 1.png it is 30x20, and not 20x20 as its partner 1.png" in line for line in told
    )


def test_one_part_of_a_set_alone_and_other_kinds_are_refused(tmp_path):
    alone = folder(tmp_path / "x", {"trainA/1.png": encoded(1)})
    with pytest.raises(UserError, match="but no trainB; a set of two domains needs both."):
        main(["check", alone, "--data", "domains"])
    assert main(["check", alone]) == 0  # images they are all the same
    with pytest.raises(UserError, match="--data digits takes no source, and .* is given; leave it out."):
        main(["check", str(tmp_path), "--data", "digits"])
    with pytest.raises(UserError, match="unknown data set 'domain'. Did you mean 'domains'"):
        main(["check", str(tmp_path), "--data", "domain"])


def test_pictures_that_are_made_smaller_are_told_with_those_that_have_no_part(tmp_path, capsys):
    source = folder(
        tmp_path / "x",
        {f"{side}.png": encoded(side, height=side, width=40) for side in (24, 28, 32, 40)} | {"bad.png": b"x"},
    )
    told = lines(capsys, source, "--data", "super_resolution", "--size", "32", "--factor", "2", "--hold-out", "1")
    assert told[0] == f"super_resolution, folder {source}"
    assert told[1] == "pictures    4 readable, 1 unreadable" and told[2].startswith("24x40: 1, 28x40: 1, 32x40: 1")
    assert "trainer     4 an epoch: small 16x16, 3 channels; large 32x32, 3 channels" in told
    assert "for tests: 1 an epoch, by --data.split test" in told
    assert any("pictures that were looked at are smaller than parts of 32x32" in line for line in told)
    flags = f"--data super_resolution --data.source {source} --data.factor 2 --data.size 32 --data.hold-out 1"
    assert told[-3] == f"flags       {flags}"


def test_help_of_each_kind_lists_its_flags(capsys):
    for kind, flag in (
        (Domains.name, "--data.a.image-column"),
        (Pairs.name, "--data.maps.mapping"),
        (SuperResolution.name, "--data.factor"),
    ):
        with pytest.raises(SystemExit):
            main(["check", "--data", kind, "--help"])
        assert flag in capsys.readouterr().out
