"""Terms of pixels, U-Net GAN's: each pixel's loss, and CutMix."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import DiscriminatorOutput, ImageSpec
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe import Recipe
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.cutmix import CutMix, patches
from ggdr.regularizers.per_pixel import PerPixel


def verdicts(term, turn: str, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Duel:
    """A duel in which D said just that."""
    duel = Duel(None, None, torch.zeros(1), None, StepContext(turn, term.requires))  # type: ignore[arg-type]
    vars(duel).update(on_real=real, on_fake=fake)
    return duel


def duel_of(config, turn: str, requires: frozenset[Capability]) -> Duel:
    torch.manual_seed(0)
    g, d = tiny.STYLEGAN2.build(ImageSpec(16, 16)), config.build(ImageSpec(16, 16))
    return Duel(g, d, torch.randn(4, 3, 16, 16), None, StepContext(turn, requires, kimg=1.0))


def test_the_pixels_losses_are_those_of_the_image_at_each_pixel():
    real, fake = (
        DiscriminatorOutput(torch.zeros(1), pixel_logits=torch.zeros(1, 1, 2, 2)),
        torch.tensor([0.0, 3.0]).view(1, 1, 1, 2),
    )
    hinge, plain = PerPixel(form="hinge"), PerPixel()
    said = DiscriminatorOutput(torch.zeros(1), pixel_logits=fake)
    assert hinge.loss(verdicts(hinge, "d", real, said)).item() == pytest.approx(1 + (1 + 4) / 2)
    assert hinge.loss(verdicts(hinge, "g", real, said)).item() == pytest.approx(-1.5)
    wanted = (torch.tensor([0.5, 0.0474258731776]).log().mean()).neg()  # 1 - sigmoid(3)
    assert plain.loss(verdicts(plain, "d", real, said)).item() == pytest.approx(0.6931472 + wanted.item())


def test_cutmix_asks_nothing_of_a_d_that_judges_pixels_by_themselves():
    class Pointwise(torch.nn.Module):
        z_dim = 8

        def forward(self, image, labels=None, resolutions=()):
            return DiscriminatorOutput(image.mean((1, 2, 3)), pixel_logits=self.scale * image.mean(1, keepdim=True))

    term, requires = CutMix(p=1.0), CutMix.requires
    duel = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    assert term.loss(duel).item() > 1e-8
    duel = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    duel.D = Pointwise()
    duel.D.scale = 2.0
    assert term.loss(duel).item() == 0


def test_cutmix_sets_in_by_and_by():
    requires = CutMix.requires
    early = duel_of(UNetGANDiscriminatorConfig.tiny(), "d", requires)
    early.context = early.context._replace(kimg=0.0)
    assert CutMix(p=1.0, ramp_kimg=5.0).loss(early).item() == 0


def test_patches_are_rectangles_of_every_size():
    torch.manual_seed(0)
    cut = ~patches(torch.zeros(512, 3, 32, 64))
    assert cut.shape == (512, 1, 32, 64) and 0.2 < cut.float().mean() < 0.45
    rows, columns = cut.any(3).sum(2), cut.any(2).sum(2)
    assert torch.equal(rows * columns, cut.sum((2, 3)))


def test_a_term_of_pixels_is_refused_without_such_a_discriminator():
    recipe = Recipe(
        data=tiny.recipe.data, generator=tiny.STYLEGAN2, discriminator=tiny.RESNET, regularizers={"p": PerPixel()}
    )
    with pytest.raises(ValueError, match="'p' requires pixel_logits"):
        fit(recipe, {"real": ImageSpec(16, 16)})
