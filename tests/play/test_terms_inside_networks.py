"""The zoo's terms that reach into a network: bits, mixed maps, contrasts, and images rebuilt from maps."""

from __future__ import annotations

import math

import pytest
import tiny
import torch
from torch import Tensor

from ggdr.losses.contrad import ContraD
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput, Head, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.pa_gan.discriminator import joined, parity
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.contrast import nt_xent, one_class
from ggdr.ops.fir import upsample2
from ggdr.ops.moments import restyled
from ggdr.ops.views import cropped, hued, recoloured, view
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.fsmr import FSMR, between, mixing
from ggdr.regularizers.glead import GLeaD
from ggdr.regularizers.pa_gan import PAGAN

CPU = torch.device("cpu")


def test_bits_turn_the_verdict_and_in_evaluation_there_are_none():
    network = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), levels=3).build(ImageSpec(16, 16, 1))
    bits = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    assert parity(bits, torch.zeros(4)).tolist() == [1, -1, 1, -1]
    assert parity(bits, torch.zeros(4, 5)).shape == (4, 1)
    seen = joined(torch.full((4, 1, 2, 2), 7.0), bits)
    assert seen[:, 0].eq(7).all() and torch.equal(seen[:, 1:, 1, 0], bits)
    image = torch.zeros(4096, 1, 16, 16)
    network.set_random_bits(torch.tensor(1.5))
    torch.manual_seed(0)
    share = network.drawn(image).mean(0).tolist()
    assert share == pytest.approx([0.5, 0.25, 0.0], abs=0.03)
    network.eval()
    assert network.drawn(image).sum() == 0
    network.set_random_bits(torch.tensor(9.0))
    assert network.level == 3 and network.state_dict()["level"] == 3


def test_the_parity_exchanges_the_targets_of_symmetric_losses():
    """softplus(-(-l)) of a real whose bits are odd is the loss of a fake of logit l."""
    network = PAGANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny(), levels=1).build(ImageSpec(16, 16, 1))
    image = torch.randn(4, 1, 16, 16)
    vars(network)["drawn"] = lambda image: torch.tensor([[0.0], [1], [1], [0]])
    inside = network.encoder(joined(image, network.drawn(image))).logits
    sign = torch.tensor([1.0, -1, -1, 1])
    assert torch.equal(network(image).logits, sign * inside)
    assert torch.equal(network.pyramid(image)[0], sign * inside)


def test_bits_set_in_one_after_the_other_and_the_discriminator_is_told():
    term = PAGAN(start_kimg=1.0, interval_kimg=4.0, ramp_kimg=2.0)
    term.start(CPU)
    network = PAGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16, 1))
    levels = []
    for _ in range(12):
        term.learn({"images": torch.tensor(1000.0)})
        term.after_update("g", [network.encoder])
        term.after_update("d", [network])
        levels.append(network.level.item())
    assert levels == [0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2, 2, 2]
    with pytest.raises(ValueError, match="give a shorter ramp"):
        PAGAN(interval_kimg=1.0, ramp_kimg=2.0)


def test_maps_take_on_the_statistics_of_others():
    x = torch.tensor([[1.0, 3.0], [10.0, 30.0]]).view(2, 1, 1, 2)
    mixed = restyled(x, x.flip(0))
    assert mixed.flatten().tolist() == pytest.approx([10, 30, 1, 3], rel=1e-3)
    assert restyled(x, x).flatten().tolist() == pytest.approx([1, 3, 10, 30], rel=1e-4)


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


def test_contrasts_of_codes_at_right_angles():
    a = torch.eye(3)[:2] * 5  # lengths do not count
    beside = math.exp(1) + 2  # a partner at cosine 1, two others at 0
    assert nt_xent(a, a / 3, 1.0).item() == pytest.approx(math.log(beside) - 1, rel=1e-5)
    assert nt_xent(a, a.flip(0), 1.0).item() == pytest.approx(math.log(beside), rel=1e-5)
    # three alike and two others at a right angle: each finds a mate among two mates and two others
    fakes, others = torch.eye(2)[:1].expand(3, -1), torch.eye(2)[1:].expand(2, -1)
    assert one_class(fakes, others, 1.0).item() == pytest.approx(math.log(2 * math.e + 2) - 1, rel=1e-5)
    assert one_class(fakes, others, 0.1) < one_class(fakes, others, 1.0)


def test_views_stay_in_range_differ_and_keep_what_is_plain():
    torch.manual_seed(0)
    for channels in (1, 2, 3, 4):
        image = (torch.rand(8, channels, 12, 16) * 2 - 1).requires_grad_()
        seen = view(image, True)
        assert seen.shape == image.shape and seen.abs().max() <= 1 and not torch.allclose(seen, view(image, True))
        seen.sum().backward()
        assert all(each.abs().sum() > 0 for each in image.grad)
    row = torch.arange(16.0).expand(64, 1, 4, 16)
    part = cropped(row, False)
    assert (part.diff(dim=3) >= -1e-5).all() and (part[..., -1] - part[..., 0] <= 15).all()
    assert 0.3 < (cropped(row, True).diff(dim=3) < 0).any(dim=(1, 2, 3)).float().mean() < 0.7
    assert torch.equal(recoloured(-torch.ones(8, 3, 2, 2)), -torch.ones(8, 3, 2, 2))  # black stays black
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    third = hued(red, torch.tensor([2 * math.pi / 3]))
    assert third.flatten().tolist() == pytest.approx([0, 1, 0], abs=1e-6)


def test_contrad_judges_by_a_head_that_leaves_the_encoder_alone():
    shape = ImageSpec(16, 16, 1)
    network = UNetDiscriminatorConfig(encoder=tiny.RESNET).build(
        shape._replace(heads=ContraD(width=4, hidden=4).heads(shape))
    )
    generator = tiny.STYLEGAN2.build(shape).requires_grad_(False)
    reals = torch.randn(4, 1, 16, 16).clamp(-1, 1)

    def learnt(logit_weight: float) -> tuple[list[Tensor], float]:
        torch.manual_seed(0)
        network.zero_grad()
        term = ContraD(width=4, hidden=4, logit_weight=logit_weight)
        fight = Duel(generator, network, reals, None, StepContext("d", term.requires))
        term.d_loss(fight).backward()
        assert {"scores/real", "scores/fake"} <= fight.notes.keys()
        head = sum(p.grad.abs().sum().item() for p in network.heads["logit"].parameters())
        return [p.grad.clone() for p in network.encoder.parameters() if p.grad is not None], head

    (without, still), (judging, moved) = learnt(0.0), learnt(5.0)
    assert still == 0 < moved and any(each.any() for each in without)
    assert all(torch.equal(a, b) for a, b in zip(without, judging, strict=True))


def test_contrad_is_the_sum_of_its_contrasts_and_its_heads_losses():
    class Writes:
        """Its heads say the mean of the image; codes lie at right angles for reals and fakes."""

        def __call__(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
            sign = image.mean((1, 2, 3)).sign()
            code = torch.stack([(sign > 0).float(), (sign < 0).float()], dim=1)
            head_outputs = {"contrast": code, "contrast_fake": code, "logit": 2 * sign[:, None]}
            return DiscriminatorOutput(sign, head_outputs=head_outputs)

    white = torch.ones(3, 1, 8, 8)
    fight = Duel(None, Writes(), white, None, StepContext("d", frozenset({"heads"})))
    vars(fight)["fake"] = GeneratorOutput(-white)
    alike = math.log(5)  # six codes, all the same: the partner among five others
    apart = math.log(2 * math.e + 6) - 1  # each fake finds two mates at cosine 1, six reals at 0
    judged = 2 * math.log1p(math.exp(-2))
    for fake_weight, logit_weight in ((1.0, 1.0), (0.5, 3.0)):
        term = ContraD(temperature=1.0, flip=False, fake_weight=fake_weight, logit_weight=logit_weight)
        expected = alike + fake_weight * apart + logit_weight * judged
        assert term.d_loss(fight).item() == pytest.approx(expected, rel=1e-5)
    assert fight.notes == {"scores/real": torch.tensor(2.0), "scores/fake": torch.tensor(-2.0)}
    assert term.g_loss(fight).item() == pytest.approx(math.log1p(math.exp(2)), rel=1e-5)
    assert term.heads(ImageSpec(8, 8)) == {
        "contrast": Head(128, 512), "contrast_fake": Head(128, 512), "logit": Head(1, 512, detached=True),
    }  # fmt: skip


def test_a_generator_goes_on_from_its_own_maps_to_its_own_image():
    """The image is the sum of the shares from that side on: what lies below, enlarged, is missing."""
    torch.manual_seed(0)
    generator = tiny.moved(tiny.STYLEGAN2.build(ImageSpec(16, 16, 2)))
    w = torch.randn(3, generator.w_dim)
    whole, maps = generator.synthesis(w[:, None].expand(-1, 6, -1), resolutions=(4, 8, 16), noise="const")
    shares = {
        resolution: generator.synthesis.get_submodule(f"b{resolution}.torgb")(maps[resolution], w)
        for resolution in maps
    }
    torch.testing.assert_close(generator.forward_from(maps[4], 4, w), whole)
    torch.testing.assert_close(generator.forward_from(maps[8], 8, w), upsample2(shares[8]) + shares[16])
    torch.testing.assert_close(generator.forward_from(maps[16], 16, w), shares[16])
    with pytest.raises(ValueError, match=r"no feature maps of side \[5\]"):
        generator.forward_from(maps[4], 5, w)


def test_glead_is_the_error_of_what_the_generator_rebuilds_from_the_discriminator():
    class Rebuilds:
        def forward_from(self, maps, resolution, w):
            return maps * resolution + w[:, :1, None, None]

    def verdict(image: float, drawn: float, style: float) -> DiscriminatorOutput:
        flat = torch.ones(2, 1, 2, 2)
        return DiscriminatorOutput(
            torch.zeros(2), {2: drawn * flat}, head_outputs={"style": torch.full((2, 1), style)}, image=image * flat
        )

    seen = {"on_real": verdict(7.0, 2.0, 1.0), "on_fake": verdict(0.0, 0.5, 2.0)}
    fight = Duel(Rebuilds(), None, torch.zeros(2, 1, 2, 2), None, StepContext("d"))
    vars(fight).update(seen)
    assert GLeaD(resolutions=(2,)).d_loss(fight) == (7 - 5) ** 2 + 3**2
    assert "sides (8,)" in (term := GLeaD()).fit(ImageSpec(32, 32), 4) and term.feature_resolutions() == (8,)
    assert "sides (32,), nearest to 32 px" in GLeaD().fit(ImageSpec(256, 256), 4)
    assert GLeaD(resolutions=(16,)).fit(ImageSpec(256, 256), 4) == ""
    assert term.heads(ImageSpec(32, 32, w_dim=5))["style"].outputs == 5
