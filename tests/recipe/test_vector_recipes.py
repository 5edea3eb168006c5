"""Recipes of vectors: a short training from end to end, and GAZSL's numbers on vectors of CUB's shape."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from places import ROOT

import ggdr
from ggdr.data.vectors import Vectors
from ggdr.errors import UserError
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.train import main

SMALL = "--generator.channels 16 --discriminator.channels 16 --batch-size 32 --num-workers 0 --sample-kimg 1".split()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The digits' recipe, tiny, of a few steps."""
    out = tmp_path_factory.mktemp("vectors") / "run"
    words = [str(ROOT / "recipes" / "digits_zero_shot.py"), *SMALL, "--total-kimg", "1", "--metric-kimg", "0.5"]
    assert not main([*words, "--out", str(out)])
    return out


def test_training_measures_classes_that_it_never_sees(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    found = [row["metric/zero_shot/accuracy"] for row in rows if "metric/zero_shot/accuracy" in row]
    assert len(found) == 2 and all(0 <= value <= 1 for value in found)
    assert any("metric/fid/distance" in row for row in rows)
    assert {file.name for file in (run / "samples").iterdir()} >= {"reals.png", "fakes-000000.000kimg.png"}


def test_the_pipeline_gives_numbers_as_the_network_does(run):
    pipe = ggdr.from_pretrained(run)
    assert pipe.generator.spec.continuous
    seven = [1.0, 1, 1, 0, 0, 0, 0]
    vectors = pipe(seeds=[0, 1], labels=[seven, seven], output_type="pt").images
    again = pipe(seeds=[0, 1], labels=[seven, seven], output_type="np").images
    assert vectors.shape == (2, 64, 1, 1) and vectors.min() < 0, "not brought to [0, 1]"
    assert np.array_equal(vectors.permute(0, 2, 3, 1).numpy(), again)
    with pytest.raises(UserError, match="images of 64 channels are no pictures.* output_type='np' or 'pt'"):
        pipe(seeds=[0], labels=[seven])


def test_evaluate_holds_it_against_what_was_held_out(run):
    result = ggdr.evaluate(run, metrics=["zero_shot", "fid"], images=64, repeats=1)
    assert result["zero_shot/chance"].mean == 0.5 and 0 <= result["zero_shot"].mean <= 1
    assert result["zero_shot/regression"].mean == pytest.approx(0.544, abs=1e-3)
    assert result["fid"].mean > 0


def test_gazsl_fits_vectors_of_cubs_shape_and_takes_a_step(tmp_path, capsys):
    draw = np.random.default_rng(0)
    source = tmp_path / "cub.npz"
    names = np.array([f"bird {number}" for number in range(200)])
    np.savez(
        source,
        vectors=draw.random((400, 3584), np.float32),
        classes=np.arange(400) % 200,
        class_names=names,
        class_vectors=draw.random((200, 7551), np.float32),
        unseen=names[150:],
    )
    recipe = load_recipe(ROOT / "recipes" / "cub_gazsl.py")
    data = Vectors(source=str(source), labels="class_vectors")
    assert len(data.open()) == 300 and len(data.held_out().open()) == 100
    spec = data.open().spec
    fitted = fit(recipe, {"real": spec}).recipe
    assert (fitted.generator.z_dim, fitted.generator.label_channels, fitted.generator.channels) == (100, 1000, 4096)
    assert (fitted.n_critic, fitted.batch_size, fitted.metrics["zero_shot"].per_class) == (5, 1000, 60)
    with torch.device("meta"):
        made = fitted.generator.build(spec)
    # 7551 words to 1000, these and z to 4096, to 3584 features
    sizes = (7551 + 1) * 1000 + (1000 + 100 + 1) * 4096 + (4096 + 1) * 3584
    assert sum(parameter.numel() for parameter in made.parameters()) == sizes
    words = [str(ROOT / "recipes" / "cub_gazsl.py"), "--data.source", str(source), "--batch-size", "20", "--dry-run"]
    assert not main([*words, "--num-workers", "0"])
    assert "3584 channels, 7551 labels" in capsys.readouterr().out
