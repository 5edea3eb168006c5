"""Terms that read pixels' classes, against OASIS's published program and its equations (arXiv 2012.04781)."""

from __future__ import annotations

import dataclasses
import json

import pytest
import tiny
import torch
from golden_games import FOLDER, OWN, close, tensors
from torch import Tensor
from torch.nn import functional as F

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.augment.none import NoAugmentation
from ggdr.games.paired import PairedGame
from ggdr.losses.segmentation import Segmentation
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput, ImageSpec
from ggdr.networks.oasis import OASISDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.ops.pixel_classes import class_cross_entropy, fake_cross_entropy, log_odds, segment_masks
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.labelmix import LabelMix, inconsistency
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.semantic import Semantic

IMAGE = ImageSpec(16, 16, 3)
DOMAINS = {"map": IMAGE._replace(channels=4, classes=4), "image": IMAGE}
THERE = (FOLDER / "oasis.safetensors").is_file() or (OWN / "oasis.safetensors").is_file()
golden = pytest.mark.skipif(not THERE, reason="GGDR_GOLDEN_GAMES names no folder that has oasis.safetensors")


def fakes_last(logits: Tensor) -> Tensor:
    """The published program's logits, whose first channel is that of fakes, in our order."""
    return logits.roll(-1, 1)


def given(turn: str, real: Tensor, fake: Tensor, label_map: Tensor) -> Duel:
    """A duel whose D has said this of its reals and fakes, which are of the same map."""
    made = Duel(None, None, real, None, StepContext(turn), label_map=label_map)
    said = [DiscriminatorOutput(each.sum((1, 2, 3)), class_logits=each, label_map=label_map) for each in (real, fake)]
    vars(made).update(zip(("on_real", "on_fake"), said, strict=True))
    return made


@golden
@pytest.mark.parametrize("case", ["plain", "dontcare"])
def test_golden_segmentation_loss_and_its_gradient(case):
    data, label_map = tensors("oasis"), tensors("oasis")["label"].clone()
    if case == "dontcare":
        label_map[:, 0] = 0
    logits = data[f"{case}/logits"].clone().requires_grad_()
    real = class_cross_entropy(fakes_last(logits), label_map)
    fake = fake_cross_entropy(fakes_last(logits))
    close(real, data[f"{case}/loss_real"], 1e-5)
    close(fake, data[f"{case}/loss_fake"], 1e-5)
    close(torch.autograd.grad(real, logits)[0], data[f"{case}/grad_real"], 1e-4)
    close(torch.autograd.grad(fake, logits)[0], data[f"{case}/grad_fake"], 1e-4)
    duel = given("d", fakes_last(logits), fakes_last(logits), label_map)
    close(Segmentation().loss(duel), data[f"{case}/loss_real"] + data[f"{case}/loss_fake"], 1e-5)
    assert Segmentation().loss(given("g", fakes_last(logits), fakes_last(logits), label_map)).item() == real.item()


@golden
def test_golden_class_weights():
    """What a pixel's loss weighs: the gradient by it, times the number of pixels."""
    data, classes = tensors("oasis"), json.loads((golden_folder() / "oasis.json").read_text())["classes"]
    for case, ignored in (("plain", 0), ("dontcare", 1)):
        label_map = data["label"].clone()
        label_map[:, :ignored] = 0
        logits = torch.zeros(*label_map.shape[:1], classes + 1, *label_map.shape[2:], requires_grad=True)
        (slope,) = torch.autograd.grad(class_cross_entropy(logits, label_map), logits)
        weights = slope[:, -1:] * (classes + 1) * label_map[:, 0].numel()
        close(weights, data[f"{case}/class_weights"], 1e-5)


@golden
def test_golden_labelmix():
    data = {name: tensors("oasis")[f"labelmix/{name}"] for name in ("mixed", "mask", "real", "fake", "loss")}
    close(inconsistency(data["mixed"], data["mask"].bool(), data["real"], data["fake"]), data["loss"], 1e-5)


class Blends:
    """A D that tells classes by the pixel itself, and by a share of the mean over all pixels."""

    def __init__(self, share: float):
        self.share = share

    def __call__(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        told = image + self.share * image.mean((2, 3), keepdim=True)
        return DiscriminatorOutput(image.sum((1, 2, 3)), class_logits=told)

    def class_logits(self, said: DiscriminatorOutput) -> Tensor:
        return said.class_logits


def golden_folder():
    return FOLDER if (FOLDER / "oasis.json").is_file() else OWN


def test_a_rare_class_weighs_as_much_as_a_frequent_one_unless_pixels_are_to_weigh_the_same():
    classes = torch.tensor([[[0, 0, 0], [0, 0, 1]]])
    label_map = F.one_hot(classes, 3).permute(0, 3, 1, 2).float()  # the third class is nowhere
    logits = torch.randn(1, 4, 2, 3)
    each = F.cross_entropy(logits, classes, reduction="none")
    of_first, of_second = each[classes == 0].mean(), each[classes == 1].mean()
    assert class_cross_entropy(logits, label_map).item() == pytest.approx(((of_first + of_second) / 2).item())
    assert class_cross_entropy(logits, label_map, balanced=False).item() == pytest.approx(each.mean().item())


@pytest.mark.parametrize("balanced", [True, False])
def test_where_one_class_is_all_there_is_it_is_the_mean_over_its_pixels(balanced):
    label_map, logits = torch.zeros(2, 3, 4, 4), torch.randn(2, 4, 4, 4)
    label_map[:, 1] = 1
    wanted = F.cross_entropy(logits, torch.ones(2, 4, 4, dtype=torch.long))
    torch.testing.assert_close(class_cross_entropy(logits, label_map, balanced), wanted)


@pytest.mark.parametrize("term", [Segmentation(), Segmentation(balanced=False), Semantic(), Semantic(fakes=True)])
def test_parts_of_a_batch_add_up_to_it_where_they_know_the_pixels_of_each_class(term):
    """The third class is in the first part alone, the first one nearly so, and the second part ignores more."""
    torch.manual_seed(0)
    classes = torch.randint(0, 3, (4, 6, 6))
    classes[2:][classes[2:] == 2] = 1
    label_map = F.one_hot(classes, 3).permute(0, 3, 1, 2).float()
    label_map[2:, :, :3] = 0
    real, fake = torch.randn(4, 4, 6, 6), torch.randn(4, 4, 6, 6)
    pixels = label_map.sum((0, 2, 3))
    for turn in term.turns:
        whole = term.loss(given(turn, real, fake, label_map))
        parts = [given(turn, *(each[part] for each in (real, fake, label_map))) for part in (slice(2), slice(2, 4))]
        alone = sum(term.loss(part).item() for part in parts) / 2
        for part in parts:
            part.context = part.context._replace(class_pixels=pixels / 2)
        assert sum(term.loss(part).item() for part in parts) / 2 == pytest.approx(whole.item(), rel=1e-5)
        assert alone != pytest.approx(whole.item(), rel=1e-3)


@pytest.mark.parametrize("balanced", [True, False])
def test_ignored_pixels_teach_nothing_and_nothing_but_those_is_no_fault(balanced):
    label_map = torch.zeros(2, 3, 4, 4)
    label_map[:, 1, :2] = 1
    logits = torch.randn(2, 4, 4, 4, requires_grad=True)
    class_cross_entropy(logits, label_map, balanced).backward()
    assert (logits.grad[:, :, 2:] == 0).all() and (logits.grad[:, :, :2] != 0).all()
    nothing = class_cross_entropy(logits, torch.zeros_like(label_map), balanced)
    assert nothing.item() == 0 and nothing.requires_grad


def test_log_odds_are_above_zero_where_the_classes_together_outweigh_fakes():
    logits = torch.randn(2, 5, 3, 3)
    told = logits.softmax(1)
    torch.testing.assert_close(log_odds(logits).sigmoid(), 1 - told[:, -1])
    torch.testing.assert_close(fake_cross_entropy(logits), -told[:, -1].log().mean())


def test_masks_follow_the_segments_of_classes_and_coins_of_each_image():
    torch.manual_seed(0)
    classes = torch.randint(0, 4, (64, 8, 8))
    label_map = F.one_hot(classes, 4).permute(0, 3, 1, 2).float()
    label_map[:, 3] = 0  # the last is ignored
    masks = segment_masks(label_map)
    pairs = zip(masks[:, 0].float(), classes, strict=True)
    shares = torch.stack([torch.stack([mask[where == c].mean() for c in range(4)]) for mask, where in pairs])
    assert set(shares.unique().tolist()) == {0.0, 1.0}
    assert (shares.mean(0) - 0.5).abs().max() < 0.2 and not torch.equal(shares[:, 0], shares[:, 1])


def test_labelmix_judges_segments_of_reals_among_those_of_fakes_as_both():
    """A D that judges pixels by themselves is consistent, one that sees more is not; both passes learn."""
    torch.manual_seed(0)
    label_map = F.one_hot(torch.randint(0, 3, (4, 6, 6)), 3).permute(0, 3, 1, 2).float()
    real, fake = torch.randn(4, 4, 6, 6), torch.randn(4, 4, 6, 6)
    for share, consistent in ((0.0, True), (0.5, False)):
        context = StepContext("d", LabelMix.requires)
        duel = Duel(None, Blends(share), real, None, context, label_map=label_map)
        vars(duel)["fake"] = GeneratorOutput(fake)
        assert (LabelMix().d_loss(duel).item() == 0) == consistent


def test_semantic_leaves_the_logit_of_fakes_alone_unless_it_is_to_tell_them():
    label_map = F.one_hot(torch.randint(0, 3, (2, 4, 4)), 3).permute(0, 3, 1, 2).float()
    real, fake = (torch.randn(2, 4, 4, 4, requires_grad=True) for _ in range(2))
    Semantic().d_loss(given("d", real, fake, label_map)).backward()
    assert (real.grad[:, -1] == 0).all() and (real.grad[:, :-1] != 0).any() and fake.grad is None
    Semantic(fakes=True).d_loss(given("d", real, fake, label_map)).backward()
    assert (real.grad[:, -1] != 0).all() and (fake.grad != 0).all()
    duel = given("d", real, fake, label_map)
    wanted = class_cross_entropy(real, label_map) + fake_cross_entropy(fake)
    torch.testing.assert_close(Semantic(fakes=True).d_loss(duel), wanted)
    asked = [Capability.FAKE_CLASS_LOGITS in term.requires for term in (Semantic(), Semantic(fakes=True))]
    assert asked == [False, True]


def recipe(**changes):
    plain = dataclasses.replace(tiny.recipe, regularizers={}, augment=NoAugmentation())
    return dataclasses.replace(plain, **changes)


OASIS = {
    "generator": UNetTranslatorConfig.tiny(),
    "discriminator": OASISDiscriminatorConfig.tiny(),
    "game": PairedGame(conditional=False),
    "loss": Segmentation(),
}


def refused(domains=DOMAINS, **changes) -> str:
    with pytest.raises(ValueError) as raised:
        fit(recipe(**changes), domains)
    said = str(raised.value)
    assert "\n" not in said and said.endswith(".")
    return said


def test_terms_ask_for_one_logit_more_than_there_are_classes():
    assert fit(recipe(regularizers={"semantic": Semantic()}), DOMAINS).extra.class_logits == 5
    assert fit(recipe(), DOMAINS).extra.class_logits == 0
    assert fit(recipe(**OASIS, regularizers={"labelmix": LabelMix()}), DOMAINS).extra.class_logits == 5


def test_a_term_that_reads_maps_is_refused_where_there_are_none():
    said = refused({"real": IMAGE}, regularizers={"mine": Semantic()})
    assert "requires a label map of the reals, and the data has real alone" in said
    assert "--data openmoji --data.task label_map" in said and "--regularizers.mine none" in said


def test_a_d_without_a_decoder_is_to_be_wrapped():
    said = refused(discriminator=tiny.RESNET, regularizers={"mine": Semantic()})
    assert "requires class_logits" in said and "--discriminator unet --discriminator.encoder stylegan2" in said


def test_a_d_that_is_shown_the_map_is_not_asked_for_it():
    said = refused(**OASIS | {"game": PairedGame()})
    assert "loss 'segmentation' asks D for the class of each pixel" in said and "--game.no-conditional" in said


def test_a_loss_of_maps_that_fakes_are_made_of_needs_such():
    said = refused(loss=Segmentation(), discriminator=OASISDiscriminatorConfig.tiny())
    assert "loss 'segmentation' requires source" in said and "--game" in said and "take another loss" in said


@pytest.mark.parametrize("augment", [ADA(), DiffAugment()])
def test_labelmix_goes_without_what_moves_pixels(augment):
    said = refused(**OASIS, regularizers={"mixed": LabelMix()}, augment=augment)
    assert "'labelmix'" in said and f"'{augment.name}'" in said and "--regularizers.mixed none" in said
    fit(recipe(**OASIS, regularizers={"mixed": LabelMix()}, augment=ADA(pipeline=("colour",))), DOMAINS)


def test_labelmix_needs_a_term_by_which_d_learns_classes():
    said = refused(regularizers={"mixed": LabelMix()})
    assert "which no term trains" in said and "--regularizers.semantic semantic" in said
    fit(recipe(regularizers={"mixed": LabelMix(), "semantic": Semantic(fakes=True)}), DOMAINS)


def test_logits_beside_those_of_classes_are_read_by_nobody_under_a_loss_of_classes():
    beside = OASIS | {"discriminator": UNetDiscriminatorConfig.tiny()}
    said = refused(**beside, regularizers={"r1": R1()})
    assert "'r1' reads D's own logits" in said and "--discriminator oasis" in said
    said = refused(**beside, augment=ADA())
    assert "'ada' follows the signs" in said and "loss 'segmentation' does not train those" in said
    fit(recipe(**beside), DOMAINS)
    fit(recipe(**OASIS, regularizers={"r1": R1()}, augment=ADA()), DOMAINS)
    around = UNetDiscriminatorConfig(encoder=OASISDiscriminatorConfig.tiny())
    fit(recipe(**OASIS | {"discriminator": around}, augment=ADA()), DOMAINS)
