"""`ggdr evaluate` and metrics while training, of translators that draw codes or take styles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import several
import torch
from evaluations import empty_cache_in
from PIL import Image
from translators import TintedGame, TintedTranslatorConfig, TwoNoises

import ggdr
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.base import ImageSpec
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving import log_file
from ggdr.train import train
from ggdr.verbs.evaluate import main

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    empty_cache_in(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def places(tmp_path) -> Path:
    """A translator that draws a colour, and one that needs a picture of it."""
    for name, drawn in (("drawing", True), ("styled", False)):
        network = TintedTranslatorConfig(drawn=drawn).build(COLOUR, GRAY)
        TranslationPipeline({"generator": network}, TintedGame(), ("gray", "colour")).save_pretrained(tmp_path / name)
    return tmp_path


def test_drawn_codes_are_measured_with_several_seeds_and_an_interval(places):
    results = [ggdr.evaluate(places / "drawing", TwoNoises(), ["swd"], images=20, seed=seed) for seed in (0, 0, 1)]
    first, again, other = (result["swd"] for result in results)
    assert len(set(first.repeats)) == 3 and first.interval is not None
    assert first.repeats == again.repeats != other.repeats
    view = results[0].protocol["source"]["views"]["gray_to_colour"]
    assert view["draws"] and view["style"] is None and results[0].protocol["repeats"] == 3


def test_styles_are_those_of_the_targets_images_at_the_same_places(places, capsys):
    result = ggdr.evaluate(places / "styled", TwoNoises(paired=True), ["l1"])
    pipe, batch = ggdr.from_pretrained(places / "styled"), TwoNoises().open().domain_batches(list(range(64)), 0)
    pairs = zip(batch["gray"].images, batch["colour"].images, strict=True)
    made = torch.cat([pipe(gray, style=colour, output_type="pt").images for gray, colour in pairs])
    expected = ((made * 255).round() / 255 - batch["colour"].images / 255).abs().mean()
    assert result["l1"].mean == pytest.approx(float(expected), rel=1e-4)
    view = result.protocol["source"]["views"]["gray_to_colour"]
    assert view["style"] == "that of the target's real image at the same place" and not view["draws"]
    assert len(result["l1"].repeats) == 1
    command = [str(places / "styled"), "--data", "two_noises", "--metrics", "swd", "--images", "20"]
    assert main([*command, "--repeats", "3"]) == 0
    assert "draws nothing and makes the same images with every seed" in capsys.readouterr().out


def test_a_run_whose_model_needs_styles_is_measured_as_its_own_log_says_and_shows_them(here):
    recipe = replace(
        several.recipe("paired"),
        generator=TintedTranslatorConfig(drawn=False),
        game=TintedGame(),
        regularizers={},
        metrics={"swd": SlicedWasserstein(images=64)},
        metric_kimg=0.016,
        total_kimg=0.016,
    )
    out = train(recipe, here / "run").out
    logged = [row["metric/swd/mean"] for row in log_file.read_rows(out / "metrics.jsonl") if "metric/swd/mean" in row]
    assert ggdr.evaluate(out, metrics=["swd"])["swd"].mean == pytest.approx(logged[-1], rel=1e-5)
    width, height = Image.open(next(out.glob("samples/gray_to_colour-*.png"))).size
    assert round(width / height) == 1  # four rows of input, output, style and target


@pytest.mark.parametrize(("size", "flag"), [((16, 16), "16"), ((16, 24), "16 24")])
def test_images_of_another_size_are_refused_with_the_flag_that_helps(here, size, flag):
    own = COLOUR._replace(height=size[0] * 2, width=size[1] * 2)
    network = TintedTranslatorConfig().build(own, own)
    TranslationPipeline({"generator": network}, TintedGame(), ("gray", "colour")).save_pretrained(here / "large")
    with pytest.raises(ValueError) as raised:
        ggdr.evaluate(here / "large", TwoNoises(), ["swd"])
    assert f"add --data.size {' '.join(str(2 * int(side)) for side in flag.split())}, or" in str(raised.value)
