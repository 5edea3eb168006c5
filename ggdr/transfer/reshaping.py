"""Weights reshaped for other image channels or other labels, such that the network does the same as far as possible."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.formatting import colours
from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.ops.shapes import shapes_only


class Reshaper:
    """Reshapes tensors of one network for another that differs in the spec's channels or labels.

    Which axis of a tensor follows which number is found by building the network for the source's channels, its labels,
    and no labels, on the meta device: a network need not declare it, and any other difference is not handled here.
    """

    def __init__(self, source: Network, network: Network):
        """Compare two networks by shapes and settings alone: `source` may be on the meta device."""
        self.source, self.network = source, network
        self.was, self.now = source.spec, network.spec
        recoloured = self.was.channels != self.now.channels
        relabelled = self.was.labels != self.now.labels
        self.coloured = tensor_shapes(network, self.now._replace(channels=self.was.channels)) if recoloured else {}
        self.labelled = tensor_shapes(network, self.now._replace(labels=self.was.labels)) if relabelled else {}
        self.plain = tensor_shapes(network, self.now._replace(labels=0)) if relabelled else {}

    def reshape(self, there: str, value: Tensor, name: str, fresh: Tensor) -> tuple[Tensor, str] | None:
        """Reshape `value`, called `there` in the source, to `fresh`, called `name` here; return it with a note, or
        None.

        Equalized layers divide by the root of their inputs' number: where that changes, weights make up for it. Under
        spectral normalization, which sets a layer's scale, only the direction of its weights is kept.
        """
        value = value.float()
        differing = [axis for axis, (a, b) in enumerate(zip(value.shape, fresh.shape, strict=False)) if a != b]
        if value.ndim != fresh.ndim or len(differing) != 1:
            return None
        axis, layer = differing[0], self.network.get_submodule(layer_of(name))
        reads = value.ndim > 1 and axis == (0 if isinstance(layer, nn.ConvTranspose2d) else 1)
        scale = weight_gain(self.source.get_submodule(layer_of(there)), value) / weight_gain(layer, fresh)
        if value.shape == self.coloured.get(name) and value.shape[axis] == self.was.channels:
            done = f"{colours(self.was.channels)} to {colours(self.now.channels)}"
            return (self.input_weights(value, axis) * scale if reads else self.output_weights(value, fresh, axis)), done
        if value.shape == self.labelled.get(name) and reads:
            start = self.plain[name][axis] if name in self.plain else 0
            done = f"{self.was.labels or 'no'} to {self.now.labels or 'no'} labels"
            return resize_labels(value, axis, start, fresh.shape[axis]) * scale, done
        return None

    def input_weights(self, value: Tensor, axis: int) -> Tensor:
        """Return weights that read an image as the old ones read it when converted to the old channels."""
        return mix_axis(channel_matrix(self.now.channels, self.was.channels).T, value, axis)

    def output_weights(self, value: Tensor, fresh: Tensor, axis: int) -> Tensor:
        """Return weights that make the old image, converted to the new channels; channels without a source stay
        fresh."""
        matrix = channel_matrix(self.was.channels, self.now.channels)
        unknown = (matrix.sum(dim=1) == 0).view(-1, *[1] * (value.ndim - axis - 1))
        return torch.where(unknown, fresh.float().cpu(), mix_axis(matrix, value, axis))


def tensor_shapes(network: Network, spec: ImageSpec) -> dict[str, torch.Size]:
    """Return the shapes, by name, of the tensors that the same settings make for another spec."""
    with shapes_only():
        built = network.rebuild(spec)
    return {name: tensor.shape for name, tensor in built.state_dict().items()}


def channel_matrix(old: int, new: int) -> Tensor:
    """Return the matrix [new, old] that converts a pixel of `old` channels to `new`.

    Gray becomes three equal colours, three colours their mean, others stay; channels without a counterpart are 0.
    """
    matrix = torch.eye(new, old)
    if old == 1 and new in (3, 4):
        matrix[:3, 0] = 1
    if old in (3, 4) and new == 1:
        matrix[0, :3] = 1 / 3
    return matrix


def mix_axis(matrix: Tensor, value: Tensor, axis: int) -> Tensor:
    """Mix the entries of `value` along an axis by `matrix` [new, old]."""
    return torch.tensordot(matrix, value, dims=([1], [axis])).movedim(0, axis)


def resize_labels(value: Tensor, axis: int, start: int, width: int) -> Tensor:
    """Cut or extend `value` to `width` along an axis whose entries from `start` on belong to the labels.

    A new class starts as the mean of the existing ones; where there were none, labels have no effect at first.
    """
    old = value.shape[axis]
    if width <= old:
        return value.narrow(axis, 0, width)
    shape = [*value.shape[:axis], width - old, *value.shape[axis + 1 :]]
    classes = value.narrow(axis, start, old - start)
    more = classes.mean(dim=axis, keepdim=True).expand(shape) if old > start else value.new_zeros(shape)
    return torch.cat([value, more], dim=axis)


def layer_of(name: str) -> str:
    """Return the name of the layer that a tensor belongs to, whether or not it is parametrized."""
    head, parametrized, _ = name.partition(".parametrizations.")
    return head if parametrized else name.rpartition(".")[0]


def weight_gain(layer: nn.Module, tensor: Tensor) -> float:
    """Return the factor by which a layer multiplies this tensor when it uses it."""
    return layer.weight_gain if isinstance(layer, EqualizedLinear | EqualizedConv2d) and tensor.ndim > 1 else 1.0
