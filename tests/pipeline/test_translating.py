"""Pipelines of translators: which ways they have, what goes in, what comes out, and what they refuse."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from translator_runs import photo, trained

import ggdr
from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving.model import save_model

WAYS = {
    "unpaired": ["gray_to_colour", "colour_to_gray"],
    "paired": ["gray_to_colour"],
    "shared_encoder": ["gray_to_colour", "colour_to_gray"],
    "one_size": ["gray_to_colour", "colour_to_gray"],
}
BOTH, NEEDED = {"generator_ab", "generator_ba"}, {"discriminator_a", "discriminator_b"}
ROLES = {"unpaired": BOTH, "paired": {"generator"}, "shared_encoder": BOTH | NEEDED, "one_size": BOTH}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return {name: trained(name, tmp_path_factory.mktemp("runs") / name) for name in WAYS}


@pytest.fixture(params=WAYS)
def name(request) -> str:
    return request.param


def values(pipe: TranslationPipeline, images, **how) -> torch.Tensor:
    return pipe(images, output_type="pt", **how).images  # type: ignore[return-value]


def refusal(call, *given, **how) -> str:
    with pytest.raises(ValueError) as raised:
        call(*given, **how)
    return str(raised.value)


def test_a_run_a_checkpoint_its_model_and_what_is_saved_again_are_the_same_translator(runs, name, tmp_path):
    first = ggdr.from_pretrained(runs[name])
    first.save_pretrained(tmp_path / "saved")
    (checkpoint,) = runs[name].glob("checkpoints/0*")
    expected = values(first, photo())
    for place in (checkpoint, runs[name] / "model", tmp_path / "saved"):
        pipe = ggdr.from_pretrained(place)
        assert isinstance(pipe, TranslationPipeline) and list(pipe.views) == WAYS[name]
        assert torch.equal(values(pipe, photo()), expected)


def test_only_networks_that_translate_are_read(runs, name):
    assert set(ggdr.from_pretrained(runs[name]).networks()) == ROLES[name]


def test_the_index_names_the_game_the_roles_and_the_domains(runs, name, tmp_path):
    ggdr.from_pretrained(runs[name]).save_pretrained(tmp_path / "saved")
    for folder in (tmp_path / "saved", runs[name] / "model"):
        index = json.loads((folder / "model_index.json").read_text())
        assert index["_game"]["type"] == name.replace("one_size", "unpaired")
        assert index["_domains"] == ["gray", "colour"]
        assert {role for role in index if role[0] != "_"} == ROLES[name]
    assert index["generator" if name == "paired" else "generator_ab"] == ["ggdr", "Translator"]


@pytest.mark.parametrize("size", [(16, 16), (40, 24), (33, 21), (5, 3), (70, 50)])
def test_a_picture_of_any_size_becomes_one_of_the_same_size(runs, name, size):
    pipe = ggdr.from_pretrained(runs[name])
    for way in WAYS[name]:
        (made,) = pipe(photo(*size), to=way).images
        assert made.size == size and made.mode == ("RGB" if way == "gray_to_colour" else "L")


@pytest.mark.parametrize("name", ["unpaired", "paired"])
def test_what_needs_no_padding_is_what_the_network_makes(runs, name):
    pipe = ggdr.from_pretrained(runs[name])
    network = pipe.networks()["generator" if name == "paired" else "generator_ab"]
    seen = torch.from_numpy(np.array(photo().convert("L")))[None, None].float() / 127.5 - 1
    with torch.no_grad():
        expected = network.translate(seen).add(1).div(2)
    assert torch.allclose(values(pipe, photo()), expected, atol=1e-6)


def test_domains_and_views_name_the_way_and_the_first_is_the_default(runs):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    assert pipe(photo()).view == pipe(photo(), to="colour").view == "gray_to_colour"
    assert pipe(photo(), to="gray").view == pipe(photo(), to="colour_to_gray").view == "colour_to_gray"
    assert refusal(pipe, photo(), to="zebra") == (
        "this model does not translate to 'zebra'; give a domain, 'colour' or 'gray', or a view, 'gray_to_colour' or"
        " 'colour_to_gray'."
    )


def test_files_pictures_arrays_and_tensors_are_the_same_input(runs, tmp_path):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    photo().save(tmp_path / "photo.png")
    array = np.array(photo())
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    expected = values(pipe, photo(), to="gray")
    for given in (str(tmp_path / "photo.png"), tmp_path / "photo.png", array, tensor, tensor / 255, tensor[None]):
        assert torch.allclose(values(pipe, given, to="gray"), expected, atol=1e-6)
    many = values(pipe, [photo(), array, tensor], to="gray")
    assert torch.allclose(many, expected.expand(3, -1, -1, -1), atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_modes_become_what_the_model_takes(runs, mode):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    given = photo(mode=mode)
    assert pipe(given, to="gray").images[0].mode == "L" and pipe(given, to="colour").images[0].mode == "RGB"


def test_transparency_lies_on_white(runs):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    clear = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    assert torch.equal(values(pipe, clear, to="gray"), values(pipe, Image.new("RGB", (16, 16), "white"), to="gray"))


def test_pictures_of_several_sizes_keep_their_order_and_batches_change_nothing(runs, name):
    pipe = ggdr.from_pretrained(runs[name])
    given = [photo(20, 20), photo(40, 24), photo(40, 24, "L"), photo(16, 16)]
    made = pipe(given, output_type="np", chunk_size=3).images
    assert [each.shape for each in made] == [(20, 20, 3), (24, 40, 3), (24, 40, 3), (16, 16, 3)]
    for one, each in zip(given, made, strict=True):
        assert np.allclose(pipe(one, output_type="np").images[0], each, atol=1e-5)


@pytest.mark.parametrize("size", [(64, 48), (61, 37)])
def test_tiles_of_a_local_network_are_blended_to_the_whole(size):
    spec = ImageSpec(16, 16)
    network = ResnetTranslatorConfig(channels=4, blocks=0, halvings=1, norm="batch").build(spec, spec)
    pipe = TranslationPipeline({"generator": network}, PairedGame(), ("a", "b"))
    whole = values(pipe, photo(*size), tile=0)
    tiled = values(pipe, photo(*size), tile=32, overlap=16)
    assert tiled.shape == whole.shape and (tiled - whole).abs().mean() < 0.1 * whole.std()
    assert not torch.equal(tiled, whole)


def test_the_state_of_torchs_draws_stays_and_an_image_is_a_function_of_the_seed(runs, tmp_path):
    from ggdr.networks.unet_translator import UNetTranslatorConfig

    spec = ImageSpec(64, 64)
    network = UNetTranslatorConfig(channels=4, halvings=6, norm="instance").build(spec, spec)
    save_model(network, tmp_path / "one")
    pipe = ggdr.from_pretrained(tmp_path / "one")
    before = torch.get_rng_state()
    first, again = (values(pipe, [photo(64, 64), photo(64, 64)], seeds=3) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again) and torch.equal(first[0], first[1])
    assert not torch.equal(first, values(pipe, [photo(64, 64)] * 2, seeds=4))


def test_a_network_alone_translates_from_a_to_b(tmp_path):
    save_model(ResnetTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(16, 16, 1)), tmp_path / "one")
    pipe = ggdr.from_pretrained(tmp_path / "one")
    assert list(pipe.views) == ["a_to_b"] and pipe(photo(), to="b").images[0].mode == "RGB"


def test_images_of_twice_the_size_are_twice_as_large_in_tiles_too(tmp_path):
    save_model(ResnetTranslatorConfig.tiny().build(ImageSpec(32, 32), ImageSpec(16, 16)), tmp_path / "one")
    pipe = ggdr.from_pretrained(tmp_path / "one")
    for tile in (0, 16):
        assert pipe(photo(33, 21), tile=tile, overlap=4).images[0].size == (66, 42)


def test_label_maps_go_in_as_numbers_of_classes(tmp_path):
    source = ImageSpec(16, 16, 3, classes=3)
    save_model(ResnetTranslatorConfig.tiny().build(ImageSpec(16, 16), source), tmp_path / "one")
    pipe = ggdr.from_pretrained(tmp_path / "one")
    numbers = np.arange(16 * 20).reshape(16, 20).astype(np.uint8) % 3
    Image.fromarray(numbers).save(tmp_path / "map.png")
    expected = values(pipe, numbers)
    assert torch.equal(values(pipe, tmp_path / "map.png"), expected)
    assert torch.equal(values(pipe, Image.fromarray(numbers)), expected)
    assert "holds the value 3, beyond the classes 0 .. 2" in refusal(pipe, numbers + 1)
    assert "is no label map" in refusal(pipe, numbers / 3)


def test_half_precision_makes_nearly_the_same(runs):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    whole = values(pipe, photo())
    half = values(ggdr.from_pretrained(runs["unpaired"], torch_dtype=torch.bfloat16), photo())
    assert not torch.equal(half, whole) and (half - whole).abs().mean() < 0.02


def test_what_models_of_noise_do_is_refused_with_what_to_type(runs):
    pipe = ggdr.from_pretrained(runs["unpaired"])
    said = (
        "this model makes images of images (gray_to_colour, colour_to_gray), not of noise: give it pictures,"
        " pipe(images, to='colour')."
    )
    assert refusal(pipe, seeds=[0]) == refusal(pipe) == said
    for call in (
        lambda: pipe.mix([0], [1], layers=[1]),
        lambda: pipe.edit(seeds=0),
        lambda: pipe.project(photo()),
        lambda: pipe.interpolate([0, 1]),
        lambda: pipe.directions(),
    ):
        assert refusal(call) == said


def test_loading_it_as_a_model_of_noise_is_refused_with_what_to_type(runs, name):
    folder = runs[name]
    for load in (ggdr.Pipeline.from_pretrained, ggdr.Generator.from_pretrained):
        assert refusal(load, folder) == (
            f"'{folder}' makes images of images, not of noise: type `ggdr translate {folder} IMAGES --out FOLDER`, or"
            f" in Python ggdr.from_pretrained('{folder}')(images)."
        )


@pytest.mark.parametrize(
    ("given", "answer"),
    {
        "no.png": "there is no file 'no.png'",
        ".": "is a folder",
        (): "() is no image; give paths, PIL images",
        7: "7 is no image",
    }.items(),
)
def test_what_is_no_picture_is_refused(runs, tmp_path, monkeypatch, given, answer):
    monkeypatch.chdir(tmp_path)
    assert answer.lower() in refusal(ggdr.from_pretrained(runs["paired"]), given).lower()


def test_numbers_that_cannot_be_are_refused(runs):
    pipe = ggdr.from_pretrained(runs["paired"])
    assert refusal(pipe, photo(), chunk_size=0) == "a pass of 0 images makes none; give 1 or more."
    assert refusal(pipe, photo(), tile=-1) == "tile is -1; give 0 or more pixels."
    assert refusal(pipe, photo(), overlap=-1) == "overlap is -1; give 0 or more pixels."
    assert "values that are no colours" in refusal(pipe, torch.full((1, 16, 16), 2.0))
    assert "output_type is 'jpg'" in refusal(pipe, photo(), output_type="jpg")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"_game": {"type": "evil"}}, "describes no game"),
        ({"_game": 7}, "describes no game"),
        ({"_domains": ["a", "b", "c"]}, "they are one or two names"),
        ({"_domains": "ab"}, "they are one or two names"),
        ({"_domains": ["a"]}, "is not played by the networks"),
        ({"_game": {"type": "shared_encoder"}}, "and no discriminator_a"),
        ({"_game": {"type": "standard"}}, "holds 'generator_ab', 'generator_ba' and no generator"),
        ({"generator_cd": ["ggdr", "Translator"]}, "lacks its generator_cd"),
    ],
)
def test_an_index_that_does_not_fit_its_networks_is_refused(runs, tmp_path, change, answer):
    folder = shutil.copytree(runs["unpaired"] / "model", tmp_path / "model")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | change))
    with pytest.raises(ValueError, match=answer):
        ggdr.from_pretrained(folder)


def test_without_an_index_nobody_guesses_which_game_it_is(runs, tmp_path):
    folder = shutil.copytree(runs["unpaired"] / "model", tmp_path / "model")
    (folder / "model_index.json").unlink()
    assert "says which game 'generator_ab', 'generator_ba' play" in refusal(ggdr.from_pretrained, folder)
