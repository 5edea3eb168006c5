"""The U-Net discriminator: what its decoder draws, when it runs, and what it refuses."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import tiny
import torch

from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, Head, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.saving.model import load_model, save_model
from ggdr.train import train_step

JUDGE = StyleGAN2DiscriminatorConfig.tiny()
ENCODERS = {
    "resnet": JUDGE,
    "skip": replace(JUDGE, architecture="skip"),
    "dcgan": DCGANDiscriminatorConfig.tiny(),
}


def build(encoder=JUDGE, targets=None, **how):
    return UNetDiscriminatorConfig(encoder=encoder, **how).build(
        ImageSpec(32, 32), ExtraOutputs({8: 8, 16: 5} if targets is None else targets)
    )


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_it_draws_what_is_asked_with_the_generators_channels(encoder):
    network = build(encoder, {8: 7, 16: 5, 32: 3})
    drawn = network(torch.randn(2, 3, 32, 32), resolutions=(8, 32)).features
    assert {resolution: tuple(x.shape) for resolution, x in drawn.items()} == {8: (2, 7, 8, 8), 32: (2, 3, 32, 32)}


def test_the_decoder_runs_only_where_asked():
    network, image = build(), torch.randn(2, 3, 32, 32)
    passes = []
    network.decoder.register_forward_hook(lambda *_: passes.append("decoder"))
    network.decoder.b16.register_forward_hook(lambda *_: passes.append("b16"))
    assert network(image).features == {}
    assert passes == []
    network(image, resolutions=(8,))
    assert passes == ["decoder"]
    network(image, resolutions=(16,))
    assert passes == ["decoder", "b16", "decoder"]


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("how", [{}, {"kernel": 3, "activation": "lrelu"}], ids=["1x1 linear", "3x3 lrelu"])
def test_the_smallest_side_is_drawn_from_the_encoders_maps_alone(encoder, how):
    network, image = build(encoder, {4: 5}, **how), torch.randn(2, 3, 32, 32)
    names = {name: tuple(x.shape) for name, x in network.decoder.named_parameters()}
    kernel = how.get("kernel", 1)
    assert names == {"b4.weight": (5, network.map_channels[4], kernel, kernel), "b4.bias": (5,)}
    drawn = network(image, resolutions=(4,)).features
    assert drawn.keys() == {4} and torch.equal(drawn[4], network.decoder.b4(network.pyramid(image)[1][4]))


def test_the_smallest_side_changes_nothing_about_the_others():
    alone, both, image = build(targets={8: 8, 16: 5}), build(targets={4: 3, 8: 8, 16: 5}), torch.randn(2, 3, 32, 32)
    lost = both.load_state_dict(alone.state_dict(), strict=False)
    assert (sorted(lost.missing_keys), lost.unexpected_keys) == (["decoder.b4.bias", "decoder.b4.weight"], [])
    wanted, drawn = (network(image, resolutions=(8, 16)).features for network in (alone, both))
    assert drawn.keys() == {8, 16} and all(torch.equal(drawn[resolution], wanted[resolution]) for resolution in drawn)
    passes = []
    for name in ("b4", "b8", "b16"):
        both.decoder.get_submodule(name).register_forward_hook(lambda *_, name=name: passes.append(name))
    assert both(image, resolutions=(4, 8)).features.keys() == {4, 8}
    both(image, resolutions=(4,))
    both(image, resolutions=(16,))
    assert passes == ["b4", "b8", "b4", "b8", "b16"]


@pytest.mark.parametrize("pair", [lambda r: r, tiny.dcgan], ids=["stylegan2", "dcgan"])
def test_the_smallest_side_is_taught_in_step_with_ada(pair, tmp_path):
    terms = {**tiny.recipe.regularizers, "ggdr": GGDR(resolutions=(4, 8))}
    run = tiny.tiny_run(pair(replace(tiny.recipe, regularizers=terms)), tmp_path)
    before = run.networks["discriminator"].decoder.b4.weight.clone()
    loss = train_step(run, next(run.reals()))["loss/d/ggdr"]
    assert 0 < loss < 2 and not torch.equal(run.networks["discriminator"].decoder.b4.weight, before)


def test_nothing_is_built_without_a_guide():
    assert not list(build(targets={}).decoder.parameters())
    names = {name.split(".")[0] for name, _ in build(targets={8: 8}).decoder.named_parameters()}
    assert names == {"b8"}


def test_drawing_is_the_encoders_judgement_too():
    network, image = build(), torch.randn(2, 3, 32, 32)
    assert torch.equal(network(image, resolutions=(16,)).logits, network.encoder(image).logits)


def test_drawn_maps_teach_encoder_and_decoder():
    network = build()
    network(torch.randn(2, 3, 32, 32), resolutions=(16,)).features[16].square().sum().backward()
    assert network.encoder.b32.conv0.weight.grad.abs().sum() > 0
    assert network.decoder.b8.weight.grad.abs().sum() > 0


def test_a_side_out_of_reach_is_refused_with_those_in_reach():
    with pytest.raises(ValueError, match=r"64.*\[4, 8, 16, 32\]"):
        build(targets={64: 8})


def test_a_side_that_was_not_built_is_refused():
    with pytest.raises(ValueError, match=r"\[32\].*\[8, 16\]"):
        build()(torch.randn(2, 3, 32, 32), resolutions=(32,))


def test_an_encoder_without_a_pyramid_is_refused():
    class UnconditionalDiscriminatorConfig(DiscriminatorConfig):
        name = "blind"

    with pytest.raises(ValueError, match="'blind'.*pyramid"):
        build(UnconditionalDiscriminatorConfig())


def test_it_gives_what_its_encoder_gives_features_and_heads():
    own = {Capability.D_FEATURES, Capability.PYRAMID, Capability.HEADS, Capability.CLASS_LOGITS}
    assert UNetDiscriminatorConfig().provides == own | {Capability.STAGES}


def test_heads_answer_and_a_detached_one_teaches_nothing_below_while_it_learns(tmp_path):
    heads = {"classes": Head(5), "deep": Head(3, hidden=7), "apart": Head(1, detached=True)}
    network = UNetDiscriminatorConfig(encoder=JUDGE).build(ImageSpec(16, 16), ExtraOutputs(heads=heads))
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    head_outputs = network(image).head_outputs
    assert {name: tuple(x.shape) for name, x in head_outputs.items()} == {
        "classes": (2, 5),
        "deep": (2, 3),
        "apart": (2, 1),
    }
    head_outputs["apart"].sum().backward()
    assert image.grad is None and network.heads["apart"].weight.grad.abs().sum() > 0
    network.requires_grad_(False)
    network(image).head_outputs["apart"].sum().backward()
    assert image.grad is not None and image.grad.abs().sum() > 0
    save_model(network, tmp_path)
    again = load_model(tmp_path)
    assert again.spec == network.spec
    assert torch.equal(again(image).head_outputs["deep"], network.eval()(image).head_outputs["deep"])


def test_a_term_that_asks_for_a_head_says_how_to_get_one():
    @dataclass(frozen=True, kw_only=True)
    class Asks(Regularizer):
        requires: ClassVar = frozenset({Capability.HEADS})

        def heads(self, spec: ImageSpec, generator) -> dict[str, Head]:
            return {"classes": Head(10)}

        def d_loss(self, duel: Duel) -> torch.Tensor:
            return duel.on_real.head_outputs["classes"].square().mean()

    Asks.name = "asks"
    recipe = replace(tiny.recipe, regularizers={"asks": Asks()})
    fitted = fit(recipe, {"real": ImageSpec(16, 16, 1)})
    assert fitted.extra.heads == {"classes": Head(10)}
    with pytest.raises(ValueError, match="'asks' requires heads; .* wrap it: discriminator=UNet"):
        fit(replace(recipe, discriminator=JUDGE), {"real": ImageSpec(16, 16, 1)})
