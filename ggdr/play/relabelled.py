"""Duels of translators whose domains are labels: what is made has the labels of the reals that it meets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.play.translation import TranslationDuel
from ggdr.registry import Capability


@dataclass
class RelabelledDuel(TranslationDuel):
    """A translation between the labels of one domain: each source is the real before, made into the labels of this."""

    provides: ClassVar = TranslationDuel.provides | {Capability.CYCLE, Capability.IDENTITY}

    @property
    def source_labels(self) -> Tensor | None:
        """The sources' own labels [N, L]."""
        return None if self.labels is None else self.labels.roll(1, 0)

    @cached_property
    def cycled(self) -> Tensor:
        """The sources again [N, C, H, W]: what the same generator makes of the fakes under the sources' own labels."""
        return self.translate(self.fake.image, labels=self.source_labels).image
