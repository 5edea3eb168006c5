"""Stacks: how layers in a row are written down, whose maps have names, such as VGG's."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from ggdr.errors import UserError

LAYER = re.compile(
    r"(?P<name>\w+) (?P<kind>conv|relu|silu|max|average)( (?P<kernel>\d+)(/(?P<stride>\d+))? (?P<out>\d+))?"
)
"""such as "conv1_1 conv 3 64", "conv1 conv 5/2 16" (kernel, stride, channels), "relu1_1 relu", "pool1 max" """
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""mean and standard deviation of red, green and blue, from 0 to 1, as torchvision's networks see them"""

Pooling = Literal["max", "average"]


class Layer(NamedTuple):
    """One layer of a stack."""

    name: str
    """what its map is called"""
    kind: str
    """conv, with edges padded so that stride 1 keeps the size; relu or silu; or a pooling of 2 x 2, max or average"""
    kernel: int = 0
    """side of a convolution, pixels"""
    stride: int = 1
    """pixels from one place of a convolution, or a pooling, to the next"""
    out: int = 0
    """channels of its map; 0: as before"""


class StackSpec(NamedTuple):
    """Layers in a row, and how they see pixels."""

    layers: tuple[str, ...]
    """each as LAYER has it, the image's first"""
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    """what is subtracted from pixels from 0 to 1, of each channel: three of RGB, one of gray"""
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    """what they are divided by then"""

    def parsed(self) -> list[Layer]:
        """The layers; UserError if one is written as none is."""
        return [layer_of_text(text) for text in self.layers]

    def names(self) -> list[str]:
        """What the maps are called."""
        return [layer.name for layer in self.parsed()]

    def until(self, name: str) -> StackSpec:
        """The layers up to the one of a name; UserError, with those there are, if there is none."""
        self.check([name])
        return self._replace(layers=self.layers[: self.names().index(name) + 1])

    def channels(self) -> list[int]:
        """Channels of each map."""
        return [
            *accumulate((layer.out for layer in self.parsed()), lambda now, out: out or now, initial=len(self.mean))
        ][1:]

    def reductions(self) -> list[int]:
        """How many times smaller than the image each map is."""
        return [*accumulate((layer.stride for layer in self.parsed()), lambda now, stride: now * stride)]

    def pooled_by(self, pooling: Pooling) -> StackSpec:
        """These layers with this kind of pooling throughout."""
        return self._replace(layers=tuple(re.sub(r" (max|average)$", f" {pooling}", text) for text in self.layers))

    def check(self, names: Collection[str]) -> None:
        """UserError, with those there are, if no layer has one of these names."""
        have = self.names()
        if strange := [name for name in names if name not in have]:
            raise UserError(f"there is no layer {strange[0]!r}; there are {', '.join(have)}.")


def layer_of_text(text: str) -> Layer:
    """A layer from its text; UserError if it is none."""
    found = LAYER.fullmatch(text)
    if found is None or (found["kind"] == "conv") != bool(found["out"]):
        raise UserError(f"{text!r} is no layer; write such as 'conv1_1 conv 3 64', 'relu1_1 relu', 'pool1 max'.")
    pools = found["kind"] in ("max", "average")
    stride = 2 if pools else int(found["stride"] or 1)
    return Layer(found["name"], found["kind"], int(found["kernel"] or 0), stride, int(found["out"] or 0))


def vgg(convolutions: Sequence[int]) -> StackSpec:
    """VGG's layers up to the last pooling (Simonyan & Zisserman 2015, table 1), as torchvision has them in a row.

    `convolutions`: of each of the five blocks; (2, 2, 4, 4, 4): VGG-19. Names are the field's: conv1_1, relu1_1, pool1.
    """
    widths, layers = (64, 128, 256, 512, 512), []
    for block, (count, width) in enumerate(zip(convolutions, widths, strict=True), 1):
        for place in range(1, count + 1):
            layers += [f"conv{block}_{place} conv 3 {width}", f"relu{block}_{place} relu"]
        layers.append(f"pool{block} max")
    return StackSpec(tuple(layers), *IMAGENET)
