"""Extractors whose layers have names: VGG's are torchvision's, those of digits are its classifier's."""

from __future__ import annotations

import pytest
import torch
from places import ROOT
from registered import own
from torch import nn

from ggdr.errors import UserError
from ggdr.features import emoji
from ggdr.features.digits import Digits
from ggdr.features.emoji import Emoji
from ggdr.features.pixels import LUMA
from ggdr.features.vgg16 import VGG16
from ggdr.features.vgg19 import VGG19
from ggdr.networks.stack import StackSpec, vgg
from ggdr.networks.stack.stack import Stack, random_stack
from ggdr.registry import Capability

CPU = torch.device("cpu")
WITH_LAYERS = {name: part for name, part in own("feature extractor").items() if Capability.LAYERS in part.provides}
PICTURES = torch.randint(0, 256, (2, 3, 32, 48), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    """The classifier of emoji without the minute and a half that its training takes."""
    monkeypatch.setattr(emoji, "kept", lambda *_: random_classifier().state_dict())


def random_classifier():
    torch.manual_seed(0)
    return emoji.classifier(torch.float32)


def tiny(name: str):
    """An extractor that needs no download."""
    return WITH_LAYERS[name](random=True) if name.startswith("vgg") else WITH_LAYERS[name]()


@pytest.mark.parametrize("name", sorted(WITH_LAYERS))
def test_maps_have_the_promised_names_channels_and_sizes_and_pass_gradients_to_images_alone(name):
    extractor = tiny(name)
    stack, layers = extractor.stack(), extractor.load_layers(CPU)
    images = PICTURES.float().requires_grad_()
    maps = layers(images, stack.names())
    assert [*maps] == stack.names()
    for each, channels, smaller in zip(maps.values(), stack.channels(), stack.reductions(), strict=True):
        assert each.shape == (2, channels, 32 // smaller, 48 // smaller) and each.dtype == torch.float32
    maps[stack.names()[-1]].square().sum().backward()
    assert images.grad.abs().sum() > 0 and not any(p.requires_grad for p in layers.stack.parameters())
    assert not layers.stack.train().training


@pytest.mark.parametrize("name", sorted(WITH_LAYERS))
def test_gray_is_seen_as_its_copies_and_transparency_as_white(name):
    layers, last = tiny(name).load_layers(CPU), tiny(name).stack().names()[-1]
    gray = PICTURES[:, :1]
    clear = torch.cat([PICTURES, torch.zeros_like(gray)], 1)
    for a, b in ((gray, gray.expand(-1, 3, -1, -1)), (clear, torch.full_like(PICTURES, 255))):
        torch.testing.assert_close(layers(a, [last])[last], layers(b, [last])[last], rtol=1e-4, atol=1e-4)
    with pytest.raises(UserError, match="images of 1, 3 or 4 channels"):
        layers(PICTURES[:, :2], [last])


@pytest.mark.parametrize(("extractor", "kind"), [(VGG16, "D"), (VGG19, "E")])
def test_vggs_layers_are_torchvisions(extractor, kind, tmp_path):
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    theirs = make_layers(cfgs[kind]).eval()
    state = {f"features.{name}": value for name, value in theirs.state_dict().items()}
    torch.save(state | {"classifier.0.weight": torch.zeros(2)}, tmp_path / "vgg.pth")
    found = extractor(weights=str(tmp_path / "vgg.pth")).load_layers(CPU)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    x, names = (PICTURES / 255 - mean) / std, extractor().stack().names()
    maps = found(PICTURES, names)
    with torch.no_grad():
        for name, layer in zip(names, theirs, strict=True):
            x = layer(x.clone())
            torch.testing.assert_close(maps[name], x, rtol=1e-4, atol=1e-5)
    assert names[:5] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"] and names[-1] == "pool5"
    blocks = {"D": "relu5_3", "E": "relu5_4"}
    assert names[-2] == blocks[kind]


def test_the_digits_layers_are_the_first_of_its_classifier():
    network = Digits().load(CPU).network
    red, green, blue = PICTURES.float().unbind(1)
    gray = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None] / 255
    maps = Digits().load_layers(CPU)(PICTURES, ["silu1", "silu2"])
    torch.testing.assert_close(maps["silu1"], network[:2](gray), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(maps["silu2"], network[:4](gray), rtol=1e-4, atol=1e-4)


def test_the_emojis_layers_are_the_first_of_its_classifier():
    maps, x = Emoji().load_layers(CPU)(PICTURES, Emoji().stack().names()), PICTURES / 255
    for layer, each in zip(random_classifier(), maps.values(), strict=False):
        x = layer(x)
        torch.testing.assert_close(each, x, rtol=1e-4, atol=1e-4)
    assert [*maps][-1] == "silu4" and x.shape == (2, 128, 4, 6)


def test_random_weights_are_the_same_each_time_and_leave_torchs_randomness_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b = (VGG19(random=True).load_layers(CPU)(PICTURES, ["relu3_1"])["relu3_1"] for _ in range(2))
    assert torch.equal(a, b) and torch.equal(before, torch.random.get_rng_state())
    with pytest.raises(UserError, match="choose one"):
        VGG19(random=True, weights="a.pth")


def test_weights_of_another_network_and_layers_that_are_none_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other.pth' holds the weights of another network than vgg19.tv_in1k"):
        VGG19(weights=str(tmp_path / "other.pth")).load_layers(CPU)
    with pytest.raises(UserError, match=r"there is no layer 'relu9_1'; there are conv1_1, relu1_1"):
        VGG19(random=True).load_layers(CPU)(PICTURES, ["relu9_1"])
    for text in ("conv1 conv 3", "relu1 relu 3 64", "up1 bicubic", "a b.c relu", ""):
        with pytest.raises(UserError, match=r"is no layer; write such as 'conv1_1 conv 3 64'"):
            Stack(StackSpec((text,)))


def test_a_stack_is_cut_at_a_layer_and_pooled_otherwise():
    cut = vgg((2, 2, 4, 4, 4)).until("relu4_1")
    assert cut.names()[-1] == "relu4_1" and cut.reductions()[-1] == 8 and cut.channels()[-1] == 512
    mean = cut.pooled_by("average")
    assert [layer.kind for layer in mean.parsed()].count("average") == 3 and "max" not in " ".join(mean.layers)
    x = torch.rand(1, 3, 8, 8)
    one, other = random_stack(cut)(x, ["relu1_2", "pool1"]), random_stack(mean)(x, ["pool1"])
    torch.testing.assert_close(nn.functional.max_pool2d(one["relu1_2"], 2), one["pool1"])
    torch.testing.assert_close(nn.functional.avg_pool2d(one["relu1_2"], 2), other["pool1"])


def test_what_is_listed_of_layers_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, ggdr.features.vgg19 as v; v.VGG19().stack().names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
