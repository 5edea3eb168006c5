"""Parity with the published GAT: heads, nested noise, logits, losses, and the gradients of both players.

GGDR_GOLDEN_2026 names the folder of the vectors, of whatever sizes; without it those that are committed are read.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path

import torch
from places import OWN_GOLDEN
from safetensors.torch import load_file

from ggdr.layers.tokens import rotary_angles, sine_codes
from ggdr.losses.relativistic import Relativistic
from ggdr.networks.base import ImageSpec
from ggdr.networks.gat import GATDiscriminatorConfig, GATGeneratorConfig
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext

FOLDER = Path(os.environ.get("GGDR_GOLDEN_2026", OWN_GOLDEN / "2026"))
CASE = json.loads((FOLDER / "gat.json").read_text())
NAMES = {
    "G": {"latent_embedder.0": "mapping.fc0", "latent_embedder.2": "mapping.fc1"}
    | {"y_embedder.embedding_table": "mapping.embed", "final_layers": "heads", "linear": "out"}
    | {"adaLN_modulation.1": "modulation"},
    "D": {"y_embedder.latent_embedder.0": "embed.fc0", "y_embedder.latent_embedder.2": "embed.fc1"}
    | {"y_embedder.embedding_table": "embed.embed", "cls_token": "class_token", "x_embedder.proj": "enter"}
    | {"final_layer.0": "norm", "final_layer.1": "out", "norm1": "norm0", "norm2": "norm1"}
    | {"ls_attn": "scale0", "ls_mlp": "scale1"},
}
BOTH = {"attn.proj": "attention.out", "attn": "attention", "mlp.w12": "mlp.enter", "mlp.w3": "mlp.out"}
"""parts of published names, and what they are called here"""
ELSEWHERE = re.compile(r"pos_embed|feat_rope|w_avg|proj\.\d|G/x_embedder")
"""what is fixed or of no effect there, the head of REPA, and layers of the generator that it multiplies by zero"""


@cache
def tensors():
    return load_file(FOLDER / "gat.safetensors")


def below(prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors().items() if key.startswith(prefix)}


def our_name(name: str, network: str) -> str:
    """The name of a published weight here."""
    for theirs, ours in (NAMES[network] | BOTH).items():
        name = name.replace(theirs, ours)
    return name


def laid_out(name: str, value: torch.Tensor) -> torch.Tensor:
    """A published weight as it lies here: turned pairs half a head apart, and patches with their channels first."""
    width, heads, patch = CASE["hidden_size"], CASE["num_heads"], CASE["patch_size"]
    pairs = torch.arange(width // heads).view(-1, 2).T.flatten()
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return value[pairs]
    if ".qkv." in name:
        q, k, v = value.unflatten(0, (3, heads, -1))
        return torch.stack([q[:, pairs], k[:, pairs], v]).flatten(0, 2)
    if name.startswith("heads.") and ".out." in name:
        return value.unflatten(0, (patch, patch, -1)).movedim(2, 0).flatten(0, 2)
    embeds = name.endswith("embed.weight")  # rows of a table there, columns of a matrix here
    value = value.T if embeds else value
    return value.flatten(1) if name == "enter.weight" else value.reshape(-1) if name == "class_token" else value


def renamed(prefix: str, network: str) -> dict[str, torch.Tensor]:
    kept = {key: value for key, value in below(prefix).items() if not ELSEWHERE.search(f"{network}/{key}")}
    names = {key: our_name(key, network) for key in kept}
    return {names[key]: laid_out(names[key], value) for key, value in kept.items()}


def players():
    """Our networks with the published weights."""
    side, patch = CASE["input_size"], CASE["patch_size"]
    spec = ImageSpec(side, side, CASE["in_channels"], CASE["num_classes"])
    shape = {"depth": CASE["depth"], "width": CASE["hidden_size"], "attention_heads": CASE["num_heads"]}
    latent = CASE["latent_size"]
    G = GATGeneratorConfig(**shape, patch=patch, z_dim=latent, label_dim=latent).build(spec)
    inner = GATDiscriminatorConfig(**shape, patch=patch, label_dim=latent)
    D = MNGDiscriminatorConfig(encoder=inner, levels=tuple(CASE["levels"])).build(spec)
    missing = G.load_state_dict(renamed("G/", "G"), strict=False)
    assert missing.missing_keys == ["means.w_avg"] and not missing.unexpected_keys
    D.encoder.load_state_dict(renamed("D/", "D"))
    for network, name in ((G, "G"), (D.encoder, "D")):
        network.places.copy_(tensors()[f"{name}/pos_embed"][0])
    return G, D


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float) -> None:
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def labels() -> torch.Tensor:
    return torch.eye(CASE["num_classes"])[tensors()["y"]]


def duel(turn: str) -> Duel:
    """A duel of the published fakes and reals, under the published noise."""
    G, D = players()
    draws, found = [tensors()[f"noise/{place}"] for place in range(len(CASE["levels"]))], tensors()
    noised = D.noised
    D.noised = lambda image: noised(image, draws)
    G.requires_grad_(turn == "g")
    D.requires_grad_(turn == "d")
    played = Duel(G, D, found["reals"], labels(), StepContext(turn))
    vars(played)["z"] = found["z"]
    return played


def test_golden_gat_heads_and_their_gradients():
    G, _ = players()
    found = tensors()
    made = G(found["z"], labels())
    heads = torch.stack([*made.intermediates, made.image])
    for ours, theirs in zip(heads, found["heads"], strict=True):
        close(ours, theirs, 1e-5)
    heads.backward(found["grad_heads"])
    expected = renamed("grad_G/", "G")
    for name, weight in G.named_parameters():
        close(weight.grad, expected[name], 1e-4)


def test_golden_gat_nested_noise():
    _, D = players()
    found = tensors()
    draws = [found[f"noise/{place}"] for place in range(len(CASE["levels"]))]
    for given, name in ((found["heads"], "noised_heads"), (found["reals"][None], "noised_reals")):
        seen = D.noised(given.transpose(0, 1).flatten(1, 2), draws)
        close(seen, found[name].transpose(0, 1).flatten(1, 2), 1e-5)


def test_golden_gat_logits_losses_and_gradients_of_d():
    played, found = duel("d"), tensors()
    close(played.on_fake.logits, found["logits_fake"].flatten(), 1e-5)
    close(played.on_real.logits, found["logits_real"].flatten(), 1e-5)
    loss = Relativistic().loss(played)
    close(loss, found["loss_D"], 1e-5)
    loss.backward()
    expected = renamed("grad_D/", "D")
    for name, weight in played.D.encoder.named_parameters():
        close(weight.grad, expected[name], 1e-4)
    close(Relativistic().loss(duel("g")), found["loss_G"], 1e-5)


def test_places_are_told_as_published():
    """Its fixed codes were moved with the weights, by less than they differ; its angles were not."""
    side, width = CASE["input_size"] // CASE["patch_size"], CASE["hidden_size"]
    fixed, ours = tensors()["G/pos_embed"][0], sine_codes(side, side, width)
    rows_first = ours.unflatten(0, (side, side)).transpose(0, 1).flatten(0, 1)
    assert (ours - fixed).abs().max() < 0.5 < (rows_first - fixed).abs().max()
    angles = rotary_angles(side, side, width // CASE["num_heads"])
    for name, ours in (("cos", angles.cos()), ("sin", angles.sin())):
        close(ours.repeat_interleave(2, dim=1), tensors()[f"G/feat_rope.freqs_{name}"], 1e-6)
