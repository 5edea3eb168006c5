"""Where a disk, a folder or a clock fails a run: it says so in one sentence and keeps the last good state."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from places import TINY
from tiny_runs import files, rows, trained

from ggdr.saving import checkpoint
from ggdr.train import main
from ggdr.training.lock import Lock
from ggdr.training.trainer import Trainer

SHORT = {"total_kimg": 0.048, "checkpoint_kimg": 0.016}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Path:
    """A run of six steps to which nothing has happened, with a checkpoint at each second."""
    out = tmp_path_factory.mktemp("unbroken") / "run"
    trained(out, **SHORT)
    return out


@contextlib.contextmanager
def mounted(folder: Path, options: str):
    """A small file system in memory at `folder`; skips the test where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def after(step: int, act) -> type[Trainer]:
    """A report that does something once, after a step."""

    class Acting(Trainer):
        def after_step(self, stats):
            super().after_step(stats)
            if self.run.step == step:
                act(self.run.out)

    return Acting


def fill(out: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), (out / "filler").open("wb", buffering=0) as stream:
        while True:
            stream.write(b"\0" * 512)


def test_a_full_disk_ends_a_run_that_goes_on_when_there_is_room(unbroken, tmp_path):
    with mounted(tmp_path / "disk", "size=4m") as disk:
        with pytest.raises((OSError, ValueError), match="No space left"):
            trained(disk / "run", after(3, fill), log_kimg=1.0, **SHORT)
        assert checkpoint.latest(disk / "run").name == "00000002" and not checkpoint.corruption(
            checkpoint.latest(disk / "run")
        )
        (disk / "run" / "filler").unlink()
        trained(disk / "run", **SHORT)
        assert files(disk / "run") == files(unbroken)


def test_a_read_only_folder_is_refused_before_the_first_step(tmp_path):
    with mounted(tmp_path / "disk", "ro") as disk:
        with pytest.raises(ValueError, match=r"cannot write into .*run: Read-only file system; .* folder by --out"):
            main([TINY, "--out", str(disk / "run")])


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot write into .*file/run: Not a directory; fix that, or give another"):
        main([TINY, "--out", str(tmp_path / "file" / "run")])


@pytest.mark.parametrize("gone", ["deleted", "moved"])
def test_a_folder_that_goes_away_in_mid_run_costs_no_step(gone, unbroken, tmp_path):
    out = tmp_path / "run"
    act = shutil.rmtree if gone == "deleted" else lambda folder: folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"deleted or moved in mid-run; the state, 0.032 of 0.048 kimg, is saved as"):
        trained(out, after(3, act), **SHORT)
    assert checkpoint.latest(out).name == "00000004"
    trained(out, **SHORT)
    assert files(out) == files(unbroken)


def test_a_clock_that_jumps_back_and_forth_changes_nothing(unbroken, tmp_path, monkeypatch):
    times = itertools.cycle([2e9, 0.0, 1e9])
    monkeypatch.setattr(time, "time", lambda: next(times))
    trained(tmp_path, **SHORT)
    assert files(tmp_path) == files(unbroken) and rows(tmp_path) == rows(unbroken)


HOLDER = (
    "import sys, time; from pathlib import Path; from ggdr.training.lock import Lock; lock = Lock(Path(sys.argv[1]));"
)
HOLDER += "print('held', flush=True); time.sleep(600)"


def test_two_runs_into_one_folder_are_refused_until_the_first_is_dead(tmp_path):
    pipe = {"stdout": subprocess.PIPE, "text": True}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], **pipe)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=rf"{tmp_path} is in use by process {holder.pid} on .*give another folder"):
            main([TINY, "--out", str(tmp_path)])
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    finally:
        holder.kill()
        holder.wait()
    lock = Lock(tmp_path)
    assert lock.held() and f"process {os.getpid()} on " in (tmp_path / ".lock").read_text()
    lock.release()


def test_a_worker_that_outlives_its_trainer_does_not_hold_the_folder(tmp_path):
    """As loader workers do, for some seconds."""
    forked = "import os; ends = os.pipe()\nif os.fork():\n    os._exit(len(os.read(ends[0], 1)) - 1)\n"
    program = HOLDER.replace("print", f"{forked}os.write(ends[1], b'!'); print")
    pipe = {"stdout": subprocess.PIPE, "text": True}
    trainer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], start_new_session=True, **pipe)
    try:
        assert trainer.wait() == 0
        Lock(tmp_path).release()
    finally:
        os.killpg(trainer.pid, 9)


@pytest.mark.parametrize(
    ("size", "flags", "status", "said"),
    [
        (
            "64k",
            [],
            2,
            r"run has [\d.]+ MB free, and one checkpoint takes [\d.]+ MB; make room, or give a folder on another",
        ),
        (
            "2m",
            ["--keep-checkpoints", "50"],
            0,
            r"WARNING: \S+ has [\d.]+ MB free, and this run needs about [\d.]+ MB \(a check",
        ),
        (
            "4m",
            ["--callbacks.means", "power_ema", "--callbacks.means.every-kimg", "0.00001", "--sample-kimg", "0.004"],
            0,
            r"WARNING: \S+ has [\d.]+ MB free, and this run needs about [\d.]+ MB \(a checkpoint [\d.]+ MB; by the end"
            r" samples [\d.]+ MB, means [\d.]+ MB\); make room, lower --keep-checkpoints, or write at longer intervals"
            r" by --sample-kimg or --callbacks.means.every-kimg\.",
        ),
        ("20m", [], 0, ""),
    ],
)
def test_a_disk_that_will_not_hold_the_run_is_told_before_the_first_step(size, flags, status, said, tmp_path, capsys):
    with mounted(tmp_path / "disk", f"size={size}") as disk:
        command = [TINY, "--out", str(disk / "run"), "--total-kimg", "0.008", *flags]
        refused = pytest.raises(ValueError, match=said) if status else contextlib.nullcontext()
        with refused:
            main(command)
        assert (disk / "run" / "samples").exists() == (status == 0)
    text = capsys.readouterr().out
    assert status or (re.search(said, text) if said else "MB free" not in text)
