"""Labels: how a network requires them, or takes them as planes, and the projection logit (arXiv 1802.05637)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.ops.precision import at_least_float32, without_autocast


def require_labels(labels: Tensor | None, width: int) -> Tensor:
    """Return the labels [N, width]; UserError if there are none, or of another width."""
    if labels is None:
        raise ValueError(f"this network needs labels: pass labels [N, {width}].")
    return labels


def with_label_planes(image: Tensor, labels: Tensor | None, width: int) -> Tensor:
    """Append labels [N, width] as planes to image [N, C, H, W]: [N, C + width, H, W]; UserError if they are missing.

    With a width of 0 the image stays as it is.
    """
    if not width:
        return image
    planes = require_labels(labels, width).to(image.dtype)[:, :, None, None]
    return torch.cat([image, planes.expand(-1, -1, *image.shape[2:])], dim=1)


def projection_logit(embed: nn.Linear | None, code: Tensor, labels: Tensor | None) -> Tensor | float:
    """Return the inner product of code [N, C] and the label's embedding (Miyato & Koyama 2018, eq. 3): [N] float32.

    It is 0 where there are no labels.
    """
    if embed is None:
        return 0.0
    return (embed(require_labels(labels, embed.in_features).float()) * code).sum(dim=1).float()


def projection_direction(weight: Tensor, embed: nn.Linear | None, labels: Tensor | None) -> Tensor:
    """Return all that a code is multiplied by: a last layer's weight [C, ...] and the label's embedding, flattened.

    [K], the same for all, where there are no labels; else [N, K]. An embedding [N, C] is added at each place.
    """
    if embed is None:
        return weight.flatten()
    added = embed(require_labels(labels, embed.in_features).float())
    return (weight + added.view(*added.shape, *[1] * (weight.dim() - 1))).flatten(1)


def patch_logits(out: nn.Conv2d, embed: nn.Linear | None, x: Tensor, labels: Tensor | None) -> Tensor:
    """Return logits [N, P] float32 of the P places that `out` makes of maps x [N, C, h, w].

    The label's inner product with the maps' mean is added to each of them.
    """
    with without_autocast(x):
        x = at_least_float32(x)
        logits = out(x).flatten(1)
        said = projection_logit(embed, x.mean(dim=(2, 3)), labels)
        return logits + said[:, None] if isinstance(said, Tensor) else logits
