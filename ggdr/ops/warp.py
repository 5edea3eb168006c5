"""Affine warps of images, free of aliasing, and of feature maps along with them (Karras et al. 2020, appendix B).

Resampling an axis is a small dense matrix here, the mirrored border included: any size, exact derivatives of any order.
Large images pass through the filters themselves, whose cost grows with the image and not with the cube of its side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from ggdr.lazy import Tensor, torch
from ggdr.ops.kernels import choose

Fold = Literal["none", "wrap", "mirror"]
Padding = Literal["zeros", "border"]

# fmt: off
SYM6 = (0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
        0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
        0.0017677118642428036, -0.007800708325034148)
# fmt: on
FILTERS_FROM = 512
"""pixels of the longer side from which on filters are cheaper than matrices"""
MARGIN = 5  # fine samples beyond each border that the down-sampling filter reaches
REACH = len(SYM6) // 2  # pixels that the up-sampling filter reads

# sym6 is not quite symmetric: by how many pixels the centre that images are turned about is off theirs
OFF_CENTRE_PX = (5 - sum(k * tap for k, tap in enumerate(SYM6)) / sum(SYM6)) / 2


class Axis(NamedTuple):
    """An axis of a warp in numbers, for a kernel that computes positions itself.

    Point i is at start + i * step; what the transform makes of it, times scale and plus shift, is folded into the
    period, and that, times rescale and plus offset, is an index of pixels.
    """

    size: int
    start: float
    step: float
    scale: float
    shift: float
    fold: Fold = "none"
    period: float = 1.0
    rescale: float = 1.0
    offset: float = 0.0

    def numbers(self) -> tuple[float, ...]:
        """start, step, scale, shift, period, rescale, offset."""
        return tuple(float(x) for x in (*self[1:5], *self[6:]))


class Lattice(NamedTuple):
    """The points of a warp, and how what they come from is read; both axes fold alike."""

    x: Axis
    y: Axis


def compose(*transforms: Tensor) -> Tensor:
    """Product [N, k, k] of matrices [N or 1, k, k], the last one applied first."""
    product, *rest = transforms
    for transform in rest:  # not a matmul: TF32 would misplace pixels
        product = (product[:, :, :, None] * transform[:, None]).sum(2)
    return product


def warp_image(image: Tensor, inverse: Tensor) -> Tensor:
    """image [N, C, H, W] moved by a transform whose inverse [N, 3, 3] maps output to input, in pixels from the centre.

    The image goes on for ever, mirrored at its outermost pixels. It is sampled at twice its resolution, between sym6
    filters, so that neither jagged edges nor blur give the transform away.
    """
    height, width = image.shape[2:]
    return coarse(read_fine(fine(image), inverse, height, width), height, width)


def fine(image: Tensor) -> Tensor:
    """One period of the mirrored image [N, C, H, W] at twice its resolution, its first row and column repeated."""
    height, width = image.shape[2:]
    if by_filters(height, width):
        from ggdr.ops.fir import upfirdn2d

        for dim in (2, 3):  # as far as the filter reaches around one period
            image = mirrored(image, dim, REACH // 2, image.shape[dim] + 1)
        return upfirdn2d(image, SYM6, up=2, gain=4.0)
    across = image @ upsampler(width, image.device, image.dtype).mT
    return upsampler(height, image.device, image.dtype) @ across


def coarse(moved: Tensor, height: int, width: int) -> Tensor:
    """The fine samples [N, C, *] of `fine_axis` back to images [N, C, height, width]."""
    if by_filters(height, width):
        from ggdr.ops.fir import upfirdn2d

        return upfirdn2d(moved, SYM6, down=2, flip=True)
    across = moved @ downsampler(width, moved.device, moved.dtype).mT
    return downsampler(height, moved.device, moved.dtype) @ across


def by_filters(height: int, width: int) -> bool:
    """Whether images of a size are filtered, and not multiplied by matrices."""
    return max(height, width) >= FILTERS_FROM and min(height, width) > REACH


def mirrored(x: Tensor, dim: int, before: int, after: int) -> Tensor:
    """x with more of its mirrored axis `dim`, of n pixels: `before` of them, less than n, and `after`, up to 2n - 2."""
    n = x.shape[dim]
    behind = torch.cat([x.narrow(dim, 0, n - 1).flip(dim), x.narrow(dim, 1, n - 1)], dim)
    return torch.cat([x.narrow(dim, 1, before).flip(dim), x, behind.narrow(dim, 0, after)], dim)


def read_fine(fine: Tensor, inverse: Tensor, height: int, width: int) -> Tensor:
    """The fine samples that the down-sampling filters need, from the period of fine samples [N, C, *] of an image."""
    if (kernel := kernel_for(fine, inverse)) is not None:
        return kernel(fine, inverse, Lattice(*(wrapped_axis(size) for size in (width, height))), "border")
    x, y = source(inverse, *(fine_axis(size, fine) for size in (width, height)))
    grid = torch.stack([wrap(x, width), wrap(y, height)], dim=-1)
    return read(fine, grid, "border", align_corners=True)


def warp_map(features: Tensor, inverse: Tensor, height: int, width: int) -> Tensor:
    """features [N, K, h, w] of an image of height x width pixels, moved exactly as `warp_image` moves that image.

    Bilinear: a sixteenth of the cost of the image's way and no displacement (torch's bicubic is off by 0.05 cell).
    """
    rows, columns = features.shape[2:]
    if (kernel := kernel_for(features, inverse)) is not None:
        return kernel(features, inverse, Lattice(mirrored_axis(columns, width), mirrored_axis(rows, height)), "border")
    axes = cell_axis(columns, width, features), cell_axis(rows, height, features)
    x, y = source(about(inverse, OFF_CENTRE_PX), *axes)
    grid = torch.stack([mirror(x, width) / (width / 2), mirror(y, height) / (height / 2)], dim=-1)
    return read(features, grid, "border", align_corners=False)


def translate(x: Tensor, offset: Tensor) -> Tensor:
    """x [N, C, h, w] moved right and down by offset [N, 2], in widths and heights; zeros move in."""
    if (kernel := kernel_for(x, offset)) is not None:
        eye = torch.eye(2, device=x.device).expand(len(x), 2, 2)
        lattice = Lattice(*(shifted_axis(cells) for cells in x.shape[:1:-1]))
        return kernel(x, torch.cat([eye, -2.0 * offset[:, :, None]], dim=2), lattice, "zeros")
    columns, rows = (cell_axis(cells, 2, x) for cells in x.shape[:1:-1])
    from_x, from_y = columns - 2 * offset[:, :1], rows - 2 * offset[:, 1:]
    grid = torch.stack(torch.broadcast_tensors(from_x[:, None, :], from_y[:, :, None]), dim=-1)
    return read(x, grid, "zeros", align_corners=False)


def kernel_for(x: Tensor, transform: Tensor) -> Callable[..., Tensor] | None:
    """The kernel that warps x [N, ...] by a transform [N, ...], or None: it takes no gradient to the transform.

    Its adjoint adds in any order, so it is not taken where torch is told to be deterministic.
    """
    fits = len(transform) == len(x) and transform.device == x.device and not transform.requires_grad
    return choose("warp", x) if fits and not torch.are_deterministic_algorithms_enabled() else None


def read(x: Tensor, grid: Tensor, padding: str, *, align_corners: bool) -> Tensor:
    """`bilinear`, imported when it is needed: torch is."""
    from ggdr.ops.bilinear import bilinear

    return bilinear(x, grid, padding, align_corners)


def source(inverse: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Where the points of the lattice x [w] times y [h] come from: their inputs' x and y, each [N, h, w]."""
    rows = inverse[:, :2, :, None, None].unbind(1)
    from_x, from_y = (row[:, 0] * x + row[:, 1] * y[:, None] + row[:, 2] for row in rows)
    return from_x, from_y


def about(inverse: Tensor, offset: float) -> Tensor:
    """The same inverse transform [N, 3, 3], about a centre that lies at (offset, offset)."""
    shift = torch.zeros_like(inverse)
    shift[:, :2, 2] = offset
    eye = torch.eye(3, dtype=inverse.dtype, device=inverse.device)
    return compose(eye + shift, inverse, eye - shift)


def fine_axis(size: int, like: Tensor) -> Tensor:
    """Positions of the fine samples that make an axis of `size` pixels: [2 * size + 2 * MARGIN], from the centre."""
    samples = torch.arange(-MARGIN, 2 * size + MARGIN, device=like.device, dtype=like.dtype)
    return (samples - (size - 1)) / 2  # sample 2 * i lies on pixel i, under the largest tap


def cell_axis(cells: int, size: int, like: Tensor) -> Tensor:
    """Positions of the centres of `cells` cells along an axis of `size` pixels: [cells], pixels from the centre."""
    return ((torch.arange(cells, device=like.device, dtype=like.dtype) + 0.5) / cells - 0.5) * size


def wrapped_axis(size: int) -> Axis:
    """`fine_axis`, then `wrap`."""
    return Axis(2 * size + 2 * MARGIN, -(MARGIN + size - 1) / 2, 0.5, 2.0, size - 1, "wrap", 2 * period(size))


def mirrored_axis(cells: int, size: int) -> Axis:
    """`cell_axis`, about OFF_CENTRE_PX, then `mirror`."""
    step, per_px, first = size / cells, cells / size, (size - 1) / 2
    start = (0.5 / cells - 0.5) * size - OFF_CENTRE_PX
    back = (cells - 1) / 2 - first * per_px
    return Axis(cells, start, step, 1.0, first + OFF_CENTRE_PX, "mirror", period(size), per_px, back)


def shifted_axis(cells: int) -> Axis:
    """`cell_axis` of two units, read as it is."""
    return Axis(cells, 1 / cells - 1, 2 / cells, cells / 2, (cells - 1) / 2)


def wrap(position: Tensor, size: int) -> Tensor:
    """Pixels from the centre to grid_sample's [-1, 1] over the one period that `upsampler` makes."""
    half_period = period(size)
    return torch.remainder(2 * position + (size - 1), 2 * half_period) / half_period - 1


def mirror(position: Tensor, size: int) -> Tensor:
    """Pixels from the centre, folded back at the centres of the outermost of `size` pixels."""
    reach = period(size) / 2
    return reach - (torch.remainder(position + (size - 1) / 2, 2 * reach) - reach).abs() - (size - 1) / 2


def period(size: int) -> int:
    """After how many pixels a mirrored axis repeats."""
    return max(2 * size - 2, 1)


@lru_cache(maxsize=32)
def upsampler(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[2 * period + 1, size]: one period of the mirrored axis at twice the resolution, its first sample repeated."""
    with torch.inference_mode(False):  # what is kept must serve training as well
        spread = banded([2 * tap / sum(SYM6) for tap in SYM6], period(size) + REACH, step=2).mT
        samples = spread[len(SYM6) - 1 :][: 2 * period(size) + 1]
        return fold(samples, -(REACH // 2), size).to(device, dtype)


@lru_cache(maxsize=32)
def downsampler(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[size, 2 * size + 2 * MARGIN]: the fine samples of `fine_axis` back to pixels, through sym6 turned round."""
    with torch.inference_mode(False):
        return banded([tap / sum(SYM6) for tap in SYM6], size, step=2).to(device, dtype)


def banded(taps: Sequence[float], rows: int, step: int = 1) -> Tensor:
    """[rows, (rows - 1) * step + taps] float64: each row holds the taps, `step` further right than the row above."""
    row = torch.tensor([*taps] + [0.0] * ((rows - 1) * step), dtype=torch.float64, device="cpu")
    return torch.stack([row.roll(step * i) for i in range(rows)])


def fold(matrix: Tensor, first: int, size: int) -> Tensor:
    """Columns for the pixels first, first + 1, ... of an endless mirrored axis, summed into its `size` true pixels."""
    pixel = torch.arange(first, first + matrix.shape[1], device="cpu").remainder(period(size))
    pixel = torch.minimum(pixel, period(size) - pixel)
    return matrix.new_zeros(len(matrix), size).index_add_(1, pixel, matrix)
