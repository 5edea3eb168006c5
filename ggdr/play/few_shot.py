"""Duels of few examples: what is made shows the class that other images show (FUNIT, arXiv 1905.01723)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.play.translation import TranslationDuel
from ggdr.registry import Capability


@dataclass
class FewShotDuel(TranslationDuel):
    """A translation of each source into the class that the real it meets shows: G encodes that real, not its label."""

    provides: ClassVar = TranslationDuel.provides | {Capability.IDENTITY, Capability.EXAMPLES}

    def codes(self, n: int) -> Tensor:
        """What the first n reals show [n, z_dim]: a code that is found, where other games draw one."""
        return self.shown_class[:n]

    @cached_property
    def shown_class(self) -> Tensor:
        """The codes of the reals [N, z_dim]."""
        with self.context.autocast():
            return self.G.encode_style(self.reals).float()
