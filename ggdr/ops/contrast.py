"""Contrastive losses: codes of one kind attract each other, all others repel (arXiv 2002.05709, 2004.11362)."""

from __future__ import annotations

from ggdr.lazy import F, Tensor, torch


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """SimCLR's loss (arXiv 2002.05709, eq. 1): codes a, b [N, K] of two views, each to find its partner."""
    codes = F.normalize(torch.cat([a, b]), dim=1)
    partner = torch.arange(len(codes), device=a.device).roll(len(a))
    return F.cross_entropy(without_self(codes @ codes.mT) / temperature, partner)


def one_class(anchors: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (arXiv 2004.11362, eq. 2) of anchors [N, K], one class, against others [M, K].

    Mean over pairs of anchors: how unlikely the one is to find the other among all the rest. Of a lone one it is 0.
    """
    anchors, others = F.normalize(anchors, dim=1), F.normalize(others, dim=1)
    n = len(anchors)
    alike = torch.cat([without_self(anchors @ anchors.mT), anchors @ others.mT], dim=1) / temperature
    surprise = -alike.log_softmax(dim=1)[:, :n]
    return surprise.masked_fill(torch.eye(n, dtype=torch.bool, device=anchors.device), 0.0).sum() / max(n * (n - 1), 1)


def without_self(alike: Tensor) -> Tensor:
    """Similarities [N, N] in which no one finds itself."""
    return alike.masked_fill(torch.eye(len(alike), dtype=torch.bool, device=alike.device), float("-inf"))
