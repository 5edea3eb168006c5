"""scripts/quality_time.py: quality against seconds, of GANs and of diffusion models, from their records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
from ddpm import pipeline
from PIL import Image
from places import ROOT

import ggdr
from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.registry import use

script = use(ROOT / "scripts" / "quality_time.py")
DATA = Digits(size=16, subset=64)


def measured(source: Path, seed: int = 0, **how) -> None:
    """Leave a record of the sliced Wasserstein distance of a source."""
    ggdr.evaluate(source, DATA, ["swd"], images=8, repeats=2, seed=seed, batch_size=4, **how).save()


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A GAN with two measured checkpoints, and a diffusion model measured with two numbers of steps."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("runs")
    recipe = replace(tiny.recipe, data=DATA, total_kimg=0.032, checkpoint_kimg=0.016, log_kimg=0.008)
    ggdr.train(recipe, folder / "gan")
    for checkpoint in sorted((folder / "gan/checkpoints").iterdir())[-2:]:
        measured(checkpoint)
    pipeline(folder / "ddpm/pipeline", steps=20)
    (folder / "ddpm/pipeline/training.json").write_text(json.dumps({"seconds": 12.5}))
    measured(folder / "ddpm/pipeline", steps=4)
    measured(folder / "ddpm/pipeline", steps=8)
    return folder


def test_a_picture_a_table_and_all_numbers_are_made_of_records(runs, tmp_path, capsys):
    out = tmp_path / "figure.png"
    assert script.main([str(runs / "gan"), f"DDPM={runs / 'ddpm'}", "--metric", "swd", "--out", str(out)]) == 0
    assert Image.open(out).size[0] > 1000 and out.with_suffix(".md").read_text() == capsys.readouterr().out
    found = json.loads(out.with_suffix(".json").read_text())
    points = found["points"]
    assert [(point["run"], point["steps"]) for point in points] == [("gan", None)] * 2 + [("DDPM", 4), ("DDPM", 8)]
    assert all(point["image"] > 0 and point["interval"][0] <= point["value"] for point in points)
    assert points[0]["training"] < points[1]["training"] and points[2]["training"] == points[3]["training"] == 12.5
    assert points[2]["image"] < points[3]["image"], "twice as many steps take longer"


def test_a_model_that_was_measured_again_in_the_same_way_is_one_point(runs, tmp_path):
    measured(runs / "ddpm/pipeline", seed=5, steps=4)
    words = [str(runs / "ddpm"), "--metric", "swd", "--timed", "0", "--out", str(tmp_path / "figure.png")]
    assert script.main(words) == 0
    points = json.loads((tmp_path / "figure.json").read_text())["points"]
    assert [point["steps"] for point in points] == [8, 4] and all(point["image"] is None for point in points)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "'nowhere' names no folder"),
        (["gan"], "gan has no record of fid; measure it: ggdr evaluate"),
    ],
)
def test_what_cannot_be_drawn_is_said(runs, words, said, tmp_path):
    places = [str(runs / word) if (runs / word).is_dir() else word for word in words]
    with pytest.raises(UserError, match=said):
        script.main([*places, "--out", str(tmp_path / "figure.png")])
    assert not [*tmp_path.iterdir()]


def test_values_of_other_images_are_not_put_into_one_picture(runs, tmp_path):
    other = pipeline(tmp_path / "other/pipeline", steps=20)
    ggdr.evaluate(other, Digits(size=16, subset=32), ["swd"], images=8, repeats=2, steps=4).save()
    with pytest.raises(UserError, match="cannot be compared: their records differ in real"):
        script.main([str(runs / "ddpm"), str(tmp_path / "other"), "--metric", "swd", "--out", str(tmp_path / "f.png")])
