"""Bars: they move every second on a terminal, are plain lines without one, and only one process shows them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios

import pytest
from places import ROOT

from ggdr import progress
from ggdr.progress import Bar, clock, track
from ggdr.training.progress import Progress


def on_terminal(*words: str) -> str:
    """What a command shows on a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the last one that had it open has gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def test_a_bar_moves_every_second_while_nothing_is_finished():
    work = "import time; from ggdr.progress import Bar\nwith Bar('working', 4, 'images'): time.sleep(3.6)"
    shown = on_terminal("-c", work)
    assert all(f"[00:0{second}<?" in shown for second in (1, 2, 3)) and "0/4" in shown
    assert "working [00:02]" in on_terminal("-c", work.replace(", 4, 'images'", ""))


def test_a_bar_counts_what_is_done_and_goes_at_the_end():
    work = "import time; from ggdr.progress import track\nfor _ in track(range(4), 'reading'): time.sleep(0.6)"
    shown = on_terminal("-c", work)
    assert "reading:  50%" in shown and "2/4" in shown and shown.endswith("\r")


def test_what_is_quick_shows_no_bar():
    assert on_terminal("-c", "from ggdr.progress import Bar\nwith Bar('working', 4): pass").strip() == ""


def test_a_notebook_has_a_bar_too_though_it_is_no_terminal():
    work = "import time; from ggdr.progress import Bar\nwith Bar('working', 4, 'images'): time.sleep(2.4)"
    there = ["import ipykernel\n", ""]
    drawn = [subprocess.run([sys.executable, "-c", each + work], cwd=ROOT, capture_output=True) for each in there]
    notebook, pipe = (each.stderr.decode() for each in drawn)
    assert all(f"[00:0{second}<?" in notebook for second in (1, 2)) and pipe == ""


@pytest.fixture
def quickly(monkeypatch):
    """Lines are due at once."""
    monkeypatch.setattr(progress, "TICK_SEC", 0.02)
    monkeypatch.setattr(progress, "SHORT_SEC", 0.1)


def test_without_a_terminal_there_is_a_line_now_and_then_on_the_error_output(quickly, capfd):
    import time

    for _ in track([1, 2], "reading", "files"):
        time.sleep(0.25)
    out, lines = capfd.readouterr()
    assert out == "" and 2 <= len(lines.splitlines()) <= 5
    assert lines.splitlines()[0] == "reading: 0/2 files, 0:00 elapsed" and "reading: 1/2 files" in lines


def test_other_processes_than_the_first_say_nothing(quickly, capfd, monkeypatch):
    import time

    monkeypatch.setenv("RANK", "1")
    progress.say_loading("runs/digits")
    with Bar("working", 3):
        time.sleep(0.3)
    monkeypatch.setenv("RANK", "0")
    with Bar("working", 3, shown=False):
        time.sleep(0.3)
    assert capfd.readouterr() == ("", "")
    progress.say_loading("runs/digits")
    assert capfd.readouterr().err == "ggdr: loading runs/digits ...\n"


def test_a_name_of_a_stage_and_lines_above_reach_the_terminal():
    work = "bar.describe('second'); bar.write('a line'); bar.warn('a fault'); time.sleep(1.3)"
    shown = on_terminal("-c", f"import time; from ggdr.progress import Bar\nwith Bar('first', 3) as bar: {work}")
    assert "a line" in shown and "ggdr: warning: a fault" in shown and "second:" in shown


def test_the_bar_of_a_run_moves_after_each_step_and_back_with_it():
    run = Progress(total_kimg=10, kimg=2)
    for kimg in (2.5, 3.0, 1.0, 11.0):
        run.move(kimg)
        assert run.work.count == min(kimg, 10)
    run.close()


@pytest.mark.slow
def test_a_run_shows_each_second_how_far_it_is(tmp_path):
    words = ["digits", "--batch-size", "4", "--total-kimg", "0.1", "--log-kimg", "1", "--metric-kimg", "0"]
    shown = on_terminal("-m", "ggdr.train", *words, "--sample-kimg", "0", "--out", str(tmp_path / "run"))
    assert len({*re.findall(r"\| (0\.\d+)/0.1 kimg", shown)}) > 2


def test_hours_and_minutes():
    assert [clock(seconds) for seconds in (0, 59.6, 3599, 3600)] == ["0:00", "1:00", "59:59", "1:00:00"]


def test_one_file_draws_bars():
    found = {file.relative_to(ROOT) for file in (ROOT / "ggdr").rglob("*.py") if "tqdm" in file.read_text("utf-8")}
    assert {str(file) for file in found if "import tqdm" in (ROOT / file).read_text("utf-8")} == {
        "ggdr/progress.py",
        "ggdr/pipeline/base.py",
    }
