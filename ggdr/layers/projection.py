"""Labels: how a network requires them, and the projection discriminator's logit (arXiv 1802.05637)."""

from __future__ import annotations

from torch import Tensor, nn


def require_labels(labels: Tensor | None, width: int) -> Tensor:
    """Return the labels [N, width]; UserError if there are none, or of another width."""
    if labels is None:
        raise ValueError(f"this network needs labels: pass labels [N, {width}].")
    return labels


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
