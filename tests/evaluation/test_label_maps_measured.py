"""Translators of label maps: mean IoU by a segmenter of the data's own, with its ceiling, in training and after."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import several
import torch
from evaluations import empty_cache_in
from translators import SmallTranslatorConfig

import ggdr
from ggdr.data.openmoji import OpenMoji
from ggdr.data.reading.labelled import labelled_images
from ggdr.evaluation.inputs import paired_beside
from ggdr.features import segmenter
from ggdr.games.paired import PairedGame
from ggdr.hub.facts import facts_of
from ggdr.hub.results import describe_protocol, results_in
from ggdr.metrics.mean_iou import MeanIoU
from ggdr.networks.base import ImageSpec
from ggdr.ops.segmentation import confusion, mean_iou
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.recipe.about import Description
from ggdr.saving import log_file
from ggdr.train import train
from ggdr.verbs.evaluate import main

KEYS = ["mean", "accuracy", "ceiling", "ceiling_accuracy"]
DATA = OpenMoji(task="label_map", size=16, subset=96)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run of a translator of label maps, in a folder with a cache of its own."""
    root = tmp_path_factory.mktemp("maps")
    with pytest.MonkeyPatch.context() as patch:
        keep_short(root, patch)
        metrics = {"mean_iou": MeanIoU(images=80)}
        recipe = replace(several.recipe("paired"), data=DATA, metrics=metrics, metric_kimg=0.016, total_kimg=0.032)
        return train(recipe, root / "run").out


@pytest.fixture(autouse=True)
def here(run, monkeypatch) -> Path:
    """The run's folder, its cache, and a segmenter that trains for a second."""
    keep_short(run.parent, monkeypatch)
    return run.parent


def keep_short(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Let segmenters train for a few steps, kept in a folder."""
    if not (root / "cache").exists():
        empty_cache_in(root, patch)
    patch.setenv("GGDR_CACHE", str(root / "cache"))
    patch.chdir(root)
    whole = segmenter.train_segmenter
    patch.setattr(segmenter, "train_segmenter", lambda pairs: whole(pairs, steps=12))


def test_the_ceiling_stands_beside_mean_iou_in_log_record_table_and_card(run, here, capsys):
    logged = [
        {key.removeprefix("metric/mean_iou/"): row[key] for key in row if key.startswith("metric/")}
        for row in log_file.read_rows(run / "metrics.jsonl")
    ]
    logged = [row for row in logged if row]
    assert len(logged) == 2 and all([*row] == KEYS for row in logged)
    assert logged[0]["ceiling"] == logged[1]["ceiling"]  # it has nothing to do with the model
    command = [str(run), "--metrics", "mean_iou", "--images", "80", "--repeats", "1"]
    assert main([*command, "--out", "one.json"]) == 0
    table = capsys.readouterr().out
    assert all(f"mean_iou {key}" in table for key in KEYS) and "training a segmenter" not in table  # that of the run
    record = json.loads((here / "one.json").read_text())
    entry = record["metrics"]["mean_iou"]
    assert {key: each["mean"] for key, each in entry["values"].items()} == pytest.approx(logged[1], rel=1e-5)
    assert [each["better"] for each in entry["values"].values()] == ["higher", "higher", "", ""]
    assert entry["segmenter"]["pairs"] == 96 and entry["segmenter"]["network"] == segmenter.EDITION
    assert entry["real"]["truths"] == 80 and record["data"]["held_out"]["part"] == "test"
    assert main(command) == 0
    results = results_in(facts_of(run, None, Description()).records)
    assert [result.key for result in results] == KEYS
    assert "read by a segmenter of the data's own" in describe_protocol(results[0].protocol)


def test_the_segmenter_learns_from_the_training_pairs_and_reads_the_held_out_ones(run, here):
    network = segmenter.find_segmenter(labelled_images(DATA.open()), torch.device("cpu"))
    held = labelled_images(DATA.held_out().open(), 80)
    expected = mean_iou(confusion(network(held.images), held.maps, 30))
    found = ggdr.evaluate(run, metrics=[MeanIoU(images=80)], repeats=1)
    assert found["mean_iou/ceiling"].mean == pytest.approx(expected, rel=1e-12)
    assert found.protocol["metrics"]["mean_iou"]["segmenter"] == network.protocol


@pytest.mark.slow
def test_it_is_measured_without_being_named_where_images_are_made_of_label_maps(run, capsys):
    assert main([str(run), "--images", "16", "--out", "beside.json"]) == 0
    assert "mean_iou ceiling" in capsys.readouterr().out
    assert [*paired_beside({"mean_iou": MeanIoU(images=7)}, of_maps=True)][-1] == "mean_iou"
    assert "mean_iou" not in paired_beside({"mean_iou": MeanIoU(images=7)}, of_maps=False)


@pytest.mark.parametrize("task", ["lines_to_colour", "super_resolution"])
def test_it_is_refused_where_images_are_made_of_none(run, here, task):
    domains = {"lines_to_colour": ("lines", 16), "super_resolution": ("small", 4)}
    name, size = domains[task]
    network = SmallTranslatorConfig().build(ImageSpec(16, 16), ImageSpec(size, size, 1 if name == "lines" else 3))
    TranslationPipeline({"generator": network}, PairedGame(), (name, "colour")).save_pretrained(here / task)
    command = [task, "--data", "openmoji", "--data.task", task, "--data.size", "16", "--metrics", "mean_iou"]
    with pytest.raises(ValueError, match="mean_iou holds images against the label maps that they are made of"):
        main(command)
