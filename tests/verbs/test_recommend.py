"""`ggdr data check` ends with the recipe that it recommends, why, and a whole command to type as it stands."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from data_sources import encoded, folder, noise

from ggdr.data.domains import Domains
from ggdr.data.images import ImageFiles
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.data.super_resolution import SuperResolution
from ggdr.flags.recipe import parse
from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.fitting import fit
from ggdr.verbs.datacheck import data_words
from ggdr.verbs.datacheck import main as data
from ggdr.verbs.recommend import for_images, for_two, run_name

RGB = ImageSpec(256, 256, 3)


def taken(settings, spec: ImageSpec, count: int) -> tuple[str, Recipe]:
    """The reasons, and the recipe of the recommended command once it is parsed and fits the images."""
    advice = for_images(settings, count, spec)
    (_, why), (_, (command,)) = advice.lines(data_words(settings), settings.source)
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("ggdr", "train") and words[-2:] == ["--out", "runs/pictures"]
    recipe = parse(words, "ggdr train").recipe
    assert fit(recipe, {"real": spec}).recipe.data.source == settings.source
    return "\n".join(why), recipe


@pytest.mark.parametrize(
    ("count", "recipe", "augment", "ggdr", "said"),
    [
        (30, "few", "diffaug", False, "so few are likely to be repeated whole"),
        (49, "few", "diffaug", False, "so few are likely"),
        (50, "few", "diffaug", False, "DiffAugment, since ADA was tried with 1,000 and more"),
        (999, "few", "diffaug", False, "999 images are few: GGDR is off"),
        (1000, "few", "ada", False, "ADA raises its p"),
        (2000, "few", "ada", False, "the paper finds it worse beside ADA with 2,000"),
        (2001, "afhq_cat", "ada", True, "2,001 images are few enough for ADA and enough for GGDR"),
        (50_000, "afhq_cat", "ada", True, "the paper finds it better on sets of some thousand and of 10,000"),
        (50_001, "ffhq256", "none", True, "GGDR without ADA, which the paper finds better at 70,000"),
    ],
)
def test_the_number_of_images_decides_on_augmentation_and_ggdr(count, recipe, augment, ggdr, said):
    why, found = taken(ImageFiles(source="pictures", size=256, channels=3), RGB, count)
    assert why.startswith(f"{recipe}: ") and said in why
    assert (found.augment.name, "ggdr" in found.regularizers) == (augment, ggdr)
    assert ("repeated whole" in why) == (count < 50) and ("--init-from MODEL" in why) == (count <= 2000)
    assert found.data.subset is None, "all of the images are trained on, whatever the recipe's own set is a part of"


@pytest.mark.parametrize(("side", "recipe", "maps"), [(32, "cifar10", 8), (64, "afhq_cat", 16), (128, "afhq_cat", 32)])
def test_other_sizes_have_the_gamma_and_the_maps_of_their_size(side, recipe, maps):
    why, found = taken(ImageFiles(source="pictures", size=side, channels=3), ImageSpec(side, side, 3), 5000)
    terms = fit(found, {"real": ImageSpec(side, side, 3)}).recipe.regularizers
    assert why.startswith(f"{recipe}: ") and terms["ggdr"].resolutions == (maps,)
    assert terms["r1"].weight == (0.01 if side == 32 else pytest.approx(0.0002 * side * side / 64))
    assert ("R1 and GGDR as they come" in why) == (side != 32)


def test_at_the_size_of_the_recipes_nothing_of_them_is_changed():
    why, found = taken(ImageFiles(source="pictures", size=256, channels=3), RGB, 5000)
    assert "as they come" not in why and found.regularizers["r1"].weight == 1.0


def test_mirror_images_are_added_once_and_said():
    plain = ImageFiles(source="pictures", size=256, channels=3)
    why, found = taken(plain, RGB, 500)
    assert found.data.mirror and "drop --data.mirror where left and right matter" in why
    typed = ImageFiles(source="pictures", size=256, channels=3, mirror=True)
    why, found = taken(typed, RGB, 500)
    assert found.data.mirror and "drop --data.mirror" not in why
    assert for_images(typed, 500, RGB).flags.count("--data.mirror") == 0


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (RGB._replace(channels=1), "gray: networks of one channel"),
        (RGB._replace(channels=4), "RGBA: opacity is learned as a fourth channel; --data.channels 3"),
        (RGB._replace(channels=5), "5 channels, all of them learned"),
        (RGB._replace(labels=3), "conditional: G and D are told the class, 3 numbers"),
        (RGB._replace(labels=1, label_ranges=((0.0, 1.0),)), "conditional: G and D are told the numbers, 1 number"),
        (RGB._replace(height=512, width=1024), "begin with --data.size 256: 0.12 of the pixels"),
        (RGB._replace(height=64, width=96), "few: "),
    ],
)
def test_channels_labels_and_sizes_are_told_and_fit(spec, said):
    settings = ImageFiles(source="pictures", size=(spec.height, spec.width), channels=spec.channels)
    why, _ = taken(settings, spec, 1500)
    assert said in why
    plain, _ = taken(ImageFiles(source="pictures", size=256, channels=3), RGB, 1500)
    assert said == "few: " or said not in plain


@pytest.mark.parametrize(
    ("source", "name"),
    [("path/to/my pictures/", "my-pictures"), ("a.tar.gz", "a"), ("org/cats", "cats"), ("/", "mine"), (".", "mine")],
)
def test_a_run_is_called_after_its_images(source, name):
    assert run_name(source) == name


def recommended(out: str) -> tuple[list[str], Recipe]:
    """The words of the command that a report ends with, and its recipe."""
    command = out.rstrip().splitlines()[-1].split(maxsplit=1)
    assert command[0] == "train"
    words = shlex.split(command[1])[2:]
    return words, parse(words, "ggdr train").recipe


def test_a_folder_of_few_gray_pictures_gets_a_command_that_trains_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "set", {f"{number}.png": encoded(number, "L", 16, 16) for number in range(12)})
    assert data(["check", "set"]) == 0
    words, recipe = recommended(capsys.readouterr().out)
    assert words[0] == "few" and (recipe.data.source, recipe.data.size, recipe.data.mirror) == ("set", (16, 16), True)
    assert fit(recipe, {"real": recipe.data.open().spec}).recipe.augment.name == "diffaug"
    assert words[-2:] == ["--out", "runs/set"] and not Path("runs").exists()


def test_labels_that_were_typed_are_in_the_command(tmp_path, capsys):
    files = {f"{kind}/{number}.png": noise(number) for kind in ("cat", "dog") for number in range(4)}
    assert data(["check", folder(tmp_path / "set", files), "--labels", "folders", "--size", "16"]) == 0
    out = capsys.readouterr().out
    _, recipe = recommended(out)
    assert recipe.data.labels == "folders" and "conditional: G and D are told the class, 2 numbers" in out


@pytest.mark.parametrize(
    ("settings", "recipe", "flags"),
    [
        (Domains(source="x", size=256), "horse2zebra_cyclegan", ["--data.load-size", "286", "--data.flip"]),
        (Domains(source="x", size=64, flip=True), "horse2zebra_cyclegan", ["--data.load-size", "72"]),
        (Domains(source="x", size=64, load_size=70), "horse2zebra_cyclegan", []),
        (Domains(source="x", size=(256, 64), flip=True), "horse2zebra_cyclegan", ["--data.load-size", "286", "72"]),
        (Domains(source="x"), "horse2zebra_cyclegan", []),
        (Pairs(source="x", size=256), "facades_pix2pix", ["--data.load-size", "286", "--data.flip"]),
        (Pairs(source="x", size=256, maps=LabelMaps(of="a", classes=5)), "ade20k_oasis", []),
        (SuperResolution(source="x"), "div2k_srresnet", []),
    ],
)
def test_pairs_and_domains_have_translators(settings, recipe, flags):
    advice = for_two(settings)
    assert (advice.recipe, advice.flags) == (recipe, flags)
    (_, _), (_, (command,)) = advice.lines(data_words(settings), "x")
    found = parse(shlex.split(command)[2:], "ggdr train").recipe.data
    assert found.name == settings.name and found.source == "x"


def test_a_folder_of_pairs_gets_a_command_that_fits_it(tmp_path, capsys):
    files = {f"{side}/{number}.png": noise(number, 32, 32) for side in "AB" for number in range(6)}
    assert data(["check", folder(tmp_path / "set", files)]) == 0
    words, recipe = recommended(capsys.readouterr().out)
    assert words[0] == "facades_pix2pix" and fit(recipe, recipe.data.open().domains)
