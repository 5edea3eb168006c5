"""Processes share one fate: what ends the first ends all, in time, and machines and their number make no difference."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch
from launching import LAUNCH
from places import ROOT, SUPPORT, TINY

from ggdr.saving import checkpoint
from ggdr.training.launch import propagate_failure


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def started(command: list[str], **environment: str) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{SUPPORT}", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=env | environment, cwd=ROOT, **pipes)


def pair(*flags: str) -> list[subprocess.Popen]:
    """Two processes of one training that nobody watches over: each must end by itself."""
    port = free_port()
    found = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-m", "ggdr.train", TINY, *flags]
    return [started(command, RANK=rank, LOCAL_RANK=rank, **found) for rank in ("0", "1")]


THROWS = '''
import os
from dataclasses import dataclass
from ggdr.registry import regularizers
from ggdr.play.term import Regularizer

@regularizers.register("throws")
@dataclass(frozen=True, kw_only=True)
class Throws(Regularizer):
    """Throws on the second process after some steps."""

    def d_loss(self, duel):
        if duel.context.kimg > 0.02 and os.environ["RANK"] == "1":
            raise ValueError("these images are bad.")
        return duel.on_real.logits.mean() * 0
'''


@pytest.mark.slow
def test_when_one_process_throws_all_end_with_its_message(tmp_path):
    (tmp_path / "throws.py").write_text(THROWS)
    use = ("--use", str(tmp_path / "throws.py"), "--regularizers.throws", "throws")
    first, second = pair("--out", str(tmp_path / "run"), "--total-kimg", "100", *use)
    said = second.communicate(timeout=120)[1]
    ended = time.monotonic()
    others = first.communicate(timeout=30)[1]
    assert time.monotonic() - ended < 30 and first.returncode and second.returncode
    assert "these images are bad." in said
    last = others.strip().splitlines()[-1]
    why = "process 0 of 2 ends because another did: process 1 of 2: these images are bad."
    assert last == f"ggdr: error: {why}"


def test_memory_that_runs_out_is_told_with_what_to_type(tmp_path):
    with (
        pytest.raises(ValueError, match=r"^out of memory \(.*\); lower --micro-batch-size"),
        propagate_failure(tiny.OneProcess(), tmp_path),
    ):
        torch.empty(1 << 46)


@pytest.mark.slow
def test_when_one_process_is_killed_the_other_ends_and_says_so(tmp_path):
    first, second = pair("--out", str(tmp_path / "run"), "--total-kimg", "100")
    while checkpoint.latest(tmp_path / "run") is None:
        assert first.poll() is None and second.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    said = second.communicate(timeout=30)[1]
    assert second.returncode == 2
    assert "process 1 of 2 ends because another did: it was killed from outside" in said.strip().splitlines()[-1]


def weights(out: Path) -> dict[str, torch.Tensor]:
    last = checkpoint.latest(out)
    names = ("generator", "discriminator", "generator_ema", "parts", "optimizer_g", "optimizer_d")
    return {f"{name}.{key}": value for name in names for key, value in checkpoint.load_tensors(last, name).items()}


@pytest.mark.slow
def test_two_machines_then_one_train_what_one_trains(tmp_path):
    """The first half by two machines, each with its own launcher; the second half by one process, on the same data."""
    port, half = free_port(), ["-m", "ggdr.train", TINY, "--out", str(tmp_path / "two"), "--total-kimg", "0.032"]
    machines = ["--multi_gpu", "--num_machines", "2", "--num_processes", "2", "--main_process_ip", "127.0.0.1"]
    launch = [*LAUNCH[:-2], "--main_process_port", port, *machines]
    both = [started([*launch, "--machine_rank", rank, *half]) for rank in ("0", "1")]
    for machine in both:
        said = machine.communicate(timeout=240)[1]
        assert machine.returncode == 0, said[-2000:]
    rest = started([sys.executable, "-m", "ggdr.train", TINY, "--out", str(tmp_path / "two")])
    alone = started([sys.executable, "-m", "ggdr.train", TINY, "--out", str(tmp_path / "one")])
    said, _ = rest.communicate(timeout=240)
    assert alone.wait(timeout=240) == rest.returncode == 0 and "going on from" in said
    ours, theirs = weights(tmp_path / "two"), weights(tmp_path / "one")
    assert ours.keys() == theirs.keys()
    apart = {key: (ours[key].float() - theirs[key].float()).abs().max().item() for key in ours}
    assert max(apart.values()) < 2e-3, max(apart, key=apart.get)
