"""What the package itself registers: other tests of the same process register parts, too."""

from __future__ import annotations

from ggdr.registry import REGISTRIES, discover

discover()


NOBODY = {"generator": "none", "discriminator": "none", "loss": "none", "encoder": "none"}
"""parts that stand for there being none, which have nothing of what parts of their kind must have"""


def own(kind: str) -> dict[str, type]:
    """The package's parts of a kind, such as "generator", by name, in the order in which they are registered."""
    registry = next(registry for registry in REGISTRIES.values() if registry.kind == kind)
    found = {name: part for name, part in registry.items() if part.__module__.startswith("ggdr.")}
    return {name: part for name, part in found.items() if name != NOBODY.get(kind)}
