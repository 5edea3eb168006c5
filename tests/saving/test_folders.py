"""Nothing of the user's is replaced: what a run, a verb or the interface did not write itself, it leaves alone."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
import tiny
import torch
from PIL import Image

from ggdr.folders import MARK
from ggdr.networks.base import ImageSpec
from ggdr.pipeline import Pipeline
from ggdr.saving import checkpoint
from ggdr.train import main
from ggdr.verbs import features

SHORT = ["--total-kimg", "0.008", "--checkpoint-kimg", "0.008"]
BY_HAND = (Path(tiny.__file__)).read_text() + "\n# written by hand\n"


def train(recipe: Path, out: Path, *flags: str) -> None:
    assert main([str(recipe), "--out", str(out), *SHORT, *flags]) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of one step."""
    out = tmp_path_factory.mktemp("trained") / "run"
    train(Path(tiny.__file__), out)
    return out


@pytest.fixture(autouse=True)
def unknown_recipes():
    """Each test's recipe.py is another file, as it is for another process."""
    yield
    sys.modules.pop("recipe", None)


def kimg_in(recipe: Path) -> float:
    """The length that a written recipe has."""
    return float(re.search(r"total_kimg=([\d.]+)", recipe.read_text())[1])


def network():
    return tiny.STYLEGAN2.build(ImageSpec(16, 16))


def test_a_recipe_beside_which_the_run_is_put_stays_as_it_was_written(tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "recipe", raising=False)  # another test's
    recipe = tmp_path / "mine" / "recipe.py"
    recipe.parent.mkdir()
    recipe.write_text(BY_HAND)
    for _ in range(2):  # also when the run goes on
        train(recipe, recipe.parent)
        assert recipe.read_text() == BY_HAND
        assert f"the recipe in full: {recipe.parent / 'resolved_recipe.py'}" in capsys.readouterr().out
    assert kimg_in(recipe.parent / "resolved_recipe.py") == 0.008


def test_a_recipe_that_the_run_wrote_is_renewed_until_a_person_changes_it(trained, tmp_path):
    out = shutil.copytree(trained, tmp_path / "run")
    for kimg in ("0.016", "0.024"):
        train(Path(tiny.__file__), out, "--total-kimg", kimg)
        assert kimg_in(out / "recipe.py") == float(kimg) and not (out / "resolved_recipe.py").exists()
    edited = (out / "recipe.py").read_text() + "\n# mine\n"
    (out / "recipe.py").write_text(edited)
    train(out / "recipe.py", out, "--total-kimg", "0.032")
    assert (out / "recipe.py").read_text() == edited
    assert kimg_in(out / "resolved_recipe.py") == 0.032


def test_the_folder_of_an_earlier_version_without_a_mark_is_taken_up(trained, tmp_path):
    out = shutil.copytree(trained, tmp_path / "run")
    (out / MARK).unlink()
    train(Path(tiny.__file__), out, "--total-kimg", "0.016")
    assert kimg_in(out / "recipe.py") == 0.016 and (out / MARK).is_file()


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "losses.png", "recipe.json", "samples/a.png", "model/a.bin", "failure.txt", "run_id.txt"]
)
def test_a_run_is_refused_a_folder_where_it_would_replace_what_no_run_wrote(name, tmp_path):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(ValueError, match=rf"holds {name.split('/')[0]}, which no run wrote .* give another --out\."):
        train(Path(tiny.__file__), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file] and file.read_text() == "mine"


def test_what_a_run_does_not_write_may_lie_in_its_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "samples").mkdir()
    train(Path(tiny.__file__), tmp_path)
    assert checkpoint.latest(tmp_path) and (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("save", [network().save_pretrained, Pipeline(network()).save_pretrained])
def test_a_network_is_not_saved_over_what_is_something_else(save, tmp_path):
    (tmp_path / "generator").mkdir()
    mine = [tmp_path / "generator" / "cat.png", tmp_path / "cat.png"]
    for file in mine:
        file.write_text("mine")
    with pytest.raises(ValueError, match=r"cat.png, which is no part of a saved network; give another folder"):
        save(tmp_path)
    assert [file.read_text() for file in mine] == ["mine", "mine"]


def test_a_network_is_saved_over_a_saved_one(tmp_path):
    for _ in range(2):
        Pipeline(network()).save_pretrained(tmp_path)
        network().save_pretrained(tmp_path / "generator")
    assert Pipeline.from_pretrained(tmp_path).generator.config == tiny.STYLEGAN2


def test_a_pipeline_is_not_saved_over_another_one(tmp_path):
    other = tmp_path / "model_index.json"
    other.write_text('{"_class_name": "DDPMPipeline"}')
    with pytest.raises(ValueError, match="is of another pipeline, which would be replaced; give another folder"):
        Pipeline(network()).save_pretrained(tmp_path)
    assert [*tmp_path.iterdir()] == [other] and "DDPM" in other.read_text()


def test_sheets_of_features_are_not_drawn_over_those_that_are_there(tmp_path):
    network().save_pretrained(tmp_path / "generator")
    sheet = tmp_path / "out" / "resolution-008.png"
    sheet.parent.mkdir()
    Image.new("L", (1, 1)).save(sheet)
    before = sheet.read_bytes()
    command = [str(tmp_path), "--resolutions", "4", "8", "--samples", "2", "--pooled", "2", "--out", str(sheet.parent)]
    with pytest.raises(ValueError, match="resolution-008.png is there already; give another --out, or add --overwrite"):
        features.main(command)
    assert [*sheet.parent.iterdir()] == [sheet] and sheet.read_bytes() == before
    assert features.main([*command, "--overwrite"]) == 0 and sheet.read_bytes() != before


def test_a_failure_of_another_programs_is_not_removed(tmp_path):
    from ggdr.training.launch import propagate_failure

    (tmp_path / "failure.txt").write_text("mine")
    torch.manual_seed(0)
    with propagate_failure(tiny.OneProcess(), tmp_path):
        pass
    assert (tmp_path / "failure.txt").read_text() == "mine"
