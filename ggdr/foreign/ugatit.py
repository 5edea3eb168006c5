"""Checkpoints of the published U-GAT-IT: two translators, and four networks that make two discriminators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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
        ours = f"layers.{int(place[1]) // 3}" if place else JUDGE.get(layer, layer)
        found[f"{part}.{ours}.{SPECTRAL.get(leaf, leaf)}"] = value
    return found
