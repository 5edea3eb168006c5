"""The U-Net discriminator: an encoder that judges, a decoder that draws on demand (arXiv 2207.13320, fig. 3), heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.networks.around import discriminator as around
from ggdr.networks.base import Brief, Verdict
from ggdr.networks.unet import UNet
from ggdr.networks.unet.heads import Heads


class Discriminator(around.Discriminator):
    """Images to all that the encoder says, where asked to feature maps, and to what the heads say."""

    def __init__(self, config: UNet, brief: Brief):
        super().__init__(config, brief, brief)
        self.decoder = Decoder(config, self.map_channels, brief.guide)
        self.heads = Heads(self.map_channels, brief.heads)

    def forward(self, image: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Verdict:
        """image [N, C, H, W] in [-1, 1] and labels [N, L] to logits, and maps of `sides`; for none no decoder runs.

        ValueError if a side is not one it was built to draw.
        """
        said = self.encoder(image, labels)
        drawn = self.decoder(said.maps, sides) if sides else {}
        # spelled out: the compiler of torch 2.9 cannot follow `_replace`
        return Verdict(said.logits, drawn, said.guide, said.maps, self.heads(said.maps), said.dense, said.image)


class Decoder(nn.Module):
    """From the smallest maps up, each step joined by the encoder's maps of its size: convolve, then double."""

    def __init__(self, config: UNet, encoder: dict[int, int], guide: dict[int, int]):
        """`encoder`, `guide`: side -> channels of what it reads and redraws; it ends at the guide's largest side."""
        super().__init__()
        check_sides(guide, encoder)
        self.guide, self.base = dict(guide), min(encoder, default=0)
        self.sides = [2 * side for side in sorted(encoder) if 2 * side <= max(guide, default=0)]
        if self.base in guide:  # drawn from the encoder's maps of this side, which nothing is doubled to reach
            step = EqualizedConv2d(encoder[self.base], guide[self.base], config.kernel, activation=config.activation)
            self.add_module(f"b{self.base}", step)
        previous = 0
        for side in self.sides:
            # the last doubling may reach the whole image, where the encoder has no maps to take the width from
            width = encoder[side] if side in encoder else guide[side]
            inputs = previous + encoder[side // 2]
            step = EqualizedConv2d(inputs, width, config.kernel, activation=config.activation, up=2)
            self.add_module(f"b{side}", step)
            if guide.get(side, width) != width:
                self.add_module(f"project{side}", EqualizedConv2d(width, guide[side], 1))
            previous = width

    def forward(self, maps: dict[int, Tensor], sides: tuple[int, ...]) -> dict[int, Tensor]:
        """The encoder's maps to drawn maps, side r -> [N, guide[r], r, r * W / H] float32."""
        if strange := set(sides) - set(self.guide):
            raise ValueError(f"no decoder for the sides {sorted(strange)}; built for {sorted(self.guide)}.")
        drawn, x = {}, None
        if self.base in sides:
            drawn[self.base] = self.get_submodule(f"b{self.base}")(maps[self.base]).float()
        for side in (side for side in self.sides if side <= max(sides)):
            below = maps[side // 2]
            x = self.get_submodule(f"b{side}")(below if x is None else torch.cat([x, below], dim=1))
            if side in sides:
                drawn[side] = self.projected(x, side).float()
        return drawn

    def projected(self, x: Tensor, side: int) -> Tensor:
        """x with the guide's number of channels."""
        project = self._modules.get(f"project{side}")
        return x if project is None else project(x)


def check_sides(guide: dict[int, int], encoder: dict[int, int]) -> None:
    """ValueError if the guide has a side that neither the encoder's smallest maps have nor doubling reaches."""
    possible = [*sorted(encoder)[:1], *(2 * side for side in sorted(encoder))]
    if strange := sorted(set(guide) - set(possible)):
        raise ValueError(
            f"a U-Net decoder cannot draw feature maps of side {strange}; set the term's sides among {possible}."
        )
