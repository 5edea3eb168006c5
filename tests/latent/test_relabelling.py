"""`ggdr project --identity --to-label`: the same code under another label, as Age-cGAN has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import STYLEGAN2, moved

import ggdr
from ggdr.errors import UserError
from ggdr.latent.codes import Codes, codes_of_seeds, images_of, load_codes
from ggdr.latent.directions import draw_styles
from ggdr.latent.relabelling import relabelled
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.sampling.grid import to_uint8
from ggdr.saving.model import save_model
from ggdr.verbs import project

SPEC = ImageSpec(16, 16, 1, 3, ("young", "middle", "old"))
KINDS = {"z": DCGANGeneratorConfig(z_dim=5, channels=4), "w": STYLEGAN2}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, config in KINDS.items():
        save_model(moved(config.build(SPEC)).eval(), folder / name)
    save_model(moved(KINDS["z"].build(SPEC.unlabelled())).eval(), folder / "plain")
    Image.linear_gradient("L").resize((24, 24)).save(folder / "a.png")
    Image.radial_gradient("L").resize((24, 24)).save(folder / "b.png")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(models, *flags: str, kind: str = "z", pictures: str = "a.png") -> int:
    named = [str(models / name) for name in pictures.split()]
    return project.main([str(models / kind), *named, "--steps", "2", "--video", "none", *flags])


def test_a_latent_code_stays_as_it_is(models):
    generator = ggdr.Generator.from_pretrained(models / "z")
    own, wanted = torch.eye(3)[[0, 1]], torch.eye(3)[[2]]
    codes = codes_of_seeds(generator, [4, 5], own)
    under = relabelled(generator, codes, own, wanted)
    assert torch.equal(under.points, codes.points) and torch.equal(under.labels, wanted.expand(2, -1))
    with torch.no_grad():
        assert torch.equal(images_of(generator, under), generator(codes.points, wanted.expand(2, -1)).image)


def test_a_style_moves_by_the_difference_of_the_labels_means(models):
    generator = ggdr.Generator.from_pretrained(models / "w")
    own, wanted = torch.eye(3)[[0, 1]], torch.eye(3)[[2]]
    codes = codes_of_seeds(generator, [4, 5], own)
    codes = Codes(codes.points, None, {"b4.conv1.noise_const": torch.ones(2, 1, 4, 4)})
    with torch.no_grad():
        means = [draw_styles(generator, row, 0).mean(dim=0) for row in torch.eye(3)]
    under = relabelled(generator, codes, own, wanted)
    step = torch.stack([means[2] - means[0], means[2] - means[1]])
    torch.testing.assert_close(under.points, codes.points + step[:, None])
    assert under.noise is codes.noise and under.labels is None
    torch.testing.assert_close(relabelled(generator, under, wanted.expand(2, -1), own).points, codes.points)
    torch.testing.assert_close(relabelled(generator, codes, own, own).points, codes.points)


@pytest.mark.parametrize("kind", [*KINDS])
def test_pictures_are_made_again_under_each_label(kind, models, here, capsys):
    flags = ["--labels", "young", "old", "--to-label", "middle", "old", "--identity", "digits"]
    assert run(models, *flags, kind=kind, pictures="a.png b.png") == 0
    written = {f"{name}{end}.safetensors" for name in "ab" for end in ("", "-as-middle", "-as-old")}
    assert {file.name for file in (here / "projected").iterdir()} == written | {"a.png", "b.png"}
    generator = ggdr.Generator.from_pretrained(models / kind)
    found, under = (load_codes(here / f"projected/b{end}.safetensors", generator) for end in ("", "-as-old"))
    assert torch.equal(found.points, under.points)  # its own label
    grid = np.asarray(Image.open(here / "projected/b.png").convert("L"), int)
    scale = grid.shape[0] // 16
    with torch.no_grad():
        made = to_uint8(images_of(generator, under))[0, 0].numpy()
    assert np.abs(grid[::scale, -16 * scale :: scale] - made).max() <= 1
    assert grid.shape[1] / grid.shape[0] == pytest.approx(4, abs=0.2)
    other = load_codes(here / "projected/b-as-middle.safetensors", generator)
    wanted = relabelled(generator, found, torch.eye(3)[[2]], torch.eye(3)[[1]])
    torch.testing.assert_close(other.points, wanted.points)
    if kind == "z":
        assert torch.equal(other.labels, torch.eye(3)[[1]])
    said = capsys.readouterr().out
    assert "a.png: distance by digits" in said and "--extractor lpips" not in said


def test_the_search_by_identity_sees_no_pixels(models, here):
    def command(*flags: str) -> project.Project:
        return project.parse_command([str(models / "z"), "a.png", *flags])

    found = command("--identity", "digits")
    assert (found.extractor.name, found.pixel_weight) == ("digits", 0.0)
    assert command("--identity=digits").extractor.name == "digits"
    assert command("--identity", "digits", "--pixels", "0.5").pixel_weight == 0.5
    assert command("--identity", "digits", "--extractor.batch-size", "3").extractor.batch_size == 3
    assert (command().extractor.name, command().pixel_weight) == ("pixels", 0.1)
    assert command("--extractor", "digits").pixel_weight == 0.1


def test_what_cannot_be_is_refused_in_one_sentence(models, here):
    for flags, kind, said in (
        (
            ["--to-label", "old"],
            "plain",
            "without labels, so that nothing can be made under another; leave --to-label old",
        ),
        (
            ["--labels", "young", "--to-label", "ancient"],
            "z",
            "--to-label ancient holds 'ancient'; give all, or some of",
        ),
        (["--identity", "digit", "--labels", "young"], "z", "unknown feature extractor 'digit'. Did you mean 'digits'"),
        (["--identity", "inception", "--labels", "young"], "z", "'inception' does not pass on"),
        (
            ["--identity", "digits", "--extractor", "pixels", "--labels", "young"],
            "z",
            "--identity and --extractor both",
        ),
        (["--identity"], "z", "--identity takes the name of a feature extractor: --identity digits"),
        (["--to-label", "old"], "z", "this generator was trained with labels; add --labels"),
    ):
        with pytest.raises(UserError, match=said):
            run(models, *flags, kind=kind)
    generator = ggdr.Generator.from_pretrained(models / "plain")
    with pytest.raises(UserError, match="trained without labels, so that its images have no other label"):
        relabelled(generator, codes_of_seeds(generator, [1]), torch.zeros(1, 0), torch.zeros(1, 0))
    (here / "projected").mkdir()
    (here / "projected/a-as-old.safetensors").write_text("mine")
    with pytest.raises(UserError, match="a-as-old.safetensors is there already"):
        run(models, "--labels", "young", "--to-label", "old")
    assert run(models, "--labels", "young", "--to-label", "old", "--overwrite") == 0
