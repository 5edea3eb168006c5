"""Several processes: by a launch that truly makes two, with the weights and losses of one."""

from __future__ import annotations

from pathlib import Path

import coded
import labelled
import mapped
import pytest
import torch
import two_stages
from complaints import complaint
from launching import LAUNCH, by_one_and_by_two, launch
from places import TINY

from ggdr.saving import checkpoint
from ggdr.train import main as train

PAIRS = (
    "dcgan",
    "found_codes",
    "pairs_alone",
    "stylegan2",
    "resting",
    "spectral",
    "scheduled",
    "fresh",
    "diffused",
    "transformers",
    "unpaired",
    "shared_encoder",
    "multimodal",
    "attentive",
    "one_way",
    "augmented",
    "encoded",
    "frozen",
    "two_stages",
    *labelled.PARTS,
    *coded.PARTS,
    *mapped.PARTS,
)


@pytest.fixture(scope="module")
def trained(request, tmp_path_factory):
    """The folder of a recipe that one process and two have trained: all that are chosen share two launches."""
    out = tmp_path_factory.mktemp("trained")
    here = [item for item in request.session.items if item.path == request.path]
    chosen = {item.callspec.params["pair"] for item in here if "trained" in item.fixturenames}
    if "frozen" in chosen:
        assert train([TINY, "--out", str(out / "frozen" / "source"), "--total-kimg", "0.008"]) == 0
    if "two_stages" in chosen:
        two_stages.save_first(out / "two_stages" / "source")
    launches = by_one_and_by_two(out, *sorted(chosen))

    def folder(pair: str) -> Path:
        for number, done in zip((1, 2), launches, strict=True):
            assert (out / pair / f"{number}-{number - 1}.pt").is_file(), done.stderr[-2000:]
        return out / pair

    return folder


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("pair", PAIRS)
def test_two_processes_agree_with_each_other_and_with_one(pair, trained):
    alone, stats = torch.load(trained(pair) / "1-0.pt")
    first, first_stats = torch.load(trained(pair) / "2-0.pt")
    second, _ = torch.load(trained(pair) / "2-1.pt")
    assert all(torch.equal(first[key], second[key]) for key in first)
    for ours, theirs in zip(stats, first_stats, strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            torch.testing.assert_close(
                theirs[key], value, rtol=2e-3, atol=2e-4, msg=lambda text, key=key: f"{key}: {text}"
            )
    moved = {key: (first[key].float() - value.float()).abs().max() for key, value in alone.items()}
    assert max(moved.values()) < 2e-3, max(moved, key=moved.get)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("pair", ["frozen"])
def test_blocks_that_are_frozen_stay_as_they_were_in_two_processes(pair, trained):
    start = checkpoint.load_tensors(checkpoint.latest(trained(pair) / "source"), "discriminator")
    frozen = [key for key in start if key.startswith(("encoder.b16.", "encoder.b8."))]
    assert len(frozen) == 12
    for process in ("1-0", "2-0", "2-1"):
        ended, _ = torch.load(trained(pair) / f"{process}.pt")
        assert all(torch.equal(start[key], ended[f"discriminator.{key}"]) for key in frozen)


def test_a_launch_that_became_one_process_is_told_the_right_command(tmp_path):
    command = ["-m", "ggdr.train", "recipes/digits.py", "--out", str(tmp_path)]
    result = launch([*LAUNCH, "--cpu", "--num_processes", "2", *command])
    assert result.returncode != 0
    assert "ggdr: error: this launch made one process" in result.stderr
    assert "--multi_gpu --num_processes 2" in result.stderr and not list(tmp_path.iterdir())


def test_processes_that_cannot_find_each_other_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert "2 processes were launched that cannot find each other" in complaint("recipes/digits.py")
