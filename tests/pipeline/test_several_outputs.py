"""Pipelines of translators that draw, take styles or have classes: several outputs of one input, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from translator_runs import photo
from translators import TintedGame, TintedTranslatorConfig

import ggdr
from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.pipeline.styles import Style, resized
from ggdr.pipeline.translation import TranslationPipeline

PLAIN, CLASSES = ImageSpec(16, 16), ImageSpec(16, 16, labels=3, label_names=("cat", "dog", "owl"))


def tinted(drawn: bool = True, makes: ImageSpec = PLAIN, **game) -> TranslationPipeline:
    network = TintedTranslatorConfig(drawn=drawn).build(makes, PLAIN)
    return TranslationPipeline({"generator": network}, TintedGame(**game), ("a", "b"))


def values(pipe: TranslationPipeline, images=None, **how) -> torch.Tensor:
    return pipe(photo(16, 16) if images is None else images, output_type="pt", **how).images  # type: ignore[return-value]


def plain(colour: str, size: int = 16) -> Image.Image:
    return Image.new("RGB", (size, size), colour)


def refusal(call, *given, **how) -> str:
    with pytest.raises(ValueError) as raised:
        call(*given, **how)
    return str(raised.value)


def test_a_picture_has_an_output_of_each_seed_and_what_comes_back_says_which():
    made = tinted()([photo(16, 16), photo(20, 16)], seeds=[3, 1])
    assert (made.inputs, made.seeds, made.labels) == ([0, 0, 1, 1], [3, 1, 3, 1], None)
    assert [image.size for image in made.images] == [(16, 16), (16, 16), (20, 16), (20, 16)]
    three, one = values(tinted(), seeds=[3, 1])
    assert not torch.equal(three, one) and torch.equal(values(tinted(), seeds=1)[0], one)


def test_an_output_is_a_function_of_seed_and_picture_whatever_passes_beside_it():
    pipe, given = tinted(), [photo(16, 16), photo(16, 16), photo(24, 16)]
    apart = pipe(given, seeds=[0, 1], output_type="np").images
    for chunk_size in (2, 4, 9):
        together = pipe(given, seeds=[0, 1], output_type="np", chunk_size=chunk_size).images
        assert all(np.allclose(one, each, atol=1e-6) for one, each in zip(apart, together, strict=True))
    assert np.array_equal(apart[0], apart[2]) and not np.array_equal(apart[0], apart[1])


def test_without_seeds_there_is_one_output_that_of_seed_0_and_twice_is_once():
    pipe = tinted()
    assert torch.equal(values(pipe), values(pipe, seeds=0)) and pipe(photo()).seeds == [0]
    assert pipe(photo(), seeds=[2, 2]).seeds == [2]


def test_dropout_at_test_is_drawn_by_seeds_too_and_each_picture_by_itself():
    spec = ImageSpec(64, 64)
    network = UNetTranslatorConfig(channels=4, halvings=6, norm="instance").build(spec, spec)
    pipe = TranslationPipeline({"generator": network}, PairedGame(), ("a", "b"))
    one, other, again = values(pipe, [photo(64, 64)] * 2, seeds=[0, 1], chunk_size=6)[:3]
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_a_code_is_drawn_once_for_all_tiles_of_a_picture():
    pipe = tinted()
    whole, tiled = (values(pipe, plain("gray", 48), seeds=5, tile=tile, overlap=4) for tile in (0, 16))
    assert torch.allclose(whole, tiled, atol=1e-6) and float(tiled.std((2, 3)).max()) < 1e-6


def test_a_style_is_the_weighted_mean_of_those_of_its_pictures_of_whatever_size():
    pipe, content = tinted(), plain("black")
    red, blue = plain("red", 40), plain("blue", 7)
    assert values(pipe, content, style=red)[0, :, 0, 0].tolist() == pytest.approx([0.5, 0, 0], abs=0.01)
    for weights, mixed in ((None, [0.25, 0, 0.25]), ([3, 1], [0.375, 0, 0.125]), ((0, 5), [0, 0, 0.5])):
        found = values(pipe, content, style=[red, blue], style_weights=weights)[0, :, 0, 0].tolist()
        assert found == pytest.approx(mixed, abs=0.01)


def test_styles_are_files_pictures_arrays_and_tensors_and_their_middle_is_seen(tmp_path):
    pipe, wide = tinted(), np.zeros((16, 48, 3), np.uint8)
    wide[:, 16:32] = (0, 255, 0)
    Image.fromarray(wide).save(tmp_path / "style.png")
    expected = values(pipe, plain("black"), style=wide)
    assert expected[0, :, 0, 0].tolist() == pytest.approx([0, 0.5, 0], abs=0.05)
    tensor = torch.from_numpy(wide).permute(2, 0, 1)
    for given in (tmp_path / "style.png", str(tmp_path / "style.png"), Image.fromarray(wide), tensor, [tensor / 255]):
        assert torch.allclose(values(pipe, plain("black"), style=given), expected, atol=1e-5)


def test_a_tall_style_is_seen_in_its_middle_too():
    tall = np.zeros((48, 16, 3), np.uint8)
    tall[16:32] = (0, 0, 255)
    assert values(tinted(), plain("black"), style=tall)[0, :, 0, 0].tolist() == pytest.approx([0, 0, 0.5], abs=0.05)


def test_styles_of_another_size_stay_in_range_and_label_maps_keep_their_values():
    step = torch.cat([torch.full((1, 3, 8, 4), -1.0), torch.ones(1, 3, 8, 4)], 3)
    large = resized(step, 32, 32)
    assert large.shape[2:] == (32, 32) and (float(large.min()), float(large.max())) == (-1, 1)
    assert set(resized(step, 20, 20, classes=3).unique().tolist()) == {-1, 1} and len(large.unique()) > 2


def test_as_many_outputs_pass_at_once_as_it_is_said():
    pipe, passed = tinted(), []
    pipe.networks()["generator"].register_forward_pre_hook(lambda network, given: passed.append(len(given[0])))
    pipe([photo(16, 16), photo(16, 16), photo(20, 16)], seeds=[0, 1], chunk_size=3)
    assert passed == [3, 1, 2]


def test_a_style_is_encoded_once_for_many_calls():
    pipe = tinted()
    style = pipe.encode_style([plain("red"), plain("blue")], style_weights=[3, 1])
    assert isinstance(style, Style) and style.view == "a_to_b"
    direct = values(pipe, style=[plain("red"), plain("blue")], style_weights=[3, 1])
    assert torch.equal(values(pipe, style=style), direct)


def test_strength_leads_from_the_pictures_own_style_to_the_other():
    pipe, content = tinted(), [plain("white"), plain("black")]
    for strength, (white, black) in {0.0: (1.0, 0.0), 0.25: (0.875, 0.0), 1.0: (0.5, 0.0), None: (0.5, 0.0)}.items():
        made = values(pipe, content, style=plain("black"), strength=strength)
        assert made[:, 0, 0, 0].tolist() == pytest.approx([white, black], abs=0.01)


def test_the_own_style_of_a_picture_is_that_of_all_its_tiles():
    pipe, left = tinted(), np.zeros((16, 64, 3), np.uint8)
    left[:, :32] = 255
    whole = values(pipe, left, style=plain("red"), strength=0.5, tile=0)
    assert torch.allclose(whole, values(pipe, left, style=plain("red"), strength=0.5, tile=16, overlap=0), atol=0.02)


@pytest.mark.parametrize(("size", "seen"), [((16, 64), (16, 16)), ((64, 16), (16, 16)), ((16, 16), (16, 16))])
def test_the_own_style_of_a_picture_larger_than_a_tile_is_read_in_the_size_of_one(size, seen):
    pipe, shapes = tinted(), []
    view = pipe.views["a_to_b"]

    def own_code(images):
        shapes.append(tuple(images.shape[2:]))
        return view.way.own_code(images)

    pipe.views["a_to_b"] = replace(view, way=view.way._replace(own_code=own_code))
    pipe(photo(*size), style=plain("red"), strength=0.5, tile=16)
    assert shapes == [seen]


def test_several_labels_of_one_picture_make_an_image_of_each_class():
    pipe = tinted(makes=CLASSES)
    made = pipe(photo(16, 16), labels=["dog", 2, "cat"], output_type="pt", seeds=[4, 5])
    assert made.labels.argmax(1).tolist() == [1, 1, 2, 2, 0, 0] and made.seeds == [4, 5] * 3
    for place, name in ((0, "dog"), (2, "owl"), (4, "cat")):
        assert torch.allclose(made.images[place], values(pipe, labels=name, seeds=4)[0], atol=1e-6)
    assert not torch.equal(made.images[0], made.images[2])
    vectors = values(pipe, labels=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], seeds=4)
    assert torch.allclose(vectors, made.images[[0, 2]], atol=1e-6)
    assert torch.allclose(values(pipe, labels=[0.0, 1.0, 0.0], seeds=4), made.images[:1], atol=1e-6)


def test_several_pictures_have_a_label_for_all_or_for_each():
    pipe, given = tinted(makes=CLASSES), [photo(16, 16), photo(16, 16)]
    assert pipe(given, labels=["dog", "owl"]).labels.argmax(1).tolist() == [1, 2]
    assert pipe(given, labels="dog", seeds=[0, 1]).labels.argmax(1).tolist() == [1, 1, 1, 1]
    assert "for all images or for each of 2" in refusal(pipe, given, labels=["dog", "owl", "cat"])


def test_a_way_that_needs_a_style_is_served_and_says_so_without_one():
    pipe = tinted(drawn=False)
    assert values(pipe, plain("black"), style=plain("red"))[0, :, 0, 0].tolist() == pytest.approx([0.5, 0, 0], abs=0.01)
    assert pipe(photo(), style=plain("red")).seeds == []
    assert refusal(pipe, photo()) == "a_to_b makes pictures in the style of others; give one or several by style."


@pytest.mark.parametrize(
    ("model", "how", "said"),
    [
        ({"styles": False}, {"style": plain("red")}, "a_to_b takes no style of other pictures; leave style out."),
        ({}, {"style_weights": [1]}, "style_weights weigh style pictures; give those by style too."),
        (
            {},
            {"style": [plain("red")] * 2, "style_weights": [1]},
            "style_weights are 1, and style pictures are 2; give a number for each picture, such as 1 1.",
        ),
        (
            {},
            {"style": plain("red"), "style_weights": [0]},
            "style_weights are 0; give numbers of 0 or more, not all of them 0.",
        ),
        (
            {},
            {"style": [plain("red")] * 2, "style_weights": [2, -1]},
            "style_weights are 2 -1; give numbers of 0 or more, not all of them 0.",
        ),
        (
            {},
            {"style": plain("red"), "style_weights": [float("nan")]},
            "style_weights are nan; give numbers of 0 or more, not all of them 0.",
        ),
        ({}, {"strength": 0.5}, "strength is how far to go towards a style; give style too."),
        (
            {},
            {"style": plain("red"), "strength": 1.5},
            "strength is 1.5; give a number from 0, the picture's own style, to 1, the other's.",
        ),
        (
            {"own": False},
            {"style": plain("red"), "strength": 0.5},
            "a_to_b has no style of the picture's own to begin from, so that no strength is less than the whole; leave"
            " strength out.",
        ),
        (
            {},
            {"style": plain("red"), "seeds": [0, 1]},
            "a_to_b takes its style from pictures, so that seeds make no difference; leave seeds out.",
        ),
        (
            {"drawn": False},
            {"style": plain("red"), "seeds": 1},
            "a_to_b draws nothing, so that seeds make no difference; leave seeds out.",
        ),
        ({}, {"seeds": [-1]}, "an image is made from a seed, and -1 is none; give whole numbers from 0 to 2**64 - 1."),
        ({}, {"style": "no.png"}, "there is no file 'no.png'; give one that is there."),
        ({}, {"style": []}, "[] is no image; give paths, PIL images"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_each_mistake_has_one_sentence(model, how, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert refusal(tinted(**model), photo(), **how).startswith(said)


def test_a_style_of_one_way_is_refused_by_another():
    style = Style(torch.zeros(1, 3), "b_to_a")
    assert refusal(tinted(), photo(), style=style) == (
        "this style is one for b_to_a, not for a_to_b; encode it with to='a_to_b'."
    )


def test_what_is_saved_takes_styles_and_seeds_too(tmp_path):
    tinted().save_pretrained(tmp_path / "model")
    pipe = ggdr.from_pretrained(tmp_path / "model")
    assert torch.equal(values(pipe, seeds=[1, 2]), values(tinted(), seeds=[1, 2]))
    assert torch.equal(values(pipe, style=plain("red")), values(tinted(), style=plain("red")))
