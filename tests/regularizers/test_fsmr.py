"""FSMR: maps take on the statistics of others, and verdicts change only meanwhile."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.ops.moments import adain
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.fsmr import FSMR, between, mixing


def test_maps_take_on_the_statistics_of_others():
    x = torch.tensor([[1.0, 3.0], [10.0, 30.0]]).view(2, 1, 1, 2)
    mixed = adain(x, x.flip(0))
    assert mixed.flatten().tolist() == pytest.approx([10, 30, 1, 3], rel=1e-3)
    assert adain(x, x).flatten().tolist() == pytest.approx([1, 3, 10, 30], rel=1e-4)


def test_mixed_statistics_change_verdicts_only_while_they_are_mixed():
    torch.manual_seed(0)
    network = tiny.RESNET.build(ImageSpec(16, 16, 1))
    image = torch.randn(4, 1, 16, 16)
    plain = network(image).logits
    assert between(network) == network.stages()[:2] and len(network.stages()) == 3
    with mixing(network, torch.arange(4)):  # each its own mate
        torch.testing.assert_close(network(image).logits, plain, rtol=1e-3, atol=1e-3)
    with mixing(network, torch.tensor([1, 2, 3, 0])):
        assert not torch.allclose(network(image).logits, plain, atol=1e-2)
    assert torch.equal(network(image).logits, plain)
    fight = Duel(
        tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)), network, image[:1].expand(4, -1, -1, -1), None, StepContext("d")
    )
    vars(fight)["fake"] = GeneratorOutput(fight.reals)
    assert FSMR().d_loss(fight).item() == pytest.approx(0, abs=1e-4)  # all of one style
    vars(fight).pop("on_fake")
    vars(fight)["fake"] = GeneratorOutput(image)
    assert FSMR().d_loss(fight) > 1e-3
    with (
        pytest.raises(ValueError, match="has none: drop it"),
        mixing(Discriminator(tiny.RESNET, ImageSpec(8, 8)), torch.arange(4)),
    ):
        pass
