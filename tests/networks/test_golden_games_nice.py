"""Parity with the published NICE-GAN: what its networks say and make, and two whole training steps of all four.

GGDR_GOLDEN_GAMES names the folder of the vectors; without it, or where they do not say how the networks began, those
that are committed are read.
"""

from __future__ import annotations

import json
import re

import torch
from golden_games import below, close, close_gradients, folder_of

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
CYCLE, RECONSTRUCTION = 10.0, 10.0


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


def networks():
    """D_A, D_B, G_A2B, G_B2A, as they begin; their spectral norms iterate in each pass."""
    case = json.loads((folder_of("nice") / "nice.json").read_text())
    spec = ImageSpec(case["size"], case["size"])
    found = {}
    for name in ("A", "B"):
        found[name] = NICEDiscriminatorConfig(channels=case["ch"]).build(spec)
        iterate_each_pass(found[name])
    for name in ("A2B", "B2A"):
        config = NICETranslatorConfig(channels=case["ch"], blocks=case["blocks"], light=False)
        found[name] = config.build(spec, found["A"].code_spec)
    for name, network in found.items():
        network.load_state_dict(renamed(below("nice", f"init/{name}/")))
    return found


def images(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A step's images of both domains, in [-1, 1]."""
    found = [below("nice", f"step{step}/")[name] for name in ("A", "B")]
    a, b = (x if x.is_floating_point() else x / 127.5 - 1 for x in found)
    return a, b


def test_golden_nice_discriminator_says_what_the_published_one_does():
    D, wanted = networks()["A"], below("nice", "step0/D_A_of_A/")
    said = D(images(0)[0])
    far, judged = said.more_logits
    close(said.logits.view_as(wanted["local"]), wanted["local"], 1e-5)
    close(far.view_as(wanted["global"]), wanted["global"], 1e-5)
    close(judged, wanted["cam"], 1e-5)
    codes = said.maps[D.code_spec.height]
    close(codes, wanted["z"], 1e-5)
    close(codes.sum(dim=1, keepdim=True), wanted["heatmap"], 1e-5)
    assert codes.shape[1:] == (D.code_spec.channels, D.code_spec.height, D.code_spec.width)


def squares(said, target: float) -> torch.Tensor:
    """The least-squares loss of all heads."""
    return sum((logits - target).square().mean() for logits in (said.logits, *said.more_logits))


def test_golden_nice_two_training_steps():
    nets = networks()
    A, B, A2B, B2A = (nets[name] for name in ("A", "B", "A2B", "B2A"))
    case = json.loads((folder_of("nice") / "nice.json").read_text())
    adam = {"lr": case["lr"], "betas": tuple(case["betas"]), "weight_decay": case["weight_decay"]}
    d_adam = torch.optim.Adam([*A.parameters(), *B.parameters()], **adam)
    g_adam = torch.optim.Adam([*A2B.parameters(), *B2A.parameters()], **adam)
    height = A.code_spec.height
    for step in range(case["steps"]):
        found, (a, b) = below("nice", f"step{step}/"), images(step)
        d_adam.zero_grad()
        on_a, on_b = A(a), B(b)
        fake_b, fake_a = A2B(on_a.maps[height]).image.detach(), B2A(on_b.maps[height]).image.detach()
        d_loss = squares(on_a, 1) + squares(on_b, 1) + squares(A(fake_a), 0) + squares(B(fake_b), 0)
        close(d_loss, found["loss_D"], 1e-5)
        d_loss.backward()
        if step == 0:
            close_gradients(A, renamed(below("nice", "step0/grad_D_A/")))
        d_adam.step()
        g_adam.zero_grad()
        codes_a, codes_b = A(a).maps[height], B(b).maps[height]
        fake_b, fake_a = A2B(codes_a).image, B2A(codes_b).image
        on_fake_a, on_fake_b = A(fake_a), B(fake_b)
        cycles = (B2A(on_fake_b.maps[height]).image, A2B(on_fake_a.maps[height]).image)
        cycle = sum((made - true).abs().mean() for made, true in zip(cycles, (a, b), strict=True))
        again = (B2A(codes_a).image, A2B(codes_b).image)
        recon = sum((made - true).abs().mean() for made, true in zip(again, (a, b), strict=True))
        g_loss = squares(on_fake_a, 1) + squares(on_fake_b, 1) + CYCLE * cycle + RECONSTRUCTION * recon
        close(g_loss, found["loss_G"], 1e-5)
        g_loss.backward()
        if step == 0:
            close_gradients(A2B, renamed(below("nice", "step0/grad_G_A2B/")))
        g_adam.step()
    for name in ("A", "A2B"):
        check_final(nets[name], renamed(below("nice", f"init/{name}/")), renamed(below("nice", f"final/{name}/")))


def check_final(network: torch.nn.Module, first: dict[str, torch.Tensor], last: dict[str, torch.Tensor]) -> None:
    """Its weights went where the published ones did, but for some whose gradient is nothing but rounding to Adam."""
    ours = network.state_dict()
    assert ours.keys() == last.keys()
    way = torch.cat([(last[name] - first[name]).flatten() for name in ours])
    error = torch.cat([(ours[name] - last[name]).flatten() for name in ours])
    assert way.abs().mean() > 1e-5 and error.abs().mean() < 0.01 * way.abs().mean()
