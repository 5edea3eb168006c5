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

OUTPUT_TILE = 4
"""Outputs of a tile along an axis (the paper's m)."""
INPUT_TILE = 6
"""Inputs that a tile reads along an axis, m + 3 - 1, which is also the number of interpolation points."""
TILES_PER_BLOCK = 256
"""Number of tiles that are transformed at a time; their planes stay in the cache."""
CHANNELS_PER_SLICE = 64
"""Number of output channels whose weights are transformed at a time."""


class Threshold(NamedTuple):
    """The smallest sizes from which on Winograd's convolution is faster than torch's."""

    channels: int
    """Smallest number of input and of output channels."""
    tiles: int
    values: int
    """Smallest number of values in a plane: channels times tiles."""


TRAINING_THRESHOLD = Threshold(128, 128, 2**15)
"""Threshold for a forward and backward pass whose weight is transformed each time."""
INFERENCE_THRESHOLDS = {
    torch.float32: (TRAINING_THRESHOLD, Threshold(256, 8, 2**12)),
    torch.bfloat16: (Threshold(512, 128, 2**16),),
}
"""Thresholds for a forward pass with a precomputed weight, any of which is enough, by dtype.

In bfloat16 torch's own convolution is twice as fast, and more so with AMX.
"""
# The points are 0, P, -P, Q, -Q and infinity: closer to 1 than the paper's 2, so that their powers round less.
P, Q = math.sqrt(0.5), math.sqrt(2.0)
PAIRS = ((1, P, Q), (3, Q, P))
"""For each pair of points +-p: the plane of +p (that of -p is next), p, and the other pair's point."""
G = [
    [1.0, 0.0, 0.0],
    *([w, w * p, w * p**2] for w, p in ((-2 / 3, P), (-2 / 3, -P), (1 / 6, Q), (1 / 6, -Q))),
    [0, 0, 1.0],
]
"""The matrix G [6, 3] of the paper: weights as a polynomial, evaluated at the points and divided by the points' own."""


def is_faster(x: Tensor, weight: Tensor) -> bool:
    """Whether Winograd is faster and possible for x [N, I, H, W] and weight [O, I, k, k]: float32, CPU, untraced."""
    plain = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and is_eligible(x, weight) and exceeds(x, weight, TRAINING_THRESHOLD)


def is_faster_precomputed(x: Tensor, weight: Tensor) -> bool:
    """Whether Winograd is faster for x with a precomputed weight; nothing may ask for a derivative."""
    # autocast would convolve in another precision than x's; AMX multiplies bfloat16 faster than Winograd saves
    narrowed = torch.is_autocast_enabled("cpu") and x.dtype != torch.get_autocast_dtype("cpu")
    outdone = x.dtype == torch.bfloat16 and torch.cpu._is_amx_tile_supported()
    if narrowed or outdone or torch.is_grad_enabled() and x.requires_grad:
        return False
    return is_eligible(x, weight) and any(
        exceeds(x, weight, threshold) for threshold in INFERENCE_THRESHOLDS.get(x.dtype, ())
    )


def exceeds(x: Tensor, weight: Tensor, threshold: Threshold) -> bool:
    """Whether the kernel is 3x3, x divides into whole tiles, and there are enough of them."""
    samples, _, height, width = x.shape
    tiles, channels = samples * (height // OUTPUT_TILE) * (width // OUTPUT_TILE), min(weight.shape[:2])
    if weight.shape[2:] != (3, 3) or height % OUTPUT_TILE or width % OUTPUT_TILE:
        return False
    return channels >= threshold.channels and tiles >= threshold.tiles and channels * tiles >= threshold.values


def is_eligible(*tensors: Tensor) -> bool:
    """Whether these are plain CPU tensors that are not traced, compiled, vmapped or differentiated in forward mode."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or torch._C._are_functorch_transforms_active():
        return False
    plain = all(type(x) in (Tensor, nn.Parameter) and x.device.type == "cpu" for x in tensors)
    # private, but there is no public way to tell these tensors from plain ones
    batched = torch._C._functorch.is_legacy_batchedtensor  # by autograd.grad(..., is_grads_batched=True)
    return plain and not any(batched(x) or forward_ad.unpack_dual(x).tangent is not None for x in tensors)


def convolve(x: Tensor, weight: Tensor, transposed: bool = False) -> Tensor:
    """Convolve x [N, I, H, W], H and W multiples of 4, with weight [O, I, 3, 3], zero padded, to [N, O, H, W].

    transposed: apply the adjoint, x [N, O, H, W] to [N, I, H, W]. The result is channels last. Differentiable any
    number of times; float32 or float64.
    """
    if is_eligible(x, weight):
        return Convolve.apply(x, weight, transposed)
    return F.conv_transpose2d(x, weight, padding=1) if transposed else F.conv2d(x, weight, padding=1)


class WinogradWeight:
    """The transform of a weight [O, I, 3, 3] that stays the same: four times as many numbers, computed at first use."""

    def __init__(self, weight: Tensor):
        self.weight = weight

    @cached_property
    def planes(self) -> Tensor:
        """The transformed weight as 36 matrices [36, I, O] float32."""
        with torch.inference_mode(False):  # kept from call to call, so it must also serve one that takes gradients
            return _transform_weight(self.weight.float(), transposed=False).transpose(1, 2)


def convolve_precomputed(x: Tensor, planes: WinogradWeight) -> Tensor:
    """Run `convolve` with a precomputed weight and x of any precision, in float32 inside; without derivatives."""
    with without_autocast(x):
        return _multiply(x.float(), planes.planes).to(x.dtype)


def correlate(x: Tensor, y: Tensor) -> Tensor:
    """Return the weight's gradient [O, I, 3, 3] for input x [N, I, H, W] and output gradient y [N, O, H, W]."""
    if is_eligible(x, y):
        return Correlate.apply(x, y)
    return conv2d_weight(x, (y.shape[1], x.shape[1], 3, 3), y, padding=1)


class Convolve(Function):
    """Winograd's convolution as an autograd function, whose derivatives are its adjoint and `correlate`."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, transposed: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.transposed = transposed
        with without_autocast(x):
            return _convolve_forward(x, weight, transposed)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        # y = W x and y = W^T x are both bilinear: exchange the roles of x and y, and the weight's gradient is the same
        pair = (gradient, x) if ctx.transposed else (x, gradient)
        of_x = convolve(gradient, weight, not ctx.transposed) if ctx.needs_input_grad[0] else None
        return of_x, correlate(*pair) if ctx.needs_input_grad[1] else None, None


class Correlate(Function):
    """The weight's gradient as an autograd function: bilinear, so that its derivatives are convolutions again."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        with without_autocast(x):
            return _correlate_forward(x, y)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, y = ctx.saved_tensors
        of_x = convolve(y, gradient, transposed=True) if ctx.needs_input_grad[0] else None
        return of_x, convolve(x, gradient) if ctx.needs_input_grad[1] else None


class TileBlock(NamedTuple):
    """A block of tiles: some rows of tiles of some samples."""

    samples: slice
    rows: slice
    """Rows of tiles (of 4 pixels each), not of pixels."""

    def tiles_of(self, x: Tensor) -> Tensor:
        """View the block's tiles of x [N, H, W, C], height and width each split in two: [4, 4, n, rows, columns, C]."""
        part = x[self.samples, self.rows.start * OUTPUT_TILE : self.rows.stop * OUTPUT_TILE]
        return part.unflatten(2, (-1, OUTPUT_TILE)).unflatten(1, (-1, OUTPUT_TILE)).permute(2, 4, 0, 1, 3, 5)


def tile_blocks(samples: int, height: int, width: int) -> Iterator[TileBlock]:
    """Yield all tiles of images of this size, in pixels, about `TILES_PER_BLOCK` at a time."""
    # as many whole images as fit, or else strips of one image: a block's planes must stay in the cache
    rows, columns = height // OUTPUT_TILE, width // OUTPUT_TILE
    for some in _slices(samples, TILES_PER_BLOCK // (rows * columns)):
        for strip in _slices(rows, TILES_PER_BLOCK // columns):
            yield TileBlock(some, strip)


def _slices(length: int, most: int) -> Iterator[slice]:
    """Yield slices of nearly the same length, at most `most` but at least 1, that cover `length`."""
    count = math.ceil(length / max(most, 1))
    return (slice(length * i // count, length * (i + 1) // count) for i in range(count))


def _convolve_forward(x: Tensor, weight: Tensor, transposed: bool) -> Tensor:
    """Compute `convolve` without derivatives."""
    planes = _transform_weight(weight, transposed)
    return _multiply(x, planes if transposed else planes.transpose(1, 2))


def _multiply(x: Tensor, weights: Tensor) -> Tensor:
    """Convolve x [N, I, H, W] with a transformed weight [36, I, O]."""
    samples, _, height, width = x.shape
    size = (samples, weights.shape[2], height, width)
    # channels last: one tile's channels are then contiguous, in x, in the planes and in y, and products need no copy
    y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    pixels, results = x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1)
    for block in tile_blocks(samples, height, width):
        planes = _transform_input(pixels, block)
        # one matrix product for each of the 36 planes: [tiles, I] times [I, O]
        products = torch.bmm(planes.flatten(0, 1).flatten(1, -2), weights)
        _transform_output(products.view(*planes.shape[:-1], -1), block.tiles_of(results))
    return y


def _correlate_forward(x: Tensor, y: Tensor) -> Tensor:
    """Compute `correlate` without derivatives."""
    outputs, inputs = y.shape[1], x.shape[1]
    pixels, results = x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1)
    sums = x.new_empty(INPUT_TILE**2, outputs, inputs)
    for index, block in enumerate(tile_blocks(x.shape[0], *x.shape[2:])):
        planes, spread = (
            u.flatten(0, 1).flatten(1, -2)
            for u in (_transform_input(pixels, block), _transform_gradient(block.tiles_of(results)))
        )
        # beta 0 at first: `sums` is uninitialised, and 0 times NaN would be NaN, which beta=0 ignores
        sums.baddbmm_(spread.transpose(1, 2), planes, beta=min(index, 1))
    weights = x.new_empty(outputs, inputs, 3, 3)
    for some in _slices(outputs, CHANNELS_PER_SLICE):  # G^T U G, the adjoint of the weight's transform
        lines = torch.mm(_weight_transform(x, transposed=False).T, sums[:, some].flatten(1))
        weights[some] = lines.view(3, 3, -1, inputs).permute(2, 3, 0, 1)
    return weights


def _weight_transform(like: Tensor, transposed: bool) -> Tensor:
    """Return the matrix [36, 9] by which a flattened 3x3 kernel is transformed: G kron G."""
    line = torch.tensor(G, dtype=torch.float64)  # the product is rounded once, at the end
    line = line.flip(1) if transposed else line
    return torch.kron(line, line).to(like.dtype)


def _transform_weight(weight: Tensor, transposed: bool) -> Tensor:
    """Transform weight [O, I, 3, 3] to its 36 matrices [36, O, I] (G g G^T)."""
    outputs, inputs = weight.shape[:2]
    planes = weight.new_empty(INPUT_TILE**2, outputs, inputs)
    for some in _slices(outputs, CHANNELS_PER_SLICE):
        torch.mm(_weight_transform(weight, transposed), weight[some].reshape(-1, 9).T, out=planes[:, some].flatten(1))
    return planes


def _transform_input(x: Tensor, block: TileBlock) -> Tensor:
    """Transform a block's 6x6 patches of x [N, H, W, C] to planes [6, 6, n, rows, columns, C] (B^T d B)."""
    x = _pad(x, block)
    samples, height, width, channels = x.shape
    # Rows first, then columns: B^T (B^T d)^T. Slices with stride 4 are the i-th lines of all overlapping 6x6 patches.
    rows = x.new_empty(INPUT_TILE, samples, (height - 2) // OUTPUT_TILE, width, channels)
    _apply_bt([x[:, i : i + height - 5 : OUTPUT_TILE] for i in range(INPUT_TILE)], rows)
    planes = x.new_empty(INPUT_TILE, *rows.shape[:3], (width - 2) // OUTPUT_TILE, channels)
    _apply_bt([rows[:, :, :, i : i + width - 5 : OUTPUT_TILE] for i in range(INPUT_TILE)], planes.transpose(0, 1))
    return planes


def _pad(x: Tensor, block: TileBlock) -> Tensor:
    """Copy a block of x [N, H, W, C] with one pixel more on each edge, zeros outside of the image."""
    part, height = x[block.samples], x.shape[1]
    top, bottom = block.rows.start * OUTPUT_TILE - 1, block.rows.stop * OUTPUT_TILE + 1
    first, last = max(top, 0), min(bottom, height)
    padded = x.new_empty(part.shape[0], bottom - top, part.shape[2] + 2, part.shape[3])
    padded[:, first - top : last - top, 1:-1] = part[:, first:last]
    padded[:, :, :: part.shape[2] + 1] = 0  # the first and the last column in one write
    padded[:, : first - top] = 0
    padded[:, last - top :] = 0
    return padded


def _apply_bt(lines: Sequence[Tensor], out: Tensor) -> None:
    """Multiply six lines of inputs by B transposed: their values at the six points."""
    # (x^2 - P^2)(x^2 - Q^2) = x^4 - 2.5 x^2 + 1: its coefficients make the lines of the points 0 and infinity.
    other = torch.empty_like(out[0])
    for line, ahead, behind in ((0, 4, 0), (5, 5, 1)):
        torch.add(lines[ahead], lines[behind + 2], alpha=-2.5, out=out[line]).add_(lines[behind])
    for first, point, rest in PAIRS:  # even and odd powers are shared by a point and its negative
        even = torch.add(lines[4], lines[2], alpha=-(rest**2), out=out[first + 1])
        odd = torch.add(lines[3], lines[1], alpha=-(rest**2), out=other)
        torch.add(even, odd, alpha=point, out=out[first])
        even.sub_(odd, alpha=point)


def _transform_gradient(y: Tensor) -> Tensor:
    """Transform tiles [4, 4, n, rows, columns, C] of the gradient to planes [6, 6, n, rows, columns, C] (A y A^T)."""
    rows = y.new_empty(INPUT_TILE, *y.shape[1:])
    _apply_a(y, rows)
    planes = y.new_empty(INPUT_TILE, INPUT_TILE, *y.shape[2:])
    _apply_a(rows.transpose(0, 1), planes.transpose(0, 1))
    return planes


def _apply_a(lines: Tensor, out: Tensor) -> None:
    """Multiply four lines by A: evaluate them, as coefficients of a polynomial, at the six points."""
    other = torch.empty_like(out[0])
    out[0], out[5] = lines[0], lines[3]  # at 0 the constant is left, at infinity the leading coefficient
    for first, point, _ in PAIRS:
        even = torch.add(lines[0], lines[2], alpha=point**2, out=out[first + 1])
        odd = torch.add(lines[1], lines[3], alpha=point**2, out=other)
        torch.add(even, odd, alpha=point, out=out[first])
        even.sub_(odd, alpha=point)


def _transform_output(planes: Tensor, out: Tensor) -> None:
    """Transform planes [6, 6, n, rows, columns, C] of products to tiles [4, 4, n, rows, columns, C] (A^T m A)."""
    rows = planes.new_empty(OUTPUT_TILE, *planes.shape[1:])
    _apply_at(planes, rows)
    _apply_at(rows.transpose(0, 1), out.transpose(0, 1))


def _apply_at(lines: Tensor, out: Tensor) -> None:
    """Multiply six lines of products by A transposed: four lines of outputs."""
    # Line i sums p^i over the points p; sums and differences of +-p serve even and odd i. `out` doubles as scratch,
    # so the order matters: out[0] and out[1] are read for out[2] and out[3] before they take their last terms.
    other = torch.empty_like(out[0])
    torch.add(lines[1], lines[2], out=out[0])
    torch.add(lines[3], lines[4], out=other)
    torch.mul(out[0], P**2, out=out[2]).add_(other, alpha=Q**2)
    out[0].add_(other).add_(lines[0])
    torch.sub(lines[1], lines[2], out=out[1])
    torch.sub(lines[3], lines[4], out=other)
    torch.add(lines[5], out[1], alpha=P**3, out=out[3]).add_(other, alpha=Q**3)
    out[1].mul_(P).add_(other, alpha=Q)
