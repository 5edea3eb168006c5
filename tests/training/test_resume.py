"""Nothing is lost when a run dies: kill -9 and the same command, a full disk, a crash while saving."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from complaints import Ended, ended
from places import ROOT, SUPPORT

from ggdr.folders import mark
from ggdr.saving import checkpoint
from ggdr.train import main

RECIPE = str(SUPPORT / "tiny.py")


def command(out: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "ggdr.train", RECIPE, "--out", str(out), *flags]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT}:{SUPPORT}", "OMP_NUM_THREADS": "1"}


def run(out: Path, *flags: str) -> Ended:
    return ended(main, RECIPE, "--out", str(out), *flags)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of 8 steps that has come to its end."""
    out = tmp_path_factory.mktemp("finished") / "run"
    assert run(out).returncode == 0
    return out


def test_a_finished_run_is_finished(finished, tmp_path):
    out = shutil.copytree(finished, tmp_path / "run")
    again = run(out)
    assert again.returncode == 0 and "going on from" in again.stdout
    assert files(checkpoint.latest(out)) == files(checkpoint.latest(finished))
    assert (out / "metrics.jsonl").read_text() == (finished / "metrics.jsonl").read_text()


def limited(size: int) -> None:
    """The next files may not be larger than `size` bytes: writing past it fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_while_saving_leaves_the_last_good_checkpoint(finished, tmp_path):
    out = shutil.copytree(finished, tmp_path / "run")
    good, longer = checkpoint.latest(out), ("--total-kimg", "0.096")
    options = {"env": environment(), "capture_output": True, "text": True, "timeout": 240}
    result = subprocess.run(command(out, *longer), **options, preexec_fn=lambda: limited(16_000))
    assert result.returncode == 2
    assert "ggdr: error: cannot write" in result.stderr and f"the last good checkpoint is {good}" in result.stderr
    assert checkpoint.latest(out) == good and files(good) == files(checkpoint.latest(finished))
    assert not list((out / "checkpoints").glob(".writing-*"))
    assert run(out, *longer).returncode == 0 and checkpoint.latest(out).name == "00000012"


def test_checkpoints_hold_safetensors_json_and_text_that_others_may_read(finished):
    kept = checkpoint.all_checkpoints(finished)
    assert [path.name for path in kept] == ["00000004", "00000008"]
    for path in kept[-1].iterdir():
        assert path.suffix in (".safetensors", ".json", ".py") or path.name == checkpoint.SUMS
        assert path.stat().st_mode & 0o777 == 0o666 & ~checkpoint.umask()


def damage(folder: Path, how: str) -> None:
    """Do to a checkpoint what disks, copies and people do."""
    file = folder / "a.safetensors"
    whole = file.read_bytes()
    flipped = bytes([*whole[:12], whole[12] ^ 1, *whole[13:]])
    damaged = {"truncated": whole[:-1], "flipped": flipped, "zeroed": whole[:-4] + b"\0" * 4, "emptied": b""}
    if how in damaged:
        file.write_bytes(damaged[how])
    elif how == "missing":
        file.unlink()
    else:
        (folder / how).write_text("")


def two_checkpoints(out: Path) -> list[Path]:
    document = {"progress.json": {"step": 1}}
    return [checkpoint.write_checkpoint(out, step, {"a": {"x": torch.ones(2)}}, document) for step in (4, 8)]


@pytest.mark.parametrize(
    "how", ["truncated", "flipped", "zeroed", "emptied", "missing", "progress.json", checkpoint.SUMS]
)
def test_a_damaged_checkpoint_is_set_aside_for_the_one_before_and_never_for_none(how, tmp_path):
    older, newest = two_checkpoints(tmp_path)
    damage(newest, how)
    found, said = checkpoint.latest_intact(tmp_path)
    assert found == older and len(said) == 1
    assert f"{newest} is damaged (" in said[0] and "damaged-00000008; going back to 00000004" in said[0]
    assert checkpoint.all_checkpoints(tmp_path) == [older]
    damage(older, how)
    with pytest.raises(
        ValueError, match=r"no checkpoint of .* is whole \(00000004: .*remove .* to start from the beginning"
    ):
        checkpoint.latest_intact(tmp_path)
    assert checkpoint.all_checkpoints(tmp_path) == [older]


def test_hashes_can_be_checked_by_hand(tmp_path):
    command = ["sha256sum", "--check", "--quiet", checkpoint.SUMS]
    _, newest = two_checkpoints(tmp_path)
    assert subprocess.run(command, cwd=newest).returncode == 0
    damage(newest, "flipped")
    assert subprocess.run(command, cwd=newest, capture_output=True).returncode != 0


def test_a_run_whose_newest_checkpoint_is_damaged_ends_where_an_unbroken_one_ends(finished, tmp_path, capsys):
    out = shutil.copytree(finished, tmp_path / "run")
    with (checkpoint.latest(out) / "optimizer_g.safetensors").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\xff")
    assert main([RECIPE, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "00000008 is damaged (optimizer_g.safetensors is not what was written)" in said
    assert f"going on from {out / 'checkpoints' / '00000004'}" in said
    assert files(checkpoint.latest(out)) == files(checkpoint.latest(finished))


def test_a_log_without_a_checkpoint_is_not_passed_over_in_silence(tmp_path, capsys):
    mark(tmp_path)
    (tmp_path / "metrics.jsonl").write_text('{"step": 3}\n')
    assert main([RECIPE, "--out", str(tmp_path), "--total-kimg", "0.008"]) == 0
    assert f"{tmp_path} has a log and no checkpoint: the run starts from the beginning" in capsys.readouterr().out


def test_a_save_at_a_step_that_is_there_replaces_it_whole(tmp_path):
    for value in (1, 2):
        folder = checkpoint.write_checkpoint(tmp_path, 4, {"a": {"x": torch.full([2], float(value))}}, {})
    assert checkpoint.load_tensors(folder, "a")["x"].tolist() == [2.0, 2.0] and not checkpoint.corruption(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["00000004"]


def test_prune_keeps_the_newest_and_clears_what_crashed_saves_left(tmp_path):
    for step in (5, 10, 100):
        checkpoint.write_checkpoint(tmp_path, step, {"a": {"x": torch.ones(2)}}, {"progress.json": {"step": step}})
    for left in (".writing-00000101", ".removing-00000004"):
        (tmp_path / "checkpoints" / left).mkdir()
    assert checkpoint.latest(tmp_path).name == "00000100"
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["00000010", "00000100"]


def test_another_recipe_in_the_same_folder_is_refused(finished, tmp_path):
    out = shutil.copytree(finished, tmp_path / "run")
    result = run(out, "--generator.channel-max", "16")
    assert result.returncode == 2 and "choose another --out" in result.stderr
    assert "was made by another recipe: generator.channel_max was 8, is 16" in result.stderr
    assert result.stderr.count("\n") == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 64, b"torn"])
def test_a_torn_file_is_named_with_what_to_do(damage, tmp_path):
    folder = checkpoint.write_checkpoint(tmp_path, 1, {"a": {"x": torch.ones(2)}}, {})
    (folder / "a.safetensors").write_bytes(damage)
    with pytest.raises(ValueError, match=r"cannot read .*a\.safetensors.*remove .*00000001"):
        checkpoint.load_tensors(folder, "a")
