"""StyleGAN3: its plan, its filters, and that what moves and turns in the input does so in the image."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.size import pyramid_of
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.networks.stylegan3.plan import plan
from ggdr.ops.lowpass import Band, Resampling, filtered_lrelu, jinc_kernel, sinc_taps
from ggdr.train import train_step


def test_the_plan_is_the_papers_at_1024_px():
    levels = plan(StyleGAN3GeneratorConfig(), pyramid_of(1024, 1024))
    resolutions = [4 << rung.level for rung in levels]
    assert len(levels) == 14 and resolutions == sorted(resolutions) and (resolutions[0], resolutions[-1]) == (16, 1024)
    cutoffs = [rung.band.cutoff for rung in levels]
    assert cutoffs[0] == 2 and cutoffs[-2:] == [512, 512]
    steps = {round(after / before, 6) for before, after in zip(cutoffs[:12], cutoffs[1:13], strict=True)}
    assert steps == {round(256 ** (1 / 12), 6)}
    assert (levels[0].channels, levels[-1].channels) == (512, 32)
    assert [rung.critical for rung in levels] == [False] * 12 + [True] * 2
    for rung, resolution in zip(levels, resolutions, strict=True):
        stopband = rung.band.cutoff + rung.band.half_width
        assert stopband >= resolution / 2 - 1e-9 and (resolution == 1024 or stopband <= resolution / 2 + 1e-9)


@pytest.mark.parametrize(("rate", "cutoff", "half_width", "taps"), [(64, 8, 8, 12), (64, 16, 4, 12), (32, 2, 6, 24)])
def test_taps_are_those_of_the_window_method(rate, cutoff, half_width, taps):
    from scipy.signal import firwin

    ours = sinc_taps(taps, Band(rate, cutoff, half_width))
    assert ours == pytest.approx(firwin(taps, cutoff, width=2 * half_width, fs=rate), abs=1e-9)


def test_radial_filters_pass_the_same_in_all_directions():
    kernel = jinc_kernel(12, Band(64, 8, 8)).double()
    place = (torch.arange(12) - 5.5) / 64
    separable = torch.tensor(sinc_taps(12, Band(64, 8, 8)), dtype=torch.float64)

    def response(filter2d: torch.Tensor, frequency: float, angle: float) -> float:
        wave = place[:, None] * math.sin(angle) + place * math.cos(angle)
        return (filter2d * (2 * math.pi * frequency * wave).cos()).sum().item()

    assert kernel.sum().item() == pytest.approx(1)
    assert torch.equal(kernel, kernel.T) and torch.equal(kernel, kernel.flip(0))
    for frequency in (4, 8, 12):
        uneven = [
            abs(response(each, frequency, 0) - response(each, frequency, math.pi / 4))
            for each in (kernel, torch.outer(separable, separable))
        ]
        assert uneven[0] < 0.01
    assert uneven[1] > 0.03
    assert 0.3 < response(kernel, 8, 0.3) < 0.7 and abs(response(kernel, 24, 0.3)) < 0.02


def test_a_filtered_leaky_relu_keeps_the_centre_and_what_is_positive():
    band = Band(32, 4, 4)
    up, down = sinc_taps(12, band._replace(rate=64)), sinc_taps(24, band._replace(rate=128))
    same = filtered_lrelu(torch.full((1, 1, 24, 20), 2.0), Resampling(2, up, 2, up, (24, 20)))
    torch.testing.assert_close(same[:, :, 8:-8, 8:-8], torch.full((1, 1, 8, 4), 2 * math.sqrt(2)), rtol=2e-3, atol=0)
    x = torch.zeros(1, 1, 16, 16)
    x[0, 0, 7:9, 7:9] = 1
    for size in ((16, 16), (36, 36)):
        how = Resampling(4 if size[0] > 16 else 2, down if size[0] > 16 else up, 2, up, size)
        y = filtered_lrelu(x, how)
        assert y.shape[2:] == size
        torch.testing.assert_close(y, y.flip(2, 3), rtol=1e-4, atol=1e-5)


def drawn(config: str, reads: list[list[float]] | None = None) -> torch.Tensor:
    """Images [4, 3, 32, 32] by fresh weights, read at the places that a person has moved."""
    torch.manual_seed(0)
    settings = replace(
        StyleGAN3GeneratorConfig.tiny(), config=config, layers=8, margin=8, channel_max=16, channel_base=256
    )
    network = settings.build(ImageSpec(32, 32)).eval()
    if reads is not None:
        network.synthesis.input.reads.copy_(torch.tensor(reads))
    torch.manual_seed(1)
    with torch.no_grad():
        return network(torch.randn(4, 8)).image


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    """In dB, of images whose range is that of a."""
    return (10 * ((a.max() - a.min()).square() / (a - b).square().mean()).log10()).item()


@pytest.mark.parametrize("config", ["T", "R"])
def test_what_moves_in_the_input_moves_in_the_image(config):
    """By 3 px to the right and 5 down, which are no whole samples of the smaller maps."""
    still, moved = drawn(config), drawn(config, [[1, 0, -3 / 32], [0, 1, -5 / 32]])
    assert psnr(still[..., 6:-11, 6:-9], moved[..., 11:-6, 9:-6]) > 50
    assert psnr(still, moved) < 30


def test_what_turns_in_the_input_turns_in_the_image_of_r_alone():
    turned = {config: drawn(config, [[0, -1, 0], [1, 0, 0]]) for config in ("T", "R")}
    assert psnr(drawn("R").rot90(1, (2, 3)), turned["R"]) > 80
    assert psnr(drawn("T").rot90(1, (2, 3)), turned["T"]) < 30


def test_the_style_turns_and_moves_the_input_as_little_as_it_may_at_the_start():
    network = StyleGAN3GeneratorConfig.tiny().build(ImageSpec(32, 32))
    w = torch.randn(3, 8)
    assert torch.equal(network.synthesis.input.transform_of(w), torch.tensor([[1.0, 0, 0, 0]]).expand(3, 4))
    with torch.no_grad():
        network.synthesis.input.affine.weight.normal_()
    cos, sin, _, _ = network.synthesis.input.transform_of(w).unbind(1)
    torch.testing.assert_close(cos**2 + sin**2, torch.ones(3))


def test_waves_that_the_maps_cannot_carry_fade_out():
    """Read far from one another: at the input's cutoff of 2 all is there, at half of its rate of 16 nothing."""
    waves = StyleGAN3GeneratorConfig.tiny().build(ImageSpec(32, 32)).synthesis.input
    assert (waves.band.cutoff, waves.band.rate) == (2, 16)
    slopes = torch.tensor([[[1.0, 1.0], [0.0, 2.0], [-3.0, 4.0], [8.0, 0.0], [9.0, 9.0]]])
    torch.testing.assert_close(waves.attenuation(slopes), torch.tensor([[1.0, 1.0, 0.5, 0.0, 0.0]]))
    with torch.no_grad():
        waves.frequencies.copy_(torch.tensor([2.0, 0.0]).expand_as(waves.frequencies))
        here = waves(torch.randn(1, 8))
        waves.reads.mul_(4)
        assert here.abs().max() > 0.1 and waves(torch.randn(1, 8)).abs().max() == 0


def test_the_mean_square_of_an_input_is_that_of_its_own_samples():
    """And not of the zeros that a convolution adds around them."""
    layer = StyleGAN3GeneratorConfig.tiny().build(ImageSpec(32, 32)).train().synthesis.get_submodule("l1")
    layer(torch.full((2, layer.weight.shape[1], 24, 24), 3.0), torch.randn(2, 8))
    torch.testing.assert_close(layer.seen.take(), torch.tensor(9.0))


def test_the_image_is_bounded_before_it_is_scaled():
    network = replace(StyleGAN3GeneratorConfig.tiny(), clamp=0.1, output_scale=0.25).build(ImageSpec(32, 32)).eval()
    with torch.no_grad():
        network.synthesis.toimage.bias.fill_(50.0)
        torch.testing.assert_close(network(torch.randn(2, 8)).image, torch.full((2, 3, 32, 32), 0.025))


def test_inputs_of_layers_have_unit_mean_square_once_it_is_known():
    torch.manual_seed(0)
    network = replace(StyleGAN3GeneratorConfig.tiny(), layers=8).build(ImageSpec(32, 32)).train()
    z, images = torch.randn(8, 8), torch.tensor(32.0)
    layers = dict(network.synthesis.modulated_layers())
    assert len(layers) == 9 and all(layer.magnitude == 1 for layer in layers.values())
    with torch.no_grad():
        network(z)
        network.after_step(network.measure() | {"images": images})
        first = network(z).image
        network.after_step(network.measure() | {"images": images})
        seen = {}
        for name, layer in layers.items():
            layer.register_forward_hook(lambda layer, given, out, name=name: seen.update({name: given[0]}))
        network.eval()
        torch.testing.assert_close(network(z).image, first, rtol=1e-3, atol=1e-4)
    for name, layer in layers.items():
        square = (seen[name] * layer.gain(seen[name])).square().mean().item()
        assert square == pytest.approx(1, rel=0.02), name


def test_style_codes_are_one_for_the_input_each_layer_and_the_image():
    network = StyleGAN3GeneratorConfig.tiny().build(ImageSpec(32, 32)).eval()
    z = torch.randn(2, 8)
    made = network(z)
    assert made.ws.shape == (2, 4 + 2, 8) and len(network.input_matrices()) == 6
    torch.testing.assert_close(network.synthesize(made.ws), made.image)
    network.mapping.w_avg.fill_(0.3)
    torch.testing.assert_close(network.styles(z, psi=0.0, cutoff=2)[:, :2], torch.full((2, 2, 8), 0.3))


@pytest.mark.parametrize("config", ["T", "R"])
def test_stylegan3_trains_with_stylegan2s_discriminator_and_ggdr_on_its_maps(config, tmp_path):
    from ggdr.regularizers.ggdr import GGDR

    maker = replace(StyleGAN3GeneratorConfig.tiny(), config=config)
    terms = {**tiny.recipe.regularizers, "ggdr": GGDR(resolutions=(16,))}
    run = tiny.tiny_run(replace(tiny.recipe, generator=maker, regularizers=terms), tmp_path)
    batches = run.reals()
    stats = [train_step(run, next(batches)) for _ in range(2)][-1]
    assert stats["loss/d/ggdr"].isfinite() and stats["nonfinite/g"] == 0
    assert run.networks["generator"].synthesis.toimage.images == 16
