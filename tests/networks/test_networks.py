"""Networks: sizes, conditions, features, randomness, state, derivatives; on tiny real instances of every family."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.minibatch import largest_divisor, minibatch_stddev
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.gradient import input_gradient

STYLE = StyleGAN2GeneratorConfig.tiny()
JUDGE = StyleGAN2DiscriminatorConfig.tiny()
GENERATORS = {"stylegan2": STYLE, "dcgan": DCGANGeneratorConfig.tiny()}
DISCRIMINATORS = {
    "resnet": JUDGE,
    "orig": replace(JUDGE, architecture="orig"),
    "skip": replace(JUDGE, architecture="skip"),
    "no-mbstd": replace(JUDGE, mbstd_channels=0),
    "dcgan": DCGANDiscriminatorConfig.tiny(),
    "dcgan-spectral": replace(DCGANDiscriminatorConfig.tiny(), norm="spectral"),
    "unet": UNetDiscriminatorConfig.tiny(),
    "unet-3x3-lrelu": UNetDiscriminatorConfig(encoder=JUDGE, kernel=3, activation="lrelu"),
    "unet-dcgan": UNetDiscriminatorConfig(encoder=replace(DCGANDiscriminatorConfig.tiny(), norm="none")),
}
EVERY_GENERATOR = pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
EVERY_DISCRIMINATOR = pytest.mark.parametrize("discriminator", DISCRIMINATORS.values(), ids=DISCRIMINATORS)
BRIEFS = {
    "32": ImageSpec(32, 32),
    "wide gray, labels": ImageSpec(16, 32, 1, 3),
    "96 RGBA": ImageSpec(96, 96, 4),
    "tall": ImageSpec(48, 16, 3, 5),
    "5 channels": ImageSpec(24, 24, 5),
}
EVERY_BRIEF = pytest.mark.parametrize("spec", BRIEFS.values(), ids=BRIEFS)


def latents(network, samples=2):
    """Latent codes, and labels where the network takes them."""
    return torch.randn(samples, network.z_dim), labels_for(network.spec, samples)


def labels_for(spec, samples=2):
    return torch.rand(samples, spec.labels) if spec.labels else None


def images_for(spec, samples=2):
    return torch.randn(samples, spec.channels, spec.height, spec.width)


def randomised(network):
    """Every weight away from its start, so that nothing hides behind a zero."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


@EVERY_DISCRIMINATOR
def test_labels_change_the_judgement(discriminator):
    spec = ImageSpec(16, 16, 3, 4)
    network = randomised(discriminator.build(spec))
    image = images_for(spec)
    one, other = (network(image, labels_for(spec)).logits for _ in range(2))
    assert not torch.allclose(one, other)


@EVERY_GENERATOR
def test_labels_change_the_image(generator):
    network = randomised(generator.build(ImageSpec(16, 16, 3, 4))).eval()
    z, labels = latents(network)
    torch.manual_seed(0)
    one = network(z, labels).image
    torch.manual_seed(0)
    assert not torch.allclose(one, network(z, 1 - labels).image)


@EVERY_GENERATOR
def test_a_conditional_generator_asks_for_labels(generator):
    network = generator.build(ImageSpec(16, 16, 3, 4))
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        network(torch.randn(2, network.z_dim))


@EVERY_DISCRIMINATOR
def test_a_conditional_discriminator_asks_for_labels(discriminator):
    network = discriminator.build(ImageSpec(16, 16, 3, 4))
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        network(torch.randn(2, 3, 16, 16))


@EVERY_GENERATOR
def test_generator_refuses_a_side_it_does_not_have(generator):
    network = generator.build(ImageSpec(16, 16))
    with pytest.raises(ValueError, match="11"):
        network(*latents(network), resolutions=(11,))


@EVERY_GENERATOR
def test_batch_mates_do_not_leak_into_an_image(generator):
    network = randomised(generator.build(ImageSpec(16, 16))).eval()
    z = torch.randn(4, network.z_dim)
    how = {"noise": "const"} if generator.name == "stylegan2" else {}
    torch.testing.assert_close(network(z, **how).image[:1], network(z[:1], **how).image, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["no-mbstd", "dcgan-spectral", "unet-dcgan"])
def test_batch_mates_do_not_leak_into_a_judgement_without_batch_statistics(name):
    network = randomised(DISCRIMINATORS[name].build(ImageSpec(16, 16))).eval()
    image = images_for(network.spec, 4)
    torch.testing.assert_close(network(image).logits[:1], network(image[:1]).logits, rtol=1e-4, atol=1e-5)


@EVERY_DISCRIMINATOR
def test_a_gradient_penalty_reaches_the_discriminators_weights(discriminator):
    network = randomised(discriminator.build(ImageSpec(16, 16)))
    image = images_for(network.spec, 4).requires_grad_()
    input_gradient(network(image).logits, image).square().sum().backward()
    touched = [name for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert any(
        name.endswith(("conv.weight", "conv0.weight", "conv.parametrizations.weight.original")) for name in touched
    )
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_path_length_reaches_the_mapping_and_synthesis_weights():
    network = randomised(STYLE.build(ImageSpec(16, 16)))
    sample = network(*latents(network))
    gradient = input_gradient((sample.image * torch.randn_like(sample.image)).sum(), sample.ws)
    assert gradient.shape == sample.ws.shape
    gradient.square().sum().sqrt().backward()
    assert network.mapping.fc0.weight.grad.abs().sum() > 0
    assert network.synthesis.b16.conv0.weight.grad.abs().sum() > 0


@EVERY_GENERATOR
@EVERY_BRIEF
def test_generator_state_is_saved_and_loaded_exactly(generator, spec):
    first, second = randomised(generator.build(spec)).eval(), generator.build(spec).eval()
    second.load_state_dict(first.state_dict())
    z, labels = latents(first)
    torch.manual_seed(0)
    image = first(z, labels).image
    torch.manual_seed(0)
    assert torch.equal(image, second(z, labels).image)


@EVERY_DISCRIMINATOR
def test_discriminator_state_is_saved_and_loaded_exactly(discriminator):
    spec = ImageSpec(16, 16, 3, 2)
    first, second = randomised(discriminator.build(spec)).eval(), discriminator.build(spec).eval()
    second.load_state_dict(first.state_dict())
    given = images_for(spec), labels_for(spec)
    assert torch.equal(first(*given).logits, second(*given).logits)


@pytest.mark.parametrize("config", [*GENERATORS.values(), *DISCRIMINATORS.values()], ids=[*GENERATORS, *DISCRIMINATORS])
def test_networks_are_built_without_memory_on_the_meta_device(config):
    with torch.device("meta"):
        network = config.build(ImageSpec(32, 32, 3, 2))
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    assert not any(tensor.is_meta for tensor in config.build(ImageSpec(32, 32, 3, 2)).state_dict().values())


@pytest.mark.parametrize("config", [*GENERATORS.values(), *DISCRIMINATORS.values()], ids=[*GENERATORS, *DISCRIMINATORS])
def test_a_size_without_a_ladder_is_refused_with_sizes_that_work(config):
    with pytest.raises(ValueError, match="100 x 100.*96 x 96"):
        config.build(ImageSpec(100, 100))


def test_stylegan2_widths_are_the_papers():
    with torch.device("meta"):
        network = StyleGAN2GeneratorConfig(channel_base=16384).build(ImageSpec(256, 256))
    assert network.feature_channels == {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64}
    assert network.synthesis.num_ws == 14


class TestRandomness:
    def test_noise_is_fresh_kept_or_left_out_as_asked(self):
        network = randomised(STYLE.build(ImageSpec(16, 16))).eval()
        z, _ = latents(network)
        images = {mode: [network(z, noise=mode).image for _ in range(2)] for mode in ("random", "const", "none")}
        assert not torch.equal(*images["random"])
        assert torch.equal(*images["const"])
        assert torch.equal(*images["none"])
        assert not torch.allclose(images["const"][0], images["none"][0])

    def test_the_same_seed_makes_the_same_image_in_training(self):
        network = randomised(STYLE.build(ImageSpec(16, 16)))
        z, _ = latents(network)
        images = []
        for _ in range(2):
            torch.manual_seed(3)
            images.append(network(z).image)
        assert torch.equal(*images)

    def test_truncation_pulls_the_first_codes_towards_the_mean(self):
        network = STYLE.build(ImageSpec(16, 16)).eval()
        network.mapping.w_avg.normal_()
        z, _ = latents(network)
        full, half = network.styles(z), network.styles(z, psi=0.5, cutoff=2)
        torch.testing.assert_close(half[:, :2], (full[:, :2] + network.mapping.w_avg) / 2)
        assert torch.equal(half[:, 2:], full[:, 2:])
        torch.testing.assert_close(network.styles(z, psi=0.0)[1, 3], network.mapping.w_avg)

    def test_training_mixes_two_styles_at_one_layer_and_evaluation_does_not(self):
        network = replace(STYLE, style_mixing=1.0).build(ImageSpec(32, 32))
        z, _ = latents(network, 3)
        crossovers = set()
        for seed in range(40):
            torch.manual_seed(seed)
            ws = network.styles(z)
            from_second = ~(ws == ws[:, :1]).all(dim=(0, 2))
            crossover = int(from_second.int().argmax())
            assert from_second[crossover:].all()
            assert (ws[:, crossover:] == ws[:, crossover:][:, :1]).all()
            crossovers.add(crossover)
        assert crossovers == set(range(1, 8))
        ws = network.eval().styles(z)
        assert (ws == ws[:, :1]).all()

    def test_styles_are_mixed_as_often_as_asked(self):
        network = replace(STYLE, style_mixing=0.3).build(ImageSpec(16, 16))
        z, _ = latents(network)
        torch.manual_seed(0)
        mixed = [not torch.equal(ws[:, 0], ws[:, -1]) for ws in (network.styles(z) for _ in range(300))]
        assert 60 < sum(mixed) < 120


class TestMeanStyle:
    def test_it_follows_the_measured_mean_once_a_step(self):
        network = STYLE.build(ImageSpec(16, 16))
        codes = [torch.randn(4, 8) for _ in range(2)]
        for z in codes:
            network(z)
        mean = torch.stack([network.mapping(z).mean(0) for z in codes]).mean(0)
        measured = network.measure()
        torch.testing.assert_close(measured["w_mean"], mean)
        network.after_step(measured)
        torch.testing.assert_close(network.mapping.w_avg, mean * (1 - 0.995**2))

    def test_it_is_measured_in_training_only_and_forgotten_afterwards(self):
        network = STYLE.build(ImageSpec(16, 16))
        network(*latents(network))
        assert network.measure().keys() == {"w_mean"}
        assert network.measure() == {}
        network.eval()(*latents(network))
        assert network.measure() == {}

    def test_it_stays_without_a_measurement(self):
        network = STYLE.build(ImageSpec(16, 16))
        network.after_step({"loss": torch.ones([])})
        assert not network.mapping.w_avg.any()

    def test_dcgans_running_statistics_approach_the_batchs(self):
        network = GENERATORS["dcgan"].build(ImageSpec(16, 16))
        z, _ = latents(network, 64)
        for _ in range(80):
            in_training = network(z).image
            network.after_step(network.measure())
        torch.testing.assert_close(network.eval()(z).image, in_training, rtol=0.05, atol=0.01)


def test_minibatch_stddev_groups_are_the_largest_that_divide_the_batch():
    assert [largest_divisor(6, 4), largest_divisor(7, 4), largest_divisor(8, 4), largest_divisor(2, 4)] == [3, 1, 4, 2]
    assert minibatch_stddev(torch.randn(6, 3, 4, 4), group=4).shape == (6, 4, 4, 4)


def test_minibatch_stddev_tells_a_collapsed_batch_from_a_varied_one():
    x = torch.randn(1, 3, 4, 4).expand(4, -1, -1, -1)
    assert minibatch_stddev(x)[:, 3].max() < 1e-3
    assert minibatch_stddev(torch.randn(4, 3, 4, 4))[:, 3].min() > 0.3


@EVERY_GENERATOR
def test_generator_under_bfloat16_hands_over_float32(generator):
    network = randomised(generator.build(ImageSpec(32, 32))).eval()
    z, _ = latents(network)
    with torch.no_grad():
        torch.manual_seed(0)
        exact = network(z, resolutions=(8,))
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(z, resolutions=(8,))
    assert rough.image.dtype == rough.features[8].dtype == torch.float32
    assert (rough.image - exact.image).abs().max() < 0.1 * exact.image.abs().max()
    if exact.ws is not None:
        torch.testing.assert_close(rough.ws, exact.ws)


@EVERY_DISCRIMINATOR
def test_discriminator_trains_under_bfloat16(discriminator):
    network = randomised(discriminator.build(ImageSpec(32, 32, 3, 2)))
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.randn(4, 3, 32, 32), torch.rand(4, 2)).logits
    assert logits.dtype == torch.float32
    logits.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


@pytest.mark.parametrize("config", [STYLE, UNetDiscriminatorConfig(encoder=JUDGE)], ids=["generator", "discriminator"])
def test_networks_compile_as_one_graph(config):
    extra = [] if config is STYLE else [ExtraOutputs({8: 8})]
    network = randomised(config.build(ImageSpec(16, 16), *extra)).eval()
    if config is STYLE:
        given, how = latents(network)[:1], {"noise": "const", "resolutions": (8,)}
    else:
        given, how = (images_for(network.spec),), {"resolutions": (8,)}
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(*given, **how).features[8], network(*given, **how).features[8])


def test_settings_are_listed_without_torch():
    light = "networks.stylegan2", "networks.unet", "networks.dcgan", "networks.size", "ops.gradient", "ops.precision"
    code = f"import sys, {', '.join(f'ggdr.{name}' for name in light)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_clamped_layers_hand_on_nothing_beyond_their_bound():
    spec, z = ImageSpec(16, 16), torch.randn(4, 8)
    free = randomised(STYLE.build(spec)).eval()
    clamped = replace(STYLE, clamp=0.5).build(spec).eval()
    clamped.load_state_dict(free.state_dict())
    resolutions = tuple(free.feature_channels)
    before, after = (net(z, resolutions=resolutions, noise="const") for net in (free, clamped))
    assert before.features[16].abs().max() > 0.6 and after.features[16].abs().max() == 0.5
    assert after.image.abs().max() <= 0.5 * len(resolutions)
    far = replace(STYLE, clamp=1e6).build(spec).eval()
    far.load_state_dict(free.state_dict())
    assert torch.equal(far(z, noise="const").image, before.image)


@torch.no_grad()
def test_a_clamp_bounds_the_discriminators_layers_before_their_gain():
    torch.manual_seed(0)
    layer = EqualizedConv2d(4, 4, 3, gain=0.5, clamp=0.1)
    assert layer(torch.randn(2, 4, 8, 8)).abs().max() == pytest.approx(0.05)
    network = StyleGAN2DiscriminatorConfig.tiny()
    network = randomised(replace(network, architecture="orig", clamp=0.3).build(ImageSpec(16, 16)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(30)  # so that no layer stays below it by chance
    _, maps = network.pyramid(torch.randn(2, 3, 16, 16))
    assert all(each.abs().max() == pytest.approx(0.3) for each in maps.values())
