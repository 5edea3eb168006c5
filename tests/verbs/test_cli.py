"""The command line: help, lists, parts swapped by name, and what reaches the recipe."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest
import tiny
from places import ROOT, TINY

from ggdr.flags.recipe import parse
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, load_recipe, to_json, to_python
from ggdr.registry import Registry, regularizers
from ggdr.regularizers.r2 import R2
from ggdr.train import main
from ggdr.verbs.listing import main as list_parts


def parsed(*flags: str) -> Recipe:
    return parse([TINY, *flags], "ggdr train").recipe


def run(*argv: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_no_flags_leave_the_recipe_as_it_is():
    assert parsed() == tiny.recipe


def test_any_field_is_a_flag():
    flags = "--total-kimg 3 --regularizers.r1.weight 5 --g-optimizer.lr 0.001 --data.size 32"
    recipe = parsed(*flags.split())
    assert (recipe.total_kimg, recipe.regularizers["r1"].weight, recipe.g_optimizer.lr) == (3.0, 5.0, 0.001)
    assert recipe.data.size == 32 and recipe.generator == tiny.recipe.generator


def test_parts_are_swapped_by_name_and_then_set():
    recipe = parsed("--generator", "dcgan", "--generator.channels", "16", "--discriminator.encoder", "dcgan")
    assert recipe.generator == DCGANGeneratorConfig(channels=16)
    assert recipe.discriminator.encoder == DCGANDiscriminatorConfig()


def test_regularizers_are_added_and_dropped_by_name():
    flags = "--regularizers.second r2 --regularizers.second.weight=3 --regularizers.path-length none"
    recipe = parsed(*flags.split())
    assert list(recipe.regularizers) == ["r1", "ggdr", "second"]
    assert recipe.regularizers["second"] == R2(weight=3.0)


def test_flags_of_a_part_that_was_dropped_are_unknown():
    with pytest.raises(ValueError, match="has no flag --regularizers.ggdr.weight. Add the part first"):
        parsed("--regularizers.ggdr", "none", "--regularizers.ggdr.weight", "5")


def test_the_recipe_in_the_file_is_not_changed_by_flags():
    before = dataclasses.replace(tiny.recipe)
    parsed("--regularizers.r1", "none", "--augment", "diffaug")
    assert tiny.recipe == before


def test_the_whole_help_shows_every_part_with_its_meaning_and_never_imports_torch():
    help_ = "ggdr.train.main(['recipes/digits.py', '--help-all'])"
    result = run("-c", f"import sys, ggdr.train\ntry: {help_}\nfinally: print('torch' in sys.modules)")
    assert result.returncode == 0 and result.stdout.splitlines()[-1] == "False"
    assert all(
        flag in result.stdout for flag in ("--regularizers.ggdr.resolutions", "--generator.channel-base", "wgan_gp")
    )
    assert "heights (pixels) of the feature maps" in result.stdout


def test_top_level_help_names_the_verbs():
    result = run("-m", "ggdr", "--help")
    assert result.returncode == 0 and all(verb in result.stdout for verb in ("train", "list", "data"))
    wrong = run("-m", "ggdr", "trian")
    assert wrong.returncode == 2 and "Did you mean 'train'?" in wrong.stderr


def test_list_shows_source_and_what_parts_require_and_provide(capsys):
    assert list_parts(["regularizers"]) == 0
    shown = capsys.readouterr().out
    assert "ggdr" in shown and "arXiv 2207.13320" in shown and "requires d_features, g_features" in shown
    list_parts(["discriminators"])
    assert "provides class_logits, d_features, heads, pyramid" in capsys.readouterr().out


def test_list_by_paper(capsys):
    list_parts(["--paper", "2207.13320"])
    shown = capsys.readouterr().out
    assert "regularizers\n  ggdr" in shown and "discriminators\n  unet" in shown and "hinge" not in shown
    with pytest.raises(ValueError, match="no part of paper '1234.5678'; there are parts of .*2207.13320"):
        list_parts(["--paper", "1234.5678"])
    with pytest.raises(ValueError, match="no kind 'regulariser'. Did you mean 'regularizers'"):
        list_parts(["regulariser"])


def test_list_takes_a_part_for_a_kind_and_says_which_it_is_of():
    for word, said in (
        (
            "ada",
            "no kind 'ada': 'ada' is registered as augmentation; type: ggdr list augmentations (`ggdr train` takes",
        ),
        ("ada", "takes it by --augment ada)."),
        ("stylegan2", "registered as generator and as discriminator; type: ggdr list generators or discriminators"),
        ("inception", "type: ggdr list extractors."),
        ("path_lenght", "no kind 'path_lenght'. Did you mean 'path_length'? It is no kind either"),
        ("augmentation", "Did you mean 'augmentations'?"),
        ("qqqq", "no kind 'qqqq'. Kinds: generators"),
    ):
        with pytest.raises(ValueError) as raised:
            list_parts([word])
        assert said in str(raised.value) and "\n" not in str(raised.value)


def test_ada_and_diffusion_are_named_among_the_regularizers_with_where_they_are_and_why(capsys):
    list_parts(["regularizers"])
    *_, ada, _, why_ada, diffusion, _, why_diffusion = capsys.readouterr().out.splitlines()
    for name, line, why in (("ada", ada, why_ada), ("diffusion", diffusion, why_diffusion)):
        assert line.startswith(f"  {name} ") and why.endswith(
            f"changes the images that D sees and adds no term to a loss: --augment {name}"
        )
    list_parts(["regularizers", "--paper", "2006.06676"])
    assert "--augment ada" in capsys.readouterr().out
    list_parts(["losses"])
    assert "ada " not in capsys.readouterr().out


def test_a_file_of_ones_own_is_found_and_has_flags(tmp_path):
    source = (ROOT / "ggdr/regularizers/r2.py").read_text()
    own = tmp_path / "own_regularizer.py"
    own.write_text(source.replace('register("r2"', 'register("own"').replace("class R2", "class Own"))
    try:
        recipe = parsed("--use", str(own), "--regularizers.mine", "own", "--regularizers.mine.every", "2")
        assert type(recipe.regularizers["mine"]).__name__ == "Own" and recipe.regularizers["mine"].every == 2
        (tmp_path / "resolved_recipe.py").write_text(to_python(recipe))
        assert load_recipe(tmp_path / "resolved_recipe.py") == recipe
        assert from_json(Recipe, json.loads(json.dumps(to_json(recipe)))) == recipe
    finally:
        regularizers.pop("own")
        sys.modules.pop("own_regularizer")


def test_a_name_is_taken_once_and_a_part_says_what_it_is():
    registry = Registry("thing", "ggdr.losses")

    @registry.register("a")
    class A:
        """A thing."""

    with pytest.raises(ValueError, match="thing 'a' is taken by .*A; rename one"):

        @registry.register("a")
        class B:
            """Another."""

    with pytest.raises(ValueError, match="needs a docstring"):

        @registry.register("c")
        class C:
            pass


def test_dry_run_says_what_a_run_will_need_and_leaves_nothing(tmp_path, capsys):
    assert main([TINY, "--dry-run", "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    for piece in ("M weights", "peak memory", "GB", "time per kimg", "0.064 kimg take"):
        assert piece in shown
    assert not (tmp_path / "run").exists()


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m ggdr list | head -n 1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "generators\n" and done.stderr == ""


def test_a_terminal_that_lacks_a_letter_shows_another_instead_of_a_traceback():
    command = [sys.executable, "-m", "ggdr", "list", "metrics"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, timeout=120, env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0 and b"Fr?chet" in done.stdout
