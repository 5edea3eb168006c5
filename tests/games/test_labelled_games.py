"""Games between the labels of one domain: what they refuse, what they show, and how they are asked."""

from __future__ import annotations

import dataclasses

import labelled
import pytest
import several
import tiny
import torch
from PIL import Image
from translator_runs import photo, trained

import ggdr
from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError
from ggdr.evaluation.translators import TranslatorSource
from ggdr.games.relabelled import choices
from ggdr.networks.base import ImageSpec
from ggdr.ops.pixels import network_input
from ggdr.play.view import Reals
from ggdr.recipe.fitting import fit
from ggdr.sampling.grid import to_uint8
from ggdr.verbs.translate import main

RECIPE = labelled.recipe("relabelled")


def refused(**changes) -> str:
    recipe = dataclasses.replace(RECIPE, **changes)
    with pytest.raises(UserError) as raised:
        fit(recipe, recipe.data.open().domains)
    return str(raised.value)


def test_it_needs_labels_one_domain_and_a_generator_that_takes_images():
    bare = {"regularizers": {}}
    assert "the data has no labels: give some, such as --data.labels folders" in refused(data=Digits(size=16), **bare)
    two = several.recipe("unpaired").data
    assert "the data has gray, colour: take --data images with --data.labels" in refused(data=two, **bare)
    assert "makes them of noise" in refused(generator=tiny.STYLEGAN2)


def test_a_micro_batch_of_one_image_is_refused_since_it_would_meet_itself(tmp_path):
    recipe = dataclasses.replace(RECIPE, micro_batch_size=1)
    with pytest.raises(UserError, match=r"game 'relabelled' reads .* needs 2 of them, and here there is 1"):
        tiny.tiny_run(recipe, tmp_path)


def test_a_grid_shows_each_input_as_every_class(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    (view,) = run.views().values()
    batch = run.seen_by(view, range(3))
    with torch.no_grad():
        columns, made = view.columns(batch, 0), view.make(batch, 0)
    images, labels = batch["real"]
    generator = run.ema.mean["generator"].eval()
    assert [*columns] == ["input", *map(str, range(10))] and torch.equal(columns["input"], images)
    for place in range(10):
        one = torch.eye(10)[[place]].expand(3, -1)
        torch.testing.assert_close(columns[str(place)], generator(images, one).image)
    torch.testing.assert_close(made, generator(images, labels[[1, 2, 0]]).image)


@pytest.mark.parametrize("name", ["relabelled", "few_shot"])
def test_an_image_that_is_left_over_meets_another_where_a_model_is_measured(name, tmp_path):
    """Five images in batches of four, or of one."""
    run = tiny.tiny_run(labelled.recipe(name), tmp_path)
    (view,) = run.views().values()
    images = Digits(size=16, labels=True, subset=5).open()
    assert len({*images.at([0, 1, 2, 3, 4], 0).labels.argmax(1).tolist()}) > 3
    source = TranslatorSource(name, view, images, torch.device("cpu"))
    whole = source.make(range(5), 0, 0, 5)
    for size, meets in ((4, [1, 2, 3, 0, 3]), (1, [1, 0, 1, 2, 3])):
        made = source.make(range(5), 0, 0, size)
        places = [place for place in range(5) if meets[place] == (place + 1) % 5]
        assert len(made) == 5 and torch.equal(made[places], whole[places])
        batch = images.domain_batches([4, 3], 0)["real"]
        reals = {"real": Reals(network_input(batch.images), batch.labels)}
        last = to_uint8(view.make(reals, 0).float())[0]
        assert torch.equal(made[4], last) and not torch.equal(made[4], whole[4])


def folders_of(root, *classes: str, splits=("train", "test")) -> ImageFiles:
    for split in splits:
        for number, name in enumerate(classes):
            (root / split / name).mkdir(parents=True)
            for place in range(4):
                Image.new("RGB", (16, 16), (60 * number, 60 * place, 255 * (split == "test"))).save(
                    root / split / name / f"{place}.png"
                )
    return ImageFiles(source=str(root), size=16, labels="folders", mirror=True, flip=False, subset=6)


def test_pictures_and_numbers_are_of_the_split_test_where_there_is_one(tmp_path):
    data = folders_of(tmp_path / "two", "cat", "dog")
    held = data.held_out()
    assert (held.split, held.subset, held.mirror) == ("test", None, False) and held.held_out() is None
    assert folders_of(tmp_path / "one", "cat", "dog", splits=("train",)).held_out() is None
    assert folders_of(tmp_path / "val", "cat", "dog", splits=("train", "valid")).held_out().split == "val"
    run = tiny.tiny_run(dataclasses.replace(RECIPE, data=data), tmp_path / "run")
    (view,) = run.views().values()
    seen = run.seen_by(view, range(8))["real"]
    assert len(run.shown) == 8 and (seen.images[:, 2] == 1).all()
    assert (run.batch_at(range(8), run.images)["real"].images[:, 2] < 1).all()


def test_a_split_test_of_other_labels_is_refused(tmp_path):
    folders_of(tmp_path / "data", "cat", "dog", splits=("train",))
    data = folders_of(tmp_path / "data", "cat", "cow", splits=("test",))
    run = tiny.tiny_run(dataclasses.replace(RECIPE, data=data), tmp_path / "run")
    with pytest.raises(
        UserError, match="knows the labels cat, dog, and the images that the data holds out have cat, cow"
    ):
        run.views()


def test_a_grid_turns_each_attribute_round_and_shows_one_output_where_there_are_many():
    spec = ImageSpec(8, 8, 3, 2, ("smile", "hat"), ((0, 1), (-1, 1)))
    asked = choices(spec, torch.tensor([[0.0, 1.0], [1.0, -1.0]]))
    assert {name: wanted.tolist() for name, wanted in asked.items()} == {
        "smile": [[1, 1], [0, -1]],
        "hat": [[0, -1], [1, 1]],
    }
    assert choices(ImageSpec(8, 8, 3, 11), torch.eye(11)) == {}


def test_a_saved_model_makes_what_it_is_asked_for_by_label(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = trained("relabelled", tmp_path / "run")
    photo(20, 16).save("one.png")
    assert main([str(run), "one.png", "--labels", "7", "--out", "made", "--view", "relabelled"]) == 0
    pipe = ggdr.from_pretrained(run)
    three, seven = (pipe("one.png", labels=label, output_type="pt").images for label in ("3", 7))
    assert not torch.equal(three, seven)
    with pytest.raises(UserError, match="trained with labels of width 10"):
        pipe("one.png")
