"""The published NICE-GAN's networks, weights, images and steps, by our names."""

from __future__ import annotations

import json
import re

import torch
from golden_games import below, folder_of

from ggdr.layers.spectral import iterate_each_pass
from ggdr.networks.base import ImageSpec
from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig

LAYERS = {
    "model.1": "encoder.0", "model.4": "encoder.1", "fc": "attention.judge", "conv1x1": "attention.conv",
    "lamda": "attention.share", "Dis0_0.1": "shared", "Dis0_1.1": "local_head.layers.0", "conv0": "local_head.out",
    "Dis1_0.1": "global_head.layers.0", "Dis1_0.4": "global_head.layers.1", "Dis1_1.1": "global_head.layers.2",
    "conv1": "global_head.out",
    "UpBlock0.1": "enter", "UpBlock0.2": "norm", "FC.0": "style.fc0", "FC.2": "style.fc1", "gamma": "style.scale",
    "beta": "style.shift", "UpBlock2.1": "up.0.conv0", "UpBlock2.2": "up.0.norm0", "UpBlock2.4": "up.0.conv1",
    "UpBlock2.6": "up.0.norm1", "UpBlock2.9": "up.1.conv0", "UpBlock2.10": "up.1.norm0", "UpBlock2.12": "up.1.conv1",
    "UpBlock2.14": "up.1.norm1", "UpBlock2.17": "toimage",
}  # fmt: skip
LEAVES = {"weight_orig": "parametrizations.weight.original", "weight_u": "parametrizations.weight.0._u"}
LEAVES |= {"weight_v": "parametrizations.weight.0._v", "rho": "shares"}
NORM = {"gamma": "weight", "beta": "bias"}


def renamed(published: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Published weights under our names."""
    found = {}
    for name, value in published.items():
        if name == "lamda":
            found["attention.share"] = value
            continue
        layer, _, leaf = name.rpartition(".")
        if block := re.fullmatch(r"UpBlock1_(\d+)\.(conv|norm)(\d)", layer):
            ours = f"blocks.{int(block[1]) - 1}.{block[2]}{int(block[3]) - 1}"
        else:
            ours = LAYERS[layer]
        normed = ".norm" in f".{ours}"
        found[f"{ours}.{NORM.get(leaf, LEAVES.get(leaf, leaf)) if normed else LEAVES.get(leaf, leaf)}"] = (
            value.reshape(value.shape[1], -1).squeeze(1) if normed else value
        )
    return found


def settings():
    """The published run's settings."""
    return json.loads((folder_of("nice") / "nice.json").read_text())


def judge_and_translator():
    """The settings of D and of G."""
    case = settings()
    translator = NICETranslatorConfig(channels=case["ch"], blocks=case["blocks"], light=False)
    return NICEDiscriminatorConfig(channels=case["ch"]), translator


def networks():
    """D_A, D_B, G_A2B, G_B2A, as they begin; their spectral norms iterate in each pass."""
    case, (judge, translator) = settings(), judge_and_translator()
    spec = ImageSpec(case["size"], case["size"])
    found = {}
    for name in ("A", "B"):
        found[name] = judge.build(spec)
        iterate_each_pass(found[name])
    for name in ("A2B", "B2A"):
        found[name] = translator.build(spec, found["A"].code_spec)
    for name, network in found.items():
        network.load_state_dict(renamed(below("nice", f"init/{name}/")))
    return found


def images(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A step's images of both domains, in [-1, 1]."""
    found = [below("nice", f"step{step}/")[name] for name in ("A", "B")]
    a, b = (x if x.is_floating_point() else x / 127.5 - 1 for x in found)
    return a, b


def check_final(network: torch.nn.Module, first: dict[str, torch.Tensor], last: dict[str, torch.Tensor]) -> None:
    """Its weights went where the published ones did, but for some whose gradient is nothing but rounding to Adam."""
    ours = network.state_dict()
    assert ours.keys() == last.keys()
    way = torch.cat([(last[name] - first[name]).flatten() for name in ours])
    error = torch.cat([(ours[name] - last[name]).flatten() for name in ours])
    assert way.abs().mean() > 1e-5 and error.abs().mean() < 0.01 * way.abs().mean()
