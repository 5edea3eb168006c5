"""bf16 by resolution: which stages compute in what, how near that is to float32, and what a run makes of it."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from tiny_runs import trained, weights

from ggdr.layers.stages import Staged, keep_float32_below
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.registry import Capability, discover, discriminators, generators
from ggdr.train import train_step

discover()
SPEC = ImageSpec(32, 32, 3, labels=3)
BF16, FLOAT = torch.bfloat16, torch.float32
SKIP = dataclasses.replace(StyleGAN2DiscriminatorConfig.tiny(), architecture="skip")
NETWORKS = {
    "r3gan_g": R3GANGeneratorConfig.tiny(),
    "r3gan_d": R3GANDiscriminatorConfig.tiny(),
    "stylegan2_g": StyleGAN2GeneratorConfig.tiny(),
    "stylegan2_d": StyleGAN2DiscriminatorConfig.tiny(),
    "skip_d": SKIP,
    "unet_d": UNetDiscriminatorConfig(encoder=R3GANDiscriminatorConfig.tiny()),
}


def built(name: str) -> tuple[torch.nn.Module, tuple[int, ...]]:
    """A network away from its start, and the resolutions of the maps that it is asked for."""
    torch.manual_seed(0)
    config = NETWORKS[name]
    if name.endswith("_g"):
        return tiny.moved(config.build(SPEC)).eval(), (4, 8, 16, 32)
    extra = ExtraOutputs({8: 3, 16: 4}) if name == "unet_d" else ExtraOutputs()
    return tiny.moved(config.build(SPEC, extra)).eval(), (8, 16) if name == "unet_d" else ()


def result(network, resolutions):
    """Images, or logits, and maps, under bf16 autocast or without."""
    torch.manual_seed(1)
    labels = torch.eye(3)[[0, 1, 2, 0]]
    if network.extra is None:
        out = network(torch.randn(4, network.z_dim), labels, resolutions=resolutions)
        return out.image, out.features
    out = network(torch.randn(4, 3, 32, 32), labels, resolutions=resolutions)
    return out.logits, out.features | {f"encoder {r}": x for r, x in out.maps.items()}


def rough(network, resolutions):
    with torch.autocast("cpu", BF16):
        return result(network, resolutions)


def types_of_stages(network, resolutions) -> dict[str, torch.dtype]:
    """Convolution -> type of what it makes of maps, under bf16 autocast."""
    found, hooks = {}, []
    for name, part in network.named_modules():
        if "conv" in name.rsplit(".", 1)[-1] or name.startswith("decoder.b"):
            hooks.append(part.register_forward_hook(lambda _, __, out, name=name: found.update({name: out.dtype})))
    rough(network, resolutions)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_stages_below_a_resolution_compute_in_float32_and_the_others_in_bf16(name):
    network, resolutions = built(name)
    assert set(types_of_stages(network, resolutions).values()) == {BF16} or "stylegan2" in name or name == "skip_d"
    keep_float32_below(network, 16)
    types = types_of_stages(network, resolutions)
    assert len(types) >= 4
    for place, kind in types.items():
        resolution = next(int(word.strip("bdownup")) for word in place.split(".") if word.strip("bdownup").isdigit())
        last = "stylegan2_d" in name or name == "skip_d"
        assert kind == (FLOAT if resolution < 16 or (last and resolution == 4) else BF16), place


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_results_stay_near_those_of_float32_and_low_maps_of_a_generator_are_the_same_bit_for_bit(name):
    network, resolutions = built(name)
    exact, maps = result(network, resolutions)
    keep_float32_below(network, 16)
    mixed, found = rough(network, resolutions)
    assert 0 < (mixed - exact).abs().max() / exact.abs().max() < 0.02
    assert mixed.dtype == FLOAT and {found[r].dtype for r in resolutions} <= {FLOAT}
    if network.extra is None:
        assert torch.equal(found[4], maps[4]) and torch.equal(found[8], maps[8])
        assert not torch.equal(found[16], maps[16])
    assert torch.equal(result(network, resolutions)[0], exact)  # without autocast nothing changes


def test_the_layers_that_follow_given_maps_keep_to_their_stages_too():
    network, _ = built("stylegan2_g")
    keep_float32_below(network, 16)
    maps, w = torch.randn(2, 8, 8, 8).to(BF16), torch.randn(2, 8)
    exact = network.forward_from(maps.float(), 8, w)
    with torch.autocast("cpu", BF16):
        mixed = network.forward_from(maps, 8, w)
    torch.testing.assert_close(mixed, exact, atol=0.02 * exact.abs().max().item(), rtol=0)


R3GAN = {
    "generator": R3GANGeneratorConfig.tiny(),
    "discriminator": R3GANDiscriminatorConfig.tiny(),
    "regularizers": {},
    "precision": "bf16",
    "bf16_stages": 2,
}


def in_bf16(recipe, out):
    run = tiny.tiny_run(recipe, out)
    run.accelerator.autocast = lambda: torch.autocast("cpu", BF16)
    return run


def test_a_run_counts_stages_from_the_top_and_its_running_mean_follows(tmp_path):
    run = in_bf16(dataclasses.replace(tiny.recipe, **R3GAN), tmp_path)  # 16 px: stages of 16 and 8 px, and of 4
    stats = train_step(run, next(run.reals()))
    assert all(value.isfinite().all() and value.dtype == FLOAT for value in stats.values())
    networks = [*run.networks.named().values(), *run.ema.mean.values()]
    assert {network.float32_below for network in networks} == {8} and len(networks) == 3
    types = {}
    generator = run.networks["generator"]
    for resolution in (4, 8, 16):
        generator.get_submodule(f"b{resolution}").register_forward_hook(
            lambda _, __, out, r=resolution: types.update({r: out.dtype})
        )
    train_step(run, next(run.reals()))
    assert types == {4: FLOAT, 8: BF16, 16: BF16}
    whole = in_bf16(dataclasses.replace(tiny.recipe, **R3GAN | {"bf16_stages": 9}), tmp_path)
    assert {network.float32_below for network in whole.networks.named().values()} == {0}


def test_a_checkpoint_holds_the_same_whatever_the_stages_compute_in(tmp_path):
    """The option is no weight: names and types of all that is saved stay."""
    a = trained(tmp_path / "a", **R3GAN, total_kimg=0.032)
    b = trained(tmp_path / "b", **R3GAN | {"bf16_stages": None}, total_kimg=0.032)
    assert {k: v.dtype for k, v in weights(a).items()} == {k: v.dtype for k, v in weights(b).items()}


def test_networks_without_stages_are_refused_by_name_with_those_that_have_some(tmp_path):
    changes = R3GAN | {"discriminator": DCGANDiscriminatorConfig.tiny()}
    with pytest.raises(ValueError, match="bf16_stages is 2, and discriminator 'dcgan' provides no stages .* r3gan or "):
        tiny.tiny_run(dataclasses.replace(tiny.recipe, **changes), tmp_path)
    with pytest.raises(ValueError, match="bf16_stages is 2, and precision is 'fp32': set precision to 'bf16'"):
        dataclasses.replace(tiny.recipe, bf16_stages=2)
    with pytest.raises(ValueError, match="bf16_stages"):
        dataclasses.replace(tiny.recipe, bf16_stages=0, precision="bf16")


def test_what_provides_stages_has_some():
    for registry in (generators, discriminators):
        for part in registry.values():
            if Capability.STAGES in part.tiny().provides:
                network = part.tiny().build(ImageSpec(32, 32))
                keep_float32_below(network, 16)
                assert {part.float32_below for part in network.modules() if isinstance(part, Staged)} == {16}
