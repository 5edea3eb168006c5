"""How many images a metric looks at, what is told of them, and which way values are better."""

from __future__ import annotations

import json

import pytest
import torch

from ggdr.evaluation.evaluator import values_of
from ggdr.evaluation.sample_size import sample_size_warnings
from ggdr.features.cache import FeatureCache
from ggdr.features.digits import Digits
from ggdr.metrics.base import Numbers
from ggdr.metrics.data import EvalData
from ggdr.metrics.fid import FID
from ggdr.metrics.kid import KID
from ggdr.metrics.memorization import Memorization
from ggdr.metrics.ms_ssim import MSSSIM
from ggdr.metrics.precision_recall import PrecisionRecall
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.verbs.evaluate import main


def images(places: range) -> torch.Tensor:
    dice = torch.Generator().manual_seed(places.start)
    return torch.randint(0, 256, (len(places), 1, 16, 16), dtype=torch.uint8, generator=dice)


def eval_data(reals: int | None = 300, fakes: int | None = None) -> EvalData:
    return EvalData(FeatureCache(images, reals), FeatureCache(images, fakes))


@pytest.mark.parametrize(
    ("metric", "there", "numbers"),
    [
        (FID(images=100), (300, None), (100, 100)),
        (FID(images=500), (300, None), (300, 500)),
        (FID(images=50, reals=200), (300, None), (200, 50)),
        (KID(images=50, reals=9999), (300, 40), (300, 40)),
        (Memorization(images=50), (300, None), (300, 50)),
        (Memorization(images=50, reals=80), (300, None), (80, 50)),
        (SlicedWasserstein(images=500), (300, None), (300, 300)),
        (SlicedWasserstein(images=100, reals=60), (300, 80), (60, 60)),
    ],
)
def test_a_metric_says_how_many_images_it_looks_at(metric, there, numbers):
    assert metric.numbers(eval_data(*there)) == Numbers(*numbers)


def test_copies_of_reals_beyond_the_first_are_found():
    """The fakes are the last of 300 reals; an extractor of pixels tells them apart."""
    from ggdr.features.plain import Pixels

    real = FeatureCache(images, 300)
    shown = real.images(300)[250:300]
    found = Memorization(extractor=Pixels(), images=50).measure(EvalData(real, FeatureCache(lambda places: shown, 50)))
    assert found["copied"] == 1.0


def test_warnings_are_about_what_is_compared():
    said = sample_size_warnings({"fid": FID(images=50, reals=9999, extractor=Digits())}, {"fid": eval_data(300, 20)})
    assert "fid: all 300 real images are taken, fewer than the 9,999 asked for." in said
    assert "fid: all 20 images to measure are taken, fewer than the 50 asked for." in said
    assert any("values of 20 images depend on their number" in text for text in said)
    assert not any(
        "are taken" in text
        for text in sample_size_warnings({"fid": FID(images=50, extractor=Digits())}, {"fid": eval_data()})
    )


def test_baselines_and_deviations_have_no_direction():
    values = [
        values_of(MSSSIM(), [{"mean": 0.2, "real": 0.1}]),
        values_of(Memorization(), [{"copied": 0.2, "reals": 0.1}]),
        values_of(KID(), [{"mean": 0.2, "std": 0.1}]),
        values_of(PrecisionRecall(), [{"precision": 0.2, "recall": 0.1}]),
    ]
    directions = [value.better for found in values for value in found.values()]
    assert directions == ["lower", "", "lower", "", "lower", "", "higher", "higher"]


def test_more_reals_than_fakes_can_be_asked_for_and_are_recorded(tmp_path):
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for place, image in enumerate(images(range(64))):
        Image.fromarray(image[0].numpy()).resize((32, 32)).save(folder / f"{place}.png")
    out = tmp_path / "record.json"
    flags = ["--metrics", "fid", "swd", "--images", "40", "--reals", "150", "--no-cache", "--out", str(out)]
    assert main([str(folder), "--data", "digits", *flags]) == 0
    found = json.loads(out.read_text())["metrics"]
    assert [(found[name]["real"]["number"], found[name]["fake"]["number"]) for name in ("fid", "swd")] == [
        (150, 40),
        (40, 40),
    ]


def test_images_that_no_extractor_sees_are_refused_before_they_are_measured():
    def many(places: range) -> torch.Tensor:
        return torch.zeros(len(places), 5, 16, 16, dtype=torch.uint8)

    with pytest.raises(ValueError, match="channels"):
        FID(extractor=Digits(), images=50).prepare(EvalData(FeatureCache(many, 300), FeatureCache(many, 300)))
    SlicedWasserstein(images=50).prepare(EvalData(FeatureCache(many, 300), FeatureCache(many, 300)))  # reads pixels
