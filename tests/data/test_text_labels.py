"""Texts as labels: which words count, what a text becomes, and that a saved model still knows."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch

import ggdr
from ggdr.data.images import ImageFiles
from ggdr.data.openmoji import OpenMoji
from ggdr.data.reading.labels.text import text_labels, text_vector
from ggdr.errors import UserError
from ggdr.explorer.commands import label_words
from ggdr.explorer.controls import label_of
from ggdr.hub.sections import describe_conditioning, example_label
from ggdr.networks.base import ImageSpec
from ggdr.openmoji.code_points import description
from ggdr.sampling.labels import example_labels, example_text, label_rows
from ggdr.saving.model import load_model, save_model
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer
from ggdr.verbs import generate

TEXTS = ["A black cat.", "the black dog", "a red heart", "RED, red cat", None]


def test_a_text_is_the_words_that_others_share_as_a_vector_of_length_one():
    labels = text_labels(TEXTS)
    assert labels.names == ("a", "black", "cat", "red") and labels.text_encoder == "words"
    expected = torch.tensor([[1, 1, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 1]]).float()
    torch.testing.assert_close(torch.from_numpy(labels.values[:4]), torch.nn.functional.normalize(expected))
    assert labels.missing.tolist() == [False] * 4 + [True]
    assert text_vector("no such thing", labels.names) == [0.0] * 4


def test_texts_without_a_word_in_common_are_refused():
    with pytest.raises(UserError, match="no word in common"):
        text_labels(["one", "two"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1F408-200D-2B1B", "cat and black large square"),
        ("1F1E9-1F1EA", "flag of de"),
        ("1F44B-1F3FF", "waving hand sign, dark skin"),
        ("E000", "extras"),
    ],
)
def test_an_emoji_is_told_in_the_words_of_its_code_points(name, text):
    assert description(name) == text


@pytest.fixture
def captioned(tmp_path):
    from PIL import Image

    folder = tmp_path / "captioned"
    folder.mkdir()
    rows = ["file_name,caption"]
    for place in range(8):
        colour = ("red", "blue")[place % 2]
        Image.new("RGB", (16, 16), colour).save(folder / f"{place}.png")
        rows.append(f'{place}.png,"a {colour} square, number {place}"')
    (folder / "captions.csv").write_text("\n".join(rows))
    return folder


def test_a_column_of_captions_conditions_a_model_that_is_asked_in_words(captioned, tmp_path, capsys):
    data = ImageFiles(source=str(captioned), size=16, labels="captions.csv:caption", label_kind="text")
    images = data.open()
    assert images.spec.label_names == ("a", "blue", "number", "red", "square")
    assert images.spec.text_encoder == "words" and len(images.spec.label_ranges) == 5
    recipe = dataclasses.replace(tiny.dcgan(tiny.recipe), data=data, total_kimg=0.016)
    with Trainer(tiny.tiny_run(recipe, tmp_path / "run")) as trainer:
        train_loop(trainer)
    saved = load_model(tmp_path / "run" / "model" / "generator")
    assert saved.spec == images.spec
    pipe = ggdr.Pipeline.from_pretrained(tmp_path / "run")
    made = pipe(labels=["A red square!", "blue"], seeds=[0, 0], output_type="pt").images
    given = {"seeds": [0, 0], "output_type": "pt"}
    by_hand = pipe(labels=[text_vector(t, saved.spec.label_names) for t in ("a red square", "blue")], **given).images
    assert made.shape == (2, 3, 16, 16) and not torch.equal(made[0], made[1])
    assert torch.equal(pipe(labels="a red square", seeds=[0], output_type="pt").images[0], by_hand[0])
    out = tmp_path / "made"
    words = [str(tmp_path / "run"), "--text", "red square", "blue", "--seeds", "0-1", "--out", str(out)]
    assert generate.main(words) == 0
    assert {f"seed0000-{text}.png" for text in ("red_square", "blue")} <= {file.name for file in out.iterdir()}
    with pytest.raises(UserError, match=r"trained with texts; add --text, in words, such as --text \"a blue\""):
        generate.main([str(tmp_path / "run"), "--out", str(tmp_path / "x.png")])
    with pytest.raises(UserError, match=r"knows no word of 'zebra'; it was trained with 5 words, such as a, blue"):
        generate.main([str(tmp_path / "run"), "--text", "zebra", "--out", str(tmp_path / "x.png")])
    with pytest.raises(UserError, match="both say what the images are of"):
        generate.main([str(tmp_path / "run"), "--text", "red", "--labels", "1", "--out", str(tmp_path / "x.png")])


def test_a_generator_of_classes_is_asked_by_labels(tmp_path):
    save_model(tiny.STYLEGAN2.build(ImageSpec(16, 16, 1, 3)), tmp_path / "m")
    with pytest.raises(UserError, match=r"was not trained with texts; type --labels all"):
        generate.main([str(tmp_path / "m"), "--text", "red", "--out", str(tmp_path / "x.png")])


def test_a_description_of_another_way_from_texts_is_refused(tmp_path):
    spec = ImageSpec(16, 16, 1, 2, ("a", "b"), ((0.0, 1.0),) * 2, text_encoder="words")
    save_model(tiny.STYLEGAN2.build(spec), tmp_path / "m")
    file = tmp_path / "m" / "config.json"
    assert load_model(tmp_path / "m").spec == spec
    file.write_text(file.read_text().replace('"words"', '"dreams"'))
    with pytest.raises(UserError, match=r"texts become labels by dreams; known is 'words'"):
        load_model(tmp_path / "m")


def test_emoji_are_conditioned_on_the_words_of_their_names():
    spec = OpenMoji(size=16, labels="names").open().spec
    assert spec.text_encoder == "words" and {"cat", "heart", "red", "black", "dark", "face"} <= {*spec.label_names}


def test_an_example_of_texts_is_one_word_and_a_page_says_words():
    spec = OpenMoji(size=16, labels="names").open().spec
    rows = example_labels(spec, [0, 5])
    assert rows.argmax(1).tolist() == [0, 5] and torch.equal(rows.sum(1), torch.ones(2))
    assert describe_conditioning(spec).startswith(f"conditioned on texts, by {spec.labels} words (")
    assert example_label(spec) == repr(example_text(spec))
    assert label_words(spec, label_of("red heart")) == ["--text", "red heart"]
    torch.testing.assert_close(label_rows(spec, label_of("red heart"), 3).square().sum(1), torch.ones(3))


def test_numbers_are_no_texts(captioned):
    rows = (captioned / "captions.csv").read_text().splitlines()
    (captioned / "captions.csv").write_text("\n".join([rows[0], *(f"{place}.png,{place}.5" for place in range(8))]))
    data = ImageFiles(source=str(captioned), size=16, labels="captions.csv:caption", label_kind="text")
    with pytest.raises(UserError, match="which is no text"):
        data.open()
