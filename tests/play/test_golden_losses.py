"""Parity of every phase's value and gradients with vectors made by the published implementation."""

from __future__ import annotations

import math

import pytest
import torch
from golden_vectors import below, close, pair_of, renamed, settings, tensors
from torch import Tensor

from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.base import GeneratorOutput
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1

CASE, GIVEN = settings("losses"), tensors("losses")
LENGTH = {"decay": CASE["pl_decay"], "shrink": CASE["pl_batch_shrink"]}


class GivenDuel(Duel):
    """A duel whose latent codes are the golden ones."""

    def codes(self, n: int) -> Tensor:
        return GIVEN["z"][:n]

    def generate(self, z: Tensor) -> GeneratorOutput:
        return self.G(z, self.labels_of(len(z)), resolutions=self.context.resolutions, noise="const")


class GivenPathLength(PathLength):
    """A path length whose direction is the golden one."""

    def direction(self, image):
        return GIVEN["path_length/image_noise"] / math.sqrt(image[0, 0].numel())


def players():
    """The golden pair."""
    return pair_of(CASE["network"], GIVEN)


PHASES = {
    "generator_adversarial": ("g", [NonSaturating()], {"Loss/G/loss"}),
    "path_length": ("g", [GivenPathLength(weight=CASE["pl_weight"], **LENGTH)], {"Loss/G/reg"}),
    "discriminator_adversarial_plus_ggdr": (
        "d",
        [NonSaturating(), GGDR(weight=CASE["ggdr_weight"], resolutions=(CASE["ggdr_resolution"],))],
        {"Loss/D/loss_gan_gen", "Loss/D/loss_gen_reg"},
    ),
    "r1": ("d", [R1(weight=CASE["r1_gamma"])], {"Loss/D/reg"}),
}


@pytest.mark.parametrize("name", PHASES)
def test_phase_parity(name):
    """The value that was reported, and the gradient of every parameter."""
    turn, terms, reported = PHASES[name]
    g, d = players()
    g.requires_grad_(turn == "g"), d.requires_grad_(turn == "d")
    requires = frozenset().union(*(term.requires for term in terms))
    terms = [term.resolve(g.spec, len(GIVEN["real"]))[0] for term in terms]
    for term in terms:
        term.begin(torch.device("cpu"))
    resolutions = tuple(resolution for term in terms for resolution in term.feature_resolutions())
    duel = GivenDuel(g, d, GIVEN["real"], GIVEN.get("labels_onehot"), StepContext(turn, requires, resolutions))
    total = sum(term.weight * term.loss(duel) for term in terms)
    total.backward()
    want = sum(CASE["reported_means"][name][key] for key in reported)
    if name.startswith("discriminator"):  # the report leaves out the reals' half
        want += torch.nn.functional.softplus(-duel.on_real.logits).mean().item()
    assert total.item() == pytest.approx(want, rel=1e-4)
    rename = renamed if turn == "d" else str
    golden = {rename(key): t for key, t in below("losses", f"{name}/grad/").items()}
    ours = {key: p.grad for key, p in (g if turn == "g" else d).named_parameters()}
    largest = max(t.abs().max() for t in golden.values())
    for key, gradient in ours.items():
        if key.endswith("noise_strength"):  # its gradient is the noise that was drawn, which the vectors do not hold
            continue
        if key not in golden:
            assert gradient is None or gradient.abs().max() == 0, key
        elif golden[key].abs().max() < 1e-6 * largest:
            assert gradient is None or gradient.abs().max() < 1e-5 * largest, key
        else:
            close(gradient, golden[key], 1e-4)


def test_mean_path_length_parity():
    g, d = players()
    term = GivenPathLength(**LENGTH)
    term.begin(torch.device("cpu"))
    duel = GivenDuel(g, d, GIVEN["real"], GIVEN.get("labels_onehot"), StepContext("g", term.requires))
    term.loss(duel)
    term.learn(duel.notes)
    close(term.state["mean"], GIVEN["path_length/pl_mean_after"], 1e-4)
