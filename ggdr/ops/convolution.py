"""Convolution that doubles or halves the resolution, low-pass filtered (StyleGAN2, arXiv 1912.04958, appendix B)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ggdr.ops import winograd
from ggdr.ops.fir import blur, downsample2, upsample2
from ggdr.ops.winograd import WinogradWeight


def resampling_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    up: int = 1,
    down: int = 1,
    winograd_weight: WinogradWeight | None = None,
) -> Tensor:
    """Convolve x [N, I, H, W] with weight [O, I, k, k], k odd, to [N, O, H * up / down, W * up / down].

    up, down: 1 or 2. bias: [O]. winograd_weight: the transformed weight, where it has been precomputed. With up=2 the
    weight is convolved in the mathematical sense (rotated by 180 degrees).
    """
    size = weight.shape[2]
    if up == 2:
        y = _doubling_conv2d(x, weight, size)
        return y if bias is None else y.add_(bias.to(y.dtype)[:, None, None])
    if size == 1:  # filtering first leaves a quarter of the pixels to convolve
        return F.conv2d(x if down == 1 else downsample2(x), weight, bias)
    if down == 1:
        return _plain_conv2d(x, weight, bias, winograd_weight)
    return F.conv2d(blur(x, padding=(size + 1) // 2), weight, bias, stride=2)


def _plain_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, winograd_weight: WinogradWeight | None) -> Tensor:
    """Convolve without resampling, by whichever algorithm is fastest for these shapes."""
    if winograd_weight is not None and winograd.is_faster_precomputed(x, weight):
        y = winograd.convolve_precomputed(x, winograd_weight)
    elif winograd.is_faster(x, weight):
        y = winograd.convolve(x, weight)
    else:
        return F.conv2d(x, weight, bias, padding=(weight.shape[2] // 2,) * 2)  # one number is lost by older tracers
    return y if bias is None else y.add_(bias[:, None, None])


def _doubling_conv2d(x: Tensor, weight: Tensor, size: int) -> Tensor:
    """Convolve and double the resolution; a 1x1 convolution runs first, on a quarter of the pixels."""
    if size == 1:
        return upsample2(F.conv2d(x, weight))
    return blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), padding=(5 - size) // 2, gain=4.0)
