"""`ggdr video`, `ggdr mix` and films: what is written opens again, at its size, speed and length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved

from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.sampling import SamplingOptions, draw
from ggdr.sampling.grid import make_grid, to_uint8
from ggdr.saving.model import save_model
from ggdr.verbs.mix import main as mix
from ggdr.verbs.video import main as video
from ggdr.visualization.film import enlarge, save_film, shrink


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    folder, made = tmp_path_factory.mktemp("models"), {}
    kinds = {
        "style": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16)),
        "labels": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16, 3, 4)),
        "gray": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 32, 1)),
    }
    for name, (config, spec) in kinds.items():
        save_model(moved(config.build(spec)).eval(), folder / name)
        made[name] = folder / name
    return made


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def decoded(file: str) -> tuple[float, list[np.ndarray]]:
    with av.open(file) as container:
        stream = container.streams.video[0]
        return float(stream.average_rate), [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_mp4_holds_what_it_was_given_even_sided(channels, here):
    frames = torch.full((5, 31, 45, channels), 255, dtype=torch.uint8)
    frames[..., 0] = torch.arange(0, 250, 50)[:, None, None]
    assert save_film(iter(frames), here / "a.mp4", 12.5) == 5
    fps, found = decoded("a.mp4")
    assert fps == 12.5 and [frame.shape for frame in found] == [(32, 46, 3)] * 5
    error = np.abs(np.stack(found)[:, 8:24, 8:40, 0].astype(int) - frames[:, 8:24, 8:40, 0].numpy())
    assert error.max() < 12
    assert [path.name for path in here.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_animations_repeat_for_ever_at_their_speed(ending, here):
    frames = torch.zeros(4, 16, 20, 3, dtype=torch.uint8)
    frames[..., 1] = torch.arange(0, 200, 50)[:, None, None]
    assert save_film(frames, here / f"a.{ending}", 20) == 4
    with Image.open(f"a.{ending}") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (4, (20, 16), 0)
        image.seek(2)
        image.load()
        assert image.info["duration"] == 50 and abs(image.convert("RGB").getpixel((10, 8))[1] - 100) < 12


def test_a_film_that_fails_leaves_nothing(here):
    def broken():
        yield torch.zeros(16, 16, 3, dtype=torch.uint8)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        save_film(broken(), here / "a.mp4")
    assert not list(here.iterdir())
    for name, frames, fps, message in (
        ("a.avi", [torch.zeros(2, 2, 3)], 30, "a name that ends in .mp4, .gif, .webp"),
        ("a.mp4", [], 30, "made of frames; given none"),
        ("a.mp4", [torch.zeros(2, 2, 3)], 0, "0 frames a second"),
    ):
        with pytest.raises(ValueError, match=message):
            save_film(frames, Path(name), fps)


def test_small_images_are_enlarged_and_large_ones_shrunk():
    images = torch.arange(12, dtype=torch.uint8).mul(20).view(1, 1, 3, 4)
    (frame,) = enlarge(images)
    assert frame.shape == (192, 256, 1) and frame[:64, :64].unique().tolist() == [0]
    assert torch.equal(shrink(images, 4), images)
    assert shrink(torch.full((2, 3, 100, 50), 7, dtype=torch.uint8), 20).shape == (2, 3, 20, 10)


def test_video_films_its_walks_side_by_side(models, capsys):
    flags = ["--seeds", "0-7", "--walks", "4", "--seconds", "0.2", "--fps", "10", "--scale", "4", "--out", "a.mp4"]
    assert video([str(models["gray"]), *flags]) == 0
    fps, found = decoded("a.mp4")
    assert fps == 10 and len(found) == 4 and "a.mp4: 4 frames, 0.4 s" in capsys.readouterr().out
    with pytest.raises(ValueError, match="a.mp4 is there already"):
        video([str(models["gray"]), *flags])


def test_video_of_classes_and_its_refusals(models):
    flags = ["--seeds", "0-1", "--seconds", "0.1", "--out", "a.gif"]
    assert video([str(models["labels"]), *flags, "--labels", "2", "--curve", "slerp", "--no-loop"]) == 0
    for wrong, message in (
        ([], "trained with labels; add --labels all, or some of 0-3"),
        (["--seeds", "0-6", "--walks", "2"], "7 seeds cannot be dealt to 2 walks"),
        (["--seconds", "0"], "no frame"),
        (["--out", "a.png"], "a name that ends in"),
    ):
        with pytest.raises(ValueError, match=message):
            video([str(models["labels"]), *flags, "--overwrite", *wrong])


def test_mix_draws_parents_beside_their_children(models):
    assert mix([str(models["style"]), "--rows", "0-1", "--columns", "3-5", "--layers", "0-5"]) == 0
    from ggdr.saving.model import load_model

    generator = load_model(models["style"])
    rows, columns = (
        to_uint8(torch.cat(list(draw(generator, seeds, view=SamplingOptions())))) for seeds in ([0, 1], [3, 4, 5])
    )
    blank = torch.full_like(rows[:1], 255)  # with all styles lent, children are their columns' parents
    whole = make_grid(torch.cat([blank, columns, rows[:1], columns, rows[1:], columns]), 4)
    drawn = np.asarray(Image.open("mix.png")).astype(int)
    assert np.abs(drawn - whole.numpy().astype(int)).max() <= 1


def test_help_of_the_new_verbs_has_examples_and_imports_no_torch():
    for verb in ("mix", "video"):
        code = (
            f"import sys, ggdr.verbs.{verb} as verb\ntry: verb.main(['--help'])\nfinally: print('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == "False" and f"ggdr {verb} runs/digits" in done.stdout
