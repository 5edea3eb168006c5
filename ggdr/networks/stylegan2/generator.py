"""The StyleGAN2 generator: a mapping network, and a synthesis that sums one image a block (arXiv 1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ggdr import network
from ggdr.layers.mapping import StyleMapping, crossed
from ggdr.layers.style import Noise, StyledConv2d, ToImage
from ggdr.networks.base import Brief, Sample
from ggdr.networks.size import channels, ladder
from ggdr.networks.stylegan2 import StyleGAN2Generator
from ggdr.ops.fir import upsample2


class Generator(network.Generator):
    """Latent codes to images, by way of style codes."""

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__(config, brief)
        self.z_dim, self.style_mixing = config.z_dim, config.style_mixing
        self.synthesis = Synthesis(config, brief)
        self.mapping = StyleMapping(config.z_dim, brief.labels, config.w_dim, config.mapping_layers, config.w_avg_beta)
        self.feature_channels = self.synthesis.feature_channels

    def forward(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        sides: tuple[int, ...] = (),
        psi: float | Tensor = 1.0,
        cutoff: int | None = None,
        noise: Noise = "random",
    ) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, and the feature maps of `sides`.

        psi: 1 for the full variety, towards 0 for the mean image; a tensor [] stays an input of a traced graph.
        cutoff: number of style codes that psi pulls (None: all). noise: fresh, the same at each call, or none.
        Training mixes styles, evaluation does not.
        """
        ws = self.styles(z, labels, psi=psi, cutoff=cutoff)
        image, features = self.synthesis(ws, sides=sides, noise=noise)
        return Sample(image, ws, features)

    def styles(
        self, z: Tensor, labels: Tensor | None = None, *, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Style codes [N, L, w_dim] of z [N, z_dim], truncated, and in training mixed."""
        w = self.mapping(z, labels)
        if self.training:
            self.mapping.record(w)
        ws = self.mapping.truncated(w.unsqueeze(1).expand(-1, self.synthesis.num_ws, -1), psi, cutoff)
        return self.mixed(ws, labels) if self.training and self.style_mixing else ws

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Images [N, C, H, W] of style codes ws [N, L, w_dim], with the noise that was kept, or that of `maps`."""
        return functional_call(self.synthesis, maps or {}, (ws,), {"noise": "const"})[0]

    def noise_maps(self) -> dict[str, Tensor]:
        """The kept noise [H, W] of each layer that has some: `b4.conv1.noise_const` ..."""
        layers = self.synthesis.named_modules()
        return {f"{name}.noise_const": layer.noise_const for name, layer in layers if isinstance(layer, StyledConv2d)}

    def entries(self) -> list[Tensor]:
        """The affine layers' weights [K, w_dim] that each style code is multiplied by."""
        return self.synthesis.entries()

    def mixed(self, ws: Tensor, labels: Tensor | None = None) -> Tensor:
        """ws [N, L, w_dim] with those from one random layer on taken from fresh latent codes (arXiv 1812.04948)."""
        other = self.mapping(torch.randn(len(ws), self.z_dim, device=ws.device), labels)
        return crossed(ws, other, self.style_mixing)

    def shares(self) -> list[str]:
        """The to-image layers'."""
        return [f"synthesis.b{side}.torgb.weight" for side in self.synthesis.sides]

    def measure(self) -> dict[str, Tensor]:
        """The mean style since the last call, if one was drawn in training: `w_mean` [w_dim]."""
        return self.mapping.measure()

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Pull the mean style of truncation towards the step's `w_mean`."""
        if "w_mean" in stats:
            self.mapping.follow(stats["w_mean"])


class Synthesis(nn.Module):
    """Style codes to images: a learned constant, doubled block by block."""

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__()
        rungs = ladder(brief.height, brief.width)
        self.num_ws, self.sides = 2 * len(rungs.sides), rungs.sides
        self.feature_channels = {
            side: channels(config.channel_base, config.channel_max, level) for level, side in enumerate(rungs.sides)
        }
        inputs = None
        for level, (side, outputs) in enumerate(self.feature_channels.items()):
            self.add_module(f"b{side}", Block(config, inputs, outputs, rungs.size(level), brief.channels))
            inputs = outputs

    def forward(
        self, ws: Tensor, *, sides: tuple[int, ...] = (), noise: Noise = "random"
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1], and the feature maps of `sides`, all float32.

        ValueError if a side is not one of the network's.
        """
        self.check(sides)
        codes = ws.unbind(dim=1)
        features: dict[int, Tensor] = {}
        x: Tensor | None = None
        image: Tensor | None = None
        for index, side in enumerate(self.sides):
            start = max(2 * index - 1, 0)  # a block's to-image layer shares the next block's first code
            x, image = self.get_submodule(f"b{side}")(x, image, codes[start : 2 * index + 2], noise)
            if side in sides:
                features[side] = x.float()
        assert image is not None
        return image, features

    def entries(self) -> list[Tensor]:
        """The affine layers' weights [K, w_dim] that each style code is multiplied by."""
        driven: list[list[Tensor]] = [[] for _ in range(self.num_ws)]
        for index, side in enumerate(self.sides):
            layers = [x for x in self.get_submodule(f"b{side}").children() if isinstance(x, StyledConv2d | ToImage)]
            for code, layer in enumerate(layers, start=2 * index + 2 - len(layers)):
                driven[code].append(layer.style_matrix())
        return [torch.cat(matrices) for matrices in driven]

    def check(self, sides: tuple[int, ...]) -> None:
        """ValueError if a side is not one of the network's."""
        if strange := set(sides) - set(self.sides):
            raise ValueError(f"no feature maps of side {sorted(strange)}; this generator has the sides {self.sides}.")


class Block(nn.Module):
    """Double the maps, convolve, add this resolution's share to the doubled image."""

    def __init__(
        self, config: StyleGAN2Generator, inputs: int | None, outputs: int, size: tuple[int, int], image_channels: int
    ):
        """`inputs`: channels of the block before; None for the first, which starts from a learned constant."""
        super().__init__()
        w_dim, clamp = config.w_dim, config.clamp
        if inputs is None:
            self.const = nn.Parameter(torch.randn(outputs, *size))
        else:
            self.conv0 = StyledConv2d(inputs, outputs, w_dim, size, up=2, clamp=clamp)
        self.first = inputs is None
        self.conv1 = StyledConv2d(outputs, outputs, w_dim, size, clamp=clamp)
        self.torgb = ToImage(outputs, image_channels, w_dim, clamp=clamp)

    def forward(
        self, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Maps and image of the block before, and a style code [N, w_dim] for each layer, to this block's."""
        if self.first:
            x = self.const.expand(codes[0].shape[0], -1, -1, -1).contiguous(memory_format=torch.channels_last)
        else:
            x = self.conv0(x, codes[0], noise)
        x = self.conv1(x, codes[-2], noise)
        share = self.torgb(x, codes[-1])
        return x, share if image is None else upsample2(image).add_(share)
