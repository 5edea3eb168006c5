"""Recipes of style transfer: the paper's numbers, and a step of each on generated images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from places import ROOT

from ggdr.features import emoji
from ggdr.lazy import torch
from ggdr.recipe.files import load_recipe
from ggdr.train import main

PAPER, OPENMOJI = (ROOT / "recipes" / f"{name}_adain.py" for name in ("coco_wikiart", "openmoji"))


def test_the_papers_recipe_has_its_numbers():
    recipe = load_recipe(PAPER)
    steps = recipe.total_kimg * 1000 / recipe.batch_size
    assert (recipe.batch_size, steps) == (8, 160_000)
    assert (recipe.data.load_size, recipe.data.size, recipe.data.names) == (512, 256, ("content", "style"))
    rate = recipe.g_optimizer.lr.resolve(recipe.total_kimg)
    assert rate.at(0) == 1e-4 and rate.at(recipe.total_kimg) == pytest.approx(1e-4 / (1 + 5e-5 * 160_000))
    assert (recipe.g_optimizer.beta1, recipe.g_optimizer.beta2, recipe.ema_kimg) == (0.9, 0.999, 0.0)
    assert recipe.game.extractor.name == "vgg19" and recipe.game.layers[-1] == "relu4_1"
    assert {name: term.weight for name, term in recipe.regularizers.items()} == {"content": 1.0, "style": 10.0}


def test_the_papers_recipe_takes_a_step_on_two_folders(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (2, 4, 40, 48, 3), np.uint8)
    for name, images in zip(("coco", "wikiart"), noise, strict=True):
        (tmp_path / name).mkdir()
        for place, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / name / f"{place}.png")
    where = ["--data.a.source", str(tmp_path / "coco"), "--data.b.source", str(tmp_path / "wikiart")]
    small = ["--data.size", "32", "--data.load-size", "40", "--batch-size", "2", "--num-workers", "0"]
    random = ["--game.extractor.random", "--dry-run", "--out", str(tmp_path / "out")]
    main([str(PAPER), *where, *small, *random])
    said = capsys.readouterr().out
    assert "phases of a step: g (content, style)" in said and "generator 7.01 M weights" in said


def test_openmojis_recipe_takes_a_step(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(emoji, "kept", lambda *_: emoji.classifier(torch.float32).state_dict())
    main([str(OPENMOJI), "--data.subset", "8", "--dry-run", "--out", str(tmp_path / "out")])
    assert "phases of a step: g (content, style)" in capsys.readouterr().out
    recipe = load_recipe(OPENMOJI)
    assert recipe.game.extractor.name == "emoji" and not recipe.data.gray_lines
    assert recipe.g_optimizer.lr.resolve(recipe.total_kimg).at(recipe.total_kimg) == 0
