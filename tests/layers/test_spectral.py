"""Spectral normalization in training: one power iteration an update, the same for passes, micro-batches, processes."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass

import pytest
import tiny
import torch
from tiny_runs import same, weights
from torch import nn

from ggdr.augment.none import NoAugmentation
from ggdr.games.standard import StandardGame
from ggdr.layers.spectral import (
    SpectralNorm,
    apply_spectral_norm,
    iterate_each_pass,
    spectral_norms,
    update_spectral_norms,
)
from ggdr.losses.hinge import Hinge
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.progan import ProGANGeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminatorConfig, SAGANGeneratorConfig
from ggdr.play.duel import Duel
from ggdr.regularizers.lecam import LeCam
from ggdr.saving import checkpoint
from ggdr.train import play, train_step

SPECTRAL = DCGANDiscriminatorConfig(channels=8, channel_max=8, norm="spectral")


class CodesOfReals(Duel):
    """A duel whose latent codes are drawn from its reals, so that a micro-batch's are those of its place in any."""

    def codes(self, n):
        mixed = torch.randn(self.reals[0].numel(), self.G.z_dim, generator=torch.Generator().manual_seed(0))
        return self.reals[:n].flatten(1) @ mixed / 16


@dataclass(frozen=True, kw_only=True)
class GameOfCodes(StandardGame):
    """The game of such duels."""

    def duels(self, networks, batch, context):
        return [CodesOfReals(networks["generator"], networks["discriminator"], *batch["real"], context)]


recipe = dataclasses.replace(
    tiny.recipe,
    generator=ProGANGeneratorConfig.tiny(),
    discriminator=SPECTRAL,
    loss=Hinge(),
    regularizers={"lecam": LeCam(weight=0.3)},
    augment=NoAugmentation(),
    game=GameOfCodes(),
)


def steps(run, count):
    """The run, so many steps on."""
    reals = run.reals()
    for _ in range(count):
        train_step(run, next(reals))
    return run


def vectors(network):
    """What the power iteration knows, copied."""
    return {name: value.clone() for name, value in network.state_dict().items() if name.endswith(("._u", "._v"))}


def one_step(matrix, u):
    """The vectors v and u after a step of the power iteration (arXiv 1802.05957, alg. 1)."""
    v = nn.functional.normalize(matrix.T @ u, dim=0)
    return v, nn.functional.normalize(matrix @ v, dim=0)


def test_a_run_does_not_depend_on_the_micro_batch(tmp_path):
    ends, start = [], weights(tiny.tiny_run(recipe, tmp_path))
    for size in (8, 2):
        ends.append(weights(steps(tiny.tiny_run(dataclasses.replace(recipe, micro_batch_size=size), tmp_path), 8)))
    learnt = [key for key in start if key.startswith("discriminator.") and start[key].ndim > 1]
    assert len(learnt) > 2
    for key in learnt:
        way = (ends[0][key] - start[key]).norm()
        assert (ends[1][key] - ends[0][key]).norm() < 2e-3 * way, key


def test_lecams_gradients_are_those_of_any_micro_batch(tmp_path):
    found = []
    for size in (8, 4, 1):
        run = steps(tiny.tiny_run(dataclasses.replace(recipe, micro_batch_size=size), tmp_path), 1)
        phase = next(phase for phase in run.phases if phase.turn == "d")
        lecam = dataclasses.replace(phase, terms={"lecam": phase.terms["lecam"]})
        play(run, lecam, next(run.reals()))
        found.append({key: value.clone() for key, value in weights(run).items() if "exp_avg" in key})
    for other in found[1:]:
        for key, value in found[0].items():
            torch.testing.assert_close(other[key], value, rtol=1e-3, atol=1e-7)


def test_passes_change_nothing_and_each_update_takes_one_step(tmp_path):
    run = tiny.tiny_run(recipe, tmp_path)
    network = run.networks["discriminator"]
    before = vectors(network)
    for _ in range(3):
        network(torch.randn(4, 1, 16, 16))
    assert before and all(torch.equal(value, before[key]) for key, value in vectors(network).items())
    play(run, run.phases[-1], next(run.reals()))  # D's turn
    after = vectors(network)
    for name, module in network.named_modules():
        for part in (p for p in module.children() if isinstance(p, SpectralNorm)):
            matrix = module.original.detach().flatten(1)
            torch.testing.assert_close((part._v, part._u), one_step(matrix, before[f"{name}.0._u"]))
    play(run, run.phases[0], next(run.reals()))  # G's turn, in which D's weights stand still
    assert all(torch.equal(value, after[key]) for key, value in vectors(network).items())


def test_the_generators_norms_follow_its_updates(tmp_path):
    pair = {"generator": SAGANGeneratorConfig.tiny(), "discriminator": SAGANDiscriminatorConfig.tiny()}
    run = tiny.tiny_run(dataclasses.replace(recipe, **pair), tmp_path)
    before = vectors(run.networks["generator"])
    steps(run, 1)
    after = vectors(run.networks["generator"])
    assert sum(not torch.equal(value, before[key]) for key, value in after.items()) > len(after) / 2 > 0
    mean = run.ema.mean["generator"].state_dict()
    assert all(torch.equal(value, mean[key]) for key, value in after.items())


def test_in_each_pass_it_takes_a_step_of_the_papers_in_training_alone():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Conv2d(3, 8, 3))
    apply_spectral_norm(layer)
    iterate_each_pass(layer)
    ((norm, kept),) = spectral_norms(layer)
    matrix, x = kept.detach().flatten(1), torch.randn(2, 3, 8, 8)
    before = norm._u.clone()
    update_spectral_norms(layer)
    assert torch.equal(norm._u, before), "an update takes none"
    for training in (True, False, True):
        v, u = one_step(matrix, norm._u.clone()) if training else (norm._v.clone(), norm._u.clone())
        y = layer.train(training)(x)
        torch.testing.assert_close((norm._v, norm._u), (v, u))
        torch.testing.assert_close(y, nn.functional.conv2d(x, kept / (u @ matrix @ v), layer[0].bias))


def test_in_each_pass_two_passes_may_share_a_backward():
    layer = nn.Sequential(nn.Linear(5, 4))
    apply_spectral_norm(layer)
    iterate_each_pass(layer)
    (layer(torch.randn(2, 5)).sum() + layer(torch.randn(2, 5)).sum()).backward()


def test_the_recipe_chooses_when_the_step_is_taken(tmp_path):
    for chosen in ("update", "pass"):
        run = tiny.tiny_run(dataclasses.replace(recipe, power_iteration=chosen), tmp_path)
        found = [norm.each_pass for network in run.networks.named().values() for norm, _ in spectral_norms(network)]
        assert found and set(found) == {chosen == "pass"}


@pytest.mark.parametrize("chosen", ["update", "pass"])
def test_a_run_goes_on_exactly(chosen, tmp_path):
    changed = dataclasses.replace(recipe, power_iteration=chosen)
    whole = steps(tiny.tiny_run(changed, tmp_path), 2)
    whole.save()
    resumed = tiny.tiny_run(changed, tmp_path)
    resumed.load(checkpoint.latest(tmp_path))
    same(weights(steps(resumed, 2)), weights(steps(whole, 2)))


def test_norms_are_right_at_once_for_weights_that_come_from_elsewhere():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(30, 20))
    apply_spectral_norm(layer)
    layer[0].parametrizations.weight.original.data.normal_(std=3.0)
    stale = copy.deepcopy(layer)
    update_spectral_norms(layer, 15)
    norms = [torch.linalg.matrix_norm(each[0].weight, 2).item() for each in (layer, stale)]
    assert norms[0] == pytest.approx(1, abs=0.05) and abs(norms[1]) > 2
