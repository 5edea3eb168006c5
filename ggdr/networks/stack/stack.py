"""The layers of a stack as a module."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from ggdr.errors import UserError
from ggdr.networks.stack import Layer, StackSpec

LUMA = (0.299, 0.587, 0.114)
"""weights of red, green and blue in gray (ITU-R BT.601)"""


class Stack(nn.Module):
    """Layers in a row, frozen: they are in evaluation, their weights take no gradient, and images do."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: StackSpec, edges: Literal["zeros", "reflect"] = "zeros"):
        """Build the layers with random weights that preserve variance (arXiv 1502.01852); `edges`: of convolutions."""
        super().__init__()
        self.spec, self.names = spec, spec.names()
        for name, values in (("mean", spec.mean), ("std", spec.std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)
        ins = [len(spec.mean), *spec.channels()]
        self.layers = nn.ModuleList(module(layer, k, edges) for layer, k in zip(spec.parsed(), ins, strict=False))
        self.requires_grad_(False).train()

    def train(self, mode: bool = True) -> Stack:
        """Stay in evaluation, whatever `mode` is."""
        return super().train(False)

    def forward(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """The maps [N, K, h, w] of these names of images [N, C, H, W] in [0, 1], of its channels, or gray for RGB.

        UserError if there are no such layers, or the images have other channels.
        """
        self.spec.check(names)
        last = max((self.names.index(name) for name in names), default=-1)
        x, found = (self.seen(images) - self.mean) / self.std, {}
        for name, layer in zip(self.names[: last + 1], self.layers, strict=False):
            x = layer(x)
            if name in names:
                found[name] = x
        return found

    def seen(self, images: Tensor) -> Tensor:
        """Images of the channels that it sees: gray as RGB, RGB as gray."""
        channels, wanted = images.shape[1], self.mean.shape[1]
        if channels == wanted:
            return images
        if channels == 1:
            return images.expand(-1, wanted, -1, -1)
        if (channels, wanted) == (3, 1):
            red, green, blue = images.unbind(1)
            return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]
        raise UserError(f"a network that sees images of {wanted} channels is shown some of {channels}.")

    def take(self, state: Mapping[str, Tensor], prefix: str = "") -> None:
        """Load weights that are called `prefix`, the place in the row, and .weight or .bias, as nn.Sequential has it.

        RuntimeError if the names or shapes are others.
        """
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        known = {name: value for name, value in own.items() if name.split(".")[0] in map(str, range(len(self.layers)))}
        self.layers.load_state_dict(known)


def module(layer: Layer, channels: int, edges: Literal["zeros", "reflect"]) -> nn.Module:
    """Build a layer that reads maps of this number of channels."""
    if layer.kind == "relu":
        return nn.ReLU()
    if layer.kind == "silu":
        return nn.SiLU()
    if layer.kind == "max":
        return nn.MaxPool2d(2)
    if layer.kind == "average":
        return nn.AvgPool2d(2)
    padding = layer.kernel // 2
    conv = nn.Conv2d(channels, layer.out, layer.kernel, layer.stride, padding, padding_mode=edges)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def random_stack(spec: StackSpec) -> Stack:
    """A stack of random weights, equal each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Stack(spec)
