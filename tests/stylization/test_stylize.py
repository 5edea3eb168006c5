"""Neural style by its formulas, and the command: a picture in the style of another, and nothing of the user's lost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from ggdr.errors import UserError
from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.features.vgg16 import VGG16
from ggdr.features.vgg19 import VGG19
from ggdr.stylization import StyleTransfer
from ggdr.stylization.descent import Objective, gram, started, stylize, variation
from ggdr.verbs.stylize import main

CPU = torch.device("cpu")
SMALL = StyleTransfer(extractor=Digits(), steps=8)
CONTENT, STYLE = torch.rand(2, 1, 3, 24, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """The two photographs that scikit-learn has, small."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, array in zip(("china", "flower"), load_sample_images().images, strict=True):
        picture = Image.fromarray(array)
        picture.thumbnail((48, 48))
        picture.save(folder / f"{name}.png")
    return folder / "china.png", folder / "flower.png"


def test_gram_is_the_mean_product_of_two_channels_over_places():
    maps = torch.randn(1, 3, 4, 5)
    expected = torch.einsum("nahw,nbhw->nab", maps, maps) / 20
    torch.testing.assert_close(gram(maps), expected)


def test_the_loss_is_that_of_contents_and_grams_each_as_a_share():
    settings = dataclasses.replace(SMALL, content_weight=2.0, style_weight=3.0, tv_weight=0.5)
    image = torch.rand(1, 3, 24, 20) * 2 - 1
    layers = Digits().load_layers(CPU)
    names = ["silu1", "silu2"]
    of = {name: layers((x + 1) * 127.5, names) for name, x in (("i", image), ("c", CONTENT), ("s", STYLE))}
    share = lambda a, b: (a - b).square().sum() / b.square().sum()  # noqa: E731
    content = share(of["i"]["silu2"], of["c"]["silu2"])
    style = sum(share(gram(of["i"][name]), gram(of["s"][name])) for name in names) / 2
    tv = (image[:, :, 1:] - image[:, :, :-1]).abs().mean() + (image[..., 1:] - image[..., :-1]).abs().mean()
    torch.testing.assert_close(variation(image), tv)
    expected = 2 * content + 3 * style + 0.5 * tv
    torch.testing.assert_close(Objective(settings, CONTENT, STYLE)(image), expected)


def test_layers_and_pooling_of_a_vgg_are_the_papers():
    settings = StyleTransfer(extractor=VGG19(random=True))
    papers = (("conv4_2",), ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"))
    assert settings.chosen() == papers == StyleTransfer(extractor=VGG16(random=True)).chosen()
    assert SMALL.chosen() == (("silu2",), ("silu1", "silu2"))
    kinds = {layer.kind for layer in Objective(settings, *torch.rand(2, 1, 3, 32, 32)).network.stack.spec.parsed()}
    assert kinds == {"conv", "relu", "average"}


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_loss_falls_and_pixels_stay_what_a_picture_can_show(optimizer, init):
    seen = []
    settings = dataclasses.replace(SMALL, optimizer=optimizer, init=init)
    made = stylize(CONTENT, STYLE, settings, lambda step, loss: seen.append((step, loss)))
    assert made.last < 0.8 * made.first and made.image.shape == CONTENT.shape
    assert made.image.abs().max() <= 1 and [step for step, _ in seen] == [*range(8)]
    assert torch.equal(stylize(CONTENT, STYLE, settings).image, made.image)


def test_noise_is_the_seeds_and_content_is_where_it_begins_else():
    assert torch.equal(started(CONTENT, SMALL), CONTENT)
    noise = [started(CONTENT, dataclasses.replace(SMALL, init="noise", seed=seed)) for seed in (0, 0, 1)]
    assert torch.equal(noise[0], noise[1]) and not torch.equal(noise[0], noise[2])


def test_the_style_may_have_another_size():
    assert stylize(CONTENT, torch.rand(1, 3, 16, 40), SMALL).image.shape == CONTENT.shape


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"extractor": Inception()}, "'inception' provides no layers: set extractor to digits, emoji, vgg16, vgg19"),
        ({"steps": 0}, "steps is 0"),
        ({"style_weight": -1.0}, "style_weight is -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        dataclasses.replace(SMALL, **settings)


def test_layers_that_are_none_and_pictures_that_are_too_small_are_refused():
    with pytest.raises(UserError, match="there is no layer 'relu1_1'; there are conv1, silu1"):
        dataclasses.replace(SMALL, style_layers=("relu1_1",)).chosen()
    with pytest.raises(UserError, match=r"the style is 8 x 8 px, and layers conv4_2, .* need 16 px at least"):
        Objective(StyleTransfer(extractor=VGG19(random=True)), torch.rand(1, 3, 32, 32), torch.rand(1, 3, 8, 8))


def test_the_command_writes_a_picture_and_says_how_near_it_came(photographs, tmp_path, capsys):
    out = tmp_path / "made.png"
    flags = ["--extractor", "digits", "--steps", "3", "--size", "40", "--out", str(out)]
    assert main([*map(str, photographs), *flags]) == 0
    assert Image.open(out).size == (40, round(40 * Image.open(photographs[0]).height / 48))
    assert f"{out}: {photographs[0]} in the style of {photographs[1]}, loss by digits" in capsys.readouterr().out
    before = out.read_bytes()
    with pytest.raises(UserError, match="is there already; give another --out, or add --overwrite"):
        main([*map(str, photographs), *flags])
    assert out.read_bytes() == before
    main([*map(str, photographs), *flags, "--overwrite", "--style-weight", "1"])
    assert out.read_bytes() != before


def test_the_command_refuses_what_would_be_lost_or_is_not_there(photographs, tmp_path, monkeypatch):
    china, flower = map(str, photographs)
    digits = ["--extractor", "digits"]
    with pytest.raises(UserError, match="give two pictures, content and style"):
        main(digits)
    with pytest.raises(UserError, match="there is no picture 'none.jpg'"):
        main([china, "none.jpg", *digits, "--out", str(tmp_path / "a.png")])
    with pytest.raises(UserError, match=r"out is .*made.jpg; give the name of a PNG"):
        main([china, flower, *digits, "--out", str(tmp_path / "made.jpg")])
    with pytest.raises(UserError, match="nothing is put among somebody's images"):
        main([china, flower, *digits, "--out", china, "--overwrite"])
    own = tmp_path / "own.png"
    own.write_bytes(Path(china).read_bytes())
    with pytest.raises(UserError, match="is one of the pictures that are given"):
        main([str(own), flower, *digits, "--out", str(own), "--overwrite"])
    own.unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="there are no weights at 'none.pth'"):
        main([china, flower, "--extractor.weights", "none.pth", "--out", str(tmp_path / "b.png")])
    assert not [*tmp_path.iterdir()]
