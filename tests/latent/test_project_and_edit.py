"""`ggdr project` and `ggdr edit`: what they write, what they leave alone, and what they refuse in one sentence."""

from __future__ import annotations

import subprocess
import sys

import av
import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved

from ggdr.cli import guarded
from ggdr.latent.codes import load_codes
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs import edit, generate, project

MODELS = {
    "style": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16)),
    "plain": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 32, 1, 2)),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Saved generators, and two photographs."""
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name, (config, spec) in MODELS.items():
        network = moved(config.build(spec)).eval()
        save_model(network, folder / name)
        made[name] = network
    pixels = np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3), np.uint8)
    Image.fromarray(pixels[0]).save(folder / "a.png")
    Image.fromarray(pixels[1]).save(folder / "b.jpg")
    return folder, made


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def projected(models, *flags: str, model: str = "style", pictures: str = "a.png b.jpg") -> int:
    folder = models[0]
    return project.main([str(folder / model), *(str(folder / name) for name in pictures.split()), *flags])


def test_a_picture_becomes_a_code_a_pair_of_images_and_a_film(models, here, capsys):
    assert projected(models, "--steps", "4", "--space", "w+") == 0
    written = {f"{name}.{kind}" for name in "ab" for kind in ("png", "safetensors", "mp4")}
    assert {file.name for file in (here / "projected").iterdir()} == written
    assert load_codes(here / "projected" / "b.safetensors", models[1]["style"]).points.shape == (1, 6, 8)
    with av.open(str(here / "projected" / "a.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 4 + 15 and frames[0].shape == (128, 256, 3)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and "a.png: distance by pixels 0." in said[0] and "--extractor lpips is nearer" in said[2]


def test_a_picture_that_is_given_is_never_replaced(models, here):
    (here / "mine").mkdir()
    Image.new("RGB", (16, 16), "red").save("mine/a.png")
    before = (here / "mine" / "a.png").read_bytes()
    with pytest.raises(ValueError, match=r"a\.png is one of the pictures that are given, and would be lost"):
        project.main([str(models[0] / "style"), "mine/a.png", "--out", "mine", "--overwrite", "--steps", "1"])
    assert (here / "mine" / "a.png").read_bytes() == before


def test_batches_do_not_matter(models, here):
    projected(models, "--steps", "3", "--video", "none")
    projected(models, "--steps", "3", "--video", "gif", "--batch-size", "1", "--out", "single")
    codes = [load_codes(here / out / "b.safetensors", models[1]["style"]) for out in ("projected", "single")]
    torch.testing.assert_close(codes[0].points, codes[1].points, rtol=1e-2, atol=1e-2)
    assert Image.open(here / "single" / "b.gif").n_frames >= 3


def test_a_projected_code_can_be_edited(models, here, capsys):
    projected(models, "--steps", "2", "--labels", "1", "--video", "none", model="plain", pictures="a.png")
    flags = ["--code", "projected/a.safetensors", "--directions", "0-1", "--columns", "3"]
    assert edit.main([str(models[0] / "plain"), *flags]) == 0
    assert "edit.png: 1 x 2 rows of 3 images" in capsys.readouterr().out
    assert np.asarray(Image.open(here / "edit.png").convert("L")).std() > 5


def test_a_projected_code_can_be_generated(models, here):
    projected(models, "--steps", "2", "--video", "none", pictures="a.png")
    for _ in range(2):
        generate.main([str(models[0] / "style"), "--code", "projected/a.safetensors", "--out", "made", "--overwrite"])
    made, pair = (np.asarray(Image.open(here / name), int) for name in ("made/a.png", "projected/a.png"))
    scale = pair.shape[0] // 16
    assert np.abs(pair[::scale, -16 * scale :: scale] - made).max() <= 1
    with pytest.raises(ValueError, match="is there already"):
        generate.main([str(models[0] / "style"), "--code", "projected/a.safetensors", "--out", "made"])


def test_what_is_there_is_kept_unless_it_may_be_replaced(models, here):
    (here / "projected").mkdir()
    (here / "projected" / "b.safetensors").write_text("mine")
    (here / "edit.png").write_text("mine")
    with pytest.raises(ValueError, match="is there already; give another --out, or add --overwrite"):
        projected(models)
    with pytest.raises(ValueError, match="is there already; give another --out, or add --overwrite"):
        edit.main([str(models[0] / "style")])
    assert (here / "edit.png").read_text() == (here / "projected" / "b.safetensors").read_text() == "mine"
    edit.main([str(models[0] / "style"), "--overwrite", "--method", "pca", "--layers", "0-2", "--seeds", "1,2"])
    assert Image.open(here / "edit.png").height > Image.open(here / "edit.png").width / 2


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        ("--space z", "give space 'w' or 'w\\+'"),
        ("--extractor inception", "'inception' does not pass on"),
        ("--extractor lpip", "unknown feature extractor 'lpip'. Did you mean 'lpips'"),
        ("--extractor timm --extractor.model resnet18.a1_in1k --extractor.weights no.pth", "no weights at 'no.pth'"),
        ("--labels 1", "trained without labels"),
    ],
)
def test_a_search_that_cannot_be_is_refused(models, flags, what):
    with pytest.raises(ValueError, match=what):
        projected(models, *flags.split())


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        ("--layers 0-9", "no style code 6; give layers of 0 to 5"),
        ("--directions 3,8", "there is no direction 8; there are 0 to 7"),
        ("--code nothing.safetensors", "there is no file 'nothing.safetensors'"),
        ("--out edit.jpg", "is no PNG"),
        ("--labels 1", "trained without labels"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(models, flags, what):
    with pytest.raises(ValueError, match=what):
        edit.main([str(models[0] / "style"), *flags.split()])


def test_numbers_out_of_range_are_refused(models, capsys):
    for verb, flags in ((project, ["a.png", "--steps", "0"]), (edit, ["--columns", "0"])):
        with pytest.raises(SystemExit):
            guarded(verb.main, [str(models[0] / "style"), *flags])
        assert f"{flags[-2][2:]} is 0; give a number above 0" in capsys.readouterr().err


def test_files_that_are_no_pictures_are_named(models, here):
    (here / "text.png").write_text("no picture")
    model = str(models[0] / "style")
    for files, what in (
        (["lost.png"], "there is no picture 'lost.png'"),
        (["text.png"], "'text.png' is no image that can be read"),
        ([str(models[0] / "a.png"), "a.png"], "there is no picture 'a.png'"),
        ([], "give a model and pictures"),
    ):
        with pytest.raises(ValueError, match=what):
            project.main([model, *files])
    Image.new("L", (9, 9)).save(here / "a.png")
    with pytest.raises(ValueError, match="2 pictures are called 'a'"):
        project.main([model, str(models[0] / "a.png"), "a.png"])


def test_amounts_are_even_and_hold_the_image_itself():
    assert edit.edit_amounts(5, 2.0) == [-2, -1, 0, 1, 2] and edit.edit_amounts(1, 3.0) == [0]


def test_help_needs_no_torch():
    program = """
import sys
from ggdr.verbs import edit, project
for verb in (edit, project):
    try:
        verb.main(["--help"])
    except SystemExit:
        pass
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("False\n"), done.stderr
    assert "ggdr project org/name *.jpg --extractor lpips" in done.stdout
