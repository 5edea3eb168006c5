"""The base of StyleGAN and StyleGAN2: a mapping network, and a synthesis that styles modulate (arXiv 1812.04948)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ggdr.layers.mapping import StyleMapping, mix_random_layers
from ggdr.layers.style import Noise, NoiseLayer
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator

if TYPE_CHECKING:
    from ggdr.networks.stylegan import StyleGANGeneratorConfig
    from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig


class StyleBasedSynthesis(nn.Module):
    """Maps style codes to images. A subclass sets the attributes below."""

    num_ws: int
    """Number of style codes it takes."""
    resolutions: list[int]
    """Resolutions (heights) of its maps, pixels, the smallest first."""
    feature_channels: dict[int, int]
    """Channels of its maps by resolution."""

    def forward(
        self, ws: Tensor, *, resolutions: tuple[int, ...] = (), noise: Noise = "random"
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Map ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1], and the maps of `resolutions`, all float32.

        UserError if a resolution is not one of the network's.
        """
        raise NotImplementedError

    def input_matrices(self) -> list[Tensor]:
        """Return the affine layers' weights [K, w_dim] that each style code is multiplied by."""
        raise NotImplementedError

    @property
    def in_use(self) -> int:
        """Return the number of style codes, from the first on, that reach the image."""
        return self.num_ws

    def check(self, resolutions: tuple[int, ...]) -> None:
        """Raise UserError if a resolution is not one of the network's."""
        if strange := set(resolutions) - set(self.resolutions):
            raise ValueError(f"no feature maps of resolution {sorted(strange)}; this generator has {self.resolutions}.")


class StyleBasedGenerator(Generator):
    """Maps latent codes to images, by way of style codes: the base of StyleGAN and StyleGAN2."""

    def __init__(
        self,
        config: StyleGANGeneratorConfig | StyleGAN2GeneratorConfig,
        spec: ImageSpec,
        synthesis: StyleBasedSynthesis,
    ):
        super().__init__(config, spec)
        self.z_dim, self.w_dim, self.style_mixing = config.z_dim, config.w_dim, config.style_mixing
        self.synthesis = synthesis
        self.mapping = StyleMapping(config.z_dim, spec.labels, config.w_dim, config.mapping_layers, config.w_avg_beta)
        self.feature_channels = self.synthesis.feature_channels

    def forward(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        resolutions: tuple[int, ...] = (),
        psi: float | Tensor = 1.0,
        cutoff: int | None = None,
        noise: Noise = "random",
    ) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, and the feature maps of `resolutions`.

        psi: 1 for the full variety, towards 0 for the mean image; a tensor [] stays an input of a traced graph. cutoff:
        number of style codes that psi pulls (None: all). noise: fresh, the same at each call, or none. Training mixes
        styles, evaluation does not.
        """
        ws = self.styles(z, labels, psi=psi, cutoff=cutoff)
        image, features = self.synthesis(ws, resolutions=resolutions, noise=noise)
        return GeneratorOutput(image, ws, features)

    def styles(
        self, z: Tensor, labels: Tensor | None = None, *, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Return style codes [N, L, w_dim] of z [N, z_dim], truncated, and in training mixed."""
        ws = self.mapping.codes(z, labels, self.synthesis.num_ws, psi, cutoff)
        return self.mix(ws, labels) if self.training and self.style_mixing else ws

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return images [N, C, H, W] of style codes ws [N, L, w_dim], with the registered noise, or that of `maps`."""
        return functional_call(self.synthesis, maps or {}, (ws,), {"noise": "const"})[0]

    def resolution_layers(self) -> dict[int, list[str]]:
        """Return the names of each resolution's modules: its block, and its to-image layer where that is apart."""
        found = {name for name, _ in self.synthesis.named_children()}
        return {
            resolution: [f"synthesis.{name}" for name in (f"b{resolution}", f"torgb{resolution}") if name in found]
            for resolution in self.synthesis.resolutions
        }

    def noise_maps(self) -> dict[str, Tensor]:
        """Return the registered noise [H, W] of each layer that has some: `b4.conv1.noise_const` ..."""
        layers = self.synthesis.named_modules()
        return {f"{name}.noise_const": layer.noise_const for name, layer in layers if isinstance(layer, NoiseLayer)}

    def input_matrices(self) -> list[Tensor]:
        """Return the affine layers' weights [K, w_dim] that each style code is multiplied by."""
        return self.synthesis.input_matrices()

    def mix(self, ws: Tensor, labels: Tensor | None = None) -> Tensor:
        """Replace the styles of ws [N, L, w_dim] from one random layer on by those of fresh codes (arXiv
        1812.04948)."""
        other = self.mapping(torch.randn(len(ws), self.z_dim, device=ws.device), labels)
        return mix_random_layers(ws, other, self.style_mixing, self.synthesis.in_use)

    def measure(self) -> dict[str, Tensor]:
        """Return the mean style since the last call, if one was drawn in training: `w_mean` [w_dim]."""
        return self.mapping.measure()

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Move the mean style of truncation towards the step's `w_mean`."""
        if "w_mean" in stats:
            self.mapping.follow(stats["w_mean"])
