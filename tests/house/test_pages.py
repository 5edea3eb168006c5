"""What pages for people print can be typed: each command is read by its verb, and tutorials run from end to end."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pages
import pytest
from PIL import Image
from places import OWN_GOLDEN, ROOT

from ggdr import cli
from ggdr.errors import UserError
from ggdr.recipe.files import load_recipe, to_json
from ggdr.registry import discover, losses, regularizers
from ggdr.train import main as train

SMALL = ["--generator.channel-max", "8", "--discriminator.encoder.channel-max", "8", "--batch-size", "4"]
SHORT = [*SMALL, "--total-kimg", "0.008", "--metrics.swd", "none", "--num-workers", "0"]
RUN = json.dumps(to_json(load_recipe(ROOT / "recipes/digits.py")))
"""what a run's folder says of its data"""
EXAMPLES = ("drift.py", "weights.py", "two_judges.py")
"""files that tutorials write, whose commands are run beside them"""
TYPED = sorted({line for page in pages.PAGES for line in pages.commands(page)})
TUTORIALS = ROOT / "docs" / "tutorials"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder as somebody has it who follows a tutorial: pictures, recipes, a trained run, a published checkpoint."""
    for i in range(4):
        picture = Image.new("RGB", (64, 64), (50 * i, 0, 0))
        for folder in ("photos", "path/to/images"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / folder / f"{i}.png")
    (tmp_path / "recipes").mkdir()
    for file in (ROOT / "recipes").glob("*"):
        (tmp_path / "recipes" / file.name).symlink_to(file)
    (tmp_path / "recipes/mine.py").symlink_to(ROOT / "recipes/openmoji_oasis.py")
    shutil.copy(OWN_GOLDEN / "official_ggdr_snapshot.pkl", tmp_path / "snapshot.pkl")
    (tmp_path / "mine.py").symlink_to(ROOT / "recipes/digits.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_in(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type a command as it stands, but that trainings are short and small, and descents a few steps."""
    words = shlex.split(command, comments=True)
    if words[1] == "train":
        words += [word for word in SHORT if "generator dcgan" not in command]
    words = [{"200": "2"}.get(word, word) if "--steps" in words else word for word in words]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0, command


def test_there_are_commands_to_read():
    assert len(TYPED) > 80 and len(pages.PAGES) > 20


@pytest.mark.parametrize("command", [line for line in TYPED if not any(name in line for name in EXAMPLES)])
def test_each_command_is_understood_by_its_verb(command, desk):
    for folder in re.findall(r"\bruns/[\w/]+", command):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "recipe.json").write_text(RUN)
    assert pages.read(command)


def test_a_flag_that_no_verb_has_is_noticed():
    with pytest.raises(UserError, match="no flag --wobble"):
        pages.read("ggdr video runs/digits --wobble 3")


@pytest.mark.slow
def test_the_first_run_goes_from_nothing_to_a_film(desk, monkeypatch):
    for command in pages.commands(TUTORIALS / "first-run.md"):
        if "hinge" not in command:  # a second training tells no more
            type_in(command, monkeypatch)
    for file in ("grid.png", "mix.png", "walk.gif", "edit.png", "runs/digits/losses.png", "runs/digits/recipe.py"):
        assert (desk / file).stat().st_size > 100, file
    assert (desk / "runs/digits/model").is_dir() and list((desk / "runs/digits/samples").glob("fakes-*.png"))


@pytest.mark.slow
def test_fine_tuning_goes_from_a_published_checkpoint_to_a_blend(desk, monkeypatch):
    train([str(ROOT / "recipes/digits.py"), "--out", "runs/digits", *SHORT])
    for command in pages.commands(TUTORIALS / "fine-tune.md"):
        type_in(command, monkeypatch)
    assert (desk / "cats.png").is_file() and (desk / "models/half/generator/model.safetensors").is_file()


def test_a_game_in_one_file_trains_as_shown(desk, monkeypatch, capsys):
    page = TUTORIALS / "game.md"
    (source,) = pages.fenced(page, "python")
    Path("two_judges.py").write_text(source)
    for command in pages.commands(page):
        type_in(command, monkeypatch)
    assert "two_judges" in capsys.readouterr().out
    log = Path("runs/judges/metrics.jsonl").read_text()
    assert "logits/real/second" in log and "loss/d/ggdr" in log
    assert list(Path("runs/judges/checkpoints").rglob("second.safetensors"))


def test_pages_link_to_files_that_exist():
    for page in pages.PAGES:
        for target in re.findall(r"\]\(((?!https?:|#)[^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_each_loss_and_regularizer_has_its_equation():
    discover()
    page = (ROOT / "docs/equations.md").read_text()
    written = {kind.strip(): set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) for kind, _, text in parts_of(page)}
    for kind, registry, without in (("Losses", losses, {"none"}), ("Regularizers", regularizers, set())):
        own = {name for name, part in registry.items() if part.__module__.startswith("ggdr.")}
        assert written[kind] == own - without


def parts_of(page: str) -> list[tuple[str, str, str]]:
    """Title and text of each second-level section of a page."""
    return [section.partition("\n") for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]]


def test_the_table_of_gamma_is_the_rule_of_r1():
    from ggdr.networks.base import ImageSpec
    from ggdr.regularizers.r1 import R1

    rows = re.findall(r"^\| (\d+) x \d+ \| (.+) \|$", (ROOT / "docs/faq.md").read_text(), re.MULTILINE)
    assert len(rows) == 6
    for side, cells in rows:
        for batch, shown in zip((16, 32, 64), cells.split(" | "), strict=True):
            gamma = R1().resolve(ImageSpec(int(side), int(side)), batch)[0].weight
            assert float(shown) == pytest.approx(gamma, rel=0.05), (side, batch)


def test_each_page_of_docs_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    own = {page.relative_to(ROOT / "docs").as_posix() for page in pages.PAGES if page.is_relative_to(ROOT / "docs")}
    assert own - {"README.md"} <= set(re.findall(r"[\w/-]+\.md", nav))
