"""What the README and the pages of its kind show is run: Python as it stands, commands as far as a test can go."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import sys
from pathlib import Path

import pages
import pytest
import tiny
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from places import OWN_GOLDEN, ROOT

import ggdr
from ggdr import cli, registry
from ggdr.augment.ada import ADA
from ggdr.flags.recipe import parse
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability, discover
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1
from ggdr.saving.model import save_model
from ggdr.train import main

README, USING, RECIPES = ROOT / "README.md", ROOT / "docs/using.md", ROOT / "docs/recipes-in-python.md"
TUTORIALS = ROOT / "docs/tutorials"
TEXT = README.read_text()
SHOWN = [README, USING, RECIPES, TUTORIALS / "your-pictures.md", TUTORIALS / "measure.md", TUTORIALS / "fine-tune.md"]
COMMANDS = [line for page in SHOWN for line in pages.commands(page)]
TRAIN = sorted({line for line in COMMANDS if line.startswith("ggdr train")})
VERBS = ("ggdr generate", "ggdr mix", "ggdr video", "ggdr edit", "ggdr project", "ggdr export", "ggdr convert")
VERBS += ("ggdr evaluate", "ggdr features")
MODELS = list(dict.fromkeys(line for line in COMMANDS if line.startswith(VERBS)))
SMALL = ["--batch-size", "4", "--generator.channel-max", "8", "--dry-run"]
MOST_LINES = 180
"""of the README: a landing page; what is more belongs to docs/"""


def python(page: Path) -> list[str]:
    """The Python that a page shows."""
    return pages.fenced(page, "python")


def test_there_is_something_to_run():
    assert len(TRAIN) >= 10 and len(MODELS) >= 11


def test_the_readme_is_a_landing_page():
    assert len(TEXT.splitlines()) <= MOST_LINES
    assert (ROOT / "docs/walk.gif").stat().st_size < 3 * 2**20 and "docs/walk.gif" in TEXT


def test_contents_name_its_sections():
    contents = TEXT[TEXT.index("**Contents**") :].split("\n\n")[0]
    titles = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert [anchor for _, anchor in re.findall(r"\[([^]]+)\]\(#([^)]+)\)", contents)] == [
        title.lower().replace(" ", "-") for title in titles
    ]


@pytest.mark.parametrize("command", TRAIN)
def test_training_commands_run_dry(command, tmp_path, monkeypatch, capsys):
    for i in range(4):
        Image.new("RGB", (256, 256), (50 * i, 0, 0)).save(tmp_path / f"{i}.png")
    small = dataclasses.replace(load_recipe(ROOT / "recipes/digits.py").generator, channel_max=8)
    save_model(small.build(ImageSpec(32, 32, 1)), tmp_path / "trained/generator")
    command = command.replace("path/to/images", str(tmp_path)).replace(
        "--init-from runs/digits", f"--init-from {tmp_path / 'trained'}"
    )
    words = shlex.split(command, comments=True)
    monkeypatch.chdir(ROOT)
    encoder = [] if "dcgan" in words or "recipes/zoo" in command else ["--discriminator.encoder.channel-max", "8"]
    flags = ["--generator.channels", "4", "--dry-run"] if "openmoji" in command else [*SMALL, *encoder]
    assert main([*words[2:], *flags]) == 0
    assert "time per kimg" in capsys.readouterr().out


def test_the_recipe_is_one():
    scope: dict = {}
    exec(python(RECIPES)[0], scope)
    fitted = fit(scope["recipe"], {"real": ImageSpec(256, 256, 3)})
    assert fitted.extra.target_channels == {64: 256} and fitted.reasons["r1"].startswith("weight (gamma)")


def test_a_model_is_used_as_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = tiny.tiny_run(tiny.recipe, tmp_path / "runs/digits").save()
    shutil.copy(saved / "recipe.json", tmp_path / "runs/digits")  # as a run does when it begins
    shutil.copy(OWN_GOLDEN / "official_ggdr_snapshot.pkl", tmp_path / "snapshot.pkl")
    exec(python(USING)[0], {})
    assert python(USING)[0] == python(README)[0]
    for command in MODELS:
        monkeypatch.setattr(sys, "argv", shlex.split(command.replace("--steps 200", "--steps 2"), comments=True))
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 0, command
    for file in (
        "digit.png",
        "grid.png",
        "mix.png",
        "walk.mp4",
        "edit.png",
        "projected/digit.png",
        "generator.onnx",
        "models/cat/generator/model.safetensors",
        "cats.png",
    ):
        assert (tmp_path / file).stat().st_size > 100, file
    assert list((tmp_path / "runs/digits").rglob("metrics/*.json")) and list((tmp_path / "pictures").glob("*.png"))


def test_a_run_is_evaluated_as_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    saved = tiny.tiny_run(tiny.recipe, tmp_path / "runs/digits").save()
    shutil.copy(saved / "recipe.json", tmp_path / "runs/digits")
    scope: dict = {}
    exec(python(TUTORIALS / "measure.md")[0], scope)
    result, shown = scope["result"], capsys.readouterr().out
    assert shown.startswith(f"{result['fid'].mean} ") and "swd 16" in shown and "fewer than the 1,000 asked" in shown
    assert result["swd/16"].interval and result.protocol["metrics"]["fid"]["fake"]["number"] == 1000


def test_parts_work_without_the_trainer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16, 1)), tmp_path / "runs/digits/model/generator")
    scope: dict = {}
    exec(python(USING)[1], scope)
    assert scope["sample"].image.shape == (4, 3, 64, 96) and scope["sample"].features[16].shape == (4, 64, 16, 24)
    assert scope["trained"](torch.randn(1, scope["trained"].z_dim)).image.shape == (1, 1, 16, 16)


def test_the_rate_that_goes_with_a_width_is_gats_for_its_four_sizes():
    from ggdr.optimizers.adam import Adam

    (shown,) = re.findall(r"`(Adam\(lr=[^`]*width\))`", RECIPES.read_text())
    rates = [eval(shown, {"Adam": Adam, "width": width}).lr for width in (384, 768, 1024, 1152)]
    assert rates == pytest.approx([4e-4, 2e-4, 1.5e-4, 1.33e-4], rel=0.003)


def test_the_first_table_of_parts_reads_r1_ggdr_and_ada_with_what_is_typed_for_each():
    page = RECIPES.read_text()
    table = page[page.index("| part | acts on | typed | paper |") :].split("\n\n")[0]
    rows = re.findall(r"^\| \[(\w+)\]\(\S+\) \|.*\| `(.*)` \|", table, re.MULTILINE)
    assert [name for name, _ in rows] == ["R1", "GGDR", "ADA"]
    recipe = parse([tiny.__file__, *(word for _, typed in rows for word in typed.split())], "ggdr train").recipe
    assert isinstance(recipe.augment, ADA) and isinstance(recipe.regularizers["r1"], R1)
    assert isinstance(recipe.regularizers["ggdr"], GGDR)


def test_what_the_readme_counts_is_so():
    discover()
    generators, discriminators, *others, metrics = (
        [part for part in kind.values() if part.__module__.startswith("ggdr.")]  # other tests register parts as well
        for kind in (
            registry.generators,
            registry.discriminators,
            registry.losses,
            registry.regularizers,
            registry.augmentations,
            registry.games,
            registry.metrics,
        )
    )
    papers = {part.paper for kind in (generators, discriminators, *others) for part in kind} - {""}
    assert "some seventy papers" in TEXT and round(len(papers), -1) == 70
    assert "`ggdr list metrics` shows seventeen of them" in TEXT and "| metrics | 17," in TEXT and len(metrics) == 17
    assert "has a pyramid: with all the GANs below" in TEXT
    around = {"conditioning_augmentation", "from_prior", "stacked"}  # what they are around has features, or has none
    without = {part.name for part in generators if Capability.G_FEATURES not in part.provides}
    assert without == around | {"none", "mlp"}, "which makes vectors"
    assert {part.name for part in discriminators if Capability.PYRAMID not in part.provides} == {"none", "mlp", "pixel"}


def test_what_the_readme_says_of_diffusers_is_so(tmp_path):
    text = " ".join(USING.read_text().split())
    (call,) = re.findall(r"`(DiffusionPipeline.from_pretrained.*?)`", text)
    ggdr.from_pretrained(saved_model(tmp_path)).save_pretrained(tmp_path / "pipe")
    loaded = eval(call.replace('"org/name"', repr(str(tmp_path / "pipe"))))
    assert isinstance(loaded, ggdr.GANPipeline) and issubclass(ggdr.GANPipeline, DiffusionPipeline)
    lines = (tmp_path / "pipe/pipeline.py").read_text().splitlines()
    assert "few lines that import ggdr" in text and len(lines) < 9 and any("from ggdr import" in line for line in lines)


def saved_model(folder: Path) -> Path:
    """A tiny generator on disk."""
    save_model(tiny.STYLEGAN2.build(ImageSpec(16, 16)), folder / "model/generator")
    return folder / "model"


def test_no_word_is_left_of_what_was_not_there_once():
    places = ("*.md", "docs/*.md", "recipes/**/*.py", "model_cards/*.md")
    for file in (file for place in places for file in ROOT.glob(place) if file.name != "CHANGELOG.md"):
        for stale in ("not restated", "DCGAN today", "public leaderboards", "StyleGAN3 is not here"):
            assert stale not in file.read_text(), f"{file}: {stale}"
