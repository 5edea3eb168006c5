"""Mapping network: latent code and label to a style (StyleGAN, arXiv 1812.04948; labels as in 2006.06676)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear
from ggdr.ops.precision import without_autocast


class MappingNetwork(nn.Module):
    """Fully connected layers that learn a hundredth as fast as the rest; always in float32."""

    def __init__(self, z_dim: int, labels: int, w_dim: int, depth: int):
        """`z_dim`, `labels`: widths of latent code and label, either may be 0. `w_dim`: width of each layer."""
        super().__init__()
        self.labels = labels
        self.embed = EqualizedLinear(labels, w_dim) if labels else None
        widths = [z_dim + (w_dim if labels else 0)] + [w_dim] * depth
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            self.add_module(f"fc{index}", EqualizedLinear(inputs, outputs, activation="lrelu", lr_multiplier=0.01))
        self.depth = depth

    def forward(self, z: Tensor | None, labels: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and labels [N, L] to [N, w_dim]; ValueError if there is no label where one is needed."""
        codes = [] if z is None else [normalized(z.float())]
        if self.embed is not None:
            codes.append(self.embedding(self.embed, labels))
        x = torch.cat(codes, dim=1)
        with without_autocast(x):
            for index in range(self.depth):
                x = self.get_submodule(f"fc{index}")(x)
        return x

    def embedding(self, embed: EqualizedLinear, labels: Tensor | None) -> Tensor:
        """labels [N, L] to [N, w_dim] of unit mean square."""
        if labels is None or labels.shape[1] != self.labels:
            given = "none" if labels is None else f"some of width {labels.shape[1]}"
            raise ValueError(
                f"this network needs labels of width {self.labels}; given {given}. Pass labels [N, {self.labels}]."
            )
        with without_autocast(labels):
            return normalized(embed(labels.float()))


def normalized(x: Tensor) -> Tensor:
    """Each row of x [N, C] brought to unit mean square."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
