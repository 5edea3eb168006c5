"""Affine warps of images, free of aliasing, and of feature maps along with them (Karras et al. 2020, appendix B).

Resampling an axis is a small dense matrix here, the mirrored border included: any size, exact derivatives of any order.
Large images pass through the filters themselves, whose cost grows with the image and not with the cube of its size.
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
"""Longer side in pixels from which on filters are cheaper than matrices."""
MARGIN = 5  # fine samples beyond each border that the down-sampling filter reaches
REACH = len(SYM6) // 2  # pixels that the up-sampling filter reads

# sym6 is not quite symmetric: by how many pixels the centre that images are turned about is off theirs
OFF_CENTRE_PX = (5 - sum(k * tap for k, tap in enumerate(SYM6)) / sum(SYM6)) / 2


class SamplingAxis(NamedTuple):
    """The positions of a warp along one axis, as numbers for a kernel that computes them itself.

    Point i is at start + i * step; its transformed position, times scale and plus shift, is folded into the period, and
    that, times rescale and plus offset, is an index of pixels.
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

    def coefficients(self) -> tuple[float, ...]:
        """Return start, step, scale, shift, period, rescale and offset, as the kernels take them."""
        return tuple(float(x) for x in (*self[1:5], *self[6:]))


class SamplingGrid(NamedTuple):
    """The points of a warp along both axes, and how their source positions are read; both axes fold alike."""

    x: SamplingAxis
    y: SamplingAxis


def compose(*transforms: Tensor) -> Tensor:
    """Multiply matrices [N or 1, k, k] to [N, k, k]; the last one is applied first."""
    product, *rest = transforms
    for transform in rest:  # not a matmul: TF32 would misplace pixels
        product = (product[:, :, :, None] * transform[:, None]).sum(2)
    return product


def warp_image(image: Tensor, inverse: Tensor) -> Tensor:
    """Warp image [N, C, H, W] by a transform whose inverse [N, 3, 3] maps output to input, in pixels from the centre.

    The image continues periodically, mirrored at its outermost pixels. It is sampled at twice its resolution, between
    sym6 filters, so that neither jagged edges nor blur give the transform away.
    """
    height, width = image.shape[2:]
    return downsample_samples(sample_fine(upsample_period(image), inverse, height, width), height, width)


def upsample_period(image: Tensor) -> Tensor:
    """Return one period of the mirrored image [N, C, H, W] at twice its resolution, its first row and column
    repeated."""
    height, width = image.shape[2:]
    if uses_filters(height, width):
        from ggdr.ops.fir import upfirdn2d

        for dim in (2, 3):  # as far as the filter reaches around one period
            image = mirror_pad(image, dim, REACH // 2, image.shape[dim] + 1)
        return upfirdn2d(image, SYM6, up=2, gain=4.0)
    # one axis after the other, columns first: two small matrix products instead of one large
    across = image @ upsampler(width, image.device, image.dtype).mT
    return upsampler(height, image.device, image.dtype) @ across


def downsample_samples(moved: Tensor, height: int, width: int) -> Tensor:
    """Filter the samples [N, C, *] at `fine_positions` down to images [N, C, height, width]."""
    if uses_filters(height, width):
        from ggdr.ops.fir import upfirdn2d

        return upfirdn2d(moved, SYM6, down=2, flip=True)
    across = moved @ downsampler(width, moved.device, moved.dtype).mT
    return downsampler(height, moved.device, moved.dtype) @ across


def uses_filters(height: int, width: int) -> bool:
    """Whether images of this size are filtered rather than multiplied by matrices."""
    return max(height, width) >= FILTERS_FROM and min(height, width) > REACH


def mirror_pad(x: Tensor, dim: int, before: int, after: int) -> Tensor:
    """Pad dimension `dim` of x, n pixels, by mirroring: `before` (less than n) and `after` (up to 2n - 2) pixels."""
    n = x.shape[dim]
    # one whole period follows: back to the first pixel, then forth again, without repeating a border pixel
    behind = torch.cat([x.narrow(dim, 0, n - 1).flip(dim), x.narrow(dim, 1, n - 1)], dim)
    return torch.cat([x.narrow(dim, 1, before).flip(dim), x, behind.narrow(dim, 0, after)], dim)


def sample_fine(fine: Tensor, inverse: Tensor, height: int, width: int) -> Tensor:
    """Sample the upsampled period [N, C, *] of an image at the warped positions that the down-sampling filters read."""
    if (kernel := kernel_for(fine, inverse)) is not None:
        return kernel(fine, inverse, SamplingGrid(*(wrap_axis(size) for size in (width, height))), "border")
    x, y = source_positions(inverse, *(fine_positions(size, fine) for size in (width, height)))
    grid = torch.stack([wrap(x, width), wrap(y, height)], dim=-1)
    return sample(fine, grid, "border", align_corners=True)


def warp_map(features: Tensor, inverse: Tensor, height: int, width: int) -> Tensor:
    """Warp features [N, K, h, w] of an image of height x width pixels exactly as `warp_image` warps that image.

    Bilinear: a sixteenth of the cost of the image's way and no displacement (torch's bicubic is off by 0.05 cell).
    """
    rows, columns = features.shape[2:]
    if (kernel := kernel_for(features, inverse)) is not None:
        return kernel(features, inverse, SamplingGrid(mirror_axis(columns, width), mirror_axis(rows, height)), "border")
    # Images turn about the filter's centre, which is off theirs: maps must turn about the same point.
    axes = cell_positions(columns, width, features), cell_positions(rows, height, features)
    x, y = source_positions(recentre(inverse, OFF_CENTRE_PX), *axes)
    grid = torch.stack([mirror(x, width) / (width / 2), mirror(y, height) / (height / 2)], dim=-1)
    return sample(features, grid, "border", align_corners=False)


def translate(x: Tensor, offset: Tensor) -> Tensor:
    """Move x [N, C, h, w] right and down by offset [N, 2], in widths and heights; zeros move in."""
    if (kernel := kernel_for(x, offset)) is not None:
        eye = torch.eye(2, device=x.device).expand(len(x), 2, 2)
        points = SamplingGrid(*(translation_axis(cells) for cells in x.shape[:1:-1]))
        return kernel(x, torch.cat([eye, -2.0 * offset[:, :, None]], dim=2), points, "zeros")
    columns, rows = (cell_positions(cells, 2, x) for cells in x.shape[:1:-1])
    from_x, from_y = columns - 2 * offset[:, :1], rows - 2 * offset[:, 1:]
    grid = torch.stack(torch.broadcast_tensors(from_x[:, None, :], from_y[:, :, None]), dim=-1)
    return sample(x, grid, "zeros", align_corners=False)


def kernel_for(x: Tensor, transform: Tensor) -> Callable[..., Tensor] | None:
    """Return the kernel that warps x [N, ...] by a transform [N, ...], or None where the plain path must be taken.

    The kernel has no gradient to the transform. Its adjoint adds in any order, so it is not taken where torch is told
    to be deterministic.
    """
    fits = len(transform) == len(x) and transform.device == x.device and not transform.requires_grad
    return choose("warp", x) if fits and not torch.are_deterministic_algorithms_enabled() else None


def sample(x: Tensor, grid: Tensor, padding: str, *, align_corners: bool) -> Tensor:
    """Sample by `ops.bilinear.grid_sample`, imported at first use since importing it imports torch."""
    from ggdr.ops.bilinear import grid_sample

    return grid_sample(x, grid, padding, align_corners)


def source_positions(inverse: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Map the points of the grid x [w] times y [h] by `inverse` to input positions x and y, each [N, h, w]."""
    rows = inverse[:, :2, :, None, None].unbind(1)  # sums of products, not a matmul: TF32 would misplace pixels
    from_x, from_y = (row[:, 0] * x + row[:, 1] * y[:, None] + row[:, 2] for row in rows)
    return from_x, from_y


def recentre(inverse: Tensor, offset: float) -> Tensor:
    """Conjugate the inverse transform [N, 3, 3] so that it turns about a centre at (offset, offset)."""
    shift = torch.zeros_like(inverse)
    shift[:, :2, 2] = offset
    eye = torch.eye(3, dtype=inverse.dtype, device=inverse.device)
    return compose(eye + shift, inverse, eye - shift)


def fine_positions(size: int, like: Tensor) -> Tensor:
    """Return the positions [2 * size + 2 * MARGIN] of the fine samples of an axis of `size` pixels, from the centre."""
    samples = torch.arange(-MARGIN, 2 * size + MARGIN, device=like.device, dtype=like.dtype)
    return (samples - (size - 1)) / 2  # sample 2 * i lies on pixel i, under the largest tap


def cell_positions(cells: int, size: int, like: Tensor) -> Tensor:
    """Return the centres of `cells` cells along an axis of `size` pixels: [cells], pixels from the centre."""
    return ((torch.arange(cells, device=like.device, dtype=like.dtype) + 0.5) / cells - 0.5) * size


def wrap_axis(size: int) -> SamplingAxis:
    """Return `fine_positions` followed by `wrap`, as numbers for a kernel."""
    return SamplingAxis(2 * size + 2 * MARGIN, -(MARGIN + size - 1) / 2, 0.5, 2.0, size - 1, "wrap", 2 * period(size))


def mirror_axis(cells: int, size: int) -> SamplingAxis:
    """Return `cell_positions`, about OFF_CENTRE_PX, followed by `mirror`, as numbers for a kernel."""
    step, per_px, first = size / cells, cells / size, (size - 1) / 2
    start = (0.5 / cells - 0.5) * size - OFF_CENTRE_PX
    back = (cells - 1) / 2 - first * per_px
    return SamplingAxis(cells, start, step, 1.0, first + OFF_CENTRE_PX, "mirror", period(size), per_px, back)


def translation_axis(cells: int) -> SamplingAxis:
    """Return `cell_positions` of an axis of two units, without folding, as numbers for a kernel."""
    return SamplingAxis(cells, 1 / cells - 1, 2 / cells, cells / 2, (cells - 1) / 2)


def wrap(position: Tensor, size: int) -> Tensor:
    """Map pixels from the centre to grid_sample's [-1, 1] over the one period that `upsampler` makes."""
    # in fine samples: twice the pixels, so a period of 2 * half_period samples spans [-1, 1]
    half_period = period(size)
    return torch.remainder(2 * position + (size - 1), 2 * half_period) / half_period - 1


def mirror(position: Tensor, size: int) -> Tensor:
    """Fold positions in pixels from the centre back at the centres of the outermost of `size` pixels."""
    reach = period(size) / 2  # a triangle wave: up to the last pixel's centre, and back
    return reach - (torch.remainder(position + (size - 1) / 2, 2 * reach) - reach).abs() - (size - 1) / 2


def period(size: int) -> int:
    """Return the number of pixels after which a mirrored axis repeats."""
    return max(2 * size - 2, 1)


@lru_cache(maxsize=32)
def upsampler(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the matrix [2 * period + 1, size] that upsamples one period of the mirrored axis, first sample
    repeated."""
    with torch.inference_mode(False):  # what is kept must serve training as well
        # each fine sample sees every other tap, so taps are doubled to keep the brightness; columns are pixels
        spread = banded_matrix([2 * tap / sum(SYM6) for tap in SYM6], period(size) + REACH, step=2).mT
        samples = spread[len(SYM6) - 1 :][: 2 * period(size) + 1]
        return fold_columns(samples, -(REACH // 2), size).to(device, dtype)


@lru_cache(maxsize=32)
def downsampler(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the matrix [size, 2 * size + 2 * MARGIN] that filters samples at `fine_positions` down to pixels."""
    with torch.inference_mode(False):
        return banded_matrix([tap / sum(SYM6) for tap in SYM6], size, step=2).to(device, dtype)


def banded_matrix(taps: Sequence[float], rows: int, step: int = 1) -> Tensor:
    """Return [rows, (rows - 1) * step + taps] float64: each row is the one above, moved right by `step`."""
    # on the host in float64, whatever the default device and dtype are: rounded once, by the caller
    row = torch.tensor([*taps] + [0.0] * ((rows - 1) * step), dtype=torch.float64, device="cpu")
    return torch.stack([row.roll(step * i) for i in range(rows)])


def fold_columns(matrix: Tensor, first: int, size: int) -> Tensor:
    """Sum the columns for pixels first, first + 1, ... of an endless mirrored axis into its `size` true pixels."""
    pixel = torch.arange(first, first + matrix.shape[1], device="cpu").remainder(period(size))
    pixel = torch.minimum(pixel, period(size) - pixel)  # the second half of a period runs backwards
    return matrix.new_zeros(len(matrix), size).index_add_(1, pixel, matrix)
