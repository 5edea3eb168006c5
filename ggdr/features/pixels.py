"""Preprocessing of images for feature networks: channels, size and range."""

from __future__ import annotations

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch

LUMA = (0.299, 0.587, 0.114)
"""weights of red, green and blue in gray (ITU-R BT.601)"""


def rgb(images: Tensor) -> Tensor:
    """Convert images [N, 1, 3 or 4, H, W], uint8 or float in [0, 255], to RGB of the same type, alpha over white.

    UserError for other numbers of channels or other types.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3, 4) or images.dtype not in (torch.uint8, torch.float32):
        raise UserError(
            "feature networks see images of 1, 3 or 4 channels, uint8 or float32; given"
            f" {images.dtype} {list(images.shape)}; swd needs none of them."
        )
    if images.shape[1] == 4:
        alpha = images[:, 3:].float() / 255
        flat = images[:, :3] * alpha + 255 * (1 - alpha)
        return flat if images.is_floating_point() else flat.round().to(torch.uint8)
    return images.expand(-1, 3, -1, -1)


def gray(images: Tensor) -> Tensor:
    """Convert images [N, 1, 3 or 4, H, W], uint8 or float in [0, 255], to gray [N, 1, H, W] float."""
    if images.shape[1] == 1:
        return rgb(images)[:, :1].float()
    return torch.einsum("nchw,c->nhw", rgb(images).float(), torch.tensor(LUMA, device=images.device))[:, None]


def resize(images: Tensor, height: int, width: int, filter: str) -> Tensor:
    """Resize float images [N, C, H, W] in [0, 255] as Pillow does, antialiased where they become smaller.

    `filter`: "bilinear" or "bicubic".
    """
    if images.shape[2:] == (height, width):
        return images
    smooth = F.interpolate(images, (height, width), mode=filter, antialias=True)
    return smooth.clamp(0, 255) if filter == "bicubic" else smooth  # bicubic overshoots


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Map images [N, C, H, W] from [0, 255] to [0, 1], then subtract `mean` and divide by `std` of each channel."""
    center, scale = (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in (mean, std))
    return (images / 255 - center) / scale
