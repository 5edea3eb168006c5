"""`ggdr translate` of models that draw, take styles or have classes: names of files, grids and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from translator_runs import photo
from translators import TintedGame, TintedTranslatorConfig

import ggdr
from ggdr.networks.base import ImageSpec
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.verbs.translate import main

CLASSES = ImageSpec(16, 16, labels=3, label_names=("cat", "dog", "owl"))


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A model that draws and takes styles, and one with classes that needs a style."""
    root = tmp_path_factory.mktemp("models")
    for name, drawn, makes in (("drawing", True, ImageSpec(16, 16)), ("classes", False, CLASSES)):
        network = TintedTranslatorConfig(drawn=drawn).build(makes, ImageSpec(16, 16))
        TranslationPipeline({"generator": network}, TintedGame(), ("a", "b")).save_pretrained(root / name)
    return root


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """A folder with two pictures and two styles."""
    monkeypatch.chdir(tmp_path)
    for file in ("photos/one.png", "photos/sub/two.png"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        photo(20, 16).save(tmp_path / file)
    (tmp_path / "styles").mkdir()
    for colour in ("red", "blue"):
        Image.new("RGB", (9, 9), colour).save(tmp_path / "styles" / f"{colour}.png")
    return tmp_path


def made(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))


def said(*argv: object) -> str:
    with pytest.raises(ValueError) as raised:
        main([*map(str, argv)])
    return raised.value.in_flags()


def pixels(image) -> np.ndarray:
    return np.array(image if isinstance(image, Image.Image) else Image.open(image))


def test_each_seed_has_a_file_that_says_so_and_one_seed_has_the_name_of_its_picture(models, here, capsys):
    assert main([str(models / "drawing"), "photos", "--out", "made", "--seeds", "0", "2-3"]) == 0
    assert made(here / "made") == [f"{name}-seed{seed}.png" for name in ("one", "sub/two") for seed in (0, 2, 3)]
    assert capsys.readouterr().out == f"made: 6 images, a_to_b by {models / 'drawing'}\n"
    expected = ggdr.from_pretrained(models / "drawing")("photos/one.png", seeds=2).images[0]
    assert np.array_equal(pixels("made/one-seed2.png"), pixels(expected))
    main([str(models / "drawing"), "photos/one.png", "--out", "alone", "--seeds", "2"])
    assert made(here / "alone") == ["one.png"]
    assert np.array_equal(pixels("alone/one.png"), pixels(expected))


def test_folders_within_folders_are_kept(models, here):
    (here / "photos" / "a" / "b").mkdir(parents=True)
    photo(20, 16).save("photos/a/b/three.png")
    main([str(models / "drawing"), "photos/a", "--out", "made/deep/er"])
    assert made(here / "made" / "deep" / "er") == ["b/three.png"]
    main([str(models / "drawing"), "photos", "--out", "new/made"])
    assert made(here / "new") == ["made/a/b/three.png", "made/one.png", "made/sub/two.png"]


def test_styles_are_blended_or_each_has_an_output(models, here):
    pipe, styles = ggdr.from_pretrained(models / "drawing"), ["styles/blue.png", "styles/red.png"]
    command = [str(models / "drawing"), "photos/one.png", "--style"]
    main([*command, *styles, "--out", "mean"])
    main([*command, "styles", "--style-weights", "1", "3", "--strength", "0.5", "--out", "mixed"])
    main([*command, "styles", "--each-style", "--out", "each"])
    main([*command, "styles/red.png", "--each-style", "--out", "single"])
    assert (made(here / "mean"), made(here / "mixed"), made(here / "single")) == (["one.png"],) * 3
    assert made(here / "each") == ["one-blue.png", "one-red.png"]
    for file, how in {
        "mean/one.png": {"style": styles},
        "mixed/one.png": {"style": styles, "style_weights": [1, 3], "strength": 0.5},
        "each/one-red.png": {"style": "styles/red.png"},
        "single/one.png": {"style": "styles/red.png"},
    }.items():
        assert np.array_equal(pixels(file), pixels(pipe("photos/one.png", **how).images[0]))


def test_each_class_has_a_file_that_is_called_after_it(models, here):
    command = [str(models / "classes"), "photos/one.png", "--style", "styles", "--each-style"]
    main([*command, "--labels", "all", "--out", "made"])
    names = [f"one-{style}-{label}.png" for style in ("blue", "red") for label in ("cat", "dog", "owl")]
    assert made(here / "made") == names
    dog = ggdr.from_pretrained(models / "classes")("photos/one.png", style="styles/red.png", labels="dog").images[0]
    assert np.array_equal(pixels("made/one-red-dog.png"), pixels(dog))
    main([*command, "--labels", "dog", "--out", "dogs"])
    assert made(here / "dogs") == ["one-blue.png", "one-red.png"]


def test_a_grid_has_the_picture_all_its_outputs_and_its_styles_above(models, here):
    command = [str(models / "drawing"), "photos", "--grid"]
    main([*command, "--seeds", "0-2", "--out", "made"])
    assert made(here / "made") == ["one.png", "sub/two.png"]
    shown, pipe = pixels("made/one.png"), ggdr.from_pretrained(models / "drawing")
    outputs = pipe("photos/one.png", seeds=[0, 1, 2]).images
    assert np.array_equal(shown, np.hstack([pixels("photos/one.png"), *map(pixels, outputs)]))
    main([*command, "--style", "styles", "--each-style", "--out", "styled"])
    shown = pixels("styled/one.png")
    assert shown.shape == (32, 60, 3) and np.array_equal(shown[16:, :20], pixels("photos/one.png"))
    assert (shown[:16, :20] == 255).all() and shown[8, 30].tolist() == [0, 0, 255] and shown[8, 50, 0] == 255
    assert np.array_equal(shown[16:, 40:], pixels(pipe("photos/one.png", style="styles/red.png").images[0]))
    main([*command, "--style", "styles", "--out", "mixed"])
    shown = pixels("mixed/one.png")
    assert shown.shape == (32, 60, 3) and shown[8, 30].tolist() == [0, 0, 255] and shown[8, 50].tolist() == [255, 0, 0]
    assert np.array_equal(
        shown[16:, 20:40], pixels(pipe("photos/one.png", style=["styles/blue.png", "styles/red.png"]).images[0])
    )


def test_a_file_is_the_only_output_or_a_table_of_all(models, here, capsys):
    command = [str(models / "drawing"), "--overwrite", "--out", "all.png"]
    main([*command, "photos/one.png"])
    pipe = ggdr.from_pretrained(models / "drawing")
    assert np.array_equal(pixels("all.png"), pixels(pipe("photos/one.png").images[0]))
    main([*command, "photos", "--seeds", "0", "1", "--style"][:-1])
    assert pixels("all.png").shape == (32, 60, 3) and "all.png: 4 images" in capsys.readouterr().out
    main([*command, "photos", "--style", "styles", "--each-style"])
    shown = pixels("all.png")
    assert shown.shape == (48, 60, 3) and not Path("made").exists()
    blue = pipe("photos/sub/two.png", style="styles/blue.png").images[0]
    assert np.array_equal(shown[32:, 20:40], pixels(blue))


def test_classes_stand_below_the_style_that_they_take(models, here):
    command = [str(models / "classes"), "photos/one.png", "--style", "styles", "--each-style", "--out", "all.png"]
    main([*command, "--labels", "all"])
    shown = pixels("all.png")
    assert shown.shape == (32, 140, 3)
    assert shown[8, 30].tolist() == [0, 0, 255] and shown[8, 90].tolist() == [255, 0, 0]
    assert (shown[:16, 40:80] == 255).all() and (shown[:16, 100:] == 255).all()


def test_cells_of_a_table_have_512_pixels_at_most_and_pictures_keep_their_shape(models, here):
    photo(1100, 60).save("photos/wide.png")
    main([str(models / "drawing"), "photos", "--out", "all.png"])
    shown = pixels("all.png")
    assert shown.shape == (28 * 3, 1024, 3)
    assert (shown[:28, :230] == 255).all() and (shown[56:, 512:] != 255).any()


@pytest.mark.parametrize(
    ("model", "typed", "answer"),
    [
        ("classes", "--labels cat", "a_to_b makes pictures in the style of others; give one or several by --style."),
        ("classes", "--style styles", "this generator was trained with labels; add --labels all, or some of cat, dog"),
        ("classes", "--style styles --labels cow", "--labels cow holds 'cow'; give all, or some of cat, dog, owl"),
        ("drawing", "--style none.png", "there is no file or folder 'none.png'; give pictures, or a folder of such."),
        ("drawing", "--style empty", "there is no picture in empty; give others."),
        (
            "drawing",
            "--style styles --seeds 0 1",
            "a_to_b takes its style from pictures, so that seeds make no difference; leave --seeds out.",
        ),
        ("drawing", "--style-weights 1", "--style-weights weigh style pictures; give those by --style too."),
        (
            "drawing",
            "--style styles --style-weights 1",
            "--style-weights are 1, and style pictures are 2; give a number for each picture, such as 1 1.",
        ),
        (
            "drawing",
            "--style styles --style-weights 1 1 --each-style",
            "--style-weights make one style of several, and --each-style takes each; leave one of them out.",
        ),
        ("drawing", "--strength 0.5", "--strength is how far to go towards a style; give --style too."),
        (
            "drawing",
            "--style styles more/red.png --each-style",
            "two style pictures are called 'red', as outputs would",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_is_made(models, here, model, typed, answer):
    (here / "empty").mkdir()
    (here / "more").mkdir()
    Image.new("RGB", (9, 9), "red").save("more/red.png")
    assert said(models / model, "photos", *typed.split(), "--out", "made").startswith(answer)
    assert not (here / "made").exists()


def test_outputs_of_two_pictures_that_would_be_one_file_are_refused(models, here):
    photo(16, 16).save("photos/one-x.png")
    for name in ("x-y", "y"):
        Image.new("RGB", (9, 9), "red").save(f"styles/{name}.png")
    answer = said(models / "drawing", "photos", "--style", "styles", "--each-style", "--out", "made")
    assert "would both become made/one-x-y.png" in answer


def test_outputs_that_are_there_are_kept_unless_it_is_asked_for(models, here):
    main([str(models / "drawing"), "photos", "--out", "made", "--seeds", "0", "1"])
    again = [str(models / "drawing"), "photos", "--out", "made", "--seeds"]
    assert said(*again, "1", "2") == "made/one-seed1.png is there already; give another --out, or add --overwrite."
    assert main([*again, "2", "3"]) == 0
    Path("table.png").write_text("mine")
    assert "table.png is there already" in said(models / "drawing", "photos", "--out", "table.png")
    assert Path("table.png").read_text() == "mine"
