"""What was made here is no data: runs, grids, films and generated images below a source, and records beside it."""

from __future__ import annotations

import contextlib
import shutil
import warnings
import zipfile
from pathlib import Path

import pytest
import tiny
import torch
from data_sources import folder, noise
from PIL import Image

from ggdr.data.images import ImageFiles
from ggdr.folders import MARK
from ggdr.networks.base import ImageSpec
from ggdr.sampling.grid import save_grid
from ggdr.train import main
from ggdr.verbs import datacheck, edit, evaluate, export, features, generate, mix, project, video
from ggdr.verbs.outputs import check_apart
from ggdr.visualization.film import save_film

PHOTOS = {f"photos/{number}.png": noise(number) for number in range(6)}
SHORT = ["--data", "images", "--total-kimg", "0.008", "--checkpoint-kimg", "0.008"]


@contextlib.contextmanager
def own_warnings():
    """Warnings as a list of what they say."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield (said := [])
    said += [str(each.message) for each in caught]


def train(source: Path, out: Path, *flags: str) -> None:
    assert main([tiny.__file__, "--data.source", str(source), "--out", str(out), *SHORT, *flags]) == 0


def found(source: Path) -> tuple[int, str]:
    """How many images a source has, and what is said of it."""
    with own_warnings() as said:
        count = len(ImageFiles(source=str(source), size=16).open())
    return count, " ".join(said)


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory) -> Path:
    """Six photographs, and two runs below the same folder that were trained on all of it."""
    root = tmp_path_factory.mktemp("project")
    folder(root, PHOTOS)
    for name in ("runs/a", "b"):
        train(root, root / name)
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A saved generator of 16 px, gray."""
    out = tmp_path_factory.mktemp("model") / "generator"
    tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)).save_pretrained(out)
    return out


def test_run_folders_below_a_source_are_no_data_and_counted(project_folder, tmp_path):
    assert len(list(project_folder.rglob("*.png"))) > 6
    assert found(project_folder) == (
        6,
        f"{str(project_folder)!r}: skipped 2 run folders of ggdr: what it made is no data.",
    )
    packed = shutil.make_archive(str(tmp_path / "all"), "zip", project_folder)
    count, said = found(Path(packed))
    assert count == 6 and "skipped 2 run folders of ggdr" in said


def test_runs_of_earlier_versions_which_left_no_mark_are_no_data_either(project_folder, tmp_path):
    root = shutil.copytree(project_folder, tmp_path / "project")
    for mark in root.rglob(MARK):
        mark.unlink()
    assert found(root)[0] == 6


def test_a_run_inside_its_source_says_so_and_goes_on_with_the_same_images(project_folder, tmp_path, capsys):
    root = shutil.copytree(project_folder, tmp_path / "project")
    train(root, root / "runs" / "a", "--total-kimg", "0.016", "--allow-changes")
    said = capsys.readouterr().out
    assert "images: 6 images of 16 x 16 px" in said and "0.016 kimg; the model is" in said
    assert f"--out {root / 'runs' / 'a'} lies in the folder of the images, {root}: what the run writes" in said


def test_a_run_in_the_folder_of_its_images_takes_those_alone(tmp_path, capsys):
    folder(tmp_path, {name.removeprefix("photos/"): data for name, data in PHOTOS.items()})
    for kimg in ("0.008", "0.016"):
        train(tmp_path, tmp_path, "--total-kimg", kimg)
        assert "images: 6 images of 16 x 16 px" in capsys.readouterr().out
    assert "skipped the files of a run of ggdr in the folder itself: what it made is no data" in found(tmp_path)[1]


def test_a_run_is_refused_a_folder_below_the_source_that_holds_some_of_its_images(tmp_path):
    folder(tmp_path, PHOTOS)
    with pytest.raises(ValueError, match=r"photos lies in the folder of the images and holds some, such as '0.png'"):
        train(tmp_path, tmp_path / "photos")
    assert len(list(tmp_path.rglob("*"))) == 7


def test_data_check_tells_what_it_skips(project_folder, capsys):
    assert datacheck.main(["check", str(project_folder)]) == 0
    said = capsys.readouterr().out
    assert "6 readable" in said and "skipped 2 run folders of ggdr: what it made is no data" in said


@pytest.mark.parametrize("name", ["grid.png", "walk.gif", "walk.webp"])
def test_grids_and_films_beside_images_are_no_data(name, tmp_path):
    folder(tmp_path, PHOTOS | {"still.gif": noise(7), "still.webp": noise(8)})
    images = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    if name == "grid.png":
        save_grid(images, tmp_path / "photos" / name)
    else:
        save_film(images.permute(0, 2, 3, 1), tmp_path / "photos" / name)
    count, said = found(tmp_path)
    assert count == 8 and "skipped 1 grid of ggdr" in said


def test_generated_images_are_data_where_they_are_asked_for_and_nowhere_else(model, tmp_path):
    folder(tmp_path, PHOTOS)
    generate.main([str(model), "--seeds", "0-4", "--out", str(tmp_path / "made")])
    assert found(tmp_path) == (6, f"{str(tmp_path)!r}: skipped 1 made folder of ggdr: what it made is no data.")
    assert found(tmp_path / "made") == (5, "")
    shutil.rmtree(tmp_path / "photos")
    with pytest.raises(
        ValueError, match="holds only images that ggdr made .*to measure generated ones, the folder itself"
    ):
        found(tmp_path)


def test_a_source_of_grids_alone_is_refused(tmp_path):
    save_grid(torch.zeros(4, 3, 16, 16, dtype=torch.uint8), tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"holds only images that ggdr made \(skipped 1 grid of ggdr"):
        found(tmp_path)


def test_no_verb_puts_anything_into_a_folder_of_images(model, tmp_path, monkeypatch):
    folder(tmp_path, PHOTOS)
    photos = tmp_path / "photos"
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(photos)
    commands = [
        (generate.main, [str(model)]),
        (generate.main, [str(model), "--out", "../photos", "--seeds", "7"]),
        (mix.main, [str(model)]),
        (edit.main, [str(model)]),
        (video.main, [str(model), "--out", "walk.gif"]),
        (export.main, [str(model), "generator.pt2"]),
        (features.main, [str(model), "--out", "."]),
        (project.main, [str(model), "0.png", "--out", "."]),
    ]
    refused = (
        r"there are 6 images (here|in \S+), such as '0.png', and nothing is put|0.png is one of the pictures that are"
    )
    for verb, command in commands:
        with pytest.raises(ValueError, match=refused):
            verb([*command, "--overwrite"])
    with pytest.raises(ValueError, match="give another folder by OUT"):
        export.main([str(model), "generator.pt2"])
    for flags in ([], ["--out", "record.json"], ["--out", str(photos / "record.json")]):
        with pytest.raises(
            ValueError, match="and nothing is put among somebody's images: give another folder by --out"
        ):
            evaluate.main(
                [str(photos), "--data", "images", "--data.source", str(photos), "--metrics.swd", "swd", *flags]
            )
    assert sorted(tmp_path.rglob("*")) == before


def test_a_record_of_a_folder_of_images_lies_here_and_not_there(tmp_path, monkeypatch):
    source = folder(tmp_path, PHOTOS)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = sorted(Path(source, "photos").rglob("*"))
    flags = [
        "--data",
        "images",
        "--data.source",
        f"{source}/photos",
        "--metrics.swd",
        "swd",
        "--metrics.swd.images",
        "6",
    ]
    evaluate.main([f"{source}/photos", *flags])
    assert sorted(Path(source, "photos").rglob("*")) == before
    assert [path.as_posix() for path in Path().rglob("*.json")] == ["metrics/photos/0001-swd.json"]


def test_a_picture_or_two_among_other_files_make_no_folder_of_images(tmp_path):
    for count, files, refused in ((1, 0, False), (2, 0, True), (2, 2, True), (2, 3, False), (5, 4, True)):
        place = tmp_path / f"{count}-{files}"
        folder(place, {f"{number}.png": noise(number) for number in range(count)})
        folder(place, {f"{number}.txt": b"" for number in range(files)})
        with pytest.raises(ValueError, match="somebody's") if refused else contextlib.nullcontext():
            check_apart(place)


def test_pictures_that_were_made_here_are_nobodys_images(model, tmp_path):
    (tmp_path / "mine.txt").touch()  # a folder that was there, and is not marked
    for seed in "123":
        generate.main([str(model), "--seeds", seed, "--out", str(tmp_path)])
        generate.main([str(model), "--seeds", seed, "--out", str(tmp_path / f"grid{seed}.png")])
    assert not (tmp_path / MARK).exists() and len(list(tmp_path.glob("*.png"))) == 6
    assert Image.open(tmp_path / "seed0001.png").info["Software"] == "ggdr"
    assert found(tmp_path)[0] == 3


def test_a_zip_is_packed_with_what_is_skipped_and_read_without_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in (
            PHOTOS | {"run/samples/x.png": noise(9), f"run/{MARK}": b"{}", "run/recipe.json": b""}
        ).items():
            archive.writestr(name, data)
    assert found(tmp_path / "a.zip")[0] == 6
