"""Conditional models: their labels' names survive training, and every verb takes labels by name, number or vector."""

import re
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from data_sources import encoded, folder
from PIL import Image
from tiny import moved

from ggdr.evaluation.sources import check_labels
from ggdr.hub.card import card_of
from ggdr.latent.directions import draw_latents
from ggdr.networks.base import ImageSpec
from ggdr.pipeline import Pipeline
from ggdr.sampling import draw
from ggdr.sampling.labels import class_number, describe_labels, example_labels, label_rows
from ggdr.saving.model import describe, load_model, read_spec, save_model
from ggdr.saving.pretrained import load_pair
from ggdr.train import main as train
from ggdr.verbs import edit, generate, mix, project, video
from ggdr.verbs.label_flags import label_choices
from ggdr.visualization.maps import generate_maps

PETS = ImageSpec(16, 16, 3, 3, label_names=("cat", "Dog", "sea horse"))
AGES = ImageSpec(16, 16, 3, 1, label_names=("age",), label_ranges=((1.0, 90.0),))
POSES = ImageSpec(16, 16, 3, 2, label_names=("yaw", "pitch"), label_ranges=((-1.0, 1.0), (0.0, 0.5)))
PLAIN = ImageSpec(16, 16, 3, 4)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder of models: pets, ages, poses, plain (labels without names), none."""
    root = tmp_path_factory.mktemp("models")
    for name, spec in {"pets": PETS, "ages": AGES, "poses": POSES, "plain": PLAIN, "none": ImageSpec(16, 16)}.items():
        save_model(moved(tiny.STYLEGAN2.build(spec)), root / name)
    return root


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def grid(file: str) -> np.ndarray:
    return np.asarray(Image.open(file)).astype(int)


def test_a_description_keeps_names_and_ranges_and_refuses_what_is_none(models):
    for name, spec in (("pets", PETS), ("poses", POSES), ("none", ImageSpec(16, 16))):
        assert load_model(models / name).spec == spec
    kept = describe(load_model(models / "poses"))["spec"]
    wrong = [
        {"label_names": ["yaw"]}, {"label_names": "ab"}, {"label_names": [1, 2]}, {"label_ranges": [[0, 1]]},
        {"label_ranges": [[1, 0], [0, 1]]}, {"label_ranges": [[0, float("inf")], [0, 1]]}, {"label_ranges": [0, 1]},
    ]  # fmt: skip
    for change in wrong:
        with pytest.raises(ValueError, match="has a spec with label_names"):
            read_spec({**kept, **change}, Path("config.json"))


def test_names_of_classes_survive_training_and_are_told_by_card_and_verbs(tmp_path, capsys):
    files = {f"{kind}/{n}.png": encoded(40 * n, height=16, width=16) for kind in ("cat", "dog") for n in range(4)}
    source = folder(tmp_path / "pets", files)
    flags = "--data images --data.labels folders --data.channels 1 --total-kimg 0.008 --checkpoint-kimg 0.008"
    recipe = Path(tiny.__file__)
    assert train([str(recipe), *flags.split(), "--data.source", source, "--out", "run"]) == 0
    generator, judge = load_pair("run")
    assert generator.spec.label_names == judge.spec.label_names == ("cat", "dog")
    card = card_of(Path("run"))
    assert "of 2 classes by choice (cat, dog)" in card and "labels='cat'" in card
    with pytest.raises(ValueError, match=r"trained with labels; add --labels all, or some of cat, dog \(or of 0-1\)"):
        generate.main(["run"])
    assert generate.main(["run", "--labels", "dog", "--seeds", "0-1", "--out", "each"]) == 0
    assert sorted(file.name for file in Path("each").glob("*.png")) == ["seed0000-dog.png", "seed0001-dog.png"]
    Pipeline.from_pretrained("run").save_pretrained("saved")
    assert Pipeline.from_pretrained("saved").generator.spec.label_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("model", "words", "rows"),
    [
        ("pets", "cat", [0]), ("pets", "CAT dog", [0, 1]), ("pets", "cat,Dog", [0, 1]), ("pets", "2 0-1", [2, 0, 1]),
        ("pets", "all", [0, 1, 2]), ("plain", "3,0-1", [3, 0, 1]), ("plain", "all", [0, 1, 2, 3]),
        ("pets", "0.2,0.8,0", [[0.2, 0.8, 0]]), ("ages", "45 60.5", [[45], [60.5]]), ("poses", "0.5,0.1", [[0.5, 0.1]]),
    ],
)  # fmt: skip
def test_labels_are_given_by_name_by_number_or_as_vectors(models, model, words, rows):
    generate.main([str(models / model), "--labels", *words.split(), "--seeds", "5", "--out", "each"])
    generator = load_model(models / model)
    vectors = torch.tensor(rows).float() if isinstance(rows[0], list) else torch.eye(generator.spec.labels)[rows]
    expected = torch.cat(list(draw(generator, [5] * len(rows), vectors)))
    files = sorted(Path("each").glob("*.png"))
    assert len(files) == len(rows)
    found = {file.read_bytes() for file in files}
    assert len(found) == len(rows)
    shown = np.stack([np.asarray(Image.open(file)).astype(int) for file in files])
    wanted = ((expected.clamp(-1, 1) + 1) * 127.5).round().permute(0, 2, 3, 1).numpy().astype(int)
    assert all(min(abs(each - other).max() for other in shown) <= 1 for each in wanted)


def test_a_name_with_a_space_is_one_word(models):
    assert generate.main([str(models / "pets"), "--labels", "sea horse", "--seeds", "1", "--out", "each"]) == 0
    assert [file.name for file in Path("each").glob("*.png")] == ["seed0001-label2.png"]


def test_a_number_is_first_the_name_of_a_class(tmp_path):
    save_model(moved(tiny.STYLEGAN2.build(ImageSpec(16, 16, 3, 3, label_names=("1", "2", "3")))), Path("years"))
    generate.main(["years", "--labels", "1-2", "--seeds", "0", "--out", "a.png"])
    generator = load_model("years")
    images = torch.cat(list(draw(generator, [0, 0], torch.eye(3)[:2])))
    assert torch.equal(label_rows(generator.spec, ["1", "2"], 2), torch.eye(3)[:2])
    assert images.shape[0] == 2 and grid("a.png").shape[1] >= 32


def test_classes_that_are_named_by_their_numbers_are_told_once():
    assert label_choices(ImageSpec(16, 16, 1, 3, label_names=("0", "1", "2"))) == "all, or some of 0-2"


@pytest.mark.parametrize(
    ("model", "words", "said"),
    [
        ("pets", "", r"add --labels (all, or some|and one) of cat, Dog, sea horse \(or of 0-2\)"),
        ("pets", "bird", r"--labels bird holds 'bird'; give all, or some of cat, Dog, sea horse \(or of 0-2\)"),
        ("pets", "3", "--labels 3 holds 3; give all"),
        ("pets", "0.5,1", "holds '0.5'; give all"),
        ("ages", "", r"add --labels 45.5, or other numbers, of age \(1 to 90\)"),
        ("ages", "all", r"--labels all holds 'all', and a label is 1 number; give 45.5, or other numbers"),
        ("ages", "4,5", "holds '4,5', and a label is 1 number"),
        ("poses", "0.5", r"and a label is 2 numbers with commas between; give 0,0.25, .* yaw \(-1 to 1\), pitch"),
        ("none", "cat", "trained without labels; leave --labels cat out"),
    ],
)
@pytest.mark.parametrize("verb", [generate, mix, video, edit])
def test_every_verb_names_its_flag_and_what_it_may_be(models, model, words, said, verb):
    flags = ["--labels", *words.split()] if words else []
    with pytest.raises(ValueError, match=said) as refused:
        verb.main([str(models / model), *flags])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("verb", [mix, edit])
def test_a_verb_whose_images_share_a_label_asks_for_one(models, verb):
    with pytest.raises(ValueError, match="add --labels and one of cat, Dog, sea horse"):
        verb.main([str(models / "pets")])


def test_rows_and_columns_of_a_mix_may_each_have_a_label(models):
    flags = [str(models / "pets"), "--rows", "0", "--columns", "1-2", "--layers", "0-3", "--overwrite"]
    for out, words in {"same": "cat", "each": "cat Dog cat", "own": "Dog cat cat"}.items():
        assert mix.main([*flags, "--labels", *words.split(), "--out", f"{out}.png"]) == 0
    same, each, own = (np.asarray(Image.open(f"{name}.png")).astype(int) for name in ("same", "each", "own"))
    side = same.shape[1] // 3  # the corner, and two that lend; below, the one that takes, and what comes of both
    assert np.array_equal(same[side:, :side], each[side:, :side])
    assert not np.array_equal(same[:side, side : 2 * side], each[:side, side : 2 * side])
    assert np.array_equal(same[:side, 2 * side :], each[:side, 2 * side :])
    assert not np.array_equal(same[side:, :side], own[side:, :side])
    with pytest.raises(ValueError, match="are 2 labels; give one, or 3, one for each image"):
        mix.main([*flags, "--labels", "cat", "Dog"])


def test_every_verb_takes_a_name(models):
    pets = str(models / "pets")
    Path("photos").mkdir()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save("photos/one.png")
    Image.fromarray(np.full((16, 16, 3), 99, np.uint8)).save("photos/two.png")
    shared = ["--labels", "Dog"]
    assert mix.main([pets, "--rows", "0", "--columns", "1-2", *shared]) == 0
    walk = ["--seeds", "0-1", "--seconds", "0.1", "--fps", "10", "--out", "walk.gif"]
    assert video.main([pets, *walk, *shared]) == 0
    assert video.main([pets, *walk, "--overwrite", "--labels", "cat", "Dog"]) == 0
    assert edit.main([pets, "--directions", "0", "--columns", "3", *shared]) == 0
    found = [pets, "photos/one.png", "photos/two.png", "--steps", "2", "--extractor", "pixels", "--batch-size", "1"]
    assert project.main([*found, "--video", "none", "--out", "codes", "--labels", "cat", "Dog"]) == 0
    with pytest.raises(ValueError, match="--labels cat Dog 2 are 3 labels; give one, or 2, one for each image"):
        video.main([pets, *walk, "--overwrite", "--labels", "cat", "Dog", "2"])


def test_python_takes_names_and_vectors(models):
    pets, ages, poses = (Pipeline.from_pretrained(models / name) for name in ("pets", "ages", "poses"))
    pixels = lambda pipe, labels: pipe(seeds=[0, 1], labels=labels, output_type="pt").images  # noqa: E731
    assert torch.equal(pixels(pets, "dog"), pixels(pets, 1))
    assert torch.equal(pixels(pets, ["cat", "Dog"]), pixels(pets, torch.eye(3)[:2]))
    assert torch.equal(pixels(ages, 45), pixels(ages, [[45.0], [45.0]]))
    assert torch.equal(pixels(ages, [20, 45]), pixels(ages, torch.tensor([[20.0], [45.0]])))
    assert torch.equal(pixels(poses, [0.5, 0.1]), pixels(poses, [[0.5, 0.1]] * 2))
    assert len(pets(labels="cat").images) == 1 and pets.directions(labels="cat").vectors.shape[0] == 5
    with pytest.raises(ValueError, match="no class 'bird'; its classes are cat, Dog, sea horse; give one"):
        pixels(pets, "bird")
    with pytest.raises(ValueError, match=r"are numbers, not classes, of age \(1 to 90\)"):
        pixels(ages, "cat")
    with pytest.raises(ValueError, match=r"give a vector \[2\], or vectors \[2, 2\], of yaw \(-1 to 1\), pitch"):
        pixels(poses, 1)
    with pytest.raises(ValueError, match="not all finite"):
        pixels(ages, float("nan"))


def test_what_goes_through_labels_by_itself_stays_within_their_ranges(models):
    ages = load_model(models / "ages")
    for rows in (
        example_labels(AGES, range(50)),
        draw_latents(ages, 50, None, 0)[1],
        generate_maps(ages, range(50), 0, ())[1],
    ):
        assert rows.shape == (50, 1) and rows.min() >= 1 and rows.max() <= 90 and rows.std() > 15
    assert torch.equal(example_labels(AGES, [7]), example_labels(AGES, range(8))[7:])
    assert torch.equal(example_labels(PETS, range(4)), torch.eye(3)[[0, 1, 2, 0]])
    assert example_labels(ImageSpec(16, 16), [0]) is None


def test_names_are_found_in_either_case_if_one_class_alone_has_it():
    spec = ImageSpec(8, 8, 3, 3, label_names=("a", "A", "b"))
    assert [class_number(spec, name) for name in ("a", "A", "B")] == [0, 1, 2]
    both = ImageSpec(8, 8, 3, 2, label_names=("Ab", "aB"))
    with pytest.raises(ValueError, match="has no class 'ab'"):
        class_number(both, "ab")
    many = ImageSpec(8, 8, 3, 100, label_names=tuple(f"kind {n}" for n in range(100)))
    assert re.search(r"kind 7 and 92 more$", describe_labels(many))


def test_how_labels_were_read_is_told_at_the_start_of_a_run(tmp_path, capsys):
    files = {f"{n}.png": encoded(40 * n, height=16, width=16) for n in range(4)}
    files["labels.csv"] = b"file,age\n0.png,30\n1.png,40\n2.png,50\n3.png,unknown"
    flags = "--data images --data.labels labels.csv --data.unlabelled skip --data.channels 1 --total-kimg 0.008"
    command = [str(Path(tiny.__file__)), *flags.split(), "--data.source", folder(tmp_path / "x", files)]
    assert train([*command, "--out", "run"]) == 0
    told = capsys.readouterr()
    text = told.out + told.err
    assert "whole numbers 30 to 50 of column 'age' are read as continuous" in text
    assert "1 of 4 images have no label and are left out" in text
    assert load_pair("run").generator.spec.label_ranges == ((30.0, 50.0),)


def test_a_generator_is_measured_against_reals_of_its_own_classes():
    own = ImageSpec(8, 8, 3, 2, label_names=("cat", "dog"))
    check_labels(own, own)
    check_labels(own, ImageSpec(8, 8, 3, 2))  # of which nothing is known
    for other in (own._replace(label_names=("bird", "dog")), own._replace(labels=3, label_names=("a", "b", "c"))):
        with pytest.raises(ValueError, match=r"labels of width 2 \(cat, dog\), and the data has . \(.*--data.labels"):
            check_labels(own, other)
