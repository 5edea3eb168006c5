"""The StyleGAN2 generator: a mapping network, and a synthesis that sums one image a block (arXiv 1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ggdr import network
from ggdr.layers.mapping import MappingNetwork
from ggdr.layers.running import RunningMean, finite
from ggdr.layers.style import Noise, StyledConv2d, ToImage
from ggdr.networks.base import Brief, Sample
from ggdr.networks.size import channels, ladder
from ggdr.networks.stylegan2 import StyleGAN2Generator
from ggdr.ops.fir import upsample2


class Generator(network.Generator):
    """Latent codes to images, by way of style codes."""

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__(config, brief)
        self.z_dim, self.w_dim, self.style_mixing = config.z_dim, config.w_dim, config.style_mixing
        self.synthesis = Synthesis(config, brief)
        self.mapping = StyleMapping(config, brief)
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

    def continued(self, maps: Tensor, side: int, w: Tensor) -> Tensor:
        """Images [N, C, H, W] of maps such as the block of that side hands on, in one style w [N, w_dim]."""
        return self.synthesis.continued(maps, side, w.unsqueeze(1).expand(-1, self.synthesis.num_ws, -1))

    def noise_maps(self) -> dict[str, Tensor]:
        """The kept noise [H, W] of each layer that has some: `b4.conv1.noise_const` ..."""
        layers = self.synthesis.named_modules()
        return {f"{name}.noise_const": layer.noise_const for name, layer in layers if isinstance(layer, StyledConv2d)}

    def entries(self) -> list[Tensor]:
        """The affine layers' weights [K, w_dim] that each style code is multiplied by."""
        return self.synthesis.entries()

    def mixed(self, ws: Tensor, labels: Tensor | None = None) -> Tensor:
        """ws [N, L, w_dim] with those from one random layer on taken from fresh latent codes (arXiv 1812.04948)."""
        samples, layers, _ = ws.shape
        other = self.mapping(torch.randn(samples, self.z_dim, device=ws.device), labels).unsqueeze(1)
        crossover = torch.randint(1, layers, [], device=ws.device)
        stay = torch.rand([], device=ws.device) >= self.style_mixing
        layer = torch.arange(layers, device=ws.device)[:, None]
        return torch.where((layer < crossover) | stay, ws, other)

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


class StyleMapping(MappingNetwork):
    """A mapping network that keeps the mean of its styles for truncation."""

    w_avg: Tensor

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__(config.z_dim, brief.labels, config.w_dim, config.mapping_layers)
        self.beta = config.w_avg_beta
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.seen = RunningMean()

    def truncated(self, ws: Tensor, psi: float | Tensor, cutoff: int | None = None) -> Tensor:
        """ws [N, L, w_dim], its first `cutoff` codes (None: all) pulled towards the mean by 1 - psi."""
        if not isinstance(psi, Tensor) and psi == 1:
            return ws
        return torch.cat([self.w_avg.lerp(ws[:, :cutoff], psi), ws[:, ws.shape[1] if cutoff is None else cutoff :]], 1)

    def record(self, w: Tensor) -> None:
        """Remember the mean of w [N, w_dim] until it is measured."""
        self.seen.add(w.detach().mean(dim=0))

    def measure(self) -> dict[str, Tensor]:
        """The mean of what was recorded since the last call, if anything was."""
        mean = self.seen.take()
        return {} if mean is None else {"w_mean": mean}

    def follow(self, mean: Tensor) -> None:
        """Move the kept mean towards a step's mean [w_dim]."""
        # Unlike the published code: once a step for its two passes, over all micro-batches and processes, so that
        # every process holds the same.
        self.w_avg.lerp_(finite(mean, self.w_avg), 1 - self.beta**2)


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
        for side in self.sides:
            x, image = self.doubled(side, x, image, codes, noise)
            if side in sides:
                features[side] = x.float()
        assert image is not None
        return image, features

    def continued(self, x: Tensor, side: int, ws: Tensor, noise: Noise = "const") -> Tensor:
        """The maps x [N, K, r, r * W / H] of a side r and ws [N, L, w_dim] to images, by the blocks that follow.

        The image starts with this side's share. ValueError if the side is not one of the network's.
        """
        self.check((side,))
        codes, index = ws.unbind(dim=1), self.sides.index(side)
        image = self.get_submodule(f"b{side}.torgb")(x, codes[2 * index + 1])
        for later in self.sides[index + 1 :]:
            x, image = self.doubled(later, x, image, codes, noise)
        return image

    def doubled(
        self, side: int, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Maps and image of the block before, None at the first, to those of the block of this side."""
        index = self.sides.index(side)
        start = max(2 * index - 1, 0)  # a block's to-image layer shares the next block's first code
        return self.get_submodule(f"b{side}")(x, image, codes[start : 2 * index + 2], noise)

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
