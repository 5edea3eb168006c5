"""Convolution that doubles or halves the image, low-pass filtered (StyleGAN2, arXiv 1912.04958, appendix B)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ggdr.ops import winograd
from ggdr.ops.fir import blur, downsample2, upsample2
from ggdr.ops.winograd import Planes


def resampling_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    up: int = 1,
    down: int = 1,
    planes: Planes | None = None,
) -> Tensor:
    """Convolve x [N, I, H, W] with weight [O, I, k, k], k odd, to [N, O, H * up / down, W * up / down].

    up, down: 1 or 2. bias: [O]. planes: of the weight, if it rests and they are kept. Doubling, the weight is convolved
    in the mathematical sense (turned by half a turn).
    """
    size = weight.shape[2]
    if up == 2:
        y = _doubling_conv2d(x, weight, size)
        return y if bias is None else y.add_(bias.to(y.dtype)[:, None, None])
    if size == 1:  # filtering first leaves a quarter of the pixels to convolve
        return F.conv2d(x if down == 1 else downsample2(x), weight, bias)
    if down == 1:
        return _plain_conv2d(x, weight, bias, planes)
    return F.conv2d(blur(x, padding=(size + 1) // 2), weight, bias, stride=2)


def _plain_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, planes: Planes | None) -> Tensor:
    """Convolve, the way that is fastest."""
    if planes is not None and winograd.pays_kept(x, weight):
        y = winograd.convolve_by(x, planes)
    elif winograd.pays(x, weight):
        y = winograd.convolve(x, weight)
    else:
        return F.conv2d(x, weight, bias, padding=(weight.shape[2] // 2,) * 2)  # one number is lost by older tracers
    return y if bias is None else y.add_(bias[:, None, None])


def _doubling_conv2d(x: Tensor, weight: Tensor, size: int) -> Tensor:
    """Convolve and double; a convolution of single pixels is done before there are four times as many."""
    if size == 1:
        return upsample2(F.conv2d(x, weight))
    return blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), padding=(5 - size) // 2, gain=4.0)
