"""`ggdr evaluate` of translators: each view against its domain's held-out images, and the truth where there is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import several
import torch
from evaluations import empty_cache_in
from PIL import Image
from torch import Tensor
from translators import SmallTranslator, SmallTranslatorConfig, TwoNoises, noise

import ggdr
from ggdr.data.base import DataSet
from ggdr.data.digits import Digits
from ggdr.data.domains import Domain, Domains
from ggdr.features.digits import Digits as DigitsExtractor
from ggdr.games.paired import PairedGame
from ggdr.games.unpaired import UnpairedGame
from ggdr.hub.facts import facts_of
from ggdr.hub.results import describe_protocol, results_in
from ggdr.metrics.diversity import Diversity
from ggdr.metrics.kid import KID
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.recipe.about import Description
from ggdr.registry import datasets, generators
from ggdr.saving import log_file
from ggdr.saving.model import save_model
from ggdr.train import train
from ggdr.verbs.evaluate import main

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)
CHOSEN = ["swd", "l1", "psnr"]


@generators.register("drawing_translator")
@dataclass(frozen=True, kw_only=True)
class DrawingTranslatorConfig(SmallTranslatorConfig):
    """A small translator whose images have noise on them."""

    def build(self, spec: ImageSpec, source: ImageSpec) -> DrawingTranslator:
        return DrawingTranslator(self, spec, source)


class DrawingTranslator(SmallTranslator):
    def forward(self, source: Tensor, labels=None, *, z=None, resolutions=()) -> GeneratorOutput:
        made = super().forward(source, labels, resolutions=resolutions)
        return made._replace(image=made.image + torch.randn_like(made.image) / 4)


@datasets.register("held_noises")
@dataclass(frozen=True, kw_only=True)
class HeldNoises(TwoNoises):
    """Two noises that hold out 24 others."""

    def held_out(self) -> DataSet:
        return FewNoises(paired=self.paired)


@datasets.register("few_noises")
@dataclass(frozen=True, kw_only=True)
class FewNoises(TwoNoises):
    """24 of two noises."""

    def open(self):
        images = super().open()
        images.__class__ = type("FewImages", (type(images),), {"__len__": lambda self: 24})
        return images


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder, and a cache that holds nothing but the digits classifier."""
    empty_cache_in(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Path:
    """A translator of pairs, one that draws, one there and back, and a generator."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    small = SmallTranslatorConfig()
    names = ("gray", "colour")
    there, back = small.build(COLOUR, GRAY), small.build(GRAY, COLOUR)
    TranslationPipeline({"generator": there}, PairedGame(), names).save_pretrained(root / "paired")
    both = {"generator_ab": there, "generator_ba": back}
    TranslationPipeline(both, UnpairedGame(), names).save_pretrained(root / "both")
    drawing = DrawingTranslatorConfig().build(COLOUR, GRAY)
    TranslationPipeline({"generator": drawing}, PairedGame(), names).save_pretrained(root / "drawing")
    save_model(DCGANGeneratorConfig(channels=4).build(GRAY), root / "noise")
    return root


@pytest.mark.parametrize("name", ["paired", "unpaired", "shared_encoder"])
def test_a_run_is_measured_as_its_own_log_says_it_was(here, name):
    measured = {"swd": SlicedWasserstein(images=64)} | ({"l1": MeanAbsoluteError()} if name == "paired" else {})
    trained = train(replace(several.recipe(name), metrics=measured, metric_kimg=0.032, total_kimg=0.032), here / name)
    logged = {
        key.removeprefix("metric/"): value
        for row in log_file.read_rows(here / name / "metrics.jsonl")
        for key, value in row.items()
        if key.startswith("metric/")
    }
    result = ggdr.evaluate(trained.out, metrics=[*measured.values()])
    found = {f"{of}/{key}": value.mean for of, values in result.values.items() for key, value in values.items()}
    assert found == pytest.approx(logged, rel=1e-5) and len(found) == (3 if name == "paired" else 4)


def test_the_record_says_view_data_and_number_of_images(places, here):
    command = [str(places / "both"), "--data", "held_noises", "--metrics", "swd", "--out", "record.json"]
    assert main(command) == 0
    record = json.loads((here / "record.json").read_text())
    assert list(record["metrics"]) == ["swd/gray_to_colour", "swd/colour_to_gray"]
    entry = record["metrics"]["swd/colour_to_gray"]
    assert (entry["view"], entry["real"]["number"], entry["fake"]["number"]) == ("colour_to_gray", 24, 24)
    view = record["source"]["views"]["colour_to_gray"]
    assert (view["source"], view["target"], view["images"], view["shape"]) == ("colour", "gray", 24, [1, 16, 16])
    assert record["source"]["kind"] == "translator" and [*record["source"]["networks"]] == [
        "generator_ab",
        "generator_ba",
    ]
    assert record["data"]["settings"]["type"] == "held_noises" and record["data"]["held_out"]["type"] == "few_noises"


def test_what_the_data_holds_out_is_measured(places):
    held = ggdr.evaluate(places / "paired", HeldNoises(paired=True), CHOSEN)
    same = ggdr.evaluate(places / "paired", FewNoises(paired=True), CHOSEN)
    whole = ggdr.evaluate(places / "paired", TwoNoises(paired=True), CHOSEN)
    for name in CHOSEN:
        assert held[name].mean == same[name].mean != whole[name].mean


def test_pairs_are_measured_against_their_truths(places):
    result = ggdr.evaluate(places / "paired", FewNoises(paired=True), ["l1"])
    pipe = ggdr.from_pretrained(places / "paired")
    batch = FewNoises().open().domain_batches(list(range(24)), 0)
    made = pipe([*batch["gray"].images], output_type="pt").images
    pixels = (made * 255).round() / 255
    assert result["l1"].mean == pytest.approx(float((pixels - batch["colour"].images / 255).abs().mean()), rel=0.02)
    entry = result.protocol["metrics"]["l1"]
    assert entry["real"]["truths"] == entry["fake"]["number"] == 24 and "24, 24" in str(result)


def test_metrics_of_pairs_join_those_that_nobody_named(places, here, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(here / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(here / "hf"))
    assert list(ggdr.evaluate(places / "paired", TwoNoises(paired=True), images=20).values) == [
        "swd",
        "l1",
        "psnr",
        "ssim",
    ]
    assert list(ggdr.evaluate(places / "paired", TwoNoises(), images=20).values) == ["swd"]


def test_one_view_is_chosen_by_its_name_or_by_what_it_makes(places):
    for view in ("colour_to_gray", "gray"):
        result = ggdr.evaluate(places / "both", TwoNoises(), ["swd"], images=20, view=view)
        assert list(result.values) == ["swd/colour_to_gray"]
        assert result["swd/colour_to_gray"].mean == result["swd/colour_to_gray/16"].mean > 0


def test_a_model_that_draws_nothing_is_measured_once_and_says_so(places, capsys):
    result = ggdr.evaluate(places / "paired", TwoNoises(), ["swd"], images=20, repeats=3)
    assert len(result["swd"].repeats) == 1 and "draws nothing" in result.warnings[-1]
    assert main([str(places / "paired"), "--data", "two_noises", "--metrics", "swd", "--images", "20"]) == 0
    said = capsys.readouterr().out
    assert "(gray_to_colour of 64 images) against 64 real images of colour of two_noises" in said
    assert "makes the same images with every seed" in said and "no interval" in said


def test_a_model_that_draws_is_measured_with_several_seeds(places):
    result = ggdr.evaluate(places / "drawing", TwoNoises(paired=True), ["l1"], images=20)
    assert len(set(result["l1"].repeats)) == 3 and result["l1"].interval is not None
    again = ggdr.evaluate(places / "drawing", TwoNoises(paired=True), ["l1"], images=20)
    assert again["l1"].repeats == result["l1"].repeats


def test_each_image_of_the_smaller_domain_is_measured_once(places, here):
    for name, channels, count in (("gray", 1, 6), ("colour", 3, 10)):
        (here / name).mkdir()
        for place in range(count):
            pixels = noise(channels, place).permute(1, 2, 0).numpy()
            Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels).save(here / name / f"{place}.png")
    a, b = Domain(source=str(here / "gray"), channels=1), Domain(source=str(here / "colour"), channels=3)
    data = Domains(a=a, b=b, names=("gray", "colour"))
    result = ggdr.evaluate(places / "both", data, [KID(subsets=2, subset=3, extractor=DigitsExtractor())])
    numbers = {
        name: (entry["fake"]["number"], entry["real"]["number"]) for name, entry in result.protocol["metrics"].items()
    }
    assert numbers == {"kid/gray_to_colour": (6, 10), "kid/colour_to_gray": (10, 6)}
    recipe = replace(
        several.recipe("unpaired"), data=data, metrics={"swd": SlicedWasserstein()}, metric_kimg=0.016, total_kimg=0.016
    )
    train(recipe, here / "run")
    logged = log_file.read_rows(here / "run" / "metrics.jsonl")
    value = next(row["metric/swd/colour_to_gray/mean"] for row in logged if "metric/swd/colour_to_gray/mean" in row)
    assert value == pytest.approx(ggdr.evaluate(here / "run", metrics=["swd"])["swd/colour_to_gray"].mean, rel=1e-5)


def test_a_card_shows_the_values_of_each_view(here):
    recipe = replace(several.recipe("unpaired"), data=HeldNoises(), total_kimg=0.016)
    train(recipe, here / "run")
    assert main([str(here / "run"), "--metrics", "swd", "--images", "20"]) == 0
    facts = facts_of(here / "run", None, Description())
    found = results_in(facts.records)
    assert {each.label for each in found} == {"swd/gray_to_colour", "swd/colour_to_gray"}
    assert describe_protocol(found[0].protocol) == ("20 translated against 20 real images held out, measured once")
    assert facts.images == 64 and facts.content == ""  # those that it learned from are not those that were measured


@pytest.mark.parametrize(
    ("place", "arguments", "said"),
    [
        (
            "paired",
            {"metrics": ["ppl"]},
            "ppl walks in the latent space of a generator; images alone, and what is made",
        ),
        ("both", {"metrics": ["l1"]}, "l1 compares each image with the truth at its place, and these images have none"),
        ("noise", {"view": "gray_to_colour"}, "makes no images of images, and has no view 'gray_to_colour'"),
        ("both", {"view": "zebra"}, "has no view 'zebra'; give gray_to_colour or colour_to_gray"),
        ("both", {"data": Digits(size=16)}, "data 'digits' has no gray and no colour, but real; take --data domains"),
        (
            "both",
            {"truncation_psi": 0.7},
            "translators have no truncation; leave truncation_psi and truncation_cutoff out",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_measured_of_a_translator_is_refused_in_one_sentence(places, place, arguments, said):
    data = Digits(size=16) if place == "noise" else TwoNoises()
    with pytest.raises(ValueError) as raised:
        ggdr.evaluate(**{"source": places / place, "data": data, "metrics": ["swd"], **arguments})
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_diversity_is_above_zero_where_a_model_draws_and_zero_elsewhere(places):
    asked = [Diversity(extractor=DigitsExtractor(), images=20)]
    drawing, still = (
        ggdr.evaluate(places / name, TwoNoises(paired=True), asked, repeats=2)["diversity"].repeats
        for name in ("drawing", "paired")
    )
    assert min(drawing) > 0 and len({*drawing}) == 2 and [*still] == [0.0]
