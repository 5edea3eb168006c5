"""Contrastive losses: codes of one kind attract each other, all others repel (arXiv 2002.05709, 2004.11362,
2007.15651)."""

from __future__ import annotations

from ggdr.lazy import F, Tensor, torch


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Return SimCLR's loss (arXiv 2002.05709, eq. 1) [] of codes a, b [N, K] of two views, each to find its partner."""
    codes = F.normalize(torch.cat([a, b]), dim=1)
    partner = torch.arange(len(codes), device=a.device).roll(len(a))
    return F.cross_entropy(mask_diagonal(codes @ codes.mT) / temperature, partner)


def supervised_contrastive(anchors: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss [] (arXiv 2004.11362, eq. 2) of one class's anchors [N, K].

    others: [M, K], codes of all other classes. The loss is the mean over pairs of anchors of how unlikely one is to
    find the other among all the rest; 0 for a single anchor.
    """
    anchors, others = F.normalize(anchors, dim=1), F.normalize(others, dim=1)
    n = len(anchors)
    similarity = torch.cat([mask_diagonal(anchors @ anchors.mT), anchors @ others.mT], dim=1) / temperature
    surprise = -similarity.log_softmax(dim=1)[:, :n]
    return surprise.masked_fill(torch.eye(n, dtype=torch.bool, device=anchors.device), 0.0).sum() / max(n * (n - 1), 1)


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Return CUT's loss (arXiv 2007.15651, sec. 3) [N, P] of codes of P places, queries and keys [N, P, K].

    Each query is to find the key of its place among those of all places of its image; codes have length 1.
    """
    similarity = queries @ keys.mT / temperature
    return similarity.logsumexp(dim=2) - similarity.diagonal(dim1=1, dim2=2)


def mask_diagonal(similarity: Tensor) -> Tensor:
    """Set the similarity [N, N] of each vector with itself to -inf, so that a softmax over the others ignores it."""
    return similarity.masked_fill(torch.eye(len(similarity), dtype=torch.bool, device=similarity.device), float("-inf"))
