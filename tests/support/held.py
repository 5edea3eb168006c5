"""A studio whose model is at hand, not on disk."""

from __future__ import annotations

from ggdr.explorer.studio import Model, Studio
from ggdr.networks.base.module import Generator


class Held(Studio):
    """Of a generator."""

    def __init__(self, generator: Generator):
        self.generator = generator
        super().__init__("here")

    def read(self) -> Model:
        return Model(self.generator)
