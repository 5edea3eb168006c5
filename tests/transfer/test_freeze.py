"""Freeze-D: what stays as it is, that the rest learns as before, that runs resume, and what is refused."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import tiny
import torch
from places import TINY

from ggdr.augment.none import NoAugmentation
from ggdr.losses.wasserstein import Wasserstein
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.regularizers.wgan_gp import WGANGP
from ggdr.saving import checkpoint
from ggdr.train import main, train_step
from ggdr.transfer.freeze import check_stages, freeze

RESNET = StyleGAN2DiscriminatorConfig.tiny()
DISCRIMINATORS = {
    "stylegan2": RESNET,
    "skip": dataclasses.replace(RESNET, architecture="skip"),
    "dcgan": DCGANDiscriminatorConfig.tiny(),
    "spectral": dataclasses.replace(DCGANDiscriminatorConfig.tiny(), norm="spectral"),
    "unet": UNetDiscriminatorConfig(encoder=RESNET),
}
every_discriminator = pytest.mark.parametrize("config", DISCRIMINATORS.values(), ids=DISCRIMINATORS)


def built(config, **spec):
    torch.manual_seed(0)
    return config.build(ImageSpec(**{"height": 16, "width": 16, **spec}), ExtraOutputs({8: 8}))


def frozen_run(out: Path, stages: int, **changed):
    return tiny.tiny_run(dataclasses.replace(tiny.recipe, freeze_d=stages, **changed), out)


@every_discriminator
def test_stages_lead_from_the_image_to_the_logits_one_by_one(config):
    network = built(config)
    order = []
    for index, stage in enumerate(network.stages()):
        stage.register_forward_hook(lambda *_, index=index: order.append(index))
    network(torch.randn(2, 3, 16, 16))
    assert order == sorted(order) == list(range(len(network.stages()))) and len(order) > 2


@every_discriminator
def test_stages_are_all_that_judges_but_labels(config):
    network = built(config, labels=3)
    inside = {id(parameter) for stage in network.stages() for parameter in stage.parameters()}
    outside = {name for name, parameter in network.unwrap().named_parameters() if id(parameter) not in inside}
    assert outside and all(name.startswith(("mapping.", "embed.")) for name in outside)


@every_discriminator
@pytest.mark.parametrize("penalty", [R1(), R2(), WGANGP()], ids=lambda penalty: penalty.name)
def test_what_is_not_frozen_has_the_gradient_it_had(config, penalty):
    """Twice through D: a penalty on the image's gradient passes through what is frozen."""
    gradients, free = [], built(config)
    held = copy.deepcopy(free)
    still = set(freeze(held, 2))
    for network in (free, held):
        torch.manual_seed(1)
        g = tiny.STYLEGAN2.build(ImageSpec(16, 16)).requires_grad_(False)
        duel = Duel(g, network, torch.randn(4, 3, 16, 16), None, StepContext("d", penalty.requires))
        penalty.loss(duel).backward()
        gradients.append({name: p.grad for name, p in network.named_parameters() if p.grad is not None})
    assert still and not still & gradients[1].keys()
    assert gradients[1].keys() == gradients[0].keys() - still
    assert any(gradient.abs().sum() > 0 for gradient in gradients[1].values())
    assert all(torch.equal(gradient, gradients[0][name]) for name, gradient in gradients[1].items())


@every_discriminator
def test_the_generator_still_learns_through_it(config):
    network = built(config)
    network.requires_grad_(False)
    freeze(network, 2)
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    network(image).logits.sum().backward()
    assert image.grad.abs().sum() > 0


@pytest.mark.parametrize("pair", ["stylegan2", "dcgan"])
def test_frozen_blocks_stay_as_they_are_and_all_else_learns(pair, tmp_path):
    recipe = tiny.recipe if pair == "stylegan2" else tiny.dcgan(tiny.recipe)
    run = tiny.tiny_run(dataclasses.replace(recipe, freeze_d=2), tmp_path)
    network = run.networks["discriminator"]
    before = {name: parameter.clone() for name, parameter in network.named_parameters()}
    reals = run.reals()
    for _ in range(2):  # the first step has every phase
        train_step(run, next(reals))
    inside = [id(p) for stage in network.stages()[:2] for p in stage.parameters()]
    frozen = {name for name, parameter in network.named_parameters() if id(parameter) in inside}
    moved = {name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])}
    assert frozen and moved == before.keys() - frozen
    assert all(parameter.grad is None for parameter in network.parameters())
    assert len(run.players["d"].optimizer.state_dict()["state"]) == len(moved)
    assert len(run.players["d"].parameters) == len(moved)


def test_nothing_is_frozen_unless_asked_for(tmp_path):
    run = frozen_run(tmp_path, 0)
    assert len(run.players["d"].parameters) == len(list(run.networks["discriminator"].parameters()))
    assert not run.notes


def test_it_says_how_much_is_frozen_and_that_it_is_random(tmp_path):
    (note,) = frozen_run(tmp_path, 2).notes
    assert note.startswith("freeze_d: 2 of 3 blocks of discriminator stay as they are, 0.00")
    assert note.endswith("12 of 12 tensors in them are random, encoder.b16.fromrgb.weight first")


def test_it_does_not_say_so_of_weights_that_were_taken(tmp_path):
    assert main([TINY, "--out", str(tmp_path / "a"), "--total-kimg", "0.008"]) == 0
    run = frozen_run(tmp_path / "b", 2, init_from=str(tmp_path / "a"))
    assert run.notes[-1].startswith("freeze_d: 2 of 3 blocks") and "random" not in run.notes[-1]
    run.save()
    again = frozen_run(tmp_path / "b", 2, init_from=str(tmp_path / "a"))
    assert again.notes[-1].startswith("freeze_d: 2 of 3 blocks") and "random" not in again.notes[-1]


def test_a_frozen_run_that_is_resumed_ends_where_an_unbroken_one_ends(tmp_path):
    def train(name: str, kimg: str) -> None:
        flags = ["--freeze-d", "1", "--total-kimg", kimg]
        assert main([TINY, "--out", str(tmp_path / name), *flags]) == 0

    train("unbroken", "0.024")
    train("broken", "0.008")
    train("broken", "0.024")
    ours, theirs = (checkpoint.latest(tmp_path / name) for name in ("broken", "unbroken"))
    files = [path.name for path in theirs.glob("*.safetensors")]
    assert ours.name == theirs.name == "00000003" and len(files) == 6
    assert all((ours / file).read_bytes() == (theirs / file).read_bytes() for file in files)


def test_freezing_more_or_less_in_the_middle_of_a_run_is_refused(tmp_path):
    frozen_run(tmp_path, 1).save()
    with pytest.raises(
        ValueError, match=r"00000000 was made with freeze_d 1, not 2; choose another --out, with --init"
    ):
        frozen_run(tmp_path, 2).load(checkpoint.latest(tmp_path))


@pytest.mark.parametrize("stages", [3, 9])
def test_freezing_all_of_it_is_refused_before_anything_is_built(stages, tmp_path):
    with pytest.raises(
        ValueError, match=rf"freeze_d is {stages}; discriminator 'unet' has 3 blocks.*--freeze-d 0 to 2"
    ):
        main([TINY, "--out", str(tmp_path), "--freeze-d", str(stages)])


def test_a_negative_number_is_refused(capsys):
    with pytest.raises(ValueError, match="freeze_d is -1; give 0 or more"):
        main([TINY, "--freeze-d", "-1"])


def test_a_discriminator_that_names_no_blocks_is_refused_only_if_it_is_to_be_frozen():
    network = Discriminator(RESNET, ImageSpec(16, 16))
    check_stages({"discriminator": network}, 0)
    with pytest.raises(ValueError, match="has no blocks that can be frozen: set --freeze-d 0"):
        check_stages({"discriminator": network}, 1)


def test_clipping_bounds_frozen_blocks_too(tmp_path):
    """A critic of bounded slope is bounded throughout."""
    terms = {"ggdr": tiny.recipe.regularizers["ggdr"]}
    run = frozen_run(tmp_path, 1, loss=Wasserstein(clip=0.1), regularizers=terms, augment=NoAugmentation())
    train_step(run, next(run.reals()))
    layer = run.networks["discriminator"].encoder.b16.conv0
    assert (layer.weight * layer.weight_gain).abs().max() <= 0.1 + 1e-6
