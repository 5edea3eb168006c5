"""3x3 convolution on CPU with a quarter of the multiplications (Lavin and Gray 2015, arXiv 1509.09308, F(4x4, 3x3)).

Each tile of 4x4 outputs sees 6x6 inputs. Transformed, these become 36 planes, and the convolution one matrix product
a plane; the planes of 256 tiles stay in the cache. Unlike the paper: interpolated at 0, +-sqrt(1/2), +-sqrt(2) and
infinity rather than 0, +-1, +-2 and infinity, which leaves a quarter of the rounding errors: at most 2e-6 of the
largest value in float32, where a direct convolution leaves 1e-6. `benchmarks/convolution.py` says how fast it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function, forward_ad
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from ggdr.ops.precision import without_autocast

SIDE, SEEN = 4, 6
"""outputs of a tile along an axis, and inputs it sees: as many as there are points"""
TILES = 256
"""tiles that are transformed at a time"""
OUTPUTS = 64
"""output channels whose weights are"""


class Least(NamedTuple):
    """From where on it is faster."""

    channels: int
    """of inputs and of outputs"""
    tiles: int
    numbers: int
    """of a plane: channels times tiles"""


LEARNING = Least(128, 128, 2**15)
"""there and back, the weight's planes made again"""
KEPT = {torch.float32: (LEARNING, Least(256, 8, 2**12)), torch.bfloat16: (Least(512, 128, 2**16),)}
"""there alone, by planes that are at hand, any of these; its rival in bfloat16 is twice as fast, more so with AMX"""
P, Q = math.sqrt(0.5), math.sqrt(2.0)
"""the points are 0, P, -P, Q, -Q and infinity"""
PAIRS = ((1, P, Q), (3, Q, P))
"""first plane of a point and its negative, the point, the other one"""
G = [
    [1.0, 0.0, 0.0],
    *([w, w * p, w * p**2] for w, p in ((-2 / 3, P), (-2 / 3, -P), (1 / 6, Q), (1 / 6, -Q))),
    [0, 0, 1.0],
]
"""[6, 3]: what three weights become; the values of their polynomial over those of the points' own"""


def pays(x: Tensor, weight: Tensor) -> bool:
    """Whether x [N, I, H, W] and weight [O, I, k, k] are convolved faster so, and may be: float32, on CPU, untraced."""
    plain = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and ours(x, weight) and reaches(x, weight, LEARNING)


def pays_kept(x: Tensor, weight: Tensor) -> bool:
    """Whether x is convolved faster by the weight's planes, if they are kept: nothing may ask for a derivative."""
    narrowed = torch.is_autocast_enabled("cpu") and x.dtype != torch.get_autocast_dtype("cpu")
    outdone = x.dtype == torch.bfloat16 and torch.cpu._is_amx_tile_supported()
    if narrowed or outdone or torch.is_grad_enabled() and x.requires_grad:
        return False
    return ours(x, weight) and any(reaches(x, weight, least) for least in KEPT.get(x.dtype, ()))


def reaches(x: Tensor, weight: Tensor, least: Least) -> bool:
    """Whether a 3x3 kernel meets whole tiles, and enough of them."""
    samples, _, height, width = x.shape
    tiles, channels = samples * (height // SIDE) * (width // SIDE), min(weight.shape[:2])
    if weight.shape[2:] != (3, 3) or height % SIDE or width % SIDE:
        return False
    return channels >= least.channels and tiles >= least.tiles and channels * tiles >= least.numbers


def ours(*tensors: Tensor) -> bool:
    """Whether these are plain numbers on CPU: not to be traced, compiled, mapped or differentiated forward."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or torch._C._are_functorch_transforms_active():
        return False
    plain = all(type(x) in (Tensor, nn.Parameter) and x.device.type == "cpu" for x in tensors)
    batched = torch._C._functorch.is_legacy_batchedtensor  # by autograd.grad(..., is_grads_batched=True)
    return plain and not any(batched(x) or forward_ad.unpack_dual(x).tangent is not None for x in tensors)


def convolve(x: Tensor, weight: Tensor, turned: bool = False) -> Tensor:
    """x [N, I, H, W], sides multiples of 4, and weight [O, I, 3, 3] to [N, O, H, W], channels last, zeros around x.

    turned: the adjoint, x [N, O, H, W] to [N, I, H, W]. Differentiable any number of times; float32 or float64.
    """
    if ours(x, weight):
        return Convolve.apply(x, weight, turned)
    return F.conv_transpose2d(x, weight, padding=1) if turned else F.conv2d(x, weight, padding=1)


class Planes:
    """What a weight [O, I, 3, 3] at rest becomes, four times as many numbers, made when they are first asked for."""

    def __init__(self, weight: Tensor):
        self.weight = weight

    @cached_property
    def numbers(self) -> Tensor:
        """[36, I, O] float32."""
        with torch.inference_mode(False):
            return _weights(self.weight.float(), turned=False).transpose(1, 2)


def convolve_by(x: Tensor, planes: Planes) -> Tensor:
    """`convolve` with a weight at rest, in float32 inside, x of any precision; without derivatives."""
    with without_autocast(x):
        return _multiplied(x.float(), planes.numbers).to(x.dtype)


def correlate(x: Tensor, y: Tensor) -> Tensor:
    """The gradient [O, I, 3, 3] of the weight that made, of x [N, I, H, W], what takes gradient y [N, O, H, W]."""
    if ours(x, y):
        return Correlate.apply(x, y)
    return conv2d_weight(x, (y.shape[1], x.shape[1], 3, 3), y, padding=1)


class Convolve(Function):
    """`convolve`, whose derivatives are its adjoint and `correlate`."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, turned: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.turned = turned
        with without_autocast(x):
            return _convolved(x, weight, turned)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        pair = (gradient, x) if ctx.turned else (x, gradient)
        of_x = convolve(gradient, weight, not ctx.turned) if ctx.needs_input_grad[0] else None
        return of_x, correlate(*pair) if ctx.needs_input_grad[1] else None, None


class Correlate(Function):
    """`correlate`, linear in either input, so that its derivatives are convolutions again."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        with without_autocast(x):
            return _correlated(x, y)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, y = ctx.saved_tensors
        of_x = convolve(y, gradient, turned=True) if ctx.needs_input_grad[0] else None
        return of_x, convolve(x, gradient) if ctx.needs_input_grad[1] else None


class Chunk(NamedTuple):
    """Some rows of tiles of some samples."""

    samples: slice
    rows: slice
    """rows of tiles"""

    def of(self, x: Tensor) -> Tensor:
        """The tiles of x [N, H, W, C], its two sides each split in two: [4, 4, n, rows, columns, C]."""
        part = x[self.samples, self.rows.start * SIDE : self.rows.stop * SIDE]
        return part.unflatten(2, (-1, SIDE)).unflatten(1, (-1, SIDE)).permute(2, 4, 0, 1, 3, 5)


def chunks(samples: int, height: int, width: int) -> Iterator[Chunk]:
    """All tiles of images of this size, in pixels, about `TILES` at a time."""
    rows, columns = height // SIDE, width // SIDE
    for some in _parts(samples, TILES // (rows * columns)):
        for strip in _parts(rows, TILES // columns):
            yield Chunk(some, strip)


def _parts(length: int, most: int) -> Iterator[slice]:
    """Slices of nearly the same length, of at most `most`, but at least 1."""
    count = math.ceil(length / max(most, 1))
    return (slice(length * i // count, length * (i + 1) // count) for i in range(count))


def _convolved(x: Tensor, weight: Tensor, turned: bool) -> Tensor:
    """`convolve` without derivatives."""
    planes = _weights(weight, turned)
    return _multiplied(x, planes if turned else planes.transpose(1, 2))


def _multiplied(x: Tensor, weights: Tensor) -> Tensor:
    """x [N, I, H, W], convolved with the weight of these planes [36, I, O]."""
    samples, _, height, width = x.shape
    size = (samples, weights.shape[2], height, width)
    y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    pixels, results = x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1)
    for chunk in chunks(samples, height, width):
        planes = _planes(pixels, chunk)
        products = torch.bmm(planes.flatten(0, 1).flatten(1, -2), weights)
        _unite(products.view(*planes.shape[:-1], -1), chunk.of(results))
    return y


def _correlated(x: Tensor, y: Tensor) -> Tensor:
    """`correlate` without derivatives."""
    outputs, inputs = y.shape[1], x.shape[1]
    pixels, results = x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1)
    sums = x.new_empty(SEEN**2, outputs, inputs)
    for index, chunk in enumerate(chunks(x.shape[0], *x.shape[2:])):
        planes, spread = (u.flatten(0, 1).flatten(1, -2) for u in (_planes(pixels, chunk), _spread(chunk.of(results))))
        sums.baddbmm_(spread.transpose(1, 2), planes, beta=min(index, 1))
    weights = x.new_empty(outputs, inputs, 3, 3)
    for some in _parts(outputs, OUTPUTS):
        lines = torch.mm(_kernel(x, turned=False).T, sums[:, some].flatten(1))
        weights[some] = lines.view(3, 3, -1, inputs).permute(2, 3, 0, 1)
    return weights


def _kernel(like: Tensor, turned: bool) -> Tensor:
    """[36, 9]: what 3x3 weights become, as one matrix."""
    line = torch.tensor(G, dtype=torch.float64)
    line = line.flip(1) if turned else line
    return torch.kron(line, line).to(like.dtype)


def _weights(weight: Tensor, turned: bool) -> Tensor:
    """weight [O, I, 3, 3] to its planes [36, O, I]."""
    outputs, inputs = weight.shape[:2]
    planes = weight.new_empty(SEEN**2, outputs, inputs)
    for some in _parts(outputs, OUTPUTS):
        torch.mm(_kernel(weight, turned), weight[some].reshape(-1, 9).T, out=planes[:, some].flatten(1))
    return planes


def _planes(x: Tensor, chunk: Chunk) -> Tensor:
    """What a chunk's tiles of x [N, H, W, C] see, transformed: [6, 6, n, rows, columns, C]."""
    x = _padded(x, chunk)
    samples, height, width, channels = x.shape
    rows = x.new_empty(SEEN, samples, (height - 2) // SIDE, width, channels)
    _transform([x[:, i : i + height - 5 : SIDE] for i in range(SEEN)], rows)
    planes = x.new_empty(SEEN, *rows.shape[:3], (width - 2) // SIDE, channels)
    _transform([rows[:, :, :, i : i + width - 5 : SIDE] for i in range(SEEN)], planes.transpose(0, 1))
    return planes


def _padded(x: Tensor, chunk: Chunk) -> Tensor:
    """A chunk of x [N, H, W, C] and one pixel around it, zeros outside of the image."""
    part, height = x[chunk.samples], x.shape[1]
    top, bottom = chunk.rows.start * SIDE - 1, chunk.rows.stop * SIDE + 1
    first, last = max(top, 0), min(bottom, height)
    padded = x.new_empty(part.shape[0], bottom - top, part.shape[2] + 2, part.shape[3])
    padded[:, first - top : last - top, 1:-1] = part[:, first:last]
    padded[:, :, :: part.shape[2] + 1] = 0
    padded[:, : first - top] = 0
    padded[:, last - top :] = 0
    return padded


def _transform(lines: Sequence[Tensor], out: Tensor) -> None:
    """Six lines of inputs to those at the six points (B transposed)."""
    other = torch.empty_like(out[0])
    for line, ahead, behind in ((0, 4, 0), (5, 5, 1)):
        torch.add(lines[ahead], lines[behind + 2], alpha=-2.5, out=out[line]).add_(lines[behind])
    for first, point, rest in PAIRS:
        even = torch.add(lines[4], lines[2], alpha=-(rest**2), out=out[first + 1])
        odd = torch.add(lines[3], lines[1], alpha=-(rest**2), out=other)
        torch.add(even, odd, alpha=point, out=out[first])
        even.sub_(odd, alpha=point)


def _spread(y: Tensor) -> Tensor:
    """Tiles [4, 4, n, rows, columns, C], transformed for the gradient of weights: [6, 6, n, rows, columns, C]."""
    rows = y.new_empty(SEEN, *y.shape[1:])
    _evaluate(y, rows)
    planes = y.new_empty(SEEN, SEEN, *y.shape[2:])
    _evaluate(rows.transpose(0, 1), planes.transpose(0, 1))
    return planes


def _evaluate(lines: Tensor, out: Tensor) -> None:
    """Four lines, as coefficients of a polynomial, to its values at the six points (A)."""
    other = torch.empty_like(out[0])
    out[0], out[5] = lines[0], lines[3]
    for first, point, _ in PAIRS:
        even = torch.add(lines[0], lines[2], alpha=point**2, out=out[first + 1])
        odd = torch.add(lines[1], lines[3], alpha=point**2, out=other)
        torch.add(even, odd, alpha=point, out=out[first])
        even.sub_(odd, alpha=point)


def _unite(planes: Tensor, out: Tensor) -> None:
    """Planes [6, 6, n, rows, columns, C] to tiles [4, 4, n, rows, columns, C]."""
    rows = planes.new_empty(SIDE, *planes.shape[1:])
    _interpolate(planes, rows)
    _interpolate(rows.transpose(0, 1), out.transpose(0, 1))


def _interpolate(lines: Tensor, out: Tensor) -> None:
    """Six lines of products to four of outputs (A transposed)."""
    other = torch.empty_like(out[0])
    torch.add(lines[1], lines[2], out=out[0])
    torch.add(lines[3], lines[4], out=other)
    torch.mul(out[0], P**2, out=out[2]).add_(other, alpha=Q**2)
    out[0].add_(other).add_(lines[0])
    torch.sub(lines[1], lines[2], out=out[1])
    torch.sub(lines[3], lines[4], out=other)
    torch.add(lines[5], out[1], alpha=P**3, out=out[3]).add_(other, alpha=Q**3)
    out[1].mul_(P).add_(other, alpha=Q)
