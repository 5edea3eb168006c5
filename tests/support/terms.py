"""Every loss and regularizer, and what they are tried on."""

from __future__ import annotations

import tiny
import torch

from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import discover, discriminators, losses, of_duels, regularizers

discover()

TERMS = {**losses, **regularizers}


def one_hot(n: int, labels: int) -> torch.Tensor | None:
    return torch.eye(labels)[torch.arange(n) % labels] if labels else None


def judge(term) -> DiscriminatorConfig:
    """The usual discriminator, or the first that gives what else the term needs."""
    usual = tiny.recipe.discriminator
    others = term.requires - of_duels(term.requires) - tiny.STYLEGAN2.provides
    return (
        usual if others <= usual.provides else next(d for d in discriminators.values() if others <= d.provides).tiny()
    )
