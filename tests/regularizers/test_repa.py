"""REPA: what it compares, that both see one geometry, which networks can teach, and who learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch
from random_weights import CPU
from torch.nn import functional as F

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.errors import UserError
from ggdr.features.base import PatchEmbedder, Patches
from ggdr.features.digits import Digits
from ggdr.features.dinov2 import DINOv2
from ggdr.features.inception import Inception
from ggdr.features.timm import Timm
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.gat import GATGeneratorConfig
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.repa import HEAD, REPA

SPEC = ImageSpec(8, 16, 3)
G = GATGeneratorConfig.tiny()
D = MNGDiscriminatorConfig.tiny()


class Colours(PatchEmbedder):
    """Says of each 2 x 2 px their mean colours, and keeps what it saw."""

    def __init__(self):
        self.seen = []

    def __call__(self, images):
        self.seen.append(images)
        parts = F.avg_pool2d(images, 2)
        return Patches(images.mean(dim=(2, 3)), parts)


def begun(hidden=8):
    """The term with a network that can be checked by hand."""
    term = REPA(extractor=Digits(), hidden=hidden)
    object.__setattr__(term, "network", Colours())
    return term


def duel(term, augment=None, judge=D, outputs=3) -> Duel:
    torch.manual_seed(0)
    g = G.build(SPEC)
    (head,) = term.heads(SPEC, g).values()
    d = judge.build(SPEC, ExtraOutputs(heads={HEAD: head._replace(outputs=outputs)}))
    g.requires_grad_(False)
    if augment is not None:
        augment.begin(CPU)
    return Duel(g, d, torch.rand(4, 3, 8, 16) * 2 - 1, None, StepContext("d", term.requires, augment=augment))


def test_it_is_the_distance_of_the_class_token_and_the_mean_of_the_others():
    term = begun()
    played = duel(term)
    loss = term.loss(played)
    said = played.on_real.head_outputs[HEAD]
    assert said.shape == (4, 1 + 4 * 8, 3)
    image = (played.reals + 1) * 127.5
    whole = F.cosine_similarity(said[:, 0], image.mean(dim=(2, 3)), dim=1)
    parts = torch.stack(
        [
            F.cosine_similarity(said[:, 1 + 8 * y + x], image[:, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean((2, 3)))
            for y in range(4)
            for x in range(8)
        ]
    )
    torch.testing.assert_close(loss, (1 - whole).mean() + (1 - parts).mean())


def test_the_frozen_network_sees_what_moved_in_its_own_colours():
    term = begun()
    played = duel(term, DiffAugment(policy=("translation",)))
    term.loss(played)
    assert not torch.allclose(played.on_real.image, played.reals)
    torch.testing.assert_close(term.network.seen[0], (played.on_real.image + 1) * 127.5)
    colours = duel(begun(), ADA(fixed_p=1.0, pipeline=("colour",)))
    term = begun()
    term.loss(colours)
    assert not torch.allclose(colours.on_real.image, colours.reals)
    torch.testing.assert_close(term.network.seen[0], (colours.reals + 1) * 127.5)


def test_maps_of_another_size_are_laid_over_ds_places():
    class Small(Colours):
        def __call__(self, images):
            whole, parts = super().__call__(images)
            return Patches(whole, F.avg_pool2d(parts, 2).repeat_interleave(2, 2).repeat_interleave(2, 3))

    class Smaller(Colours):
        def __call__(self, images):
            whole, parts = super().__call__(images)
            return Patches(whole, F.interpolate(parts, (8, 16), mode="nearest"))

    values = []
    for network in (Colours(), Smaller()):
        term = begun()
        object.__setattr__(term, "network", network)
        values.append(term.loss(duel(term)).item())
    assert values[0] == pytest.approx(values[1], rel=1e-2)
    term = begun()
    object.__setattr__(term, "network", Small())
    assert term.loss(duel(term)).isfinite()


def test_d_learns_by_its_tokens_and_only_reals_are_asked():
    term = begun()
    played = duel(term)
    calls = []
    played.D.answers, answers = lambda said: calls.append(1) or answers(said), played.D.answers
    term.loss(played).backward()
    assert played.on_fake.head_outputs == {} and len(calls) == 1
    assert played.D.encoder.enter.weight.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in played.D.encoder.token_heads.parameters())
    assert played.D.encoder.out.weight.grad is None  # the logit has no part in it


def test_ggdr_and_repa_go_together_in_one_recipe():
    judge = UNetDiscriminatorConfig(encoder=D)
    terms = {"ggdr": GGDR(), "repa": REPA(extractor=Digits(), hidden=8)}
    recipe = replace(tiny.recipe, generator=G, discriminator=judge, regularizers=terms)
    fitted = fit(recipe, {"real": ImageSpec(16, 16, 1)})
    assert fitted.extra.target_channels == {8: 16} and fitted.extra.heads[HEAD].outputs == 32


def test_networks_without_tokens_or_parts_are_refused():
    recipe = replace(tiny.recipe, generator=G, regularizers={"mine": REPA(extractor=Digits())})
    with pytest.raises(UserError, match=r"requires tokens.* take --discriminator gat; or drop it"):
        fit(recipe, {"real": SPEC})
    recipe = replace(recipe, discriminator=D, regularizers={"mine": REPA(extractor=Inception())})
    with pytest.raises(UserError, match=r"no patches: set (--)?regularizers.mine.extractor to digits, dinov2"):
        fit(recipe, {"real": SPEC})


LITTLE = {"tokens": "test_vit.r160_in1k", "map": "test_resnet.r160_in1k"}


@pytest.mark.parametrize("model", LITTLE.values(), ids=LITTLE)
def test_any_model_of_timm_tells_parts_apart(model):
    extractor = Timm(model=model, random=True)
    network, images = extractor.load_patches(CPU), torch.rand(2, 3, 20, 20) * 255
    whole, parts = network(images)
    assert whole.shape == (2, extractor.patch_width()) == parts.shape[:2] and parts.shape[2] == parts.shape[3] > 1
    if model == LITTLE["map"]:
        torch.testing.assert_close(whole, parts.mean(dim=(2, 3)))
    else:
        torch.testing.assert_close(whole, extractor.load(CPU)(images).rows, rtol=1e-3, atol=1e-4)
    left, right = torch.zeros(1, 3, 20, 20), torch.zeros(1, 3, 20, 20)
    left[..., :10], right[..., 10:] = 255, 255
    changed = (network(left).parts - network(right).parts).abs().mean(dim=(0, 1))
    mirrored = (network(left).parts - network(right).parts.flip(3)).abs().mean(dim=(0, 1))
    assert mirrored.mean() != changed.mean()


def test_dinov2s_width_is_that_of_its_token():
    import timm

    for size, name in (("s", "small"), ("b", "base"), ("l", "large"), ("g", "giant")):
        with torch.device("meta"):
            network = timm.create_model(f"vit_{name}_patch14_dinov2", pretrained=False)
        assert DINOv2(size=size).patch_width() == network.num_features


@pytest.mark.slow
def test_dinov2_from_a_file_tells_16_x_16_parts(tmp_path):
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    published = timm.create_model("vit_small_patch14_dinov2", num_classes=0)
    save_file(published.state_dict(), tmp_path / "dinov2.safetensors")
    extractor = DINOv2(size="s", weights=str(tmp_path / "dinov2.safetensors"))
    images = torch.rand(2, 3, 32, 32) * 255
    whole, parts = extractor.load_patches(CPU)(images)
    assert parts.shape == (2, 384, 16, 16) and whole.shape == (2, 384)
    torch.testing.assert_close(whole, extractor.load(CPU)(images).rows, rtol=1e-3, atol=1e-4)
