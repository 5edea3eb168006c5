"""Where commands put what they make: into a folder for it alone, a file by an ending that is written, over nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny

from ggdr.data.digits import Digits
from ggdr.networks.base import ImageSpec
from ggdr.training.dry_run import dry_run
from ggdr.training.place import check_place
from ggdr.verbs import convert, edit, evaluate, export, features, generate, mix, project
from ggdr.verbs.outputs import check_contents, check_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A saved generator of 16 px, gray."""
    out = tmp_path_factory.mktemp("model") / "generator"
    tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)).save_pretrained(out)
    return str(out)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """Folders of a person, and a run's."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "papers/a.pdf",
        "papers/b.pdf",
        "run/recipe.json",
        "run/recipe.py",
        "a_file",
        "dir.png/x",
        "code/main.py",
    ):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("mine")
    return tmp_path


def said(call, *given) -> str:
    """What a call refuses what it was given with."""
    with pytest.raises(ValueError) as raised:
        call(*given)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_run_is_not_put_among_what_is_for_something_else(here):
    told = "papers is no run's folder and holds 'a.pdf', 'b.pdf'; give the folder of a run that is to go on, or a new"
    assert said(check_place, Path("papers"), Digits()) == f"{told} one: out papers/run."
    assert "holds 'a_file', 'code', 'dir.png' and 2 more" in said(check_place, here, Digits())


@pytest.mark.parametrize("files", [["notes.md", "slurm.out", ".hidden", "recipe.py"], ["lost+found/x", "empty/"], []])
def test_notes_and_what_the_system_leaves_may_lie_where_a_run_begins(files, here):
    for name in files:
        (here / "new" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "new" / name).mkdir() if name.endswith("/") else (here / "new" / name).write_text("mine")
    check_place(here / "new", Digits())


def test_a_run_that_was_stopped_before_it_wrote_its_recipe_goes_on_and_one_in_generated_images_does_not(here):
    for name in ("a/.ggdr", "a/losses.png", "b/.ggdr", "b/seed0000.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("{}")
    check_place(here / "a", Digits())
    assert "holds 'seed0000.png'" in said(check_place, here / "b", Digits())
    check_place(here / "run", Digits())


def test_a_trial_run_says_where_the_run_could_not_be(here):
    run = tiny.tiny_run(tiny.recipe, here / "papers")
    assert "papers is no run's folder" in said(dry_run, run, lambda *_: None, lambda *_: None)


@pytest.mark.parametrize(
    ("verb", "line", "refused"),
    [
        (generate, "--out out.xyz", "--out out.xyz ends in .xyz, as no folder does; give NAME.png for a grid, or the"),
        (generate, "--out a_file", "--out a_file is a file; give NAME.png for a grid"),
        (generate, "--out dir.png --overwrite", "dir.png is a folder; give the name of a file by --out."),
        (generate, "--out run", "--out run is the folder of a run or a model; give one in it: --out run/made."),
        (generate, "--out papers", "--out papers holds 'a.pdf', 'b.pdf', which no verb made; give a new one, such as"),
        (mix, "--out mix.xyz", "--out mix.xyz is no PNG; give NAME.png."),
        (mix, "--out dir.png --overwrite", "dir.png is a folder"),
        (edit, "--out dir.png --overwrite", "dir.png is a folder"),
        (project, "code/main.py --out p.png", "--out p.png ends in .png, as no folder does; give the name of a folder"),
        (project, "code/main.py --out run", "--out run is the folder of a run"),
        (project, "code/main.py --out papers", "--out papers holds 'a.pdf'"),
        (features, "--out f.png", "--out f.png ends in .png"),
        (features, "--out run", "--out run is the folder of a run"),
        (features, "--out papers", "--out papers holds 'a.pdf'"),
        (export, "papers.pt2", "papers.pt2 is a folder; give the name of a file by OUT."),
        (evaluate, "--data digits --out r.txt", "--out r.txt is no JSON file, as records are; give NAME.json."),
        (evaluate, "--data digits --out papers", "--out papers is no JSON file"),
        (convert, "cat.pt", "'cat.pt' ends in .pt, and a model is a folder; give the name of one."),
    ],
)
def test_a_place_that_is_none_is_refused_and_nothing_is_written(verb, line, refused, model, here):
    (here / "papers.pt2").mkdir()
    before = sorted(here.rglob("*"))
    assert refused in said(verb.main, [model, *line.split()])
    assert sorted(here.rglob("*")) == before


def test_names_of_folders_may_hold_full_stops(here):
    for name in ("psi0.7", "model.v2", "2026.11.28", "new", "papers"):
        check_folder(here / name)
    (here / "old.xyz").mkdir()
    check_folder(here / "old.xyz")


def test_verbs_go_on_in_a_folder_with_what_they_made_and_with_what_they_replace(here):
    made = here / "made"
    for name in ("a.png", "a.safetensors", "a.mp4", "notes.txt", "sheet.tif"):
        made.mkdir(exist_ok=True)
        (made / name).touch()
    check_contents(made, [made / "sheet.tif"])
    assert "holds 'sheet.tif'" in said(check_contents, made, [])
    (made / ".ggdr").touch()
    check_contents(made, [])
