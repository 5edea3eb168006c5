"""Parts that mean nothing beside each other are refused before the run, in one sentence that says what to type."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import tiny
from complaints import complaint
from registered import own

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.augment.none import NoAugmentation
from ggdr.losses.began import BEGAN
from ggdr.losses.contrad import ContraD
from ggdr.losses.ebgan import EBGAN
from ggdr.losses.non_saturating import NonSaturating
from ggdr.losses.wasserstein import Wasserstein
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import ImageSpec
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig, MSGGANGeneratorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.play.duel import Duel
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability, augmentations, regularizers
from ggdr.regularizers.apa import APA
from ggdr.regularizers.auxiliary_rotation import AuxiliaryRotation
from ggdr.regularizers.cutmix import CutMix
from ggdr.regularizers.dragan import DRAGAN
from ggdr.regularizers.fsmr import FSMR
from ggdr.regularizers.lecam import LeCam
from ggdr.regularizers.per_pixel import PerPixel
from ggdr.regularizers.pulling_away import PullingAway
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.wgan_gp import WGANGP
from ggdr.training.run import micro_batch_size

discriminators, losses = own("discriminator"), own("loss")
BRIEF = ImageSpec(16, 16, 3, 3)
UNET_GAN, AUTOENCODER = UNetGANDiscriminatorConfig.tiny(), AutoencoderDiscriminatorConfig.tiny()
OF_NOISE = sorted(name for name, loss in losses.items() if Capability.SOURCE not in loss.requires)
"""losses of images that are made of noise"""
PIXELS = {"pixels": PerPixel(), "mixed": CutMix()}


def recipe(**changes):
    """The tiny recipe without augmentation and regularizers, changed."""
    plain = dataclasses.replace(tiny.recipe, regularizers={}, augment=NoAugmentation())
    return dataclasses.replace(plain, **changes)


def refused(**changes) -> str:
    """Why such a recipe is refused."""
    with pytest.raises(ValueError) as raised:
        fit(recipe(**changes), {"real": BRIEF})
    said = str(raised.value)
    assert "\n" not in said and said.endswith(".")
    return said


def accepted(**changes) -> None:
    fit(recipe(**changes), {"real": BRIEF})


@pytest.mark.parametrize("loss", OF_NOISE)
def test_apa_goes_with_the_logistic_loss_alone(loss):
    changes = {"loss": losses[loss](), "regularizers": {"shown": APA()}}
    if loss in ("non_saturating", "minimax"):
        return accepted(**changes)
    energy = {"discriminator": AUTOENCODER} if loss in ("began", "ebgan") else {}
    said = refused(**changes, **energy)
    assert "'apa'" in said and f"'{loss}'" in said and "--regularizers.shown none" in said


@pytest.mark.parametrize("loss", OF_NOISE)
def test_ada_follows_signs_only_where_the_loss_has_a_logit_at_which_d_is_undecided(loss):
    energy = {"discriminator": AUTOENCODER} if loss in ("began", "ebgan") else {}
    changes = {"loss": losses[loss](), **energy}
    if loss in ("non_saturating", "minimax", "hinge", "least_squares"):
        return accepted(**changes, augment=ADA())
    said = refused(**changes, augment=ADA())
    assert f"'{loss}'" in said and ("--augment.fixed-p" in said or loss == "contrad" and "--augment none" in said)
    if loss != "contrad":
        accepted(**changes, augment=ADA(fixed_p=0.2))


@pytest.mark.parametrize("part", [{"augment": ADA()}, {"regularizers": {"apa": APA()}}], ids=["ada", "apa"])
def test_logits_that_are_never_above_zero_have_no_sign_to_follow(part):
    assert "no logit of discriminator 'autoencoder' is above 0" in refused(discriminator=AUTOENCODER, **part)


@pytest.mark.parametrize("augment", [ADA(), ADA(fixed_p=0.1), DiffAugment()])
def test_contrad_goes_without_an_augmentation(augment):
    said = refused(loss=ContraD(), augment=augment)
    assert "'contrad'" in said and f"'{augment.name}'" in said and "--augment none" in said
    for still in (NoAugmentation(), ADA(fixed_p=0.0), ADA(pipeline=()), DiffAugment(policy=())):
        assert not still.acts
    accepted(loss=ContraD())


READS_LOGITS = ["apa", "bcr", "cr", "dragan", "fsmr", "lecam", "r1", "r2", "wgan_gp", "zcr"]


@pytest.mark.parametrize("name", READS_LOGITS)
def test_contrad_goes_without_what_reads_the_logit_that_learns_nothing(name):
    said = refused(loss=ContraD(), regularizers={"mine": regularizers[name]()})
    assert f"'{name}'" in said and "'contrad'" in said and "--regularizers.mine none" in said


@pytest.mark.parametrize("augment", [ADA(), ADA(pipeline=("integer_shift",)), DiffAugment()])
def test_cutmix_goes_without_what_moves_pixels(augment):
    said = refused(discriminator=UNET_GAN, regularizers=PIXELS, augment=augment)
    assert "'cutmix'" in said and f"'{augment.name}'" in said and "--regularizers.mixed none" in said


@pytest.mark.parametrize("augment", [ADA(pipeline=("colour", "noise")), DiffAugment(policy=("colour", "cutout"))])
def test_cutmix_goes_with_what_leaves_pixels_in_place(augment):
    accepted(discriminator=UNET_GAN, regularizers=PIXELS, augment=augment)


def test_cutmix_needs_a_loss_of_pixels():
    said = refused(discriminator=UNET_GAN, regularizers={"mixed": CutMix()})
    assert "no loss trains" in said and "--regularizers.per_pixel per_pixel" in said


def test_quarter_turns_are_not_turned_again():
    terms = {"turns": AuxiliaryRotation()}
    said = refused(regularizers=terms, augment=ADA())
    assert "'auxiliary_rotation'" in said and "--augment.pipeline integer_shift scale colour" in said
    for pipeline in (("rotation",), ("x_flip",), ("quarter_turns",)):
        refused(regularizers=terms, augment=ADA(pipeline=pipeline))
    for still in (ADA(pipeline=("integer_shift", "scale", "colour")), DiffAugment()):
        accepted(regularizers=terms, augment=still)


@pytest.mark.parametrize("penalty", [WGANGP(), DRAGAN()])
def test_a_critic_is_clipped_or_penalised(penalty):
    terms = {"slope": penalty}
    said = refused(loss=Wasserstein(), regularizers=terms)
    assert "--loss.clip 0" in said and "--regularizers.slope none" in said
    accepted(loss=Wasserstein(clip=0.0), regularizers=terms)
    accepted(loss=Wasserstein(), regularizers={"r1": R1()})
    accepted(loss=NonSaturating(), regularizers=terms)


@pytest.mark.parametrize("loss", [EBGAN(), BEGAN()])
def test_energies_are_asked_of_a_discriminator_that_has_some(loss):
    said = refused(loss=loss)
    assert f"loss '{loss.name}' requires energy" in said and "--discriminator autoencoder" in said
    assert "--loss non_saturating" in said and "--regularizers" not in said
    accepted(loss=loss, discriminator=AUTOENCODER)
    accepted(loss=loss, discriminator=UNetDiscriminatorConfig(encoder=AUTOENCODER))


@pytest.mark.parametrize("loss", OF_NOISE)
def test_bits_turn_the_sign_of_logits_only_under_losses_that_take_it_for_the_other_kind(loss):
    changes = {
        "discriminator": PAGANDiscriminatorConfig.tiny(),
        "loss": losses[loss](),
    }
    if loss in ("began", "ebgan"):
        changes["discriminator"] = PAGANDiscriminatorConfig(encoder=AUTOENCODER)  # whose energies lose their sign
        assert "requires energy" in refused(**changes)
    elif loss in ("least_squares", "contrad"):
        changes["discriminator"] = UNetDiscriminatorConfig(encoder=changes["discriminator"])
        assert "'pa_gan'" in (said := refused(**changes)) and f"'{loss}'" in said
    else:
        accepted(**changes)


def test_fakes_at_several_sizes_are_not_augmented():
    pair = {"generator": MSGGANGeneratorConfig.tiny(), "discriminator": MSGGANDiscriminatorConfig.tiny()}
    for augment in (ADA(), DiffAugment()):
        assert "judges the fakes at smaller sizes" in refused(**pair, augment=augment)
    accepted(**pair, augment=ADA(fixed_p=0.0))
    accepted(generator=tiny.STYLEGAN2, discriminator=pair["discriminator"], augment=ADA())


def test_maps_are_mixed_only_between_blocks():
    random = TimmDiscriminatorConfig(
        model="test_resnet.r160_in1k", weights="random", resolution=32, channels=8, channel_max=8
    )
    assert "'timm' has none" in refused(discriminator=random, regularizers={"fsmr": FSMR()})


@pytest.mark.parametrize(
    "part", [{"loss": ContraD()}, {"regularizers": {"x": PullingAway()}}, {"regularizers": {"x": FSMR()}}]
)
def test_images_that_are_compared_do_not_come_one_by_one(part):
    with pytest.raises(ValueError, match="needs 2 of them, and here there is 1: set --micro-batch-size to 2 or more"):
        micro_batch_size(recipe(batch_size=4, micro_batch_size=1, **part), 1)
    with pytest.raises(ValueError, match="set --micro-batch-size to 2 or more, and --batch-size to a multiple of 8"):
        micro_batch_size(recipe(batch_size=4, micro_batch_size=None, **part), 4)
    assert micro_batch_size(recipe(batch_size=4, micro_batch_size=2, **part), 1) == 2
    assert micro_batch_size(recipe(batch_size=4, micro_batch_size=1, regularizers={"lecam": LeCam()}), 1) == 1


def test_a_command_line_ends_with_the_sentence(tmp_path):
    said = complaint(str(tiny.__file__), "--loss", "hinge", "--regularizers.apa", "apa", "--out", str(tmp_path / "run"))
    assert "regularizer 'apa' shows fakes as reals to the logistic loss, not to 'hinge'" in said
    assert not (tmp_path / "run").exists()


def test_every_pair_is_fitted_or_refused_in_one_sentence_that_says_what_to_type():
    """Losses, regularizers and augmentations, each with each, on a discriminator that gives what they need.

    Parts look at one other part at a time, so the third of each set is one that nobody minds.
    """
    able = [tiny.recipe.discriminator, *(part.tiny() for part in discriminators.values())]
    able += [UNetDiscriminatorConfig(encoder=each) for each in able[1:] if Capability.PYRAMID in each.provides]
    pairs = [*itertools.product(losses, regularizers, ["none"]), *itertools.product(losses, ["r1"], augmentations)]
    pairs += itertools.product(["non_saturating"], regularizers, augmentations)
    fitted = 0
    for loss, term, augment in dict.fromkeys(pairs):
        parts = {
            "loss": losses[loss](),
            "regularizers": {"mine": regularizers[term]()},
            "augment": augmentations[augment](),
        }
        requires = (
            (parts["loss"].requires | parts["regularizers"]["mine"].requires) - Duel.provides - tiny.STYLEGAN2.provides
        )
        judge = next((each for each in able if requires <= each.provides), tiny.recipe.discriminator)
        try:
            fit(recipe(**parts, discriminator=judge), {"real": BRIEF})
            fitted += 1
        except ValueError as refusal:
            assert "\n" not in str(refusal) and "--" in str(refusal), (loss, term, augment, refusal)
    assert fitted > 200
