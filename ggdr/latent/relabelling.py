"""Codes under another label: what stays is the code, what changes is the label (Antipov et al. 2017, arXiv
1702.01983)."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes
from ggdr.latent.directions import draw_styles
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability


@torch.no_grad()
def relabelled(generator: Generator, codes: Codes, own: Tensor, wanted: Tensor, seed: int = 0) -> Codes:
    """Return N codes under another label, wanted [1 or N, L], of a generator in eval mode; `own` [N, L]: their labels.

    A latent code stays as it is. A style code holds its label, and is moved by the difference of both labels' mean
    styles; `seed`: of the codes whose mean that is. Noise maps stay. UserError if the generator knows no labels.
    """
    if not generator.spec.labels:
        raise UserError(
            "this generator was trained without labels, so that its images have no other label; give one that was"
            " trained with some (--data.labels)."
        )
    wanted = wanted.expand(len(codes.points), -1)
    if Capability.WS not in generator.config.provides:
        return codes._replace(labels=wanted)
    # Unlike the paper, whose generator takes z and label side by side.
    rows, of = torch.cat([own, wanted]).unique(dim=0, return_inverse=True)
    means = torch.stack([draw_styles(generator, row, seed).mean(dim=0) for row in rows])
    before, after = means[of].split(len(wanted))
    return codes._replace(points=codes.points + (after - before)[:, None])
