"""Nothing is lost when a run dies: kill -9 and the same command, a full disk, a crash while saving."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ggdr import checkpoint

HERE = Path(__file__).parent
RECIPE = str(HERE / "tiny.py")


def command(out: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "ggdr.train", RECIPE, "--out", str(out), *flags]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}


def run(out: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(out, *flags), env=environment(), capture_output=True, text=True, timeout=240)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_kill_9_and_the_same_command_end_where_an_unbroken_run_ends(tmp_path):
    flags = ("--total-kimg", "0.32", "--checkpoint-kimg", "0.032")  # 40 steps, a checkpoint at each fourth
    unbroken = run(tmp_path / "unbroken", *flags)
    assert unbroken.returncode == 0, unbroken.stderr
    victim = subprocess.Popen(command(tmp_path / "killed", *flags), env=environment(), stdout=subprocess.DEVNULL)
    while (last := checkpoint.latest(tmp_path / "killed")) is None or int(last.name) < 8:
        assert victim.poll() is None, "ended before it could be killed"
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    at = checkpoint.latest(tmp_path / "killed")
    assert 8 <= int(at.name) < 40
    again = run(tmp_path / "killed", *flags)
    assert again.returncode == 0 and f"going on from {at}" in again.stdout
    ours, theirs = (checkpoint.latest(tmp_path / name) for name in ("killed", "unbroken"))
    assert ours.name == theirs.name == "00000040"
    assert files(ours) == files(theirs)
    assert len(files(ours)) == 6
    steps = [line.split(",")[0] for line in (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()]
    assert steps == [f'{{"step": {step}' for step in range(1, 41)]


def test_a_finished_run_is_finished(tmp_path):
    first = run(tmp_path / "run")
    before = files(checkpoint.latest(tmp_path / "run"))
    second = run(tmp_path / "run")
    assert first.returncode == second.returncode == 0
    assert files(checkpoint.latest(tmp_path / "run")) == before


def limited(size: int) -> None:
    """The next files may not be larger than `size` bytes: writing past it fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_while_saving_leaves_the_last_good_checkpoint(tmp_path):
    assert run(tmp_path, "--total-kimg", "0.032").returncode == 0
    good = checkpoint.latest(tmp_path)
    before = files(good)
    result = subprocess.run(
        command(tmp_path),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=lambda: limited(16_000),
    )
    assert result.returncode == 2
    assert "ggdr: error: cannot write" in result.stderr and f"the last good checkpoint is {good}" in result.stderr
    assert checkpoint.latest(tmp_path) == good and files(good) == before
    assert not list((tmp_path / "checkpoints").glob(".writing-*"))
    assert run(tmp_path).returncode == 0 and checkpoint.latest(tmp_path).name == "00000008"


def test_checkpoints_hold_safetensors_json_and_text_that_others_may_read(tmp_path):
    assert run(tmp_path).returncode == 0
    kept = checkpoint.complete(tmp_path)
    assert [path.name for path in kept] == ["00000004", "00000008"]
    for path in kept[-1].iterdir():
        assert path.suffix in (".safetensors", ".json", ".py")
        assert path.stat().st_mode & 0o777 == 0o666 & ~checkpoint.umask()


def test_prune_keeps_the_newest_and_clears_what_crashed_saves_left(tmp_path):
    for step in (5, 10, 100):
        checkpoint.save(tmp_path, step, {"a": {"x": torch.ones(2)}}, {"progress.json": {"step": step}})
    (tmp_path / "checkpoints" / ".writing-00000101-7").mkdir()
    assert checkpoint.latest(tmp_path).name == "00000100"
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["00000010", "00000100"]


def test_another_recipe_in_the_same_folder_is_refused(tmp_path):
    assert run(tmp_path).returncode == 0
    result = run(tmp_path, "--generator.channel-max", "16")
    assert result.returncode == 2 and "was made by another recipe" in result.stderr and "--out" in result.stderr


@pytest.mark.parametrize("damage", [b"", b"\x00" * 64, b"torn"])
def test_a_torn_file_is_named_with_what_to_do(damage, tmp_path):
    folder = checkpoint.save(tmp_path, 1, {"a": {"x": torch.ones(2)}}, {})
    (folder / "a.safetensors").write_bytes(damage)
    with pytest.raises(ValueError, match=r"cannot read .*a\.safetensors.*remove .*00000001"):
        checkpoint.read(folder, "a")
