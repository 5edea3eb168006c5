"""Parity of whole training steps with the published program's: nine of them, through the run's own training step."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import pytest
import tiny
from golden_vectors import below, close, published, renamed, settings, tensors

from ggdr.augment.none import NoAugmentation
from ggdr.data.base import DataSet, Images
from ggdr.games.standard import StandardGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.play.duel import Duel
from ggdr.play.view import Reals
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1
from ggdr.train import train_step

CASE, GIVEN = settings("trajectory"), tensors("trajectory")
ORDER = ("Gmain", "Greg", "Dmain", "Dreg")


@dataclass(frozen=True, kw_only=True)
class GivenData(DataSet):
    """Images of the golden reals' size; the reals themselves are handed to the step."""

    def open(self):
        images = Images()
        _, channels, height, width = GIVEN["step0/real"].shape
        images.spec = ImageSpec(height, width, channels)
        return images


class GivenDuel(Duel):
    """A duel whose latent codes and path length direction are those of the golden phase; no noise in synthesis."""

    def codes(self, n):
        return GIVEN[f"{self.phase}/z"][:n]

    def generate(self, z):
        return self.G(
            z,
            resolutions=self.context.resolutions if Capability.G_FEATURES in self.context.requires else (),
            noise="none",
        )


@dataclass(frozen=True, kw_only=True)
class GivenGame(StandardGame):
    """The game of one generator and one discriminator, told which golden phases follow each other."""

    phases: list[str] = dataclasses.field(default_factory=list)

    def duels(self, networks, batch, context):
        duel = GivenDuel(networks["generator"], networks["discriminator"], *batch["real"], context)
        duel.phase = self.phases.pop(0)
        return [duel]


class GivenPathLength(PathLength):
    """A path length whose direction is the golden one."""

    def g_loss(self, duel):
        self.phase = duel.phase
        return super().g_loss(duel)

    def direction(self, image):
        return GIVEN[f"{self.phase}/image_noise"] / math.sqrt(image[0, 0].numel())


def recipe():
    """The published run's."""
    channels = {"channel_base": CASE["channel_base"], "channel_max": CASE["channel_max"]}
    dims = {"z_dim": CASE["z"], "w_dim": CASE["w"], "mapping_layers": CASE["mapping_layers"]}
    adam = Adam(lr=CASE["lr"], beta1=0.0, beta2=0.99, eps=1e-8)
    return dataclasses.replace(
        tiny.recipe,
        data=GivenData(),
        generator=StyleGAN2GeneratorConfig(**channels, **dims, style_mixing=CASE["style_mixing"]),
        discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(**channels)),
        regularizers={
            "path_length": GivenPathLength(weight=CASE["pl_weight"], every=CASE["g_interval"]),
            "r1": R1(weight=CASE["r1_gamma"], every=CASE["d_interval"]),
            "ggdr": GGDR(weight=CASE["ggdr_weight"], resolutions=(CASE["ggdr_resolution"],)),
        },
        augment=NoAugmentation(),
        game=GivenGame(),
        g_optimizer=adam,
        d_optimizer=adam,
        batch_size=CASE["batch"],
        micro_batch_size=None,
        ema_kimg=CASE["ema_kimg"],
        ema_rampup=CASE["ema_rampup"],
    )


def weights(network):
    """What learns, copied."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def golden(prefix, network):
    """The golden tensors of a network's weights."""
    rename = renamed if prefix.endswith("D/") else str
    given = {rename(key): t for key, t in published(below("trajectory", prefix), "").items()}
    return {name: given[name] for name, _ in network.named_parameters()}


def distance(a, b):
    """The norm of the difference of two sets of weights."""
    return math.sqrt(sum((a[name] - b[name]).double().square().sum().item() for name in a))


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """The run after all golden steps, with G, its running mean and D by their golden names."""
    run = tiny.tiny_run(recipe(), tmp_path_factory.mktemp("run"))
    g, d = run.networks["generator"], run.networks["discriminator"]
    mean = run.ema.mean["generator"]
    for name, network in (("init/G/", g), ("init/G/", mean), ("init/D/", d)):
        network.load_state_dict(golden(name, network), strict=False)
    for step in range(CASE["steps"]):
        ran = [f"step{step}/{phase}" for phase in ORDER if f"step{step}/{phase}/z" in GIVEN]
        run.recipe.game.phases.extend(ran)
        train_step(run, [{"real": Reals(GIVEN[f"step{step}/real"])}])
        assert not run.recipe.game.phases, f"the published program also ran {run.recipe.game.phases}"
    return run, {"G": g, "G_ema": mean, "D": d}


@pytest.mark.parametrize("name", ["G", "G_ema", "D"])
def test_training_trajectory_parity(name, replayed):
    """The way's end within 1e-4 of the way."""
    network = replayed[1][name]
    start = golden(f"init/{name.removesuffix('_ema')}/", network)
    wanted = golden(f"final/{name}/", network)
    way = distance(wanted, start)
    off = distance(weights(network), wanted) / way
    assert way > 0 and off <= 1e-4, f"off by {off:.2e} of the way"


def test_mean_path_length_of_a_trajectory_parity(replayed):
    close(replayed[0].terms["path_length"].state["mean"], GIVEN["final/pl_mean"], 1e-4)
