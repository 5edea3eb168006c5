"""Read-outs of label maps from feature maps: planted knowledge is read, and what was found is written."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from ggdr.cli import guarded
from ggdr.data.openmoji import OpenMoji
from ggdr.errors import UserError
from ggdr.features import segmenter
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.regularizers.semantic import Semantic
from ggdr.saving.model import save_model
from ggdr.train import train
from ggdr.verbs.features import describe_networks, main
from ggdr.visualization.maps import resolutions_of
from ggdr.visualization.probe import (
    LOGITS,
    PIXELS,
    RIDGE,
    Described,
    Subject,
    at_pixels,
    check_spec,
    judged,
    linear_map,
    read,
    row_of,
)

DATA = OpenMoji(task="label_map", size=16, subset=96)
FLAGS = ["--probe-images", "24", "--samples", "2", "--pooled", "4"]


def planted(places: range, noise: float = 0.3) -> Described:
    """Maps of 8 px that tell three classes by the sign of one direction and another, and of 4 px that know nothing."""
    found = []
    for place in places:
        dice = torch.Generator().manual_seed(place)
        classes = torch.randint(0, 3, (8, 8), generator=dice)
        known = F.one_hot(classes, 3).permute(2, 0, 1) * 50.0 + noise * torch.randn(3, 8, 8, generator=dice)
        found.append((classes, known, torch.randn(5, 4, 4, generator=dice)))
    classes, known, noise_maps = (torch.stack(each) for each in zip(*found, strict=True))
    labels = classes.to(torch.uint8)
    labels[:, 0, 0] = 255
    return Described({("generator", 8): known, ("encoder", 4): noise_maps}, labels, (classes + 1) % 3)


def test_what_maps_hold_is_read_and_what_they_do_not_is_not():
    directions = torch.eye(3)
    found = read(planted, range(40), range(40, 60), {8: {"generator": directions}})
    rows = {key: row_of(key, {"generated": found}) for key in found}
    knowing, ignorant = rows["generator", 8], rows["encoder", 4]
    assert knowing.generated_miou > 0.999 and knowing.generated_accuracy > 0.999 and knowing.channels == 3
    assert knowing.rand_index == pytest.approx(1) and ignorant.rand_index is None
    assert ignorant.generated_miou < 0.25 and ignorant.real_miou is None
    assert rows[LOGITS, 8].generated_accuracy == 0  # D's own classes are counted as they are, and nothing is learned
    assert int(found["generator", 8].classes.sum()) == 20 * 63  # ignored pixels are left out


def test_vectors_at_pixels_are_those_of_enlarged_maps():
    maps = torch.randn(2, 3, 4, 6)
    whole = F.interpolate(maps, (16, 24), mode="bilinear", align_corners=False).flatten(2)
    picked = torch.randint(0, 16 * 24, (2, 50))
    expected = whole.gather(2, picked[:, None].expand(-1, 3, -1)).transpose(1, 2)
    assert torch.allclose(at_pixels(maps, picked, 16, 24), expected, atol=1e-5)


def test_a_read_out_is_the_best_linear_one_whatever_the_scale_and_repeats():
    dice = torch.Generator().manual_seed(0)
    rows = torch.randn(4000, 6, generator=dice)
    labels = (rows @ torch.randn(6, 4, generator=dice) + 2 * torch.randn(4000, 4, generator=dice)).argmax(dim=1)
    unit = (rows - rows.mean(0)) / rows.std(0)
    best = LogisticRegression(C=1 / (4000 * RIDGE), max_iter=500).fit(unit.numpy(), labels.numpy())
    least = torch.from_numpy(best.predict_proba(unit.numpy())).float()
    state = torch.get_rng_state()
    scaled = rows * torch.tensor([1e-3, 1e3, 1, 1, 5, 1]) + 7
    layer, again = linear_map(scaled, labels, 4), linear_map(scaled, labels, 4)
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(layer.weight, again.weight)
    assert torch.allclose(layer(scaled).softmax(dim=1), least, atol=2e-3)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run on emoji with label maps, whose D redraws maps of 8 px and tells the class of each pixel."""
    terms = {**tiny.recipe.regularizers, "semantic": Semantic()}
    recipe = replace(tiny.recipe, data=DATA, regularizers=terms, total_kimg=0.016)
    return train(recipe, tmp_path_factory.mktemp("run") / "run").out


@pytest.fixture(autouse=True)
def short(run, monkeypatch):
    """Segmenters of a few steps, kept in a cache that these tests share."""
    whole = segmenter.train_segmenter
    monkeypatch.setattr(segmenter, "train_segmenter", lambda pairs: whole(pairs, steps=12))
    monkeypatch.setattr("ggdr.features.trained.cache_folder", lambda: run / "cache")


def test_table_numbers_protocol_and_plot_are_written_beside_the_sheets(run, tmp_path, capsys):
    assert main([str(run), "--probe", *FLAGS, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "read from" in told and "D's class logits" in told and "own mIoU on held-out reals is 0." in told
    with (tmp_path / "probe.csv").open() as stream:
        rows = {(row["source"], int(row["resolution"])): row for row in csv.DictReader(stream)}
    assert [*rows] == [
        *(("generator", resolution) for resolution in (4, 8, 16)),
        *(("encoder", resolution) for resolution in (4, 8)),
        ("decoder", 8),
        (LOGITS, 16),
        *((PIXELS, resolution) for resolution in (4, 8, 16)),
    ]
    for (source, _), row in rows.items():
        assert 0 <= float(row["generated_miou"]) <= 1
        assert (row["real_miou"] == "") == (source == "generator")
        assert (row["rand_index"] == "") == (source in (LOGITS, PIXELS))
    record = json.loads((tmp_path / "probe.json").read_text())
    assert len(record["rows"]) == len(rows) and record["segmenter"]["pairs"] == 96
    assert record["real_images"] == {"trained": 24, "tested": 24, "held_out": True}
    assert record["data"]["subset"] == 96 and 0 < record["ceiling"]["miou"] < 1
    assert Image.open(tmp_path / "probe.png").size[0] > 900  # two panels
    with pytest.raises(UserError, match=r"probe.csv is there already|resolution-004.png is there already"):
        main([str(run), "--probe", *FLAGS, "--out", str(tmp_path)])
    assert main([str(run), *FLAGS, "--out", str(tmp_path), "--overwrite"]) == 0  # tables are no strangers to the verb


def test_data_are_named_where_the_model_does_not_know_them(tmp_path, capsys):
    torch.manual_seed(0)
    save_model(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16)).eval(), tmp_path / "model")
    named = ["--probe", "openmoji", "--probe.task", "label_map", "--probe.size", "16", "--probe.subset", "96"]
    assert main([str(tmp_path / "model"), *named, *FLAGS]) == 0
    told = capsys.readouterr().out
    assert "generator" in told and "D's encoder" not in told
    assert Image.open(tmp_path / "model" / "features" / "probe.png").size[0] < 600  # nothing of reals
    for flags, said in [
        (["--probe"], "does not say what it was trained on; name data with label maps, such as --probe openmoji"),
        (
            ["--probe", "digits"],
            "have no label maps beside their images; give data that have, such as --probe openmoji",
        ),
        (
            [*named, "--probe.size", "32"],
            "makes images of 16 x 16 px, and the data have 32 x 32; set --probe.size to 16",
        ),
        ([*named, "--probe-images", "0"], "probe-images is 0; give a number above 0"),
    ]:
        with pytest.raises(SystemExit):
            guarded(main, [str(tmp_path / "model"), *FLAGS, "--overwrite", *flags])
        assert said in " ".join(capsys.readouterr().err.split())


def test_other_channels_or_labels_are_refused():
    with pytest.raises(UserError, match="of 1 channels with labels of width 0, and the data have 3 and 0"):
        check_spec(ImageSpec(16, 16, 1), ImageSpec(16, 16, 3))
    with pytest.raises(UserError, match="set size to 16 32"):
        check_spec(ImageSpec(16, 32), ImageSpec(32, 32))


def test_a_decoder_of_classes_alone_says_them_and_draws_no_maps():
    torch.manual_seed(0)
    judge = UNetDiscriminatorConfig.tiny().build(ImageSpec(16, 16), ExtraOutputs(class_logits=31)).eval()
    images, resolutions = torch.randn(2, 3, 16, 16), {"generator": (8,), "encoder": (8,), "decoder": ()}
    maps, classes = judged(Subject(None, judge, resolutions, 0), images, None, 30)
    logits = judge.class_logits(judge(images))  # the last is of being a fake, which no pixel is said to be
    assert torch.equal(classes, logits[:, :30].argmax(dim=1))
    generator = StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16))
    told = [*describe_networks(generator, judge, resolutions_of(generator, judge, ()))]
    assert told[-1].endswith("no similarity: this discriminator tells the class of each pixel and draws no maps")
    assert {*maps} == {(PIXELS, 8), ("encoder", 8)}
    for others in (19, 31):  # a D of other label maps says nothing of these
        assert judged(Subject(None, judge, resolutions, 0), images, None, others)[1] is None
