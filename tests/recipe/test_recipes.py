"""The shipped recipes: each loads, survives being written down, fits its images, and takes a step."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest
from places import ROOT

from ggdr.data.images import ImageFiles
from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, load_recipe, to_json, to_python

FILES = sorted((ROOT / "recipes").glob("*.py"))
OTHERS = {"r3gan", *"pix2pix pix2pixhd cyclegan nice adain ugatit cut fastcut munit augmented stargan funit".split()}
OTHERS |= {"few", "dcgan", "aae", "sgan", "srresnet", "srgan", "rrdb", "esrgan", "spade", "oasis", "semantic"}
OTHERS |= {"gat", "stackgan", "stackgan2", "bigan", "encoder", "infogan", "supervised", "gazsl", "shot"}
"""without GGDR, as words of a file's name; their papers' numbers, where they have any, have tests of their own"""
WITH_GGDR = [file for file in FILES if not OTHERS & {*file.stem.split("_")}]
PUBLISHED = [file for file in WITH_GGDR if file.stem not in ("digits", "openmoji")]
SHRUNK = """
    --generator.z-dim 8 --generator.w-dim 8 --generator.channel-base 512 --generator.channel-max 8
    --discriminator.encoder.channel-base 512 --discriminator.encoder.channel-max 8
    --batch-size 4 --num-workers 0
""".split()

every_recipe = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
every_ggdr = pytest.mark.parametrize("file", WITH_GGDR, ids=lambda file: file.stem)
every_published = pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Side in pixels -> a folder of eight noisy pictures."""
    import numpy as np
    from PIL import Image

    def folder(resolution: int) -> Path:
        path = tmp_path_factory.mktemp(f"pictures{resolution}")
        noise = np.random.default_rng(0).integers(0, 256, (8, resolution, resolution, 3), np.uint8)
        for i, picture in enumerate(noise):
            Image.fromarray(picture).save(path / f"{i}.png")
        return path

    return {resolution: folder(resolution) for resolution in (32, 256)}


def brief_of(recipe: Recipe) -> ImageSpec:
    """The images a recipe is for; the published ones name their size, the others are on disk."""
    if isinstance(recipe.data, ImageFiles):
        assert isinstance(recipe.data.size, int)
        return ImageSpec(recipe.data.size, recipe.data.size, recipe.data.channels)
    return recipe.data.open().spec


@every_recipe
def test_json_gives_the_recipe_back(file):
    recipe = load_recipe(file)
    assert from_json(Recipe, json.loads(json.dumps(to_json(recipe)))) == recipe


@every_recipe
def test_python_gives_the_recipe_back(file, tmp_path, monkeypatch):
    recipe, copy = load_recipe(file), tmp_path / f"copy_of_{file.stem}.py"
    copy.write_text(to_python(recipe))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, copy.stem, raising=False)
    assert load_recipe(copy) == recipe


@every_ggdr
def test_parts_go_together(file):
    from ggdr.recipe.fitting import fit

    fitted = fit(load_recipe(file), {"real": brief_of(load_recipe(file))})
    assert fitted.extra.target_channels, "no feature maps are other_draws: GGDR is not in it"
    assert set(fitted.recipe.regularizers) >= {"r1", "ggdr"}


@every_ggdr
def test_dry_run_takes_a_step(file, pictures, tmp_path, capsys):
    from ggdr.train import main

    recipe = load_recipe(file)
    images = ["--data.source", str(pictures[recipe.data.size]), "--data.subset", "8"] if file in PUBLISHED else []
    assert main([str(file), "--out", str(tmp_path / "run"), "--dry-run", *images, *SHRUNK]) == 0
    assert "time per kimg" in capsys.readouterr().out


@every_published
def test_docstring_states_source_target_data_gamma_and_differences(file):
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    needed = ["2207.13320", "\nTarget: FID", "+ GGDR", "\nData: ", "--data.source", "\nGamma is ", "\nDifferences "]
    assert not [words for words in needed if words not in text]


@every_published
def test_docstring_states_the_gamma_of_the_recipe(file):
    recipe, text = load_recipe(file), ast.get_docstring(ast.parse(file.read_text())) or ""
    assert f"Gamma is {recipe.regularizers['r1'].weight:g}," in text


@pytest.mark.parametrize(("stem", "resolution"), [("ffhq256", 64), ("lsun_cat", 64), ("cifar10", 8)])
def test_a_published_recipe_keeps_the_settings_of_its_preset(stem, resolution):
    recipe = load_recipe(next(file for file in FILES if file.stem == stem))
    assert (recipe.batch_size, recipe.g_optimizer.lr, recipe.d_optimizer.lr) == (64, 0.0025, 0.0025)
    assert recipe.regularizers["ggdr"].resolutions == (resolution,)
    assert recipe.regularizers["ggdr"].weight == 10
    assert recipe.regularizers["r1"].every == 16
    assert ("path_length" in recipe.regularizers) == (stem != "cifar10")
