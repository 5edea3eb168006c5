"""`ggdr project --encoder`: the search starts from what an encoder of that very generator finds."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
import tiny
import torch
from PIL import Image
from tiny import moved

import ggdr
from ggdr.cli import guarded
from ggdr.errors import UserError
from ggdr.latent.codes import images_of, load_codes
from ggdr.latent.encoding import encoder_of, starts
from ggdr.latent.projection import Search, project
from ggdr.networks.base import ImageSpec
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs import encode
from ggdr.verbs import project as verb

KINDS = {"w": tiny.STYLEGAN2, "w+": tiny.STYLEGAN2, "z": DCGANGeneratorConfig(z_dim=5, channels=4)}
SPEC = ImageSpec(16, 16, 1, 10)


def encoder_of_kind(space: str, generator, spec=SPEC, **changes):
    width = {"z": generator.z_dim, "w": generator.w_dim, "w+": generator.w_dim * 6}[space]
    config = ConvEncoderConfig(channels=4, code_dim=width, space=space)
    return moved(dataclasses.replace(config, **changes).build(spec.unlabelled())).eval()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Generators by space, and beside each an encoder's model."""
    folder = tmp_path_factory.mktemp("models")
    for space, config in KINDS.items():
        generator = moved(config.build(SPEC)).eval()
        save_model(generator, folder / space / "generator")
        shutil.copytree(folder / space / "generator", folder / f"of-{space}" / "generator")
        save_model(encoder_of_kind(space, generator), folder / f"of-{space}" / "encoder")
    Image.linear_gradient("L").resize((24, 24)).save(folder / "a.png")
    Image.radial_gradient("L").resize((24, 24)).save(folder / "b.png")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(models, *flags: str, space: str = "w", encoder: str = "") -> int:
    given = ["--encoder", str(models / (encoder or f"of-{space}"))]
    return verb.main([str(models / space), str(models / "a.png"), "--labels", "3", "--video", "none", *given, *flags])


@pytest.mark.parametrize("space", [*KINDS])
def test_no_steps_give_what_the_encoder_finds(space, models, here, capsys):
    assert run(models, "--steps", "0", space=space) == 0
    generator = ggdr.Generator.from_pretrained(models / space)
    found = load_codes(here / "projected/a.safetensors", generator)
    encoder = encoder_of(models / f"of-{space}", generator)
    from ggdr.latent.targets import open_picture, targets_of

    targets = targets_of(open_picture(models / "a.png"), SPEC)
    with torch.no_grad():
        codes = encoder(targets).mean
    if space != "z":
        codes = codes.view(1, -1, 8).expand(-1, 6, -1)
    torch.testing.assert_close(found.points, codes)
    assert "a.png: distance by pixels" in capsys.readouterr().out


def test_the_search_goes_on_from_there(models, here):
    generator = ggdr.Generator.from_pretrained(models / "w")
    encoder = encoder_of(models / "of-w", generator)
    targets, labels = torch.rand(3, 1, 16, 16) * 2 - 1, torch.eye(10)[[1, 2, 3]]
    codes = starts(encoder, generator, targets)
    assert codes.shape == (3, 1, 8)
    still = project(generator, targets, Search(steps=0), labels=labels, start=codes)
    assert torch.equal(still.start, still.distance)
    torch.testing.assert_close(still.codes.points, codes.expand(-1, 6, -1))
    torch.testing.assert_close(images_of(generator, still.codes), still.images)
    moved_on = project(generator, targets, Search(steps=30), labels=labels, start=codes)
    assert torch.equal(moved_on.start, still.distance) and (moved_on.distance < still.distance).all()
    one_by_one = project(generator, targets, Search(steps=0), labels=labels, start=codes, batch_size=1)
    torch.testing.assert_close(one_by_one.images, still.images)
    wide = project(generator, targets, Search(steps=0, space="w+"), labels=labels, start=codes)
    torch.testing.assert_close(wide.codes.points, still.codes.points)
    drawn = project(generator, targets, Search(steps=0), labels=labels)
    assert not torch.allclose(drawn.images, still.images)


def test_the_jitter_is_as_wide_as_from_the_mean(models):
    from ggdr.latent.projection import Descent

    generator = ggdr.Generator.from_pretrained(models / "w")
    labels, targets, codes = torch.eye(10)[[1, 2]], torch.zeros(2, 1, 16, 16), torch.zeros(2, 1, 8)
    networks = [each.load(torch.device("cpu")) for each in Search().distance_weights()]
    given, mean = (Descent(generator, Search(), networks, targets, labels, start) for start in (codes, None))
    assert torch.equal(given.spread, mean.spread) and torch.equal(given.points, codes)


def test_a_pipeline_starts_from_it_too(models):
    pipe = ggdr.from_pretrained(models / "w+")
    pipe.set_progress_bar_config(disable=True)
    picture = Image.open(models / "b.png")
    made = pipe.project(picture, Search(steps=0), labels=[3], encoder=models / "of-w+")
    encoder = encoder_of(models / "of-w+", pipe.generator)
    from ggdr.latent.targets import targets_of

    torch.testing.assert_close(made.codes.points, starts(encoder, pipe.generator, targets_of(picture, SPEC)))


def test_an_encoder_of_something_else_is_refused(models, here):
    generator = ggdr.Generator.from_pretrained(models / "w")
    larger = ImageSpec(32, 32, 1, 10)
    save_model(encoder_of_kind("w", generator, larger), here / "larger" / "encoder")
    save_model(encoder_of_kind("w", generator, code_dim=7), here / "wide" / "encoder")
    classes = tuple("abc")
    save_model(
        encoder_of_kind("z", ggdr.Generator.from_pretrained(models / "z"), class_names=classes), here / "y/encoder"
    )
    other = StyleGAN2GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, channel_max=8).build(SPEC)
    for name, network in (("kind", other), ("weights", moved(generator))):
        shutil.copytree(models / "of-w", here / name)
        save_model(network.eval(), here / name / "generator")
    for place, space, said in (
        (
            here / "larger",
            "w",
            r"reads images of 32 x 32 px with 1 channels, and the generator makes 16 x 16 px with 1",
        ),
        (here / "wide", "w", r"codes of 7 numbers in space 'w', and generator 'stylegan2' is projected to by others"),
        (models / "of-w", "z", r"codes of 8 numbers in space 'w', and generator 'dcgan' is projected to by others"),
        (models / "of-z", "w", r"codes of 5 numbers in space 'z', and generator 'stylegan2' is projected to by others"),
        (here / "y", "z", r"finds codes of a prior, which are not the noise"),
        (
            here / "kind",
            "w",
            r"trained for another generator \(stylegan2\) than this one \(stylegan2\), or for other w",
        ),
        (here / "weights", "w", r"trained for another generator .* or for other weights of it: train one for this"),
        (models / "w", "w", r"holds 'generator' and no encoder: give a model of one of the games"),
        (here / "lost", "w", r"there is no folder '.*lost' here"),
    ):
        with pytest.raises(UserError, match=said):
            run(models, "--steps", "0", space=space, encoder=str(place))
    with pytest.raises(UserError, match="finds codes of space 'w\\+'; give space 'w\\+', or leave it out"):
        run(models, "--steps", "0", "--space", "w", space="w+")
    assert not (here / "projected").exists()


def test_codes_of_another_shape_are_no_start(models):
    generator, labels = ggdr.Generator.from_pretrained(models / "w"), torch.eye(10)[[1, 2]]
    targets = torch.zeros(2, 1, 16, 16)
    for start, said in (
        (torch.zeros(2, 1, 7), r"codes to start from are \[2, 1, 7\]; in space 'w' give \['N', 1, 8\]"),
        (torch.zeros(2, 6, 8), r"codes to start from are \[2, 6, 8\]; in space 'w'"),
        (torch.zeros(1, 1, 8), r"there are 1 codes to start from for 2 images"),
    ):
        with pytest.raises(UserError, match=said):
            project(generator, targets, Search(steps=1), labels=labels, start=start)
    latents = ggdr.Generator.from_pretrained(models / "z")
    with pytest.raises(UserError, match=r"in space 'z' give \['N', 5\]"):
        project(latents, targets, Search(steps=1), labels=labels, start=torch.zeros(2, 1, 5))


def test_no_steps_without_an_encoder_find_nothing(models, capsys):
    with pytest.raises(SystemExit):
        guarded(verb.main, [str(models / "w"), str(models / "a.png"), "--steps", "0"])
    assert "steps is 0; give a number above 0" in capsys.readouterr().err


def test_its_codes_are_written_by_encode_and_styles_mapped_without_what_a_plane_of_noise_makes(models, here):
    pictures = [str(models / "a.png"), str(models / "b.png")]
    flat = moved(dataclasses.replace(tiny.STYLEGAN2, z_dim=2, w_dim=2).build(SPEC)).eval()
    save_model(flat, here / "flat" / "generator")
    config = ConvEncoderConfig(channels=4, code_dim=2, space="w")
    save_model(moved(config.build(SPEC.unlabelled())).eval(), here / "flat" / "encoder")
    assert encode.main([str(here / "flat"), *pictures, "--out", "codes.npz", "--map", "map.png"]) == 0
    with Image.open(here / "map.png") as drawn:
        assert drawn.width < 1000
