"""Parity with the published U-GAT-IT: what the generator makes, says and learns, and what the discriminators say.

GGDR_GOLDEN_GAMES names the folder of the vectors; without it those that are committed are read, of one image and
without gradients.
"""

from __future__ import annotations

import json

import torch
from golden_games import below, close, close_gradients, folder_of, tensors

from ggdr.foreign.ugatit import judge_weights, translator_weights
from ggdr.networks.base import ImageSpec
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig

CASE = json.loads((folder_of("ugatit") / "ugatit.json").read_text())
SPEC = ImageSpec(CASE["size"], CASE["size"])


def shaped(found: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights in the shapes of ours."""
    return {name: value.view_as(network.state_dict()[name]) for name, value in found.items()}


def test_golden_ugatit_generator():
    found = tensors("ugatit")
    net = UGATITTranslatorConfig(channels=CASE["ch"], blocks=CASE["blocks"], light=False).build(SPEC, SPEC)
    net.load_state_dict(shaped(translator_weights(below("ugatit", "init/G/")), net))
    made = net(found["x"])
    close(made.image, found["y"], 1e-5)
    close(made.head_outputs["cam"], found["cam"], 1e-5)
    close(net.heat_map(found["x"]), found["heatmap"], 1e-5)
    if gradients := below("ugatit", "grad_G/"):
        made.image.backward(found["grad_y"])
        close_gradients(net, shaped(translator_weights(gradients), net))


def test_golden_ugatit_discriminators():
    x = tensors("ugatit")["x"]
    halvings = {name: CASE[f"{name}_layers"] - 2 for name in ("global", "local")}
    config = UGATITDiscriminatorConfig(
        channels=CASE["ch"], halvings=halvings["global"], local_halvings=halvings["local"]
    )
    net = config.build(SPEC).eval()  # spectral norms as they stand
    weights = {}
    for part in halvings:
        weights |= judge_weights(below("ugatit", f"init/D_{part}/"), f"{part}_net")
    net.load_state_dict(shaped(weights, net))
    said = net(x)
    all_logits = [said.logits, *said.more_logits]
    for part, (logits, classes) in {"global": all_logits[:2], "local": all_logits[2:]}.items():
        wanted = below("ugatit", f"D_{part}/")
        close(logits, wanted["logits"].flatten(1), 1e-5)
        close(classes, wanted["cam"], 1e-5)
        seen = net.get_submodule(f"{part}_net").attended(x)[0].sum(dim=1, keepdim=True)
        close(seen, wanted["heatmap"], 1e-5)
