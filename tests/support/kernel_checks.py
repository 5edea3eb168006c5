"""Kernels held against the plain paths, in a process of its own: prints the largest error of each check as JSON."""

from __future__ import annotations

import itertools
import json
import os
import warnings
from collections.abc import Callable, Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from ggdr.ops import fir, warp
from ggdr.ops.activation import bias_act
from ggdr.ops.kernels import NAMES, describe_kernels, kernel_state, tiles

LONG = tuple(0.1 + 0.05 * i - 0.01 * i * i for i in range(12))
LAYOUTS = {"contiguous": torch.contiguous_format, "last": torch.channels_last}
RESAMPLINGS = {
    "up": dict(taps=fir.TAPS, up=2, padding=(2, 1, 2, 1), gain=4.0),
    "down": dict(taps=fir.TAPS, down=2, padding=(1, 1, 1, 1)),
    "blur": dict(taps=fir.TAPS, padding=(2, 2, 2, 2)),
    "crop": dict(taps=(1.0, 2.0, 5.0), padding=(-1, 2, 0, -2), flip=True),
    "crop-up": dict(taps=(1.0, 2.0, 5.0), up=2, padding=(-3, 2, 4, -1)),
    "long": dict(taps=LONG, up=2, down=2, padding=(5, 6, 6, 5)),
    "axes": dict(taps=fir.TAPS, up=(1, 2), down=(2, 1), padding=(1, 2, 3, 0)),
    "thirds": dict(taps=LONG[:5], up=2, down=3, padding=(3, 4, 4, 3)),
}
ACTIVATIONS = {
    "linear": dict(activation="linear", gain=1.5, clamp=0.8),
    "relu": dict(activation="relu"),
    "lrelu": dict(activation="lrelu", clamp=0.9, slope=0.1),
    "unclamped": dict(activation="lrelu"),
    "fallen-back": dict(activation="tanh", gain=2.0),
}


def orders(function: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """Values, first and second derivatives of a function, the second through an extra square."""
    leaves = [x.clone(memory_format=torch.preserve_format).requires_grad_() for x in inputs]
    y = function(*leaves)
    weight = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    first = torch.autograd.grad((y * y * weight).sum(), leaves, create_graph=True)
    second = torch.autograd.grad(sum(d.square().sum() for d in first), leaves)
    return [y, *first, *second]


def error(ours: list[Tensor], plain: list[Tensor]) -> float:
    """The largest error, as a share of the tensor's largest value."""
    pairs = [(a.detach().double(), b.detach().double()) for a, b in zip(ours, plain, strict=True)]
    assert all(a.shape == b.shape for a, b in pairs)
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-30)) for a, b in pairs)


def both(how: Callable[[], list[Tensor]]) -> float:
    """The error of the kernels' results against the plain paths'."""
    os.environ["GGDR_KERNELS"] = "triton"
    ours = how()
    os.environ["GGDR_KERNELS"] = "plain"
    return error(ours, how())


def cases() -> Iterator[tuple[str, Callable[..., Tensor], list[Tensor]]]:
    """Names, functions and inputs; sizes are odd, boxes are not filled."""
    x, bias = torch.randn(2, 5, 7, 9), torch.randn(5)
    for name, how in ACTIVATIONS.items():
        yield f"bias_act-{name}", lambda x, b, how=how: bias_act(x, b, **how), [x, bias]
        yield f"bias_act-{name}-no-bias", lambda x, how=how: bias_act(x, **how), [x]
    for name, how in RESAMPLINGS.items():
        yield f"fir-{name}", lambda x, how=how: fir.upfirdn2d(x, **how), [x]
    inverse = torch.eye(3) + 0.3 * torch.randn(2, 3, 3)
    inverse[:, 2] = torch.tensor([0.0, 0.0, 1.0])
    inverse[:, :2, 2] *= 10
    shift = torch.tensor([[0.3, -0.2], [0.0, 1 / 7]])
    yield "warp-image", lambda x: warp.warp_image(x, inverse), [x[:, :3]]
    yield "warp-map", lambda x: warp.warp_map(x, inverse, 28, 36), [x]
    yield "warp-translate", lambda x: warp.translate(x, shift), [x]


def rough(function: Callable[..., Tensor], inputs: list[Tensor], dtype: torch.dtype) -> float:
    """The error of the kernel's values in a low precision against the plain path's in float32 of the same inputs."""
    low = [x.to(dtype) for x in inputs]
    os.environ["GGDR_KERNELS"] = "triton"
    ours = function(*low)
    assert ours.dtype == dtype
    os.environ["GGDR_KERNELS"] = "plain"
    return error([ours], [function(*(x.float() for x in low))])


def measured() -> dict[str, float]:
    """Name of each check -> its error."""
    torch.manual_seed(0)
    errors = {}
    for (name, function, inputs), (layout, memory_format) in itertools.product(cases(), LAYOUTS.items()):
        own = [x.contiguous(memory_format=memory_format) if x.ndim == 4 else x for x in inputs]
        errors[f"{name}-{layout}"] = both(lambda function=function, own=own: orders(function, *own))
        if name != "warp-image":  # its matrix products are torch's, in the image's precision
            errors[f"bf16-{name}-{layout}"] = rough(function, own, torch.bfloat16)
    errors["fp16"] = rough(
        lambda x: fir.upsample2(bias_act(x, None, "lrelu")), [torch.randn(1, 2, 5, 5)], torch.float16
    )
    return errors


@triton.jit
def positions(at, program, channels, rows, columns, LAST: tl.constexpr):
    """Where the eight elements of a program's box lie."""
    n, c, y, x = tiles.element_indices(program, channels, rows, columns, 2, 2, 2, LAST, True)
    tl.store(at + tl.arange(0, 8), tiles.flat_offset(n, c, y, x, channels, rows, columns, LAST).to(tl.int64))


@triton.jit
def lines(at, program):
    """Where the eight elements of a program lie on a line."""
    tl.store(at + tl.arange(0, 8), tiles.flat_indices(program, 8, True).to(tl.int64))


def far() -> dict[str, bool]:
    """Whether positions beyond 2^31 are right: of a kernel's last programs, and of kernels made to use 64 bits."""
    program, resolutions = 12 * 2**26 + 17, (6, 4, 4)  # 2^26 samples of 12 boxes and 96 elements, and 5 boxes more
    found = {}
    lane = torch.arange(8)
    for last in (False, True):
        at = torch.zeros(8, dtype=torch.int64)
        positions[(1,)](at, program, *resolutions, LAST=last)
        if last:
            c, x, y = lane % 2, lane // 2 % 2, lane // 4
        else:
            x, y, c = lane % 2, lane // 2 % 2, lane // 4
        n, (c, y, x) = 2**26 + 1, (c + 2, y, x + 2)  # the 6th box of the next sample
        right = ((n * 4 + y) * 4 + x) * 6 + c if last else ((n * 6 + c) * 4 + y) * 4 + x
        found[f"boxes, last={last}"] = torch.equal(at, right)
    at = torch.zeros(8, dtype=torch.int64)
    lines[(1,)](at, 2**28 + 1)
    found["lines"] = torch.equal(at, lane + 2**31 + 8)
    before, tiles.INT32_ELEMENTS = tiles.INT32_ELEMENTS, 0
    for name, function, inputs in cases():
        found[name] = both(lambda function=function, inputs=inputs: orders(function, *inputs)) < 1e-5
    tiles.INT32_ELEMENTS = before
    return found


def broken_later() -> list[float]:
    """Errors when a kernel fails at a launch after its trial: in the forward pass, or not before the backward pass."""
    from ggdr.ops.kernels import bias_act as biased
    from ggdr.ops.kernels import fir as filters

    x = torch.randn(1, 2, 5, 6)
    filters.filter_kernel = None  # as good as a compiler that is missing
    forward = both(lambda: orders(fir.upsample2, x))
    biased.backward_kernel = None
    return [forward, both(lambda: orders(lambda x: bias_act(x, None, "lrelu"), x))]


def paths() -> dict[str, bool]:
    """What is taken where: graph nodes, memory formats, torch.func's transforms."""
    os.environ["GGDR_KERNELS"] = "triton"
    x = torch.randn(1, 4, 5, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    made = {
        "FIRFilterBackward": fir.upsample2(x),
        "BiasActBackward": bias_act(x, None, "lrelu"),
        "WarpSampleBackward": warp.translate(x, torch.zeros(1, 2)),
    }
    derivative = torch.func.jvp(fir.upsample2, (x.detach(),), (x.detach(),))[1]
    return {
        **{node: y.grad_fn.name() == node for node, y in made.items()},
        "channels last stay last": all(y.is_contiguous(memory_format=torch.channels_last) for y in made.values()),
        "forward derivatives": torch.allclose(derivative, made["FIRFilterBackward"], atol=1e-5),
    }


if __name__ == "__main__":
    answer = {"paths": paths(), "errors": measured(), "far": far()}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        answer |= {"broken": broken_later(), "said": [str(warning.message) for warning in said]}
    os.environ["GGDR_KERNELS"] = "triton"
    failures = {name: kernel_state(name, torch.device("cpu")).failure for name in NAMES}
    print(json.dumps({**answer, "failures": failures, "in_use": describe_kernels(torch.device("cpu"))}))
