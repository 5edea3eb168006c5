"""Checkpoints of the published U-GAT-IT: two translators, and four networks that make two discriminators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import isqrt
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import FoundNetwork, Reading, build_filled
from ggdr.games.unpaired import UnpairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig

TRANSLATORS = {"genA2B": "generator_ab", "genB2A": "generator_ba"}
"""A checkpoint's entry -> our role."""
JUDGES = {("disGA", "disLA"): "discriminator_a", ("disGB", "disLB"): "discriminator_b"}
"""Entries of a checkpoint, the global and the local network -> our role of both."""
SIDE = 256
"""Height and width of the images, pixels, where a file does not say it."""
MOST_BLOCKS, MOST_HALVINGS = 100, 12
HALVINGS = 2
"""Halvings of every published translator."""
TRANSLATOR = {
    "DownBlock.1": "enter", "DownBlock.5": "down.0", "DownBlock.9": "down.1",
    "gap_fc": "attention.of_mean", "gmp_fc": "attention.of_maximum", "conv1x1": "attention.conv",
    "FC.0": "style.fc0", "FC.2": "style.fc1", "gamma": "style.scale", "beta": "style.shift",
    "UpBlock2.2": "up.0.conv", "UpBlock2.3": "up.0.norm", "UpBlock2.7": "up.1.conv", "UpBlock2.8": "up.1.norm",
    "UpBlock2.11": "toimage",
}  # fmt: skip
"""Published name of a layer -> ours, but for blocks."""
PLAIN_BLOCK = re.compile(r"DownBlock\.(\d{1,3})\.conv_block\.([15])")
FIRST_BLOCK = 12
"""Number of the first block in the published sequence."""
BLOCK = re.compile(r"UpBlock1_(\d{1,3})\.(conv|norm)([12])")
JUDGE = {"gap_fc": "attention.of_mean", "gmp_fc": "attention.of_maximum", "conv1x1": "attention.conv", "conv": "out"}
JUDGE_LAYER = re.compile(r"model\.(\d{1,2})")
NORM = {"rho": "shares", "gamma": "weight", "beta": "bias"}
SPECTRAL = {
    "weight_orig": "parametrizations.weight.original", "weight_u": "parametrizations.weight.0._u",
    "weight_v": "parametrizations.weight.0._v",
}  # fmt: skip


def translator_weights(published: Mapping[str, Any]) -> dict[str, Any]:
    """Return a translator's weights under our names; a layer that is unknown keeps its own."""
    found = {}
    for name, value in published.items():
        layer, _, leaf = name.rpartition(".")
        if block := PLAIN_BLOCK.fullmatch(layer):
            ours = f"plain_blocks.{int(block[1]) - FIRST_BLOCK}.conv{'15'.index(block[2])}"
        elif block := BLOCK.fullmatch(layer):
            ours = f"blocks.{int(block[1]) - 1}.{block[2]}{int(block[3]) - 1}"
        else:
            ours = TRANSLATOR.get(layer, layer)
        found[f"{ours}.{NORM.get(leaf, leaf)}"] = value
    return found


def judge_weights(published: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the weights of a global or a local network under our names, below `part`."""
    found = {}
    for name, value in published.items():
        layer, _, leaf = name.rpartition(".")
        place = JUDGE_LAYER.fullmatch(layer)
        ours = f"layers.{int(place[1]) // 3}" if place and int(place[1]) % 3 == 1 else JUDGE.get(layer, layer)
        found[f"{part}.{ours}.{SPECTRAL.get(leaf, leaf)}"] = value
    return found


def read(content: Mapping[str, Any], size: int) -> Reading:
    """Return the networks of a checkpoint, as far as they are there; UserError, one clause, if one is none of ours.

    `size`: bytes of the file.
    """
    found, notes = dict[str, FoundNetwork](), list[str]()
    for entry, role in TRANSLATORS.items():
        if entry in content:
            found[role] = FoundNetwork(translator(entry, weights_of(content, entry), size), entry, "ResnetGenerator")
    first = next(iter(found.values())).network
    spec = first.spec
    if first.size_divisor:
        notes.append(f"the file does not say how large its images are: taken to be {spec.height} x {spec.width} px")
    for entries, role in JUDGES.items():
        if {*entries} <= content.keys():
            wide, near = (weights_of(content, entry) for entry in entries)
            found[role] = FoundNetwork(judge(wide, near, spec, size), " and ".join(entries), "Discriminator")
    if {*TRANSLATORS.values()} <= found.keys():
        return Reading("U-GAT-IT", found, {}, notes, UnpairedGame(pool=0, first="d"))
    (alone,) = (each for role, each in found.items() if role in TRANSLATORS.values())
    return Reading("U-GAT-IT", {"generator": alone}, {}, notes)


def weights_of(content: Mapping[str, Any], entry: str) -> dict[str, Stored]:
    """Return the tensors of an entry; UserError if it holds anything else."""
    weights = content[entry]
    if not isinstance(weights, dict) or not all(isinstance(value, Stored) for value in weights.values()):
        raise UserError(f"its {entry} holds no weights")
    return {str(name): value for name, value in weights.items()}


def translator(entry: str, stored: Mapping[str, Stored], size: int) -> Network:
    """Convert a translator, whose weights say its settings."""
    first, last, style = (stored.get(f"{name}.weight") for name in ("DownBlock.1", "UpBlock2.11", "FC.0"))
    blocks = len({found[1] for name in stored if (found := BLOCK.match(name))})
    if first is None or last is None or style is None or blocks > MOST_BLOCKS:
        raise UserError(f"the layers of its {entry} are not those of U-GAT-IT's generator")
    width, numbers = style.shape if len(style.shape) == 2 else (0, 0)
    pixels = numbers // max(width, 1)
    if len(first.shape) != 4 or len(last.shape) != 4 or not pixels or isqrt(pixels) ** 2 != pixels:
        raise UserError(f"the weights of its {entry} have not the shapes of U-GAT-IT's generator")
    side = SIDE if pixels == 1 else isqrt(pixels) << HALVINGS
    config = UGATITTranslatorConfig(channels=first.shape[0], blocks=blocks, light=pixels == 1)
    specs = ImageSpec(side, side, last.shape[0]), ImageSpec(side, side, first.shape[1])
    return build_filled(partial(config.build, *specs), flattened(translator_weights(stored)), size)


def judge(wide: Mapping[str, Stored], near: Mapping[str, Stored], spec: ImageSpec, size: int) -> Network:
    """Convert a global and a local network, which are one discriminator here."""
    layers = [sum(name.endswith("weight_orig") and name.startswith("model.") for name in part) for part in (wide, near)]
    first = wide.get("model.1.weight_orig")
    if first is None or len(first.shape) != 4 or not all(2 <= count <= MOST_HALVINGS for count in layers):
        raise UserError("its layers are not those of U-GAT-IT's discriminators")
    config = UGATITDiscriminatorConfig(channels=first.shape[0], halvings=layers[0] - 1, local_halvings=layers[1] - 1)
    weights = judge_weights(wide, "global_net") | judge_weights(near, "local_net")
    return build_filled(partial(config.build, spec._replace(channels=first.shape[1])), weights, size)


def flattened(weights: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return weights of normalization [1, C, 1, 1] as ours are, shares [C, 1], scales and shifts [C]; others stay."""
    found = dict(weights)
    for name, value in weights.items():
        if ".norm" in name and len(value.shape) == 4:
            end = 3 if name.endswith(".shares") else 2
            found[name] = replace(value, shape=value.shape[1:end], stride=value.stride[1:end])
    return found
