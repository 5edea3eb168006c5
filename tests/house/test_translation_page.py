"""What the page on translation shows is run, training dry and on small images; what it names exists."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from domain_layouts import side_by_side, two_folders
from PIL import Image
from places import ROOT

from ggdr.recipe.files import load_recipe
from ggdr.registry import discover, games
from ggdr.train import main
from ggdr.verbs.datacheck import main as check
from ggdr.verbs.translate import main as translate

TEXT = (ROOT / "docs/translation.md").read_text()
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
TRAIN = [line for line in COMMANDS if line.startswith("ggdr train")]
CHECK = [line for line in COMMANDS if line.startswith("ggdr data check")]
FLAGS = dict(re.findall(r"^\| `(--[^`]+ [^`]+)` \| (.+) \|$", TEXT, re.MULTILINE))


def with_images(command: str, tmp_path) -> list[str]:
    """The command's words, with small generated images where it names a person's."""
    two, pairs = two_folders(tmp_path / "horse2zebra", (5, 3), 32), side_by_side(tmp_path / "pairs", 4, 32)
    return shlex.split(command.replace("path/to/horse2zebra", two).replace("path/to/pairs", pairs))


def dry(words: list[str], tmp_path, *more: str) -> int:
    """A step of a training command with small networks."""
    own = ["--data.size", "32", "--data.load-size", "36"] if "--data.source" in words else []
    encoder = "encoder." if "unet" in words else ""
    small = ["--generator.channels", "4", f"--discriminator.{encoder}channels", "4", "--num-workers", "0"]
    out = ["--out", str(tmp_path / "run"), "--dry-run"]
    return main([str(ROOT / words[2]), *words[3:], *own, *more, *small, *out])


@pytest.mark.parametrize("command", TRAIN)
def test_training_commands_run_dry(command, tmp_path, capsys):
    assert dry(with_images(command, tmp_path), tmp_path) == 0
    assert "time per kimg" in capsys.readouterr().out


@pytest.mark.parametrize("command", CHECK)
def test_data_check_prints_what_the_page_says(command, tmp_path, capsys):
    assert check(with_images(command, tmp_path)[2:]) == 0
    said = capsys.readouterr().out
    assert "for tests" in said and "flags" in said


def test_every_flag_of_the_table_is_taken(tmp_path, capsys):
    of_pairs = ("--data.direction", "--regularizers.l1")
    unpaired = [word for flag in FLAGS if not flag.startswith(of_pairs) for word in shlex.split(flag)]
    paired = [word for flag in FLAGS if flag.startswith(of_pairs) for word in shlex.split(flag)]
    there, pairs = (next(line for line in TRAIN if recipe in line) for recipe in ("horse2zebra", "facades"))
    kept = ["--data.size", "32", "--data.load-size", "36", "--data.hold-out", "2", "--generator.blocks", "1"]
    assert dry(with_images(there, tmp_path), tmp_path, *unpaired, *kept) == 0
    assert dry(with_images(pairs, tmp_path), tmp_path, *paired) == 0
    assert len(FLAGS) == 10 and "horse" in capsys.readouterr().out


def test_a_model_is_used_as_shown(tmp_path, monkeypatch, capsys):
    words = [*with_images(next(line for line in TRAIN if "horse2zebra" in line), tmp_path), "--total-kimg", "0.002"]
    small = ["--data.size", "32", "--data.load-size", "None", "--generator.channels", "4", "--generator.blocks", "1"]
    rates = ["--g-optimizer.lr.kimg", "0.001", "--d-optimizer.lr.kimg", "0.001", "--metrics.swd", "none"]
    monkeypatch.chdir(tmp_path)
    assert main([str(ROOT / words[2]), *words[3:], *small, *rates, "--discriminator.channels", "4"]) == 0
    shutil.copytree("horse2zebra/testA", "photos")
    Image.new("RGB", (50, 40)).save("photo.jpg")
    for command in [line for line in COMMANDS if line.startswith("ggdr translate runs/mine")]:
        assert translate(shlex.split(command)[2:]) == 0
    with Image.open("made/photo.png") as made:
        assert made.size == (50, 40)
    assert len([*Path("back").glob("*.png")]) == 5 and "zebra_to_horse" in capsys.readouterr().out
    snippet = next(iter(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)))
    exec(snippet, {})
    assert Path("zebra.png").is_file()


OF_NOISE = {"standard", "progressive", "stack", "autoencoder", "bidirectional", "encoder"}
"""games whose images are made of noise, labels or codes, which other pages tell of"""


def test_the_table_of_games_is_the_games_between_domains():
    discover()
    shown = re.findall(r"^\| `(\w+)` \|.*\[(\d{4}\.\d{5})\]", TEXT, re.MULTILINE)
    between = {name: game.paper for name, game in games.items() if name not in OF_NOISE}
    assert dict(shown) == {name: paper for name, paper in between.items() if games[name].__module__.startswith("ggdr.")}


def test_numbers_to_reach_are_those_of_the_recipes():
    rows = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| [")]
    named = {name: cells for cells in rows for name in re.findall(r"\[(\w+)\]\(\.\./recipes", cells[0])}
    recipes = {file.stem: load_recipe(file) for file in (ROOT / "recipes").glob("*.py")}
    between = {name for name, recipe in recipes.items() if recipe.game.name not in OF_NOISE}
    assert named.keys() == {name for name in between if not name.startswith("openmoji")}
    for name, cells in named.items():
        about = recipes[name].about
        known = {f"{float(n):.{d}f}" for n in re.findall(r"\d+\.\d+", str(about.figures)) for d in (1, 2, 3, 4)}
        assert known.issuperset(re.findall(r"\d+\.\d+", cells[-1])), name
        assert ("mmagic" in cells[-1]) == ("mmagic" in about.table), name
        assert ("from memory" in cells[-1]) == ("from memory" in about.note), name


def test_files_and_pictures_that_are_named_exist():
    for target in re.findall(r"\]\(((?!http)[^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target
