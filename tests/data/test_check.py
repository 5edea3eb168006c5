"""`ggdr data check` says what is in a source and what to type."""

import subprocess
import sys

import pytest
from data_sources import encoded, folder, noise, parquet

from ggdr.verbs.datacheck import main


@pytest.fixture
def animals(tmp_path) -> str:
    files = {f"cat/{number}.png": noise(number, 40, 50) for number in range(5)}
    files |= {"dog/1.png": noise(9, 70, 50), "dog/copy.png": noise(9, 70, 50), "dog/gray.png": encoded(1, "L", 40, 50)}
    return folder(tmp_path / "animals", files | {"dog/bad.jpg": b"no"})


def test_a_folder_is_described(animals, capsys):
    assert main(["check", animals]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        f"folder {animals}",
        "images      8 readable, 1 unreadable, 1 identical to another one",
        "unreadable  dog/bad.jpg: not an image of a known kind",
        "sizes       40x50: 6, 70x50: 2  (height x width)",
        "modes       RGB: 7, L: 1",
        "values      uint8 from 0 to 255",
        "labels      2 from folders (to train with them: --data.labels folders)",
        "cat: 5, dog: 4",
        "trainer     8 images an epoch, 32x32, 3 channels, no labels",
        "1 unreadable: the next readable one stands in for each",
        "cut off     29% of the area of dog/1.png, the worst, and 20% of the median image; --data.crop pad keeps all",
        "warnings    images differ in their channels (RGB: 7, gray: 1); all are read as RGB;"
        " type --data.channels 3 to settle it.",
        f"flags       --data images --data.source {animals} --data.size 32 32 --data.channels 3",
        "recipe      few: 8 images are few: GGDR is off, since the paper finds it worse beside ADA with 2,000",
        "DiffAugment, since ADA was tried with 1,000 and more",
        "so few are likely to be repeated whole: look by ggdr evaluate --metrics memorization",
        "its networks ask for a GPU: --dry-run says how long this machine takes, and --generator.channel-max 64"
        " --discriminator.encoder.channel-max 64 makes them small enough to try on a CPU",
        "a model of something similar helps most: add --init-from MODEL --freeze-d 4 --total-kimg 1000",
        "mirror images double them: drop --data.mirror where left and right matter, as in writing",
        f"train       ggdr train few --data images --data.source {animals} --data.size 32 32 --data.channels 3"
        " --augment diffaug --data.mirror --out runs/animals",
    ]


def test_the_settings_of_the_data_set_are_its_flags(animals, capsys):
    assert main(["check", animals, "--size", "64", "--labels", "folders", "--mirror", "--subset", "6"]) == 0
    out = capsys.readouterr().out
    assert "a subset of 9" in out
    assert "5 readable, 1 unreadable" in out
    assert "10 images an epoch, 64x64, 3 channels, labels 2 wide" in out
    assert "enlarged: smaller than 64x64" in out
    flags = "--data.size 64 --data.channels 3 --data.labels folders --data.mirror --data.subset 6"
    assert f"{flags}\n  recipe      few: 5 images" in out
    assert out.rstrip().endswith(f"{flags} --augment diffaug --out runs/animals")


def test_a_table_tells_its_classes(tmp_path, capsys, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    assert main(["check", parquet(tmp_path / "a.parquet", range(6))]) == 0
    out = capsys.readouterr().out
    assert "3 from label (to train with them: --data.labels label)" in out and "a: 2, b: 2, c: 2" in out
    assert "--data.size 8 8" in out


def test_files_of_labels_are_told_with_the_columns_to_choose(tmp_path, capsys):
    files = {f"{number}.png": noise(number) for number in range(3)}
    files["labels.csv"] = b"file,kind,age\n0.png,cat,1\n1.png,dog,2\n2.png,cat,3\n"
    assert main(["check", folder(tmp_path / "set", files)]) == 0
    out = capsys.readouterr().out
    assert "1 .csv (labels are read from one by --data.labels FILE)" in out
    assert "  labels      none from labels.csv: several label columns must hold numbers" in out
    assert "choose one of kind, age, as --data.labels labels.csv:kind." in out


def test_nothing_readable_is_a_failure(tmp_path, capsys):
    assert main(["check", folder(tmp_path, {"a.png": b"no", "b.png": b""})]) == 1
    assert "b.png: not an image" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["check", "/nowhere"], "no file or folder '/nowhere'"), (["chekc", "x"], "type: ggdr data check SOURCE")],
)
def test_what_cannot_be_checked_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        main(arguments)


def test_help_lists_the_flags_without_loading_what_reads_images():
    code = (
        "import sys; from ggdr.verbs.datacheck import main\n"
        "try: main(['check', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'numpy', 'PIL', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--data.subset-seed" in done.stdout and done.stdout.rstrip().endswith("[]")
