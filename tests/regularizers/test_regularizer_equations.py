"""The zoo's losses and regularizers: what their papers' equations say of numbers that can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import tiny
import torch
from places import ROOT
from torch import Tensor
from torch.nn import functional as F

from ggdr.losses.relativistic_average import RelativisticAverage
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput, ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.ops.shift import random_flip_and_shift, shift_and_flip
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.apa import APA
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.auxiliary_rotation import AuxiliaryRotation, turned
from ggdr.regularizers.bcr import BCR
from ggdr.regularizers.cr import CR
from ggdr.regularizers.feature_matching import FeatureMatching
from ggdr.regularizers.glead import GLeaD
from ggdr.regularizers.lecam import LeCam
from ggdr.regularizers.zcr import ZCR
from ggdr.train import train_step

CPU = torch.device("cpu")


class Drawn:
    """A generator whose image is its code, four pixels."""

    z_dim = 4

    def __call__(self, z: Tensor, labels=None, *, resolutions=()) -> GeneratorOutput:
        return GeneratorOutput(z.view(-1, 1, 2, 2))


class Judge:
    """A discriminator whose logit is the image's upper left pixel, times two."""

    def __call__(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        return DiscriminatorOutput(2 * image[:, 0, 0, 0])


def duel(turn: str, reals: Tensor | None = None, **shown) -> Duel:
    """A duel of the two; `shown` takes the place of what it would compute."""
    reals = torch.zeros(2, 1, 2, 2) if reals is None else reals
    made = Duel(Drawn(), Judge(), reals, None, StepContext(turn, frozenset({Capability.PYRAMID, Capability.HEADS})))
    vars(made).update(shown)
    return made


def verdicts(real: list[float], fake: list[float]) -> dict[str, DiscriminatorOutput]:
    """What D says of the reals and of the fakes."""
    return {"on_real": DiscriminatorOutput(torch.tensor(real)), "on_fake": DiscriminatorOutput(torch.tensor(fake))}


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_relativistic_average_holds_an_image_against_the_mean_of_the_others():
    seen = verdicts([3.0, 1.0], [0.0, -2.0])  # means 2 and -1: reals exceed by 4 and 2, fakes fall short by 2 and 4
    expected = {
        "logistic": (softplus(-4) + softplus(-2), softplus(4) + softplus(2)),
        "least_squares": ((9 + 1) / 1, (25 + 9) / 1),
        "hinge": (0.0, (5 + 3) / 1),
    }
    for form, (d, g) in expected.items():
        loss = RelativisticAverage(form=form)
        assert loss.d_loss(duel("d", **seen)).item() == pytest.approx(d, rel=1e-5), form
        assert loss.g_loss(duel("g", **seen)).item() == pytest.approx(g, rel=1e-5), form


def test_images_are_shifted_by_whole_pixels_and_flipped():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    as_is, turn = torch.tensor([False]), torch.tensor([True])
    assert torch.equal(shift_and_flip(image, as_is, torch.tensor([[0, 0]])), image)
    assert torch.equal(shift_and_flip(image, turn, torch.tensor([[0, 0]])), image.flip(3))
    assert shift_and_flip(image, as_is, torch.tensor([[1, 0]]))[0, 0, :, 0].tolist() == [
        4,
        0,
        4,
    ]  # mirrored, not wrapped
    assert shift_and_flip(image, as_is, torch.tensor([[0, -2]]))[0, 0, 0].tolist() == [2, 3, 2, 1]
    assert shift_and_flip(image, turn, torch.tensor([[0, -2]]))[0, 0, 0].tolist() == [1, 2, 3, 2]


def test_flips_and_shifts_are_drawn_for_each_image():
    torch.manual_seed(0)
    many = torch.arange(30.0).view(1, 1, 5, 6).expand(256, -1, -1, -1)
    centres = {int(x) for x in random_flip_and_shift(many, False, 1)[:, 0, 2, 3]}
    assert centres == {15 + 6 * down + right for down in (-1, 0, 1) for right in (-1, 0, 1)}
    flips = (random_flip_and_shift(many, True, 0) == many.flip(3)).all(dim=(1, 2, 3)).float().mean()
    assert 0.4 < flips < 0.6
    assert torch.equal(random_flip_and_shift(many, False, 0), many)


def test_consistency_is_the_squared_change_of_logits():
    image = torch.tensor([[1.0, 2.0], [1.0, 2.0]]).expand(64, 1, 2, 2)  # flipped, the logit goes from 2 to 4
    torch.manual_seed(0)
    flipped = (random_flip_and_shift(image, True, 0)[:, 0, 0, 0] == 2).float().mean()
    torch.manual_seed(0)
    assert CR(shift=0).d_loss(duel("d", image)) == 4 * flipped > 0
    assert CR(shift=0, flip=False).d_loss(duel("d", image)) == 0
    fake = {"fake": GeneratorOutput(image)}
    torch.manual_seed(0)
    assert BCR(shift=0, real_weight=3.0, fake_weight=0.0).d_loss(duel("d", image, **fake)) == 12 * flipped
    balanced = BCR(shift=0, real_weight=0.0, fake_weight=3.0).d_loss(duel("d", torch.zeros_like(image), **fake))
    assert 3 < balanced < 9  # half of 3 * 4
    with pytest.raises(ValueError, match="shift is -1; give 0 or more"):
        CR(shift=-1)


def test_near_codes_move_logits_for_d_and_images_for_g():
    torch.manual_seed(0)
    reals = torch.zeros(4096, 1, 2, 2)
    term = ZCR(noise=0.1, d_weight=5.0, g_weight=0.5)
    assert term.d_loss(duel("d", reals)).item() == pytest.approx(5 * 4 * 0.01, rel=0.1)  # logit: two pixels' worth
    assert term.g_loss(duel("g", reals)).item() == pytest.approx(-0.5 * 0.01, rel=0.1)
    assert ZCR(noise=0.0).d_loss(duel("d", reals)) == 0


def test_lecam_draws_each_logit_to_the_mean_of_the_other_kind():
    term = LeCam(decay=0.5)
    term.begin(CPU)
    seen = verdicts([1.0, 3.0], [-2.0])
    assert term.d_loss(duel("d", **seen)) == (1 + 9) / 2 + 4
    term.learn({"logits/real": torch.tensor(2.0), "logits/fake": torch.tensor(-2.0)})
    assert (term.state["real"].item(), term.state["fake"].item()) == (1.0, -1.0)
    assert term.d_loss(duel("d", **seen)) == (4 + 16) / 2 + 9
    term.learn({"images": torch.tensor(8.0)})
    assert (term.state["real"].item(), term.state["fake"].item()) == (1.0, -1.0)


def test_one_sided_lecam_leaves_logits_that_have_not_reached_the_other_kinds_mean():
    term = LeCam(one_sided=True)
    term.begin(CPU)
    term.state.update(real=torch.tensor(1.0), fake=torch.tensor(-1.0))
    seen = verdicts([1.0, -3.5], [-2.0, 5.0])  # above the fakes' mean, below; below the reals' mean, above
    assert term.d_loss(duel("d", **seen)) == (4 + 0) / 2 + (9 + 0) / 2


def test_apa_makes_of_the_loss_what_exchanged_reals_do_on_average():
    term = APA(speed_kimg=0.04)
    term.begin(CPU)
    seen = verdicts([1.0], [-2.0])
    assert term.d_loss(duel("d", **seen)) == 0
    term.learn({"signs/real": torch.tensor(0.9), "signs/fake": torch.tensor(-0.9), "images": torch.tensor(10.0)})
    assert term.state["p"].item() == 0.25
    exchanged = 0.75 * softplus(-1) + 0.25 * softplus(2)
    assert softplus(-1) + term.d_loss(duel("d", **seen)).item() == pytest.approx(exchanged, rel=1e-5)
    for _ in range(5):
        term.learn({"signs/real": torch.tensor(0.9), "signs/fake": torch.tensor(0.8), "images": torch.tensor(10.0)})
    assert term.state["p"].item() == pytest.approx(0.9)
    term.learn({"signs/real": torch.tensor(0.5), "signs/fake": torch.tensor(0.5), "images": torch.tensor(10.0)})
    assert term.state["p"].item() == pytest.approx(0.65)
    with pytest.raises(ValueError, match="set p_max"):
        APA(p_max=1.0)


def test_apa_counts_fakes_that_are_shown_as_reals_among_the_reals():
    """At p = 0.5 D is sure of its reals, yet half of what it is shown as real are fakes that it sees through."""
    term = APA(speed_kimg=0.04)
    term.begin(CPU)
    for p, fake, wanted in ((0.5, -1.0, 0.25), (0.1, -1.0, 0.35), (0.5, 0.5, 0.75)):
        term.state["p"] = torch.tensor(p)
        term.learn({"signs/real": torch.tensor(1.0), "signs/fake": torch.tensor(fake), "images": torch.tensor(10.0)})
        assert term.state["p"].item() == pytest.approx(wanted)


def test_images_are_turned_by_quarters_and_the_head_is_asked_by_how_many():
    image = torch.tensor([[0.0, 1.0], [2.0, 3.0]]).expand(4, 1, 2, 2)
    corners = turned(image, torch.arange(4))[:, 0, 0, 0]
    assert corners.tolist() == [0, 1, 3, 2]

    class Knows(Judge):
        """Its head reads the turn off the corner."""

        def __call__(self, image, labels=None, *, resolutions=()):
            turn = torch.tensor([0, 1, 3, 2])[image[:, 0, 0, 0].long()]
            return DiscriminatorOutput(turn.float(), head_outputs={"rotation": 9.0 * F.one_hot(turn, 4)})

    sure = math.log(math.exp(9) + 3) - 9
    fight = duel("d", image, D=Knows(), fake=GeneratorOutput(image))
    assert AuxiliaryRotation(beta=2.0).d_loss(fight).item() == pytest.approx(2 * sure, rel=1e-3)
    assert AuxiliaryRotation(alpha=3.0).g_loss(fight).item() == pytest.approx(3 * sure, rel=1e-3)
    with pytest.raises(ValueError, match="16 x 32 px: crop them"):
        AuxiliaryRotation().resolve(ImageSpec(16, 32), 4)


def test_the_classifier_is_for_both_players_and_needs_classes():
    labels = torch.eye(2)
    right, even = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.zeros(2, 2)
    seen = {
        "on_real": DiscriminatorOutput(torch.zeros(2), head_outputs={"classes": right}),
        "on_fake": DiscriminatorOutput(torch.zeros(2), head_outputs={"classes": even}),
        "labels": labels,
    }
    term = AuxiliaryClassifier()
    assert term.g_loss(duel("g", **seen)).item() == pytest.approx(math.log(2))
    assert term.d_loss(duel("d", **seen)).item() == pytest.approx(math.log(2) + softplus(-2))
    assert term.heads(ImageSpec(8, 8, 1, 2), None)["classes"].outputs == 2
    with pytest.raises(ValueError, match="the data has no labels: give some"):
        term.resolve(ImageSpec(8, 8), 4)


def test_feature_matching_is_of_means_over_the_batch():
    real = torch.tensor([[1.0, 5.0], [3.0, 5.0]]).view(2, 1, 1, 2)  # mean 2, 5
    fake = torch.tensor([[0.0, 4.0], [2.0, 4.0]]).view(2, 1, 1, 2)  # mean 1, 4
    seen = {
        "on_real": DiscriminatorOutput(torch.zeros(2), maps={1: real}),
        "on_fake": DiscriminatorOutput(torch.zeros(2), maps={1: fake}),
    }
    term = FeatureMatching(resolutions=(1,))
    assert term.g_loss(duel("g", **seen)) == 1
    assert term.turns == ["g"]
    chosen, why = FeatureMatching().resolve(ImageSpec(32, 32), 4)
    assert "resolutions (8,)" in why and chosen.resolutions == (8,)
    assert "resolutions (64,)" in FeatureMatching().resolve(ImageSpec(512, 512), 4)[1]
    assert FeatureMatching(resolutions=(4, 8, 16)).resolve(ImageSpec(32, 32), 4)[1] == ""
    with pytest.raises(ValueError, match=r"maps of resolution \[32\]; set them among \[4, 8, 16\]"):
        FeatureMatching(resolutions=(32,)).resolve(ImageSpec(32, 32), 4)


def test_tiny_recipe_trains_with_all_that_go_together(tmp_path):
    terms = {"bcr": BCR(), "zcr": ZCR(), "lecam": LeCam(), "apa": APA(), "turn": AuxiliaryRotation()}
    recipe = replace(tiny.recipe, regularizers={**tiny.recipe.regularizers, **terms, "match": FeatureMatching()})
    recipe = replace(recipe, augment=replace(tiny.recipe.augment, pipeline=("integer_shift", "scale", "colour")))
    run = tiny.tiny_run(recipe, tmp_path)
    stats = train_step(run, next(run.reals()))
    assert all(value.isfinite().all() for value in stats.values())
    assert {f"loss/d/{name}" for name in terms} <= stats.keys() and "loss/g/match" in stats


def test_glead_and_ggdr_train_together_with_an_augmentation(tmp_path):
    recipe = replace(tiny.recipe, regularizers={**tiny.recipe.regularizers, "glead": GLeaD(resolutions=(8,))})
    run = tiny.tiny_run(recipe, tmp_path)
    assert run.extra.heads["style"].outputs == recipe.generator.w_dim and run.extra.target_channels == {8: 8}
    stats = train_step(run, next(run.reals()))
    assert {"loss/d/glead", "loss/d/ggdr"} <= stats.keys() and all(value.isfinite().all() for value in stats.values())
    with pytest.raises(ValueError, match="'glead' requires forward_from; generator 'dcgan'"):
        fit(
            replace(recipe, generator=DCGANGeneratorConfig(), regularizers={"glead": GLeaD()}),
            {"real": ImageSpec(32, 32)},
        )


RECIPES = {
    "glead_ggdr": ["glead", "ggdr"],
    **{name: [name] for name in ("cr", "bcr", "zcr", "lecam", "apa", "fsmr", "glead", "feature_matching")},
    **{name: [name] for name in ("auxiliary_rotation", "auxiliary_classifier", "relativistic_average", "contrad")},
}
"""recipe of the zoo -> terms it is about"""


def test_each_has_a_recipe_whose_parts_go_together():
    for name, about in RECIPES.items():
        recipe = load_recipe(ROOT / "recipes" / "zoo" / f"{name}.py")
        fitted = fit(recipe, {"real": ImageSpec(32, 32, 1, 10 if recipe.data.labels else 0)})
        assert {*about} <= fitted.recipe.terms().keys(), name
        assert all(size < 1e6 for size in fitted.parameters.values()), name
