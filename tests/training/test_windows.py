"""Runs where Windows' lacks are simulated, and where worker processes are spawned, as on macOS and Windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

SUPPORT = ROOT / "tests" / "support"
START = """
import multiprocessing, sys

if sys.argv[1] == "windows":
    sys.path.append({support!r})
    from windows import become_windows

    become_windows()
if __name__ == "__main__":
    if sys.argv[1] != "windows":
        multiprocessing.set_start_method(sys.argv[1])
    from ggdr.cli import main

    sys.argv = ["ggdr", *sys.argv[2:]]
    main()
"""
SMALL = [
    *("train", "digits", "--generator.channel-base", "64", "--discriminator.encoder.channel-base", "64"),
    *("--batch-size", "4", "--metric-kimg", "0", "--sample-kimg", "0.008", "--log-kimg", "0.004"),
    *("--checkpoint-kimg", "0.004", "--keep-checkpoints", "1", "--num-workers", "1"),
]


def ggdr(tmp_path: Path, system: str, *words: str) -> str:
    """What a command prints where processes begin as on that system; it fails, or hangs, if the command does."""
    script = tmp_path / "start.py"
    script.write_text(START.format(support=str(SUPPORT)), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNDEFAULTENCODING": "1"}
    command = [sys.executable, "-W", "ignore::EncodingWarning", str(script), system, *words]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_run_that_worker_processes_read_for_comes_to_its_end(tmp_path, method):
    assert "done: 0.008 kimg" in ggdr(tmp_path, method, *SMALL, "--total-kimg", "0.008", "--out", "run")


@pytest.mark.slow
def test_without_what_windows_lacks_a_run_trains_goes_on_and_is_drawn_from(tmp_path):
    ggdr(tmp_path, "windows", *SMALL, "--total-kimg", "0.008", "--out", "run")
    told = ggdr(tmp_path, "windows", *SMALL, "--total-kimg", "0.016", "--out", "run")
    assert "going on from" in told and "done: 0.016 kimg" in told
    assert [folder.name for folder in (tmp_path / "run" / "checkpoints").iterdir()] == ["00000004"]
    assert not (tmp_path / "run" / "resolved_recipe.py").exists()
    ggdr(tmp_path, "windows", "generate", "run", "--seeds", "0-3", "--out", "grid.png")
    assert (tmp_path / "grid.png").is_file()


@pytest.mark.slow
def test_a_script_that_its_own_workers_begin_again_is_told_what_to_write(tmp_path):
    script = tmp_path / "mine.py"
    lines = (
        "import multiprocessing, ggdr",
        "from dataclasses import replace",
        "from ggdr.recipe.files import load_recipe",
        "multiprocessing.set_start_method('spawn', force=True)",
        "ggdr.train(replace(load_recipe('digits'), batch_size=4, num_workers=1, total_kimg=0.004), 'run')",
    )
    script.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, str(script)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8", cwd=tmp_path)
    told = next((line for line in process.stderr if "begun this script again" in line), "")
    process.kill()  # Python's own `multiprocessing` may wait for ever for a process that has ended so
    process.wait()
    assert 'put what the script does under `if __name__ == "__main__":`' in told
