"""Parity with the published R3GAN, with and without classes: images, logits, losses, penalties and their gradients.

GGDR_GOLDEN_2026 names the folder of the vectors, of whatever sizes; without it those that are committed are read.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from places import OWN_GOLDEN
from safetensors.torch import load_file

from ggdr.losses.relativistic import Relativistic
from ggdr.networks.base import ImageSpec
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.registry import Capability
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2

FOLDER = Path(os.environ.get("GGDR_GOLDEN_2026", OWN_GOLDEN / "2026"))
CASES = json.loads((FOLDER / "r3gan.json").read_text())
LAYERS = {"LinearLayer1.Layer.weight": "conv0.weight", "NonLinearity1.Bias": "conv0.bias"}
LAYERS |= {"LinearLayer2.Layer.weight": "conv1.weight", "NonLinearity2.Bias": "conv1.bias"}
LAYERS |= {"LinearLayer3.Layer.weight": "conv2.weight", "LinearLayer.Layer.weight": "conv.weight"}
ENDS = {"ExtractionLayer.Layer.weight": "fromimage.weight", "EmbeddingLayer.weight": "embed.weight"}
ENDS |= {"AggregationLayer.Layer.weight": "toimage.weight"}
HEADS = {"Basis.weight": "gather.weight", "LinearLayer.weight": "out.weight"}
FEET = {"Basis": "basis", "LinearLayer.weight": "enter.weight"}


@cache
def tensors():
    return load_file(FOLDER / "r3gan.safetensors")


def below(prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors().items() if key.startswith(prefix)}


def renamed(published: dict[str, torch.Tensor], resolutions: list[int], network: str) -> dict[str, torch.Tensor]:
    """Published weights under our names; `resolutions` in the order of their main layers."""
    found = {}
    for name, value in published.items():
        if name.endswith("Resampler.Kernel"):
            continue
        if name in ENDS:
            found[ENDS[name]] = value
            continue
        main, layer, rest = re.fullmatch(r"MainLayers\.(\d+)\.Layers\.(\d+)\.(.*)", name).groups()
        r, place = resolutions[int(main)], int(layer)
        if rest in (ends := HEADS if network == "D" else FEET):
            found[ends[rest]] = value
        elif rest == "LinearLayer.Layer.weight":
            found[f"{'down' if network == 'D' else 'up'}{r}.conv.weight"] = value
        else:
            found[f"b{r}.{place - (network == 'G')}.{LAYERS[rest]}"] = value
    return found


def players(kind: str):
    """Our networks with the published weights, and the order of resolutions of each."""
    case = CASES[kind]
    spec = ImageSpec(case["side"], case["side"], 3, case["classes"] or 0)
    widths, blocks = tuple(case["WidthPerStage"]), tuple(case["BlocksPerStage"])
    size = case["ExpansionFactor"] * widths[0] // case["CardinalityPerStage"][0]
    shape = {"widths": widths, "blocks": blocks, "expansion": case["ExpansionFactor"], "group_size": size}
    label_dim = case["embedding"] or 1
    G = R3GANGeneratorConfig(z_dim=case["noise"], label_dim=label_dim, **shape).build(spec)
    D = R3GANDiscriminatorConfig(label_dim=label_dim, **shape).build(spec)
    up = list(G.feature_channels)
    G.load_state_dict(renamed(below(f"{kind}/G/"), up, "G"))
    D.load_state_dict(renamed(below(f"{kind}/D/"), up[::-1], "D"))
    return G, D, up


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float) -> None:
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def duel(kind: str, turn: str) -> tuple[Duel, list[int]]:
    G, D, up = players(kind)
    found = below(f"{kind}/")
    requires = frozenset({Capability.REAL_GRAD, Capability.FAKE_GRAD} if turn == "d" else ())
    played = Duel(G, D, found["reals"], found.get("c"), StepContext(turn, requires))
    vars(played)["z"] = found["z"]
    return played, up


@pytest.mark.parametrize("kind", CASES)
def test_golden_r3gan_images_and_logits(kind):
    G, D, _ = players(kind)
    found = below(f"{kind}/")
    fakes = G(found["z"], found.get("c")).image
    close(fakes, found["fakes"], 1e-5)
    logits = D(found["reals"], found.get("c")).logits
    close(logits, found["logits"], 1e-5)


@pytest.mark.parametrize("kind", CASES)
def test_golden_r3gan_gradients_of_d_with_r1_and_r2(kind):
    played, up = duel(kind, "d")
    found, gamma = below(f"{kind}/"), CASES[kind]["gamma"]
    adversarial = Relativistic().loss(played)
    penalties = R1(weight=gamma).loss(played), R2(weight=gamma).loss(played)
    close(adversarial, found["d_adv"].mean(), 1e-5)
    for ours, theirs in zip(penalties, ("r1", "r2"), strict=True):
        close(2 * ours, found[theirs].mean(), 1e-5)
    (adversarial + gamma * sum(penalties)).backward()
    expected = renamed(below(f"{kind}/grad_D/"), up[::-1], "D")
    for name, weight in played.D.named_parameters():
        close(weight.grad, expected[name], 1e-4)


@pytest.mark.parametrize("kind", CASES)
def test_golden_r3gan_gradients_of_g(kind):
    played, up = duel(kind, "g")
    loss = Relativistic().loss(played)
    close(loss, below(f"{kind}/")["g_adv"].mean(), 1e-5)
    loss.backward()
    expected = renamed(below(f"{kind}/grad_G/"), up, "G")
    for name, weight in played.G.named_parameters():
        close(weight.grad, expected[name], 1e-4)


@pytest.mark.parametrize(
    ("size", "labels", "widths", "group_size", "millions"),
    [
        (256, 0, (768, 768, 768, 768, 384, 192, 96), 16, (23.06, 23.01)),
        (64, 0, (768, 768, 768, 768, 384), 16, (22.43, 22.38)),
        (32, 10, (768,) * 4, 16, (20.78, 21.28)),
        (32, 1000, (1536,) * 4, 32, (82.91, 86.55)),
        (64, 1000, (1536,) * 5, 32, (103.57, 107.21)),
    ],
)
def test_published_settings_have_the_published_number_of_weights(size, labels, widths, group_size, millions):
    spec = ImageSpec(size, size, 3, labels)
    with torch.device("meta"):
        networks = [
            config(widths=widths, group_size=group_size).build(spec)
            for config in (R3GANGeneratorConfig, R3GANDiscriminatorConfig)
        ]
    found = [sum(weight.numel() for weight in network.parameters()) / 1e6 for network in networks]
    assert found == pytest.approx(millions, abs=0.006)


def test_the_class_term_starts_as_small_as_the_published_one():
    torch.manual_seed(0)
    D = R3GANDiscriminatorConfig(widths=(768,) * 2, blocks=(1,)).build(ImageSpec(8, 8, 3, 10))
    assert D.embed.weight.std().item() == pytest.approx((768 * 10) ** -0.5, rel=0.05)
    assert D.out.weight.shape == (768, 768)


@pytest.mark.parametrize("given", [{"widths": (8, 8, 8)}, {"blocks": (1, 2, 1)}])
def test_stages_are_as_many_as_resolutions(given):
    for config in (R3GANGeneratorConfig, R3GANDiscriminatorConfig):
        with pytest.raises(ValueError, match=r"given for 3 stages; images of 8 x 8 px have 2, of 4, 8 px: give 2"):
            config(**given).build(ImageSpec(8, 8))
    with pytest.raises(ValueError, match="give whole numbers from 1"):
        R3GANGeneratorConfig(widths=(0, 4))
    with pytest.raises(ValueError, match="at least one"):
        R3GANDiscriminatorConfig(blocks=())
