"""Labels: how a network asks for them, and how a discriminator judges by them (arXiv 1802.05637)."""

from __future__ import annotations

from torch import Tensor, nn


def needed(labels: Tensor | None, width: int) -> Tensor:
    """The labels [N, width]; ValueError if there are none."""
    if labels is None:
        raise ValueError(f"this network needs labels: pass labels [N, {width}].")
    return labels


def agreement(embed: nn.Linear | None, code: Tensor, labels: Tensor | None) -> Tensor | float:
    """Inner product of code [N, C] and the label's embedding: [N] float32; 0 where there are no labels.

    (Miyato & Koyama 2018, eq. 3.)
    """
    if embed is None:
        return 0.0
    return (embed(needed(labels, embed.in_features).float()) * code).sum(dim=1).float()
