"""Random flips and shifts by whole pixels, which consistency regularization makes D invariant to."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch


def random_flip_and_shift(image: Tensor, flip: bool, most: int) -> Tensor:
    """Shift each image of [N, C, H, W] by up to `most` pixels along both axes and, if `flip`, mirror half of them.

    It draws from torch's global generator. The border is filled by the image mirrored at its outermost pixels.
    """
    n, device = len(image), image.device
    turned = torch.rand(n, device=device) < 0.5 * flip
    return shift_and_flip(image, turned, torch.randint(-most, most + 1, (n, 2), device=device))


def shift_and_flip(image: Tensor, turned: Tensor, shift: Tensor) -> Tensor:
    """Move image [N, C, H, W] down and right by shift [N, 2], whole pixels, then mirror where turned [N] is True."""
    height, width = image.shape[2:]
    rows, columns = (source_indices(size, shift[:, axis]) for axis, size in enumerate((height, width)))
    columns = torch.where(turned[:, None], columns.flip(1), columns)
    image = image.gather(2, rows[:, None, :, None].expand_as(image))
    return image.gather(3, columns[:, None, None, :].expand_as(image))


def source_indices(size: int, shift: Tensor) -> Tensor:
    """Return which pixel comes to each place of an axis moved by shift [N] and mirrored at its ends: [N, size]."""
    period = max(2 * size - 2, 1)
    place = (torch.arange(size, device=shift.device) - shift[:, None]).remainder(period)
    return torch.minimum(place, period - place)
