"""Names of models and of images: what is missing here is said at once, and only what can be a repository is asked for.

The Hub is not reached in these tests: it says so where it would have been asked.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ggdr.data.images import ImageFiles
from ggdr.data.stream import ImageStream
from ggdr.documents import is_hub_id, suggest_similar
from ggdr.evaluation.inputs import check_source
from ggdr.explorer.space import write_space
from ggdr.saving.pretrained import Hub, load_generator
from ggdr.verbs.export import main as export
from ggdr.verbs.features import main as features
from ggdr.verbs.generate import main as generate

OFFLINE = Hub(local_files_only=True)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a run and images."""
    monkeypatch.chdir(tmp_path)
    for folder in ("runs/digits", "photos/cats"):
        Path(folder).mkdir(parents=True)


def said(call, *given) -> str:
    """What a call refuses what it was given with."""
    with pytest.raises(ValueError) as raised:
        call(*given)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_model_that_is_missing_in_a_folder_that_is_here_is_told_without_the_hub():
    told = said(load_generator, "runs/digtis", OFFLINE)
    assert told.startswith("there is no folder 'runs/digtis' here (did you mean 'runs/digits'?); give the folder of a")
    assert told.endswith("or a Hub repository such as 'org/name' (if 'runs/digtis' is one, add revision main).")
    assert said(load_generator, "photos/dogs", OFFLINE).startswith("there is no folder 'photos/dogs' here; give")


def test_what_can_be_a_repository_is_asked_for():
    assert "the Hub cannot be reached" in said(load_generator, "org/name", OFFLINE)
    assert "the Hub cannot be reached" in said(load_generator, "photos/name", OFFLINE._replace(revision="main"))
    assert is_hub_id("org/name") and not is_hub_id("a/b/c") and not is_hub_id("photos/name")


def test_the_folder_of_runs_is_no_organization_also_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "photos")
    assert said(load_generator, "runs/digits", OFFLINE).startswith("there is no folder 'runs/digits' here; give")


@pytest.mark.parametrize(
    ("verb", "rest"), [(generate, ()), (features, ()), (export, ("a.pt2",))], ids=["generate", "features", "export"]
)
def test_verbs_that_read_a_model_say_which_flag_asks_the_hub(verb, rest):
    with pytest.raises(ValueError) as raised:
        verb(["runs/digtis", *rest])
    assert raised.value.in_flags().endswith("(if 'runs/digtis' is one, add --revision main).")


def test_a_source_that_is_missing_in_a_folder_that_is_here_is_not_measured():
    assert said(check_source, "runs/digtis").startswith(
        "there is no 'runs/digtis' here (did you mean 'runs/digits'?); give the folder of a run, of a checkpoint"
    )
    check_source("org/name")
    check_source("runs/digtis", "main")


@pytest.mark.parametrize("kind", [ImageFiles, ImageStream])
def test_images_that_are_missing_in_a_folder_that_is_here_are_told_without_the_hub(kind):
    told = said(kind(source="photos/cts").open)
    assert told.startswith("no file or folder 'photos/cts' (did you mean 'photos/cats'?); give a .zip")
    assert "a Hub id such as org/name (where no folder 'photos' is); each may" in told
    assert kind(source="org/name").hub_id() == "org/name" and kind(source="photos/cts").hub_id() == ""


def test_no_space_is_written_for_a_model_that_is_missing_here():
    pytest.importorskip("gradio")
    assert "and 'runs/digtis' is none; type: ggdr push" in said(write_space, Path("space"), "runs/digtis")
    assert not Path("space").exists()


def test_a_slip_in_the_name_of_a_folder_is_found_too():
    assert suggest_similar(Path("rnus/digits")) == " (did you mean 'runs/digits'?)"
    assert suggest_similar(Path("rnus/qqqqqq")) == suggest_similar(Path("/q/w/e")) == ""
    assert suggest_similar(Path("rnus")) == " (did you mean 'runs'?)"
