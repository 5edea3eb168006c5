"""Noise in three dimensions: a code for the picture, for each class or for each pixel, by the pipeline and the verb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISTranslatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.pipeline.noise import draw_codes
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.view import way_of
from ggdr.sampling import seeded_latents
from ggdr.verbs.translate import main as translate

MAP = ImageSpec(16, 16, 4, classes=4)


def pipeline(config=OASISTranslatorConfig, source: ImageSpec = MAP) -> TranslationPipeline:
    torch.manual_seed(0)
    network = config.tiny().build(ImageSpec(16, 16), source)
    pipe = TranslationPipeline({"generator": network}, PairedGame(), ("map", "photo"))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def halves(width: int = 16, height: int = 16) -> Image.Image:
    """Class 1 on the left, class 3 on the right, and a row of what is ignored below."""
    numbers = np.full((height, width), 3, np.uint8)
    numbers[:, : width // 2], numbers[-1] = 1, 255
    return Image.fromarray(numbers)


def shown() -> torch.Tensor:
    maps = torch.zeros(1, 4, 16, 16)
    maps[:, 1, :15, :8] = maps[:, 3, :15, 8:] = 1
    return maps


def test_codes_are_of_the_image_of_its_classes_or_of_its_pixels_by_their_seeds():
    way = way_of(OASISTranslatorConfig.tiny().build(ImageSpec(16, 16), MAP))
    two = shown().expand(2, -1, -1, -1)
    assert torch.equal(draw_codes("image", [5, 6], way, two), seeded_latents([5, 6], 3))
    segments = draw_codes("segment", [5, 6], way, two)
    assert segments.shape == (2, 3, 16, 16)
    left, right, ignored = segments[:, :, 0, 0], segments[:, :, 0, 15], segments[:, :, 15, 3]
    assert torch.equal(segments[:, :, :15, :8], left[:, :, None, None].expand(-1, -1, 15, 8))
    assert torch.equal(segments[:, :, :15, 8:], right[:, :, None, None].expand(-1, -1, 15, 8))
    assert len({tuple(code.tolist()) for code in (*left, *right, *ignored)}) == 6
    pixels = draw_codes("pixel", [5, 6], way, two)
    assert len({tuple(code.tolist()) for code in pixels[0].flatten(1).T}) == 256
    again = draw_codes("pixel", [6], way, two[:1])
    assert torch.equal(pixels[1], again[0]) and abs(pixels.std() - 1) < 0.1


def test_a_class_has_the_code_it_has_in_other_pictures():
    way = way_of(OASISTranslatorConfig.tiny().build(ImageSpec(16, 16), MAP))
    first, other = draw_codes("segment", [5], way, shown()), draw_codes("segment", [5], way, shown().flip(3))
    assert torch.equal(first[:, :, 0, 0], other[:, :, 0, 15])


@pytest.mark.parametrize("noise", ["image", "segment", "pixel"])
def test_pictures_larger_than_a_tile_keep_the_code_of_each_place(noise):
    pipe = pipeline()
    whole = pipe(halves(48, 32), noise=noise, seeds=[1], output_type="np", tile=0).images
    tiled = pipe(halves(48, 32), noise=noise, seeds=[1], output_type="np", tile=24, overlap=8).images
    assert whole.shape == tiled.shape == (1, 32, 48, 3)
    assert np.abs(whole - tiled).mean() < 0.02
    others = {"image", "segment", "pixel"} - {noise}
    for other in others:
        made = pipe(halves(48, 32), noise=other, seeds=[1], output_type="np", tile=0).images
        assert np.abs(whole - made).max() > 0.01


def test_what_takes_no_codes_of_places_or_has_no_segments_says_so():
    for pipe in (pipeline(SPADETranslatorConfig),):
        with pytest.raises(
            ValueError, match="map_to_photo takes one code for the whole picture, if any; leave noise out"
        ):
            pipe(halves(), noise="pixel")
    with pytest.raises(ValueError, match="have no segments of classes; give 'image' or 'pixel' for noise"):
        pipeline(source=ImageSpec(16, 16))(Image.new("RGB", (16, 16)), noise="segment")
    with pytest.raises(ValueError, match="noise is 'class'; give 'image', 'segment' or 'pixel'"):
        pipeline()(halves(), noise="class")  # type: ignore[arg-type]


def test_the_verb_makes_what_the_pipeline_makes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipe = pipeline()
    pipe.save_pretrained("model")
    halves().save("map.png")
    made = {}
    for noise in ("image", "segment", "pixel"):
        assert translate(["model", "map.png", "--out", f"{noise}", "--noise", noise, "--seeds", "3"]) == 0
        made[noise] = np.array(Image.open(Path(noise) / "map.png"))
        assert np.array_equal(made[noise], np.array(pipe("map.png", noise=noise, seeds=3).images[0]))
    assert not np.array_equal(made["image"], made["segment"]) and not np.array_equal(made["segment"], made["pixel"])
