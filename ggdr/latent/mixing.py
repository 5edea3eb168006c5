"""Style mixing: the coarse styles of some images with the fine styles of others (Karras et al. 2019, 1812.04948)."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from ggdr.errors import UserError
from ggdr.latent.codes import Codes
from ggdr.latent.directions import resolve_layers
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability


def mix_styles(generator: Generator, rows: Codes, columns: Codes, layers: Iterable[int] | None = None) -> Codes:
    """Combine each of R codes with the styles of each of C at `layers`, from 0, the coarsest: R * C codes, row by row.

    `layers` None: the coarser half, which lends pose and shape. UserError if the generator has no style codes, or not
    those.
    """
    check_styles(generator)
    count = rows.points.shape[1]
    places = resolve_layers(generator, range(count // 2) if layers is None else layers)
    own = rows.points.repeat_interleave(len(columns.points), 0)
    lent = columns.points.repeat(len(rows.points), 1, 1)
    takes = torch.zeros(count, 1, dtype=torch.bool)
    takes[list(places or ())] = True
    return Codes(torch.where(takes, lent, own))


def check_styles(generator: Generator) -> None:
    """UserError if a generator has no style codes to mix."""
    if Capability.WS not in generator.config.provides:
        raise UserError(f"generator {generator.config.name!r} has no style codes that could be mixed.")
