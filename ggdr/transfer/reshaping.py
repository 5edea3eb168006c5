"""Weights for images of other channels, or for other labels, that keep what the network does as far as can be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network

MODES = {1: "gray", 3: "RGB", 4: "RGBA"}
"""image channels -> what a person calls them"""


class Reshaper:
    """Takes tensors of one network to the shapes of another that differs in the images' channels or labels.

    Which axis of a tensor follows which number is found by building the network for the source's channels, its
    labels, and no labels, on the meta device: a network need not declare it, and any other difference is none of ours.
    """

    def __init__(self, source: Network, network: Network):
        """Nothing is read but shapes and settings: `source` may be on the meta device."""
        self.source, self.network = source, network
        self.was, self.now = source.spec, network.spec
        recoloured = self.was.channels != self.now.channels
        relabelled = self.was.labels != self.now.labels
        self.coloured = sizes(network, self.now._replace(channels=self.was.channels)) if recoloured else {}
        self.labelled = sizes(network, self.now._replace(labels=self.was.labels)) if relabelled else {}
        self.plain = sizes(network, self.now._replace(labels=0)) if relabelled else {}

    def reshaped(self, there: str, value: Tensor, name: str, fresh: Tensor) -> tuple[Tensor, str] | None:
        """`value`, called `there` in the source, for `fresh`, called `name` here, and what was done; None if it cannot.

        Equalized layers divide by the root of their inputs' number: where that changes, weights make up for it. Under
        spectral normalization, which sets a layer's scale, only the direction of its weights is kept.
        """
        value = value.float()
        differing = [axis for axis, (a, b) in enumerate(zip(value.shape, fresh.shape, strict=False)) if a != b]
        if value.ndim != fresh.ndim or len(differing) != 1:
            return None
        axis, layer = differing[0], self.network.get_submodule(layer_of(name))
        reads = value.ndim > 1 and axis == (0 if isinstance(layer, nn.ConvTranspose2d) else 1)
        scale = gain(self.source.get_submodule(layer_of(there)), value) / gain(layer, fresh)
        if value.shape == self.coloured.get(name) and value.shape[axis] == self.was.channels:
            done = f"{mode(self.was.channels)} to {mode(self.now.channels)}"
            return (self.reading(value, axis) * scale if reads else self.showing(value, fresh, axis)), done
        if value.shape == self.labelled.get(name) and reads:
            start = self.plain[name][axis] if name in self.plain else 0
            done = f"{self.was.labels or 'no'} to {self.now.labels or 'no'} labels"
            return relabelled(value, axis, start, fresh.shape[axis]) * scale, done
        return None

    def reading(self, value: Tensor, axis: int) -> Tensor:
        """Weights that read an image as the old ones read it shown with the old channels."""
        return mixed(shown(self.now.channels, self.was.channels).T, value, axis)

    def showing(self, value: Tensor, fresh: Tensor, axis: int) -> Tensor:
        """Weights that make the old image, shown with the new channels; what it has nothing for stays fresh."""
        matrix = shown(self.was.channels, self.now.channels)
        unknown = (matrix.sum(dim=1) == 0).view(-1, *[1] * (value.ndim - axis - 1))
        return torch.where(unknown, fresh.float().cpu(), mixed(matrix, value, axis))


def sizes(network: Network, spec: ImageSpec) -> dict[str, torch.Size]:
    """Name -> shape of the tensors that the same settings make for other images."""
    with torch.device("meta"):
        built = network.rebuild(spec)
    return {name: tensor.shape for name, tensor in built.state_dict().items()}


def shown(old: int, new: int) -> Tensor:
    """The matrix [new, old] that shows a pixel of `old` channels with `new`: gray as three equal colours, three colours
    as their mean, others as they are; channels without a counterpart are 0."""
    matrix = torch.eye(new, old)
    if old == 1 and new in (3, 4):
        matrix[:3, 0] = 1
    if old in (3, 4) and new == 1:
        matrix[0, :3] = 1 / 3
    return matrix


def mixed(matrix: Tensor, value: Tensor, axis: int) -> Tensor:
    """`value` with the entries along an axis mixed by `matrix` [new, old]."""
    return torch.tensordot(matrix, value, dims=([1], [axis])).movedim(0, axis)


def relabelled(value: Tensor, axis: int, start: int, width: int) -> Tensor:
    """`value` cut or grown to `width` along the axis that from `start` on belongs to the labels.

    A new class starts as the mean of those there were; where there were none, labels say nothing at first.
    """
    old = value.shape[axis]
    if width <= old:
        return value.narrow(axis, 0, width)
    shape = [*value.shape[:axis], width - old, *value.shape[axis + 1 :]]
    classes = value.narrow(axis, start, old - start)
    more = classes.mean(dim=axis, keepdim=True).expand(shape) if old > start else value.new_zeros(shape)
    return torch.cat([value, more], dim=axis)


def layer_of(name: str) -> str:
    """The name of the layer that a tensor belongs to; a parametrized one keeps some in parts of its own."""
    head, parametrized, _ = name.partition(".parametrizations.")
    return head if parametrized else name.rpartition(".")[0]


def gain(layer: nn.Module, tensor: Tensor) -> float:
    """What a layer multiplies this tensor by when it uses it."""
    return layer.weight_gain if isinstance(layer, EqualizedLinear | EqualizedConv2d) and tensor.ndim > 1 else 1.0


def mode(channels: int) -> str:
    """What images of this many channels are called."""
    return MODES.get(channels, f"{channels} channels")
