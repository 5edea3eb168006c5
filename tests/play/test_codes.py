"""Duels of codes: what is real, what is fake, what leaves them alone, and who learns from them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from translators import SmallTranslatorConfig

from ggdr.augment.ada import ADA
from ggdr.errors import UserError
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.codes import CodeDuel, as_images, code_spec
from ggdr.play.duel import StepContext
from ggdr.play.stats import Stats
from ggdr.play.translation import TranslationDuel
from ggdr.registry import Capability
from ggdr.regularizers.bcr import BCR
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2

IMAGES = ImageSpec(16, 16, 3)


class Finder(nn.Module):
    """An encoder by one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.config = MLPDiscriminatorConfig()
        self.layer, self.passes = nn.Linear(3 * 16 * 16, 5), 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        return self.layer(images.flatten(1))


def codes(turn: str, requires=frozenset(), augment=None, name: str = "codes") -> CodeDuel:
    """Codes of four images against a normal prior."""
    torch.manual_seed(0)
    encoder, judge = Finder(), MLPDiscriminatorConfig.tiny().build(code_spec(5))
    encoder.requires_grad_(turn == "g")
    judge.requires_grad_(turn == "d")
    shown, prior = torch.randn(4, 3, 16, 16), as_images(torch.randn(4, 5))
    context = StepContext(turn, requires, augment=augment)
    return CodeDuel(encoder, judge, prior, None, context, name=name, find=lambda: encoder(shown))


def images(turn: str, requires=frozenset(), augment=None, resolutions=()) -> TranslationDuel:
    """A translator against a discriminator with a decoder of its maps."""
    torch.manual_seed(0)
    extra = ExtraOutputs(dict.fromkeys(resolutions, 8))
    judge = UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=4)).build(IMAGES, extra)
    G = SmallTranslatorConfig().build(IMAGES, IMAGES)
    context = StepContext(turn, requires, resolutions, augment=augment)
    return TranslationDuel(G, judge, torch.randn(4, 3, 16, 16), None, context, source=torch.randn(4, 3, 16, 16))


def test_reals_are_the_priors_and_fakes_are_what_the_encoder_finds_once():
    duel = codes("d")
    assert duel.real.shape == duel.fake.image.shape == (4, 5, 1, 1)
    LeastSquares().total([duel])
    assert duel.G.passes == 1
    torch.testing.assert_close(duel.on_fake.logits, duel.D(duel.fake.image).logits)
    torch.testing.assert_close(duel.on_real.logits, duel.D(duel.reals).logits)


@pytest.mark.parametrize("turn", ["g", "d"])
def test_the_encoder_learns_to_deceive_on_its_turn_and_the_judge_alone_on_the_other(turn):
    both = frozenset({Capability.REAL_GRAD, Capability.FAKE_GRAD})
    duel = codes(turn, both if turn == "d" else frozenset())
    LeastSquares().total([duel]).backward()
    learner, other = (duel.G, duel.D) if turn == "g" else (duel.D, duel.G)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.parameters())
    assert all(p.grad is None for p in other.parameters())


def test_augmentation_moves_images_and_leaves_codes_as_they_are():
    augment = ADA(fixed_p=1.0, pipeline=("colour",))
    augment.begin(torch.device("cpu"))
    of_codes, of_images = codes("d", augment=augment), images("d", augment=augment)
    assert torch.equal(of_codes.on_real.image, of_codes.reals)
    assert torch.equal(of_codes.on_fake.image, of_codes.fake.image)
    assert not torch.allclose(of_images.on_real.image, of_images.reals, atol=0.1)


def test_gradient_penalties_are_of_codes_as_of_images():
    requires = frozenset({Capability.REAL_GRAD, Capability.FAKE_GRAD})
    for term in (R1(weight=1.0), R2(weight=1.0)):
        assert term.total([codes("d", requires)]) > 0


def test_terms_that_move_images_or_read_maps_pass_codes_over():
    requires = frozenset({Capability.G_FEATURES, Capability.D_FEATURES})
    duels = [images("d", requires, resolutions=(16,)), codes("d", requires)]
    ggdr, _ = GGDR(resolutions=(16,)).resolve(IMAGES, 4)
    torch.testing.assert_close(ggdr.total(duels), ggdr.total([images("d", requires, resolutions=(16,))]))
    duels, alone = [images("d"), codes("d")], images("d")
    torch.manual_seed(1)
    both = BCR().total(duels)
    torch.manual_seed(1)
    torch.testing.assert_close(both, BCR().total([alone]))
    with pytest.raises(UserError, match=r"no duel provides images, which regularizer 'bcr' requires"):
        BCR().total([codes("d")])


def test_a_term_that_asks_for_further_fakes_of_codes_is_told_what_to_require():
    with pytest.raises(UserError, match=r"duel 'codes' is of codes.*let the term require Capability\.IMAGES"):
        codes("d").generate(torch.randn(2, 5))


def test_numbers_of_codes_stand_under_their_name_and_what_adaptive_parts_follow_is_of_images():
    def seen(*duels) -> dict[str, float]:
        LeastSquares().total(duels)
        stats = Stats()
        stats.watch(duels)
        return {name: value.item() for name, value in stats.reduce(1).items()}

    alone, both = seen(images("d")), seen(codes("d"), images("d"))
    assert both == {
        **alone,
        "logits/real/codes": both["logits/real/codes"],
        "logits/fake/codes": both["logits/fake/codes"],
    }
    of_codes = codes("d")
    told = seen(of_codes)
    assert told["logits/real"] == told["logits/real/codes"] == pytest.approx(of_codes.on_real.logits.mean().item())
    assert told["spread/real"] > 0 and {"signs/real", "signs/fake"} <= told.keys()
