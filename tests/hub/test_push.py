"""Runs and models on the Hub, against a Hub on loopback: what is pushed, kept, refused, and survived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from hub_server import environment, serving
from places import ROOT, SUPPORT

from ggdr.hub.repository import CardWords, assemble, link_or_copy

pytestmark = pytest.mark.slow
SHARED = sorted(
    [".gitattributes", "README.md", "losses.png", "metrics.jsonl", "model_index.json", "pipeline.py"]
    + [
        f"{name}/{file}"
        for name in ("discriminator", "generator")
        for file in ("config.json", "model.py", "model.safetensors")
    ]
    + ["recipe.json", "recipe.py", "samples/fakes-000000.064kimg.png", "samples/reals.png"]
)


def outcome(scenario: str, home: Path) -> dict:
    (home / scenario).mkdir()
    with serving() as url:
        env = os.environ | environment(url, str(home / "cache")) | {"PYTHONPATH": f"{ROOT}:{SUPPORT}"}
        command = [sys.executable, str(SUPPORT / "hub_pushes.py"), scenario, str(home / scenario)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) | {"url": url}


@pytest.fixture(scope="module")
def pushed(tmp_path_factory) -> dict:
    return outcome("by_hand", tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict:
    return outcome("in_training", tmp_path_factory.mktemp("hub"))


def test_a_run_is_pushed_whole_and_loads_from_the_hub_as_from_its_folder(pushed):
    assert pushed["first"] == f"{pushed['url']}/tester/run" and pushed["same"]
    assert pushed["files"] == SHARED
    assert pushed["private"] is True and pushed["title"] == "ggdr: stylegan2, 0.064 kimg"
    assert (pushed["library"], pushed["license"]) == ("ggdr", "unknown")


def test_each_network_loads_alone(pushed):
    assert pushed["alone"] == ["stylegan2", "unet"]


def test_what_has_not_changed_makes_no_commit(pushed):
    assert pushed["again"].endswith("nothing has changed") and pushed["commits"] == 2


def test_a_card_that_a_person_wrote_stays(pushed):
    assert pushed["card"] and pushed["edited"].startswith("its card was written by hand, and stays")
    assert "nothing has changed" not in pushed["edited"]


def test_branches_and_models_are_pushed_too(pushed):
    assert "tester/run" in pushed["branch"] and pushed["pulled branch"] == "stylegan2"
    assert pushed["model"] == f"{pushed['url']}/tester/alone"
    assert pushed["model files"] == [name for name in SHARED if name in ("README.md", "model_index.json", "pipeline.py")
                                     or name.startswith((".git", "generator"))]  # fmt: skip


def test_a_push_says_loudly_what_nobody_has_said_and_takes_what_a_person_says(pushed):
    assert "WARNING: nobody has chosen a licence for the weights: the card says `unknown`" in pushed["warned"]
    assert "WARNING: nobody has described the images" in pushed["warned"]
    assert "WARNING" not in pushed["warned when told"]
    assert (pushed["told license"], pushed["told images"]) == ("mit", True)


def test_a_run_that_pushes_says_once_that_no_licence_was_chosen(trained):
    assert trained["plain"].count("WARNING: nobody has chosen a licence") == 1
    assert "--hub-licence cc-by-4.0" in trained["plain"] and "--about.images" in trained["plain"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nothing", "there is no folder"),
        ("judge", "holds no generator, which is what is shared"),
        ("name", "'not a name' is no name of a Hub repository"),
        ("read only", "this account may not write to 'a/b'"),
        ("stranger", "this account may not write to 'strangers/b'"),
        ("expired", "the Hub does not know this token"),
        ("nobody", "nobody is logged in to the Hub here; type: hf auth login."),
        ("dying", "Unreachable: pushing to 'tester/dying' failed"),
    ],
)
def test_what_cannot_be_pushed_is_one_sentence(what, message, pushed):
    assert message in pushed[what] and "\n" not in pushed[what]


def test_a_push_that_the_server_broke_off_goes_through_later(pushed):
    assert pushed["after"] == f"{pushed['url']}/tester/dying"


def test_a_run_is_pushed_in_the_background_and_at_its_end(trained):
    assert trained["commits"][0] == "ggdr: stylegan2, 0.064 kimg" and trained["commits"][-1] == "initial commit"
    assert 2 <= len(trained["commits"]) <= 6 and not trained["left"]
    assert trained["plain"].count("pushed to") == len(trained["commits"]) - 1


def test_a_failing_network_is_said_once_and_survived(trained):
    assert trained["troubled"].count("It is tried again while the run goes on.") == 1
    assert f"pushed to {trained['url']}/tester/b" in trained["troubled"] and trained["files"] == SHARED


def test_a_run_ends_well_without_the_hub_and_says_how_to_push_later(trained):
    for run in ("down", "unreachable"):
        assert "To push later, type: ggdr push" in trained[run] and "done: 0.064 kimg" in trained[run]
    assert "pushing to 'tester/d' failed" in trained["unreachable"]
    assert trained["done"] == [True] * 4


def test_an_account_that_may_not_push_is_refused_before_the_first_step(trained):
    assert "this account may not write to 'strangers/e'" in trained["refused"]
    assert not trained["steps of the refused"]


def trouble(url: str, times: int) -> None:
    """The next so many commits are not answered."""
    data = json.dumps({"what": "drop", "at": "/commit/", "times": times}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/__trouble__", data)).read()


def test_a_run_that_is_killed_while_it_pushes_loses_nothing_and_pushes_when_it_goes_on(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "ggdr.train", str(SUPPORT / "tiny.py"), "--out", str(out)]
    command += ["--hub-id", "tester/killed", "--hub-kimg", "0"]
    with serving() as url:
        env = os.environ | environment(url, str(tmp_path / "cache")) | {"PYTHONPATH": f"{ROOT}:{SUPPORT}"}
        trouble(url, 10**6)
        victim = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for line in victim.stdout:
            if "It is tried again while the run goes on." in line:
                break
        assert (out / ".pushing-1" / "generator" / "model.safetensors").is_file()
        victim.kill()
        victim.communicate()
        (last,) = sorted((out / "checkpoints").glob("0*"))[-1:]
        before = {file.name: file.read_bytes() for file in last.iterdir()}
        trouble(url, 0)
        again = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert again.returncode == 0 and f"pushed to {url}/tester/killed" in again.stdout, again.stderr[-2000:]
    assert {file.name: file.read_bytes() for file in last.iterdir()} == before
    assert not list(out.glob(".pushing-*"))


def test_a_snapshot_outlives_the_checkpoint_it_was_taken_of(tmp_path):
    (file := tmp_path / "a").write_text("weights")
    link_or_copy(file, tmp_path / "snapshot" / "a")
    file.unlink()
    assert (tmp_path / "snapshot" / "a").read_text() == "weights"


def test_what_holds_no_model_is_not_assembled(tmp_path):
    with pytest.raises(ValueError, match="holds no model"):
        assemble(tmp_path, tmp_path / "out", "a/b", CardWords())
