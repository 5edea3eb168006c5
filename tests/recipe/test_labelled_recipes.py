"""Recipes of StarGAN and FUNIT: the papers' numbers, the networks' sizes, and a dry run of each on its layout."""

from __future__ import annotations

import pytest
from places import ROOT
from translator_runs import photo

from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.schedules.base import value_at
from ggdr.train import main

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
RECIPES = ROOT / "recipes"


def test_stargan_has_the_papers_numbers_on_attributes_of_celeba():
    recipe = load_recipe(RECIPES / "celeba_stargan.py")
    signs = ((-1.0, 1.0),) * 5
    fitted = fit(recipe, {"real": ImageSpec(128, 128, 3, 5, ATTRIBUTES, signs)})
    assert (recipe.batch_size, recipe.n_critic, recipe.game.name, recipe.loss.clip) == (16, 5, "relabelled", 0.0)
    weights = {name: value_at(term.weight, 0.0) for name, term in recipe.regularizers.items()}
    assert weights == {"wgan_gp": 10.0, "auxiliary_classifier": 1.0, "cycle": 10.0}
    for optimizer in (fitted.recipe.g_optimizer, fitted.recipe.d_optimizer):
        rates = [value_at(optimizer.lr, share * recipe.total_kimg) for share in (0.0, 0.5, 0.75, 1.0)]
        assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 0.0], abs=1e-8)
        assert (optimizer.beta1, optimizer.beta2) == (0.5, 0.999)
    told = fitted.recipe.regularizers["auxiliary_classifier"]
    assert told.attributes and not told.fakes
    assert {name: round(count / 1e6, 2) for name, count in fitted.parameters.items()} == {
        "generator": 7.85,
        "discriminator": 44.76,
    }


def test_funit_has_the_papers_numbers_and_d_a_map_for_each_of_119_kinds():
    recipe = load_recipe(RECIPES / "animal_faces_funit.py")
    fitted = fit(recipe, {"real": ImageSpec(128, 128, 3, 119)})
    weights = {name: (value_at(term.weight, 0.0), term.every) for name, term in recipe.regularizers.items()}
    assert weights == {"r1": (10.0, 1), "identity": (0.1, 1), "class_feature_matching": (1.0, 1)}
    assert (recipe.batch_size, recipe.total_kimg, recipe.loss.name) == (64, 6400.0, "hinge")
    assert {value_at(each.lr, 0.0) for each in (recipe.g_optimizer, recipe.d_optimizer)} == {1e-4}
    assert 0.5 ** (64 / 1000 / recipe.ema_kimg) == pytest.approx(0.999, abs=1e-5)
    assert {name: round(count / 1e6) for name, count in fitted.parameters.items()} == {
        "generator": 30,
        "discriminator": 84,
    }


def test_a_dry_run_of_stargan_reads_attributes_from_a_table(tmp_path, capsys):
    rows = [f"image_id,Smiling,{','.join(ATTRIBUTES)}"]
    for place in range(4):
        photo(178, 218).save(tmp_path / f"{place:06}.jpg")
        rows.append(f"{place:06}.jpg,1,{','.join('1' if (place >> bit) & 1 else '-1' for bit in range(5))}")
    (tmp_path / "list_attr_celeba.csv").write_text("\n".join(rows))
    labels = f"list_attr_celeba.csv:{','.join(ATTRIBUTES)}"
    small = ["--batch-size", "2", "--data.size", "32", "--generator.channels", "4", "--discriminator.channels", "4"]
    recipe = str(RECIPES / "celeba_stargan.py")
    assert main([recipe, "--data.source", str(tmp_path), "--data.labels", labels, *small, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "5 labels" in said and "attributes, each told by itself" in said


def test_a_dry_run_of_funit_reads_a_folder_of_each_class(tmp_path, capsys):
    for kind in ("fennec", "cat"):
        (tmp_path / kind).mkdir()
        for place in range(2):
            photo(40 + place, 44).save(tmp_path / kind / f"{place}.jpg")
    small = ["--batch-size", "2", "--data.size", "32", "--generator.channels", "4", "--discriminator.channels", "4"]
    recipe = str(RECIPES / "animal_faces_funit.py")
    assert main([recipe, "--data.source", str(tmp_path), *small, "--dry-run"]) == 0
    assert "2 labels" in capsys.readouterr().out
