"""`ggdr translate`: what it writes, what it leaves alone, and what it refuses in one sentence."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import moved
from translator_runs import photo, trained

import ggdr
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs.translate import main


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return trained("unpaired", tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """A folder with one of pictures of several kinds, which is where commands are typed."""
    monkeypatch.chdir(tmp_path)
    for place, file in enumerate(("photos/one.jpg", "photos/two.png", "photos/sub/three.webp")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        photo(20 + place, 16).save(tmp_path / file)
    (tmp_path / "photos" / "notes.txt").write_text("of no matter")
    return tmp_path


def made(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))


def said(*argv: object) -> str:
    with pytest.raises(ValueError) as raised:
        main([*map(str, argv)])
    return str(raised.value)


def test_a_picture_becomes_one_of_the_same_name(run, here, capsys):
    assert main([str(run), "photos/one.jpg", "--out", "made"]) == 0
    assert made(here / "made") == ["one.png"]
    expected = ggdr.from_pretrained(run)("photos/one.jpg").images[0]
    assert np.array_equal(np.array(Image.open("made/one.png")), np.array(expected))
    assert capsys.readouterr().out == f"made: 1 image, gray_to_colour by {run}\n"


def test_several_pictures_and_folders_are_translated_in_their_folders(run, here):
    photo(16, 16).save("four.png")
    assert main([str(run), "photos", "four.png", "--out", "made", "--view", "gray"]) == 0
    assert made(here / "made") == ["four.png", "one.png", "sub/three.png", "two.png"]
    assert {Image.open(here / "made" / name).mode for name in made(here / "made")} == {"L"}


def test_a_grid_is_the_picture_beside_what_was_made_of_it(run, here):
    main([str(run), "photos/two.png", "--out", "made", "--view", "colour_to_gray", "--grid"])
    shown = np.array(Image.open("made/two.png"))
    assert shown.shape == (16, 42, 3)
    assert np.array_equal(shown[:, :21], np.array(Image.open("photos/two.png")))
    gray = np.array(ggdr.from_pretrained(run)("photos/two.png", to="gray").images[0])
    assert np.array_equal(shown[:, 21:], np.repeat(gray[..., None], 3, axis=2))


def test_nothing_is_overwritten_unless_it_is_asked_for(run, here):
    main([str(run), "photos/one.jpg", "--out", "made"])
    before = (here / "made" / "one.png").read_bytes()
    assert said(run, "photos", "--out", "made", "--view", "gray") == (
        "made/one.png is there already; give another --out, or add --overwrite."
    )
    assert made(here / "made") == ["one.png"] and (here / "made" / "one.png").read_bytes() == before
    assert main([str(run), "photos", "--out", "made", "--view", "gray", "--overwrite"]) == 0
    assert (here / "made" / "one.png").read_bytes() != before


def test_what_is_made_never_lies_among_pictures_of_a_person(run, here):
    photo().save("four.png")
    assert "nothing is put among somebody's images" in said(run, "four.png", "--out", "photos")


@pytest.mark.parametrize("out", ["mine", "mine/photo.png", "mine/../mine"])
def test_a_picture_that_is_given_is_never_replaced_by_what_is_made_of_it(run, here, out):
    (here / "mine").mkdir()
    photo(20, 16).save("mine/photo.png")
    before = (here / "mine" / "photo.png").read_bytes()
    assert said(run, "mine/photo.png", "--out", out, "--overwrite").endswith(
        "photo.png is one of the pictures that are given, and would be lost; give another --out."
    )
    assert (here / "mine" / "photo.png").read_bytes() == before


def test_a_folder_that_a_verb_made_is_not_somebodys(run, here):
    (here / "work").mkdir()
    for out in ("work/made", "work"):
        assert main([str(run), "photos/one.jpg", "--out", out]) == 0
    (here / "work" / "notes").mkdir()
    (here / "work" / "notes" / "page.html").write_text("mine")
    assert "--out work holds 'notes', which no verb made" in said(run, "photos/two.png", "--out", "work")


def test_a_broken_picture_is_named_and_the_others_are_made(run, here, capsys):
    (here / "photos" / "broken.png").write_bytes(b"no picture")
    (here / "photos" / "empty.png").write_bytes(b"")
    assert main([str(run), "photos", "--out", "made"]) == 0
    assert made(here / "made") == ["one.png", "sub/three.png", "two.png"]
    assert capsys.readouterr().err.splitlines()[1:] == [
        "ggdr: warning: skipped: 'photos/broken.png' is no picture that can be read: it is in none of the formats of"
        " images.",
        "ggdr: warning: skipped: 'photos/empty.png' is no picture that can be read: it is empty.",
    ]
    assert said(run, "photos/broken.png", "--out", "other").startswith("none of 1 files is a picture")


@pytest.mark.parametrize(
    ("typed", "answer"),
    {
        "": "there is no picture to translate; give some, or a folder of such, behind the model.",
        "photos/on.jpg": "there is no file or folder 'photos/on.jpg' (did you mean 'photos/one.jpg'",
        "nothing.png": "there is no file or folder 'nothing.png'; give pictures, or a folder of such.",
        "photos/one.jpg --view zebra": "this model does not translate to 'zebra'; give a domain, 'colour' or 'gray'",
        "photos/one.jpg --labels 3": "this generator was trained without labels; leave --labels 3 out.",
        "photos/one.jpg --out made.jpg": "--out made.jpg ends in .jpg, as no folder does; give NAME.png for one",
        "photos/one.jpg --seed 3": "`ggdr translate` has no flag --seed. Did you mean --seeds?",
        "photos/one.jpg --seeds 3": "gray_to_colour draws nothing, so that seeds make no difference; leave seeds out.",
        "photos/one.jpg --tile -5": "tile is -5; give 0 or more pixels.",
        "photos/one.jpg --batch-size 0": "a pass of 0 images makes none; give 1 or more.",
        "photos/one.jpg --seeds x": "--seeds x holds 'x'; give numbers and ranges such as 0-15,100.",
        "photos/one.jpg --style photos": "gray_to_colour takes no style of other pictures; leave style out.",
        "photos/one.jpg --each-style": "--each-style makes an output for each style picture; give those by --style.",
    }.items(),
)
def test_what_cannot_be_is_refused_and_nothing_is_made(run, here, typed, answer):
    assert said(run, *typed.split()).startswith(answer)
    assert not (here / "translated").exists() and not (here / "made.jpg").exists()


def test_two_pictures_that_would_become_one_file_are_refused(run, here):
    photo().save("photos/one.png")
    assert "photos/one.jpg and photos/one.png would both become made/one.png" in said(run, "photos", "--out", "made")


def test_a_model_of_noise_says_what_to_type(here):
    save_model(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16))), here / "model")
    assert said("model", "photos/one.jpg") == (
        "'model' makes images of noise, not of images: type `ggdr generate model`, or in Python"
        " ggdr.from_pretrained('model')(seeds=[0, 1])."
    )
    pipe = ggdr.from_pretrained("model")
    with pytest.raises(ValueError, match="makes images of noise, by seeds, not of images"):
        pipe(photo())


@pytest.mark.parametrize("verb", ["generate", "mix", "edit", "video", "project", "features"])
def test_verbs_of_noise_say_what_to_type_for_a_translator(run, verb):
    more = {"project": ["photos/one.jpg"], "video": ["--out", "walk.gif"]}.get(verb, [])
    with pytest.raises(ValueError) as raised:
        importlib.import_module(f"ggdr.verbs.{verb}").main([str(run), *more])
    assert f"makes images of images, not of noise: type `ggdr translate {run} IMAGES --out FOLDER`" in str(raised.value)


def test_help_answers_without_torch(here):
    code = "import sys; from ggdr.cli import main; sys.argv[1:] = ['translate', '--help']\n"
    code += "try: main()\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("False\n") and "--view" in done.stdout
