"""Parity with the published networks of CycleGAN, CUT and pix2pix: outputs, and gradients of all weights.

GGDR_GOLDEN_GAMES names the folder of the vectors, of whatever sizes; without it those that are committed are read,
which are some of them.
"""

from __future__ import annotations

import json

import pytest
import torch
from golden_games import FOLDER, below, close, close_gradients, published, tensors

from ggdr.networks.base import ImageSpec
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.pixel import PixelDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig

CASE = json.loads((FOLDER / "translators.json").read_text())
SIDE, CHANNELS = CASE["size"], CASE["ch"]
SPEC = ImageSpec(SIDE, SIDE)
PAIR = SPEC._replace(channels=6)
RESNET = {"channels": CHANNELS, "blocks": CASE["resnet_blocks"]}
TRANSLATORS = {
    "resnet": ResnetTranslatorConfig(**RESNET),
    "resnet_antialiased": ResnetTranslatorConfig(antialias=True, **RESNET),
    "unet": UNetTranslatorConfig(channels=CHANNELS, halvings=CASE["unet_downs"], dropout=0.0),
}
PATCH = {"channels": CHANNELS, "halvings": CASE["patch_layers"]}
JUDGES = {
    "patch": (PatchDiscriminatorConfig(**PATCH), SPEC),
    "patch_pair": (PatchDiscriminatorConfig(norm="batch", **PATCH), PAIR),
    "patch_antialiased": (PatchDiscriminatorConfig(antialias=True, **PATCH), SPEC),
    "pixel": (PixelDiscriminatorConfig(channels=CHANNELS), SPEC),
}


@pytest.mark.parametrize("name", TRANSLATORS)
def test_golden_translators(name):
    skip_without(name)
    net = TRANSLATORS[name].build(SPEC, SPEC)
    net.load_state_dict(published(f"translators/{name}/weights/", net), strict=False)
    made = net(tensors("translators")["x"]).image
    check(net, name, made)


@pytest.mark.parametrize("name", JUDGES)
def test_golden_patches(name):
    skip_without(name)
    config, spec = JUDGES[name]
    net = config.build(spec)
    net.load_state_dict(published(f"translators/{name}/weights/", net))
    x = tensors("translators")["x"]
    x = torch.cat([x, x.flip(3)], dim=1) if spec is PAIR else x
    check(net, name, net(x).logits)


def skip_without(name: str) -> None:
    """There is nothing to compare with, unless the vectors have this network."""
    if not below("translators", f"{name}/"):
        pytest.skip(f"GGDR_GOLDEN_GAMES names no folder whose translators.safetensors holds {name!r}")


def check(net: torch.nn.Module, name: str, made: torch.Tensor) -> None:
    """What it makes, and the gradients of its weights, are the published ones."""
    found = below("translators", f"{name}/")
    close(made.view_as(found["y"]), found["y"], 1e-5)
    made.backward(found["grad_y"].view_as(made))
    close_gradients(net, published(f"translators/{name}/grad/", net))
