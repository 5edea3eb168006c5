"""Several processes: by a launch that truly makes two, with the weights and losses of one."""

from __future__ import annotations

import sys

import labelled
import pytest
import torch
from launching import LAUNCH, launch
from places import SUPPORT

# port 0: any free one, since tests run side by side


QUICK = ("dcgan", "found_codes", "pairs_alone")
"""a game of one domain, one of several networks, one that nobody judges; the others differ in parts and are slow"""
OTHERS = (
    "stylegan2",
    "resting",
    "spectral",
    "scheduled",
    "fresh",
    "diffused",
    "unpaired",
    "shared_encoder",
    "multimodal",
    "attentive",
    "one_way",
    "augmented",
)


@pytest.mark.parametrize(
    "pair", [*QUICK, *(pytest.param(pair, marks=pytest.mark.slow) for pair in (*OTHERS, *labelled.PARTS))]
)
def test_two_processes_agree_with_each_other_and_with_one(pair, tmp_path):
    script = [str(SUPPORT / "pair_of_processes.py"), str(tmp_path), pair]
    one = launch([sys.executable, *script])
    assert one.returncode == 0, one.stderr[-2000:]
    two = launch([*LAUNCH, "--multi_gpu", "--num_processes", "2", *script], ACCELERATE_USE_CPU="true")
    assert two.returncode == 0, two.stderr[-2000:]
    alone, stats = torch.load(tmp_path / "1-0.pt")
    first, first_stats = torch.load(tmp_path / "2-0.pt")
    second, _ = torch.load(tmp_path / "2-1.pt")
    assert all(torch.equal(first[key], second[key]) for key in first)
    for ours, theirs in zip(stats, first_stats, strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            torch.testing.assert_close(
                theirs[key], value, rtol=2e-3, atol=2e-4, msg=lambda text, key=key: f"{key}: {text}"
            )
    moved = {key: (first[key].float() - value.float()).abs().max() for key, value in alone.items()}
    assert max(moved.values()) < 2e-3, max(moved, key=moved.get)


def test_a_launch_that_became_one_process_is_told_the_right_command(tmp_path):
    command = ["-m", "ggdr.train", "recipes/digits.py", "--out", str(tmp_path)]
    result = launch([*LAUNCH, "--cpu", "--num_processes", "2", *command])
    assert result.returncode != 0
    assert "ggdr: error: this launch made one process" in result.stderr
    assert "--multi_gpu --num_processes 2" in result.stderr and not list(tmp_path.iterdir())


def test_processes_that_cannot_find_each_other_are_refused():
    result = launch([sys.executable, "-m", "ggdr.train", "recipes/digits.py"], WORLD_SIZE="2", RANK="0")
    assert result.returncode != 0 and "2 processes were launched that cannot find each other" in result.stderr
