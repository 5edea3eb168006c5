"""Flips and shifts by whole pixels, drawn for each image: what consistency regularization holds D to."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch


def flipped_and_shifted(image: Tensor, flip: bool, most: int) -> Tensor:
    """image [N, C, H, W], each shifted by up to `most` pixels along both axes and, if `flip`, every other one mirrored.

    Draws from torch's global generator. What moves in is the image, mirrored at its outermost pixels.
    """
    n, device = len(image), image.device
    turned = torch.rand(n, device=device) < 0.5 * flip
    return moved(image, turned, torch.randint(-most, most + 1, (n, 2), device=device))


def moved(image: Tensor, turned: Tensor, shift: Tensor) -> Tensor:
    """image [N, C, H, W] moved down and right by shift [N, 2], whole pixels, then mirrored where turned [N] says."""
    height, width = image.shape[2:]
    rows, columns = (source(size, shift[:, axis]) for axis, size in enumerate((height, width)))
    columns = torch.where(turned[:, None], columns.flip(1), columns)
    image = image.gather(2, rows[:, None, :, None].expand_as(image))
    return image.gather(3, columns[:, None, None, :].expand_as(image))


def source(size: int, shift: Tensor) -> Tensor:
    """Which of `size` pixels comes to each place, of an axis moved by shift [N] and mirrored at its ends: [N, size]."""
    period = max(2 * size - 2, 1)
    place = (torch.arange(size, device=shift.device) - shift[:, None]).remainder(period)
    return torch.minimum(place, period - place)
