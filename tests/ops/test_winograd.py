"""Winograd's convolution: what it computes, its derivatives, and where it stands back."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.nn import functional as F

from ggdr.ops import winograd
from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.gradient import input_gradient


def double(*shape):
    """A float64 tensor that takes gradient."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def operands(samples=16, inputs=128, outputs=160, height=16, width=16):
    """Maps, channels last, and a weight, for which it pays."""
    x = torch.randn(samples, height, width, inputs).permute(0, 3, 1, 2)
    return x, torch.randn(outputs, inputs, 3, 3) / (3 * inputs**0.5)


def assert_near(given, wanted, share=1e-5):
    """No value further off than this share of the largest."""
    assert given.shape == wanted.shape
    assert (given.double() - wanted.double()).abs().max() <= share * wanted.double().abs().max()


@pytest.mark.parametrize("turned", [False, True])
def test_it_is_differentiable_twice(turned):
    inputs = double(1, 3 if turned else 2, 4, 8), double(3, 2, 3, 3)
    assert gradcheck(lambda x, w: winograd.convolve(x, w, turned), inputs)
    assert gradgradcheck(lambda x, w: winograd.convolve(x, w, turned), inputs, fast_mode=True)


def test_the_gradient_of_the_weight_is_differentiable_twice():
    inputs = double(1, 2, 8, 4), double(1, 3, 8, 4)
    assert gradcheck(winograd.correlate, inputs)
    assert gradgradcheck(winograd.correlate, inputs, fast_mode=True)


# several samples at a time, the last fewer; one; strips of one; a side of one tile
@pytest.mark.parametrize("size", [(7, 32, 32), (2, 64, 64), (2, 96, 68), (3, 4, 12), (1, 8, 1032)], ids=str)
def test_it_is_the_convolution_and_its_gradients_in_chunks_of_any_kind(size):
    samples, height, width = size
    x, weight = operands(samples, 5, 3, height, width)
    y = torch.randn(samples, 3, height, width)
    exact = x.double().requires_grad_(), weight.double().requires_grad_()
    wanted = F.conv2d(*exact, padding=1)
    of_x, of_weight = torch.autograd.grad(wanted, exact, y.double())
    assert_near(winograd.convolve(x, weight), wanted.detach())
    assert_near(winograd.convolve(y, weight, transposed=True), of_x)
    assert_near(winograd.correlate(x, y), of_weight)


@pytest.mark.parametrize("size", [(7, 32, 32), (2, 96, 68), (1, 8, 1032), (300, 4, 4)], ids=str)
def test_chunks_take_each_tile_once_and_no_more_than_fit(size):
    samples, height, width = size
    seen = torch.zeros(samples, height, width, 1)
    for chunk in winograd.tile_blocks(*size):
        tiles = chunk.tiles_of(seen)
        tiles += 1
        assert tiles[0, 0].numel() <= max(winograd.TILES_PER_BLOCK, width // 4)
    assert (seen == 1).all()


def penalty(convolve, x, weight):
    """Gradients of an R1-like penalty of two layers, for x and the weight."""
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    gradient = input_gradient(convolve(F.softplus(convolve(x, weight)), weight).square(), x)
    return gradient, *torch.autograd.grad(gradient.square().sum(), (x, weight))


def test_the_gradients_of_a_gradient_penalty_are_those_of_torch():
    x, weight = operands(samples=3, outputs=128)
    wanted = penalty(lambda x, w: F.conv2d(x, w, padding=1), x.double(), weight.double())
    for ours, theirs in zip(penalty(winograd.convolve, x, weight), wanted, strict=True):
        assert ours.dtype == torch.float32
        assert_near(ours, theirs)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_layers_take_it_in_any_layout_with_their_bias_and_hand_over_channels_last(order):
    x, weight = (tensor.contiguous(memory_format=order) for tensor in operands())
    bias = torch.randn(160, requires_grad=True)
    y = resampling_conv2d(x, weight, bias)
    assert winograd.is_faster(x, weight) and y.is_contiguous(memory_format=torch.channels_last)
    assert_near(y.detach(), F.conv2d(x, weight, bias, padding=1).detach())
    y.sum().backward()
    assert_near(bias.grad, torch.full([160], y.numel() / 160))


def test_it_is_as_exact_as_it_says():
    x, weight = operands(samples=4, inputs=512, outputs=256)
    x = F.leaky_relu(x, 0.2)
    wanted = F.conv2d(x.double(), weight.double(), padding=1)
    assert_near(winograd.convolve(x, weight), wanted, share=4e-6)


def test_it_gives_the_same_bits_each_time():
    x, weight = operands()
    assert torch.equal(resampling_conv2d(x, weight), resampling_conv2d(x, weight))


def test_what_is_not_finite_does_not_vanish():
    x, weight = operands()
    x[3, 5, 7, 7] = float("inf")
    y = resampling_conv2d(x, weight)
    assert not y[3, :, 6:9, 6:9].isfinite().any()
    assert y[[0, 1, 2, *range(4, 16)]].isfinite().all()


@pytest.mark.parametrize(
    "shape",
    [(16, 128, 16, 18), (16, 128, 15, 16), (15, 128, 16, 16), (16, 64, 32, 32), (0, 128, 16, 16), (16, 0, 16, 16)],
    ids=str,
)
def test_other_shapes_are_convolved_as_ever(shape):
    x, weight = torch.randn(shape), torch.randn(128, shape[1], 3, 3)
    assert not winograd.is_faster(x, weight)
    assert torch.equal(resampling_conv2d(x, weight), F.conv2d(x, weight, padding=1))


def test_other_types_and_devices_are_convolved_as_ever():
    x, weight = operands()
    assert winograd.is_faster(x, nn.Parameter(weight))
    assert not winograd.is_faster(x.double(), weight.double())
    assert not winograd.is_faster(x.bfloat16(), weight.bfloat16())
    assert not winograd.is_faster(x.to("meta"), weight.to("meta"))
    with torch.autocast("cpu", torch.bfloat16):
        assert not winograd.is_faster(x, weight)
        assert resampling_conv2d(x, weight).dtype == torch.bfloat16


def test_gradients_under_autocast_stay_in_float32():
    x, weight = operands()
    x, weight = x.requires_grad_(), weight.requires_grad_()
    y = resampling_conv2d(x, weight).sum()
    wanted = torch.autograd.grad(y, (x, weight), retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        given = torch.autograd.grad(y, (x, weight))
    assert all(torch.equal(a, b) for a, b in zip(given, wanted, strict=True))


class Layer(nn.Module):
    """One convolution."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x):
        return resampling_conv2d(x, self.weight)


def operators(graph):
    """What a graph calls."""
    return {str(node.target) for node in graph.nodes if node.op.startswith("call")}


def test_a_traced_graph_holds_torchs_convolution():
    x, weight = operands()
    layer = Layer(weight)
    for strict in (True, False):
        exported = torch.export.export(layer, (x,), strict=strict)
        assert operators(exported.graph) == {"aten.conv2d.default"}
    frozen = torch.jit.trace(layer, (x,))
    assert "aten::bmm" not in str(frozen.inlined_graph)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    assert torch.equal(compiled(x), F.conv2d(x, weight, padding=1))


def test_transforms_of_functions_see_torchs_convolution():
    x, weight = operands()
    along = torch.randn_like(x)
    _, pushed = torch.func.jvp(lambda x: resampling_conv2d(x, weight), (x,), (along,))
    assert_near(pushed, F.conv2d(along, weight, padding=1))
    with forward_ad.dual_level():
        dual = resampling_conv2d(forward_ad.make_dual(x, along), weight)
        assert_near(forward_ad.unpack_dual(dual).tangent, pushed)
    stacked = torch.func.vmap(resampling_conv2d, (None, 0))(x, torch.stack([weight, -weight]))
    assert_near(stacked[1], F.conv2d(x, -weight, padding=1))
    gradient = torch.func.grad(lambda w: resampling_conv2d(x, w).square().sum())(weight)
    assert_near(gradient, 2 * winograd.correlate(x, winograd.convolve(x, weight)))


def test_gradients_in_batches_are_those_of_each():
    x, weight = operands()
    x, weight = x.requires_grad_(), weight.requires_grad_()
    y = resampling_conv2d(x, weight)
    weights = torch.randn(2, *y.shape)
    batched = torch.autograd.grad(y, (x, weight), weights, is_grads_batched=True, retain_graph=True)
    for index in range(2):
        single = torch.autograd.grad(y, (x, weight), weights[index], retain_graph=True)
        for ours, theirs in zip(batched, single, strict=True):
            assert_near(ours[index], theirs)


@pytest.fixture(params=[False, True], ids=["without AMX", "with AMX"])
def amx(request, monkeypatch):
    """Whether the processor multiplies tiles of bfloat16, which decides what pays."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: request.param)
    return request.param


@pytest.mark.parametrize(("dtype", "share"), [(torch.float32, 4e-6), (torch.bfloat16, 8e-3)], ids=str)
def test_a_weight_at_rest_gives_the_same_by_its_planes_where_they_pay(dtype, share, amx):
    x, weight = torch.randn(8, 512, 16, 16).to(dtype), torch.randn(512, 512, 3, 3) / 68
    winograd_weight = winograd.WinogradWeight(weight)
    assert winograd.is_faster_precomputed(x, weight) == (dtype == torch.float32 or not amx)
    y = resampling_conv2d(x, weight.to(dtype), winograd_weight=winograd_weight)
    assert y.dtype == dtype and ("planes" in vars(winograd_weight)) == winograd.is_faster_precomputed(x, weight)
    assert_near(y.float(), F.conv2d(x.float(), weight.to(dtype).float(), padding=1), share=share)


def test_planes_are_left_alone_where_they_do_not_pay_or_something_learns():
    x, weight = torch.randn(2, 256, 16, 16), torch.randn(256, 256, 3, 3)
    assert winograd.is_faster_precomputed(x, weight) and not winograd.is_faster(x, weight)
    assert not winograd.is_faster_precomputed(x[:, :64], weight[:64, :64]) and not winograd.is_faster_precomputed(
        x.bfloat16(), weight
    )
    assert not winograd.is_faster_precomputed(x.double(), weight) and not winograd.is_faster_precomputed(
        x, weight[:, :, :1, :1]
    )
    assert not winograd.is_faster_precomputed(x.requires_grad_(), weight)
    winograd_weight = winograd.WinogradWeight(weight)
    y = resampling_conv2d(x, weight, winograd_weight=winograd_weight)
    assert y.requires_grad and "planes" not in vars(winograd_weight)
    with torch.no_grad():
        assert winograd.is_faster_precomputed(x, weight)
        with torch.autocast("cpu", torch.bfloat16):
            assert not winograd.is_faster_precomputed(x, weight)


@pytest.mark.parametrize("amx", [False], indirect=True)
def test_planes_serve_autocast_without_being_narrowed_by_it(amx):
    x, weight = torch.randn(8, 512, 16, 16).bfloat16(), torch.randn(512, 512, 3, 3) / 68
    plain = resampling_conv2d(x, weight, winograd_weight=winograd.WinogradWeight(weight))
    with torch.autocast("cpu", torch.bfloat16):
        assert winograd.is_faster_precomputed(x, weight)
        winograd_weight = winograd.WinogradWeight(weight)
        assert (
            torch.equal(resampling_conv2d(x, weight, winograd_weight=winograd_weight), plain)
            and winograd_weight.planes.dtype == torch.float32
        )
