"""scripts/train_diffusion.py: diffusion models on ggdr's data, by the minute, that `ggdr evaluate` measures."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline
from places import ROOT
from safetensors.torch import load_file

import ggdr
from ggdr.data.digits import Digits
from ggdr.data.openmoji import OpenMoji
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.registry import use

sys.path.insert(0, str(ROOT / "scripts"))
script = use(ROOT / "scripts" / "train_diffusion.py")
kinds = sys.modules["diffusion_kinds"]
TINY = "--data digits --data.size 16 --data.subset 64 --channels 8 --layers 1 --batch-size 4 --warmup 2 --log-steps 2"
TINY += " --kimg 0.024 --steps 5 --samples 4"


def trained(out: Path, flags: str = "") -> Path:
    """The folder of a run of six steps of four digits, but for what other flags say."""
    assert script.main([*TINY.split(), "--out", str(out), *flags.split()]) == 0
    return out


@pytest.fixture(scope="module")
def ddpm(tmp_path_factory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "ddpm")


def test_a_trained_pipeline_is_one_that_diffusers_loads_and_evaluate_measures(ddpm):
    pipeline = DiffusionPipeline.from_pretrained(str(ddpm / "pipeline"))
    assert type(pipeline).__name__ == "DDIMPipeline" and pipeline.unet.config.sample_size == 16
    result = ggdr.evaluate(ddpm / "pipeline", Digits(size=16), ["swd"], images=8, steps=4, repeats=2)
    assert result["swd"].mean > 0 and result.protocol["source"]["kind"] == "pipeline"
    assert (ddpm / "samples.png").is_file()


def test_the_note_says_what_was_trained_and_for_how_long(ddpm):
    note = json.loads((ddpm / "training.json").read_text())
    rows = [json.loads(line) for line in (ddpm / "log.jsonl").read_text().splitlines()]
    assert (note["kind"], note["steps"], note["kimg"], note["processes"]) == ("ddpm", 6, 0.024, 1)
    assert [row["step"] for row in rows] == [2, 4, 6] and 0 < rows[0]["seconds"] < rows[2]["seconds"] <= note["seconds"]
    assert note["parameters"] > 1000 and note["settings"]["data"]["type"] == "digits"


def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(ddpm, tmp_path, capsys):
    trained(tmp_path / "twice", "--kimg 0.012")
    (tmp_path / "twice/checkpoint/random_states_0.pkl").unlink()  # a step draws what seed, step and process say
    trained(tmp_path / "twice")
    assert "goes on at 0.012 kimg" in capsys.readouterr().out
    for file in ("checkpoint/model.safetensors", "pipeline/unet/diffusion_pytorch_model.safetensors"):
        one, two = load_file(ddpm / file), load_file(tmp_path / "twice" / file)
        assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_pipeline_has_the_running_mean_of_the_weights(ddpm):
    mean = load_file(ddpm / "pipeline/unet/diffusion_pytorch_model.safetensors")
    last = load_file(ddpm / "checkpoint/model.safetensors")
    assert mean.keys() == last.keys() and not all(torch.equal(mean[name], last[name]) for name in mean)


def test_minutes_end_a_run_and_none_are_left_for_another_start(tmp_path):
    out = trained(tmp_path / "short", "--minutes 0.0001 --kimg None --samples 0")
    note = json.loads((out / "training.json").read_text())
    assert note["steps"] == 1 and note["seconds"] > 0.006 and not (out / "samples.png").exists()
    trained(tmp_path / "short", "--minutes 0.0001 --kimg None --samples 0")
    assert json.loads((out / "training.json").read_text())["steps"] == 1


def test_pipelines_of_the_minutes_between_are_kept_with_how_long_they_were_trained(ddpm, tmp_path):
    out = trained(tmp_path / "kept", "--keep-minutes 0.00001 --samples 0")
    kept = {folder.name: json.loads((folder / "training.json").read_text()) for folder in out.glob("pipeline-*m")}
    assert len(kept) == 6 and sorted(note["steps"] for note in kept.values()) == [1, 2, 3, 4, 5, 6]
    assert all(f"pipeline-{note['seconds'] / 60:.5f}"[:12] == name[:12] for name, note in kept.items())
    one, two = (load_file(run / "pipeline/unet/diffusion_pytorch_model.safetensors") for run in (ddpm, out))
    assert all(torch.equal(one[name], two[name]) for name in one), "keeping some changes what is learned"


def test_a_signal_saves_and_says_how_to_go_on(tmp_path, capsys):
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    out = trained(tmp_path / "run", "--kimg None --minutes 4 --samples 0")
    timer.cancel()
    steps = json.loads((out / "training.json").read_text())["steps"]
    assert steps > 0 and "to go on, type the same command again" in capsys.readouterr().out
    trained(out, f"--kimg {(steps + 1) * 4 / 1000} --samples 0")
    assert json.loads((out / "training.json").read_text())["steps"] == steps + 1


def test_ncsnpp_learns_from_three_channels(tmp_path):
    colours = "--data openmoji --data.size 16 --data.subset 32 --kind ncsnpp --channels 32"
    flags = TINY.replace("--data digits --data.size 16 --data.subset 64 --channels 8", colours).split()
    assert script.main([*flags, "--out", str(tmp_path / "run")]) == 0
    pipeline = DiffusionPipeline.from_pretrained(str(tmp_path / "run/pipeline"))
    assert type(pipeline).__name__ == "ScoreSdeVePipeline" and pipeline.scheduler.config.sigma_max == 25.0
    assert pipeline.unet.config.time_embedding_type == "fourier"
    result = ggdr.evaluate(tmp_path / "run/pipeline", OpenMoji(size=16), ["swd"], images=4, steps=3)
    assert result["swd"].mean > 0


def test_a_perfect_network_has_no_loss():
    class Knows(torch.nn.Module):
        """Tells noise, or the score, of images that are all of one colour."""

        def forward(self, noisy, times):
            return type("Told", (), {"sample": self.told(noisy, times)})

    ddpm, ncsnpp, images = kinds.DDPM(), kinds.NCSNpp(16), torch.full((4, 3, 16, 16), 0.5)
    alphas = ddpm.scheduler.alphas_cumprod

    class Noise(Knows):
        def told(self, noisy, times):
            share = alphas[times][:, None, None, None]
            return (noisy - share.sqrt() * 0.5) / (1 - share).sqrt()

    class Score(Knows):
        def told(self, noisy, sigma):
            return (0.75 - noisy) / sigma[:, None, None, None].square()

    assert ddpm.loss(Noise(), images) < 1e-6 and ncsnpp.loss(Score(), images) < 1e-6


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--kind ncsnpp", "makes square images of 3 channels, and these are 16 x 16 px with 1: type --data.channels 3"),
        ("--channels 6", "--channels 6 is no multiple of 4; give 64"),
        ("--data openmoji --data.size 16 --kind ncsnpp --channels 40", "--channels 40 is no multiple of 32; give 64"),
        ("--minutes 0", "minutes is 0.0; give"),
        ("--data.size 18", "images of 18 x 18 px cannot be halved down to maps of 4 px"),
        ("--chanels 8", "--channels"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_is_written(tmp_path, flags, said):
    with pytest.raises(UserError, match=said):
        trained(tmp_path / "run", flags)
    assert not (tmp_path / "run").exists()


def test_two_domains_are_refused(tmp_path):
    with pytest.raises(UserError, match="--data openmoji holds lines and colour; a diffusion model learns from one"):
        script.main(["--data", "openmoji", "--data.task", "lines_to_colour", "--out", str(tmp_path / "run")])


def test_a_folder_of_something_else_or_of_another_run_is_left_as_it_is(ddpm, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds files of something else"):
        trained(tmp_path)
    with pytest.raises(UserError, match=r"holds a run with other settings \(channels, lr\)"):
        trained(ddpm, "--channels 12 --lr 0.001")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(("size", "count"), [(ImageSpec(32, 32), 4), (ImageSpec(64, 64), 5), (ImageSpec(16, 32), 3)])
def test_maps_of_16_px_attend_to_themselves_and_the_smallest_have_4(size, count):
    blocks = kinds.block_types(size, "{}DownBlock2D")
    assert len(blocks) == count and blocks.count("AttnDownBlock2D") == 1
    assert kinds.levels(size)[blocks.index("AttnDownBlock2D")] == 16 and kinds.levels(size)[-1] == 4
