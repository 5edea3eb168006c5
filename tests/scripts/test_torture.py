"""The crash matrix in short: the whole of it is `scripts/torture.py --kills 200`, reported in docs/reliability.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from ggdr.registry import use
from ggdr.saving import checkpoint

disk = use(ROOT / "scripts" / "torture_disk.py")


@pytest.fixture(scope="module")
def tortured(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """The folder of a short torture, and how it ended."""
    out = tmp_path_factory.mktemp("torture")
    flags = "--kills 10 --arms fp32 two-processes --typed 0 --steps 8 --seed 1".split()
    command = [sys.executable, str(ROOT / "scripts" / "torture.py"), *flags, "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return out, subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


@pytest.mark.slow
def test_runs_that_are_killed_end_as_unbroken_ones(tortured):
    out, done = tortured
    assert done.returncode == 0, done.stderr[-3000:]
    arms = json.loads((out / "torture.json").read_text())["arms"]
    assert sum(arm["kills"] for arm in arms.values()) == 10 == sum(sum(arm["hits"].values()) for arm in arms.values())
    assert not any(arm["harmed"] or arm["mismatches"] for arm in arms.values())
    assert sum(arm["resumes"] for arm in arms.values()) >= 4
    assert "| all |" in (out / "torture.md").read_text()


@pytest.mark.slow
def test_a_lost_torn_or_different_end_would_be_seen(tortured, tmp_path):
    whole = tortured[0] / "fp32" / "unbroken"
    out = shutil.copytree(whole, tmp_path / "run")
    before = disk.left_in(out)
    assert not disk.differences(out, whole) and not disk.harm(before, out)
    log = (out / "metrics.jsonl").read_text()
    (out / "metrics.jsonl").write_text(log.replace('"loss/d/ggdr": ', '"loss/d/ggdr": 1', 1))
    newest = checkpoint.latest(out)
    (newest / "parts.safetensors").write_bytes(b"torn")
    (newest.parent / ".writing-00000009").mkdir()
    found = disk.differences(out, whole)
    assert [text.split("/")[-1] for text in found[:1]] == ["parts.safetensors differs"]
    assert found[1].startswith("metrics.jsonl differs") and found[2:] == [".writing-00000009 was left"]
    assert "torn" in disk.harm(before, out)[0]
    shutil.rmtree(newest)
    assert disk.harm(before, out)[0] == "the newest checkpoint was 8, is 0"


RHYTHM = disk.Rhythm(batch=8, total=12, save=4, measure=4)
NONE, FOUR = disk.Left(0, 0, 0, False, ()), disk.Left(4, 4, 0, True, ())
OPENED, GOING = "the recipe in full: x", "the recipe in full: x\ngoing on from 00000004"


@pytest.mark.parametrize(
    ("before", "now", "said", "what"),
    [
        (NONE, NONE, "", "start"),
        (NONE, NONE._replace(lines=2), OPENED, "training"),
        (NONE, NONE._replace(lines=4, aside=(".writing-00000004",)), OPENED, "saving"),
        (NONE, FOUR._replace(aside=(".removing-00000002",)), OPENED, "pruning"),
        (NONE, disk.Left(12, 12, 12, False, ()), OPENED, "plotting"),
        (NONE, disk.Left(12, 12, 12, True, ()), OPENED, "training"),
        (NONE, FOUR._replace(plotted=False), OPENED, "measuring"),
        (NONE, FOUR, OPENED, "measuring"),
        (FOUR, FOUR, OPENED, "start"),
        (FOUR, FOUR, GOING, "measuring"),
        (FOUR, FOUR._replace(lines=6, measured=4), GOING, "training"),
    ],
)
def test_where_a_kill_hit_is_read_off_what_it_left(before, now, said, what):
    assert disk.moment(before, now, said, RHYTHM) == what
