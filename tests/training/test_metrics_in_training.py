"""Metrics of a run: measured as it trains, and refused before it begins if they could not be."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import tiny
import torch

from ggdr.data.digits import Digits as DigitImages
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError
from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.metrics.fid import FID
from ggdr.metrics.kid import KID
from ggdr.metrics.ppl import PPL
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.train import play, train_loop, train_step
from ggdr.training.dry_run import dry_run
from ggdr.training.trainer import Trainer

QUICK = {
    "fid": FID(images=80, extractor=Digits()),
    "kid": KID(images=200, extractor=Digits()),
    "smooth": PPL(images=8, extractor=Digits()),
    "swd": SlicedWasserstein(images=16, patches=4, directions=8),
}


def run_of(out, metrics, **changes):
    recipe = dataclasses.replace(tiny.recipe, metrics=metrics, metric_kimg=0.032, **changes)
    return tiny.tiny_run(recipe, out)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """Neither weights at hand nor a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def test_they_are_logged_as_they_fall_due_and_trainable_weights_do_not_feel_it(tmp_path):
    weights = {}
    for name, metrics in (("with", QUICK), ("without", {})):
        run = run_of(tmp_path / name, metrics)
        with Trainer(run) as trainer:
            train_loop(trainer)
        weights[name] = run.networks["generator"].state_dict()
    rows = [json.loads(line) for line in (tmp_path / "with" / "metrics.jsonl").read_text().splitlines()]
    measured = [row for row in rows if any(key.startswith("metric/") for key in row)]
    keys = {key for row in measured for key in row if key.startswith("metric/")}
    assert keys >= {"metric/fid/distance", "metric/kid/mean", "metric/smooth/mean", "metric/swd/mean"}
    assert {row["kimg"] for row in measured} == {0.032, 0.064}
    assert all(math.isfinite(row[key]) for row in measured for key in row if key.startswith("metric/"))
    assert all(torch.equal(value, weights["without"][key]) for key, value in weights["with"].items())


def test_no_real_image_is_counted_twice(tmp_path):
    trainer = Trainer(run_of(tmp_path, QUICK, data=DigitImages(size=16, subset=64)))
    trainer.prepare()
    assert (
        len(trainer.callbacks["metrics"].of_view(trainer, trainer.run.views()["fakes"]).real.features(Digits(), 500))
        == 64
    )


@pytest.mark.parametrize("way", ["train", "dry run"])
def test_a_metric_without_its_weights_stops_the_run_before_it_begins(tmp_path, no_weights, way):
    run = run_of(tmp_path / "run", {"fid": FID(images=8), "swd": QUICK["swd"]})
    with pytest.raises(ValueError) as raised:
        dry_run(run, train_step, play) if way == "dry run" else Trainer(run).resume()
    text = raised.value.in_flags()
    assert text.startswith("the weights of Inception-v3") and text.endswith(
        "; or train without it: --metrics.fid none."
    )
    assert "--metrics.fid.extractor.weights FILE" in text and "--metrics.fid.extractor digits" in text
    assert "NAME" not in text and "\n" not in text
    assert run.step == 0 and not (tmp_path / "run").exists()


def test_a_metric_that_never_falls_due_needs_nothing(tmp_path, no_weights):
    recipe = dataclasses.replace(tiny.recipe, metrics={"fid": FID(images=8)}, metric_kimg=0.0)
    Trainer(tiny.tiny_run(recipe, tmp_path)).prepare()


@pytest.mark.parametrize(
    ("changes", "metric", "message"),
    [
        (
            tiny.dcgan,
            PPL(extractor=Digits(), images=8),
            "'dcgan' has no style codes for ppl; set --metrics.mine.space to z",
        ),
        (
            lambda recipe: dataclasses.replace(recipe, data=DigitImages(size=16, subset=1), batch_size=8),
            FID(extractor=Digits()),
            "fid needs at least 2 real and 2 generated images; given 1 and 2048",
        ),
    ],
)
def test_a_metric_that_does_not_fit_stops_the_run_before_it_begins(tmp_path, changes, metric, message):
    recipe = changes(dataclasses.replace(tiny.recipe, metrics={"mine": metric}, metric_kimg=0.032))
    with pytest.raises(UserError) as raised:
        Trainer(tiny.tiny_run(recipe, tmp_path)).resume()
    assert message in raised.value.in_flags()


def test_labels_of_fakes_reach_the_metric(tmp_path):
    run = run_of(tmp_path, {"smooth": QUICK["smooth"]}, data=DigitImages(size=16, subset=64, labels=True))
    trainer = Trainer(run)
    trainer.prepare()
    ((_, data),) = trainer.callbacks["metrics"].data(trainer)
    assert torch.equal(data.labels(range(5)), run.images.at(list(range(5)), run.recipe.seed).labels)
    assert QUICK["smooth"].measure(data)["mean"] > 0


def test_inception_is_the_literatures_and_the_default():
    assert FID().extractor == KID().extractor == Inception()


def test_metrics_that_see_pictures_alone_are_refused_for_other_images_before_the_first_step(tmp_path):
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", np.full((16, 16, 5), number, np.uint8))
    data = ImageFiles(source=str(tmp_path))
    run = run_of(tmp_path / "out", QUICK, data=data)
    with pytest.raises(ValueError, match=r"1, 3 or 4 channels.*\[1, 5, 16, 16\]; swd needs.*--metrics.fid none"):
        with Trainer(run) as trainer:
            train_loop(trainer)
    assert run.step == 0
    run = run_of(tmp_path / "out", {"swd": QUICK["swd"]}, data=data)
    with Trainer(run) as trainer:
        train_loop(trainer)
    assert (tmp_path / "out" / "samples" / "reals.png").is_file()
