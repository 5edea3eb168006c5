"""Ops: their derivatives, sizes, and behaviour in low precision."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from ggdr.ops.activation import ACTIVATIONS, bias_act
from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.fir import TAPS, blur, downsample2, upfirdn2d, upsample2
from ggdr.ops.gradient import input_gradient
from ggdr.ops.modulation import modulated_conv2d

LONG = (0.1, -0.2, 0.5, 0.9, 0.4, -0.1, 0.05, 0.02)


def double(*shape):
    """A float64 tensor that takes gradient."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def differentiable_twice(function, *inputs):
    return gradcheck(function, inputs) and gradgradcheck(function, inputs)


RESAMPLINGS = {
    "up": dict(taps=TAPS, up=2, padding=(2, 1, 2, 1), gain=4.0),
    "down": dict(taps=TAPS, down=2, padding=(1, 1, 1, 1)),
    "flip-crop": dict(taps=(1.0, 2.0, 5.0), padding=(-1, 2, 0, 1), flip=True),
    "long": dict(taps=LONG, up=2, down=3, padding=(3, 4, 4, 3)),
    "axes": dict(taps=TAPS, up=(1, 2), down=(2, 1), padding=(1, 2, 3, 0)),
}


@pytest.mark.parametrize("how", RESAMPLINGS.values(), ids=RESAMPLINGS)
def test_fir_is_differentiable_twice(how):
    assert differentiable_twice(lambda x: upfirdn2d(x.square(), **how), double(1, 2, 5, 4))


@pytest.mark.parametrize("how", [{"up": 2}, {"down": 2}, {}], ids=["up", "down", "same"])
@pytest.mark.parametrize("kernel", [1, 3])
def test_resampling_convolution_is_differentiable_twice(kernel, how):
    inputs = double(1, 2, 4, 4), double(2, 2, kernel, kernel), double(2)
    assert differentiable_twice(lambda x, w, b: resampling_conv2d(x, w, b, **how), *inputs)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("how", [{"up": 2}, {"down": 2}, {}], ids=["up", "down", "same"])
def test_resampling_convolution_doubles_halves_or_keeps_the_size(kernel, how):
    y = resampling_conv2d(torch.randn(1, 2, 6, 10), torch.randn(3, 2, kernel, kernel), **how)
    factor = how.get("up", 1) / how.get("down", 1)
    assert y.shape == (1, 3, 6 * factor, 10 * factor)


@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("demodulate", [True, False])
def test_modulated_convolution_is_differentiable_twice(up, demodulate):
    noise = torch.randn(2, 1, 3 * up, 3 * up, dtype=torch.float64)
    inputs = double(2, 2, 3, 3), double(2, 2, 3, 3), double(2, 2)

    def run(x, weight, styles):
        return modulated_conv2d(x, weight, styles, up=up, demodulate=demodulate, noise=noise, gain=1.5)

    assert differentiable_twice(run, *inputs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_is_differentiable_twice(activation):
    assert differentiable_twice(lambda x, b: bias_act(x, b, activation), double(2, 3, 2), double(3))


def test_modulated_convolution_is_a_convolution_with_each_samples_own_weights():
    x, weight, styles = torch.randn(3, 4, 5, 6), torch.randn(2, 4, 3, 3), torch.randn(3, 4)
    y = modulated_conv2d(x, weight, styles)
    for n in range(3):
        own = weight * styles[n, :, None, None]
        own = own / own.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
        torch.testing.assert_close(y[n], F.conv2d(x[n : n + 1], own, padding=1)[0], rtol=1e-4, atol=1e-5)


def test_demodulated_output_has_unit_variance_whatever_the_style():
    x, weight = torch.randn(4, 16, 32, 32), torch.randn(8, 16, 3, 3)
    styles = torch.randn(4, 16) * torch.tensor([0.01, 1.0, 10.0, 100.0])[:, None]
    spread = modulated_conv2d(x, weight, styles).std(dim=(1, 2, 3))
    torch.testing.assert_close(spread, torch.ones(4), rtol=0.2, atol=0)


def test_resampling_keeps_brightness_and_position():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    fine = upsample2(ramp)[0, 0, 16, 4:-4]
    torch.testing.assert_close(fine, torch.arange(32.0)[4:-4] / 2 - 0.25)
    coarse = downsample2(ramp)[0, 0, 4, 1:-1]
    torch.testing.assert_close(coarse, torch.arange(8.0)[1:-1] * 2 + 0.5)
    torch.testing.assert_close(blur(torch.ones(1, 1, 9, 9), padding=0), torch.ones(1, 1, 6, 6))


def test_fir_adjoint_is_exact():
    x, y = torch.randn(1, 2, 6, 6, requires_grad=True), torch.randn(1, 2, 12, 12)
    up = upsample2(x)
    torch.testing.assert_close((up * y).sum(), (x * torch.autograd.grad(up, x, y)[0]).sum(), rtol=1e-4, atol=1e-4)


def test_first_use_in_inference_mode_does_not_spoil_training():
    taps = (1.0, 4.0, 2.0)
    with torch.inference_mode():
        upfirdn2d(torch.ones(1, 7, 5, 5), taps)
    x = torch.ones(1, 7, 5, 5, requires_grad=True)
    upfirdn2d(x, taps).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("how", [{"up": 2}, {"down": 2}, {}], ids=["up", "down", "same"])
def test_bfloat16_stays_close_to_float32(how):
    x, weight, styles = torch.randn(2, 8, 8, 8), torch.randn(8, 8, 3, 3), torch.randn(2, 8)
    exact = resampling_conv2d(x, weight, **how), modulated_conv2d(x, weight, styles, up=how.get("up", 1))
    with torch.autocast("cpu", torch.bfloat16):
        rough = resampling_conv2d(x, weight, **how), modulated_conv2d(x, weight, styles, up=how.get("up", 1))
    for ours, wanted in zip(rough, exact, strict=True):
        assert ours.dtype == torch.bfloat16
        assert (ours.float() - wanted).abs().max() < 0.03 * wanted.abs().max()


def test_input_gradient_is_each_samples_own_and_differentiable():
    x = torch.tensor([[1.0], [2.0]], requires_grad=True)
    gradient = input_gradient(x.pow(3).squeeze(1), x)
    torch.testing.assert_close(gradient, torch.tensor([[3.0], [12.0]]))
    torch.testing.assert_close(torch.autograd.grad(gradient.sum(), x)[0], torch.tensor([[6.0], [12.0]]))


@pytest.mark.parametrize("factor", [1.0, 1e3])
def test_modulation_in_float16_overflows_neither_by_its_weights_nor_by_its_styles(factor):
    torch.manual_seed(0)
    x, weight, styles = torch.randn(2, 64, 8, 8), torch.randn(8, 64, 3, 3), torch.randn(2, 64)
    exact = modulated_conv2d(x, factor * weight, factor * styles)
    with torch.autocast("cpu", torch.float16):
        half = modulated_conv2d(x.half(), factor * weight, factor * styles)
    torch.testing.assert_close(half.float(), exact, atol=0.02, rtol=0.01)
