"""CUT's projector: settings of small networks on features of patches (Park et al. 2020, arXiv 2007.15651)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ggdr.errors import above_zero
from ggdr.networks.base import ProjectorConfig
from ggdr.registry import projectors


@projectors.register("patch_projector", paper="2007.15651")
@dataclass(frozen=True, kw_only=True)
class PatchProjectorConfig(ProjectorConfig):
    """Features of patches to codes of length 1: two layers for each map of the encoder (Park et al. 2020, sec. 3)."""

    channels: int = 256
    """width of both layers, and of codes"""

    def __post_init__(self) -> None:
        above_zero(self, "channels")

    @classmethod
    def tiny(cls) -> Self:
        """Codes of eight numbers."""
        return cls(channels=8)
