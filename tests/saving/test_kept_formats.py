"""Runs and models on disk stay readable: a folder that an earlier ggdr wrote is opened, drawn from and gone on with."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from places import ROOT
from safetensors.torch import load_file

import ggdr
from ggdr.cli import main
from ggdr.saving.pretrained import load_pair

KEPT = ROOT / "tests/golden/run"
"""two steps of tests/support/tiny.py on one thread, as ggdr 0.1.0 wrote them; never to be written again"""


@pytest.mark.parametrize("place", ["", "model", "model/generator", "checkpoints/00000002"])
def test_a_kept_model_makes_the_images_that_it_made(place):
    expected = load_file(KEPT / "expected.safetensors")["images"]
    made = ggdr.from_pretrained(KEPT / place)(seeds=[0, 1, 2], truncation_psi=0.7, output_type="pt").images
    assert expected.std() > 0.05 and torch.allclose(made, expected, atol=1e-4)


def test_a_kept_checkpoint_has_both_networks():
    generator, discriminator = load_pair(KEPT / "checkpoints/00000002")
    assert generator.feature_channels[8] == discriminator.extra.target_channels[8]


def test_a_kept_run_goes_on(tmp_path, monkeypatch, capsys):
    run = shutil.copytree(KEPT, tmp_path / "run", ignore=shutil.ignore_patterns("expected.*"))
    words = ["ggdr", "train", str(run / "recipe.py"), "--total-kimg", "0.024", "--out", str(run)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.delitem(sys.modules, "recipe", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert f"going on from {run / 'checkpoints' / '00000002'}" in said.out
    (last,) = (json.loads(file.read_text()) for file in run.glob("checkpoints/00000003/progress.json"))
    assert last["images_seen"] == 24 and last["step"] == 3
    before, after = (load_file(Path(run, "checkpoints", n, "generator.safetensors")) for n in ("00000002", "00000003"))
    moved = max(float((after[key] - before[key]).abs().max()) for key in before)
    assert 0 < moved < 0.5
