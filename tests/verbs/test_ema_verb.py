"""`ggdr ema`: what it says where a mean cannot be made, and that nothing is left behind then."""

from __future__ import annotations

import json
import shutil

import pytest
from tiny_runs import trained

from ggdr.callbacks.power_ema import PowerEMA
from ggdr.verbs.ema import main


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of four steps with a snapshot after each second."""
    out = tmp_path_factory.mktemp("kept")
    trained(out, callbacks={"ema": PowerEMA(every_kimg=0.016)}, total_kimg=0.032)
    return out


def refused(words: str, *argv: str) -> None:
    """What is asked is refused with these words."""
    with pytest.raises(ValueError, match=words):
        main([*argv])


def test_it_leaves_a_model_in_the_folder_of_the_run_that_every_verb_opens(kept, capsys):
    from ggdr.verbs.generate import main as generate

    assert main([str(kept), "--sigma-rel", "0.1"]) == 0
    place = kept / "ema" / "sigma_rel-0.1"
    assert f"{place}: sigma_rel 0.1 at 0.032 kimg, of 2 snapshots; 0.00% of its profile" in capsys.readouterr().out
    assert json.loads((place / "source.json").read_text())["images_seen"] == 32
    assert generate([str(place), "--seeds", "0-1", "--out", str(kept / "two.png")]) == 0
    refused("is there already; give the name of a new folder", str(kept), "--sigma-rel", "0.1")


def test_a_width_that_two_snapshots_do_not_reach_is_refused_with_those_that_they_do(kept, tmp_path):
    words = r"sigma_rel 0.01 cannot be had of the 2 snapshots until 0.032 kimg: \d+% of its profile would be lacking,"
    words += r" and --max-error is 0.1; give 0.05, 0.1, or from 0.0\d+ to 0.1\d*, or train with a smaller"
    refused(words, str(kept), "--sigma-rel", "0.01", "--out", str(tmp_path / "no"))
    assert not list(tmp_path.iterdir())
    assert main([str(kept), "--sigma-rel", "0.01", "--max-error", "0.9", "--out", str(tmp_path / "yes")]) == 0


def test_a_width_that_no_profile_has_is_refused(kept):
    refused("sigma_rel is 0.4; give a number above 0, at most 0.2886", str(kept), "--sigma-rel", "0.4")


def test_a_run_without_the_part_is_told_how_to_have_it(tmp_path):
    trained(tmp_path, total_kimg=0.008)
    words = "has no snapshots of power-function means; train with --callbacks.ema power_ema --callbacks.ema.every-kimg"
    refused(words, str(tmp_path), "--sigma-rel", "0.1")
    refused("there is no folder .*nowhere'; give that of a run", str(tmp_path / "nowhere"), "--sigma-rel", "0.1")


def test_a_moment_without_a_snapshot_is_refused_with_those_that_have_one(kept):
    refused(
        r"has no snapshot of 0.024 kimg; it has some of 0.016, 0.032 kimg",
        str(kept),
        "--sigma-rel",
        "0.1",
        "--kimg",
        "0.024",
    )


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "generator-0.05.safetensors",
            "00000002 is damaged: generator-0.05.safetensors is not what was written; remove",
        ),
        ("snapshot.json", "00000002 is no whole snapshot: snapshot.json: .*; remove"),
    ],
)
def test_damaged_snapshots_are_named_and_the_rest_may_do(kept, tmp_path, file, words):
    shutil.copytree(kept, tmp_path / "run")
    broken = tmp_path / "run" / "ema" / "00000002"
    (broken / file).write_bytes(b"{}")
    asked = (str(tmp_path / "run"), "--sigma-rel", "0.1", "--out", str(tmp_path / "model"))
    refused(words, *asked)
    assert not (tmp_path / "model").exists()
    shutil.rmtree(broken)
    assert main([*asked]) == 0
