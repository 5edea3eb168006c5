"""ContraD: its views, its contrasts, and the head that judges without teaching the encoder."""

from __future__ import annotations

import math

import pytest
import tiny
import torch
from torch import Tensor

from ggdr.losses.contrad import ContraD
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, GeneratorOutput, Head, ImageSpec
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.contrast import nt_xent, supervised_contrastive
from ggdr.ops.views import color_jitter, random_resized_crop, rotate_hue, simclr_view
from ggdr.play.duel import Duel, StepContext
from ggdr.registry import Capability


def test_contrasts_of_codes_at_right_angles():
    a = torch.eye(3)[:2] * 5  # lengths do not count
    beside = math.exp(1) + 2  # a partner at cosine 1, two others at 0
    assert nt_xent(a, a / 3, 1.0).item() == pytest.approx(math.log(beside) - 1, rel=1e-5)
    assert nt_xent(a, a.flip(0), 1.0).item() == pytest.approx(math.log(beside), rel=1e-5)
    # three alike and two others at a right angle: each finds a mate among two mates and two others
    fakes, others = torch.eye(2)[:1].expand(3, -1), torch.eye(2)[1:].expand(2, -1)
    assert supervised_contrastive(fakes, others, 1.0).item() == pytest.approx(math.log(2 * math.e + 2) - 1, rel=1e-5)
    assert supervised_contrastive(fakes, others, 0.1) < supervised_contrastive(fakes, others, 1.0)


def test_views_stay_in_range_differ_and_keep_what_is_plain():
    torch.manual_seed(0)
    for channels in (1, 2, 3, 4):
        image = (torch.rand(8, channels, 12, 16) * 2 - 1).requires_grad_()
        seen = simclr_view(image, True)
        assert (
            seen.shape == image.shape and seen.abs().max() <= 1 and not torch.allclose(seen, simclr_view(image, True))
        )
        seen.sum().backward()
        assert all(each.abs().sum() > 0 for each in image.grad)
    row = torch.arange(16.0).expand(64, 1, 4, 16)
    part = random_resized_crop(row, False)
    assert (part.diff(dim=3) >= -1e-5).all() and (part[..., -1] - part[..., 0] <= 15).all()
    assert 0.3 < (random_resized_crop(row, True).diff(dim=3) < 0).any(dim=(1, 2, 3)).float().mean() < 0.7
    assert torch.equal(color_jitter(-torch.ones(8, 3, 2, 2)), -torch.ones(8, 3, 2, 2))  # black stays black
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    third = rotate_hue(red, torch.tensor([2 * math.pi / 3]))
    assert third.flatten().tolist() == pytest.approx([0, 1, 0], abs=1e-6)


def test_contrad_judges_by_a_head_that_leaves_the_encoder_alone():
    shape = ImageSpec(16, 16, 1)
    network = UNetDiscriminatorConfig(encoder=tiny.RESNET).build(
        shape, ExtraOutputs(heads=ContraD(width=4, hidden=4).heads(shape, None))
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
    fight = Duel(None, Writes(), white, None, StepContext("d", frozenset({Capability.HEADS})))
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
    assert term.heads(ImageSpec(8, 8), None) == {
        "contrast": Head(128, 512), "contrast_fake": Head(128, 512), "logit": Head(1, 512, detached=True),
    }  # fmt: skip
