"""Losses and odds of pixels' classes (OASIS, arXiv 2012.04781)."""

from __future__ import annotations

from ggdr.lazy import F, Tensor, torch


def class_cross_entropy(
    logits: Tensor, label_map: Tensor, balanced: bool = True, pixels: Tensor | None = None
) -> Tensor:
    """Return the cross entropy of logits [N, C, H, W] and label_map [N, K, H, W], a scalar; K is at most C.

    `label_map`: one-hot, or shares of classes that add up to at most 1; a pixel without any is ignored. `balanced`: the
    mean over those K classes that occur of the mean over each one's pixels, so that rare classes weigh as much as
    frequent ones (eq. 1 but for a factor: there weights are the batch's pixels by a class's; here their mean is 1).
    Else the mean over pixels. `pixels` [K]: of each class, where these are a part of what is balanced; None: as here.
    """
    losses = -(F.log_softmax(logits, dim=1)[:, : label_map.shape[1]] * label_map).sum(dim=(0, 2, 3))
    pixels = class_pixels(label_map) if pixels is None else pixels
    if not balanced:
        return losses.sum() / at_least_something(pixels.sum())
    return (losses / at_least_something(pixels)).sum() / (pixels > 0).sum().clamp(min=1)


def class_pixels(label_map: Tensor) -> Tensor:
    """Return how many pixels of label_map [N, K, H, W] are of each class, [K]."""
    return label_map.sum(dim=(0, 2, 3))


def at_least_something(pixels: Tensor) -> Tensor:
    """Return numbers of pixels, 1 in place of 0: nothing divided by it is nothing."""
    return torch.where(pixels > 0, pixels, 1.0)


def fake_cross_entropy(logits: Tensor) -> Tensor:
    """Return the mean cross entropy of logits [N, K + 1, H, W] and the last class, that of fakes."""
    return (logits.logsumexp(dim=1) - logits[:, -1]).mean()


def log_odds(logits: Tensor) -> Tensor:
    """Return for logits [N, K + 1, H, W] the log-odds that a pixel is of any class but the last, [N, H, W]."""
    return logits[:, :-1].logsumexp(dim=1) - logits[:, -1]


def segment_masks(label_map: Tensor) -> Tensor:
    """Draw masks [N, 1, H, W] for label_map [N, K, H, W]: of each image a class's pixels are all true or all false.

    Each with probability 1/2; pixels that are ignored go together, too.
    """
    n, classes = label_map.shape[:2]
    heads = torch.rand(n, classes + 1, 1, 1, device=label_map.device) < 0.5
    ignored = 1 - label_map.sum(dim=1, keepdim=True)
    return (torch.cat([label_map, ignored], dim=1) * heads).sum(dim=1, keepdim=True) > 0.5
