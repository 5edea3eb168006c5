"""What every registered loss, regularizer and augmentation must do, on every kind of image; a new one gets it free."""

from __future__ import annotations

import copy

import pytest
import torch
from image_specs import SPECS, every_spec, images_of, labels_of
from registered import own
from terms import OF_NOISE, TERMS, encoded, extra_of, judge, label_map_of, of_noise, translations

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorOutput, ImageSpec
from ggdr.play.duel import NOBODY, Duel, StepContext
from ggdr.registry import Capability, of_duels

augmentations, losses = own("augmentation"), own("loss")
regularizers = {name: TERMS[name] for name in own("regularizer")}
LABELLED = SPECS["square, labels"]
REFUSED = {
    "auxiliary_classifier": lambda spec: not spec.labels,
    "auxiliary_rotation": lambda spec: spec.height != spec.width,
    "compatibility": lambda spec: not spec.labels,
    "fastgan_reconstruction": lambda spec: spec.channels == 2,
    "mismatched": lambda spec: not spec.labels,
    "perceptual": lambda spec: spec.channels == 2,
    "repa": lambda spec: spec.channels == 2,
    "visual_pivot": lambda spec: not spec.labels,
}
"""terms that cannot be for some images, and for which"""
ALWAYS = {"cutmix": {"p": 1.0}}
"""settings of terms that otherwise act by chance"""
SURE = {
    "images": 32.0,
    "signs/real": 0.9,
    "signs/fake": -0.8,
    "logits/real": 2.0,
    "logits/fake": -1.0,
    "path_length": 3.0,
}
"""statistics of a step in which D is sure of itself"""


def started(part, spec: ImageSpec = LABELLED, steps: int = 0):
    """A part that is ready for a run, or has gone through some steps of one."""
    part, _ = part.resolve(spec, 4)
    part.begin(torch.device("cpu"))
    for _ in range(steps):
        part.learn({key: torch.tensor(value) for key, value in SURE.items()})
    return part


def duel(term, turn: str, spec: ImageSpec = LABELLED, requires=None, augment=None) -> Duel:
    torch.manual_seed(2)
    g = of_noise(term).build(spec)
    resolutions = term.feature_resolutions()
    d = judge(term).build(spec, extra_of(term, spec, g))
    for net, learns in ((g, turn != "d"), (d, turn == "d")):
        net.requires_grad_(learns)
    context = StepContext(turn, term.requires if requires is None else requires, resolutions, 1.0, augment)
    if of_duels(term.requires) <= OF_NOISE:
        label_map = label_map_of(spec, 4) if Capability.LABEL_MAP in context.requires else None
        return Duel(g, d, images_of(spec, 4), labels_of(spec, 4), context, label_map=label_map)
    return translations(term, spec, context)()


TURNS = [(name, turn) for name, term in sorted(TERMS.items()) for turn in term().turns]


@every_spec
@pytest.mark.parametrize(("name", "turn"), TURNS)
def test_a_term_is_finite_and_its_gradient_reaches_its_player_and_no_other(name, turn, spec):
    if REFUSED.get(name, lambda spec: False)(spec):
        with pytest.raises(UserError, match=f"{name}.*drop it"):
            TERMS[name]().resolve(spec, 4)
        return
    term = started(TERMS[name](**ALWAYS.get(name, {})), spec, steps=8)
    fight = duel(term, turn, spec)
    loss = term.loss(fight)
    assert loss.shape == () and loss.isfinite()
    (loss * term.weight).backward()
    learner, other = (fight.D, fight.G) if turn == "d" else (fight.G, fight.D)
    taught = fight.encoder if encoded(term) else learner
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in taught.parameters())
    assert other is NOBODY or all(p.grad is None for p in other.parameters())


@pytest.mark.parametrize("name", sorted(name for name, term in TERMS.items() if term.requires and term().turns))
def test_what_a_term_requires_it_uses(name):
    """Without it, it fails."""
    term = started(TERMS[name]())
    # whether asked for or not
    always_there = {Capability.WS, Capability.FORWARD_FROM, Capability.ENERGY}
    always_there |= {Capability.TRUTH, Capability.CYCLE, Capability.IDENTITY, Capability.IMAGES, Capability.CAM}
    always_there |= {Capability.FOUND_CONTENT, Capability.FOUND_STYLE, Capability.PATCH_FEATURES}
    always_there |= {Capability.FOUND_CONTENT, Capability.FOUND_STYLE, Capability.SOURCE}
    always_there |= {Capability.EXAMPLES, Capability.POSTERIOR, Capability.DECODED, Capability.CONDITION}
    always_there |= {Capability.CLASSIFIED, Capability.PRIOR}
    always_there |= {Capability.FOUND_CONTENT, Capability.FOUND_STYLE, Capability.SOURCE, Capability.STYLISED}
    for need in term.requires - always_there:
        with pytest.raises((RuntimeError, KeyError, UserError)):
            term.loss(duel(term, term.turns[0], requires=term.requires - {need})).backward()


@pytest.mark.parametrize("kind", [losses, regularizers, augmentations], ids=["loss", "regularizer", "augmentation"])
def test_state_makes_the_round_trip(kind):
    stats = {key: torch.tensor(value) for key, value in SURE.items()}
    for name, part in kind.items():
        a, b = started(part(), steps=8), started(part())
        b.load_state_dict(a.state_dict())
        assert {k: v.item() for k, v in b.state_dict().items()} == {k: v.item() for k, v in a.state_dict().items()}, (
            name
        )
        before = copy.deepcopy(a.state_dict())
        a.learn({key: value * float("nan") for key, value in stats.items()})
        assert all(value.isfinite() for value in a.state_dict().values()), name
        assert a.state_dict().keys() == before.keys()


@every_spec
@pytest.mark.parametrize("name", sorted(augmentations))
def test_an_augmentation_keeps_the_shapes_of_images_and_of_the_maps_that_move_along(name, spec):
    term, augment = started(regularizers["ggdr"](), spec), augmentations[name]()
    augment.begin(torch.device("cpu"))
    fight = duel(term, "d", spec, augment=augment)
    assert term.loss(fight).isfinite() and fight.on_fake.image.shape == fight.fake.image.shape
    (resolution,) = term.resolutions
    assert fight.on_fake.target_features[resolution].shape == fight.fake.features[resolution].shape


ELSEWHERE = frozenset({Capability.HEADS, Capability.CLASS_LOGITS})
"""where losses that read no plain logit read"""


@pytest.mark.parametrize("name", sorted(name for name, loss in losses.items() if not ELSEWHERE & loss.requires))
def test_loss_is_lower_for_the_better_player(name):
    """A D that tells reals from fakes has a lower loss than one that is wrong; G's preference is the reverse."""
    term = started(losses[name]())

    def value(turn: str, real: float, fake: float) -> float:
        fight = duel(term, turn)
        for key, logit in (("on_real", real), ("on_fake", fake)):
            vars(fight)[key] = DiscriminatorOutput(torch.full((4, 1), logit))
        return term.loss(fight).item()

    assert value("d", 1.0, -1.0) < value("d", -1.0, 1.0)
    assert value("g", 0.5, 0.5) < value("g", 0.5, -0.5)
