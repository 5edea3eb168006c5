"""The StyleGAN3 generator: a mapping network, and an alias-free synthesis (arXiv 2106.12423, fig. 4b)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.mapping import StyleMapping
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.size import pyramid_of
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.networks.stylegan3.layers import (
    FilterSettings,
    FourierFeatures,
    ModulatedLayer,
    StyleGAN3Layer,
    StyleGAN3ToImage,
)
from ggdr.networks.stylegan3.plan import plan


class StyleGAN3Generator(Generator):
    """Maps latent codes to images, by way of style codes."""

    def __init__(self, config: StyleGAN3GeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        self.z_dim, self.w_dim, self.half_life = config.z_dim, config.w_dim, 1000 * config.magnitude_kimg
        self.synthesis = StyleGAN3Synthesis(config, spec)
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
    ) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, and the feature maps of `resolutions`.

        psi: 1 for the full variety, towards 0 for the mean image; a tensor [] stays an input of a traced graph. cutoff:
        number of style codes that psi pulls (None: all).
        """
        ws = self.styles(z, labels, psi=psi, cutoff=cutoff)
        image, features = self.synthesis(ws, resolutions)
        return GeneratorOutput(image, ws, features)

    def styles(
        self, z: Tensor, labels: Tensor | None = None, *, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Return truncated style codes [N, L, w_dim] of z [N, z_dim]: the input's, each layer's, the to-image
        layer's."""
        return self.mapping.codes(z, labels, self.synthesis.num_ws, psi, cutoff)

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return images [N, C, H, W] of style codes ws [N, L, w_dim]; there is no noise that `maps` could replace."""
        return self.synthesis(ws)[0]

    def resolution_layers(self) -> dict[int, list[str]]:
        """Return the names of each resolution's layers: the input is the first one's, the to-image layer the last's."""
        return {resolution: [f"synthesis.{name}" for name in names] for resolution, names in self.synthesis.layers()}

    def input_matrices(self) -> list[Tensor]:
        """Return the affine layers' weights [K, w_dim] that each style code is multiplied by."""
        return [part.style_matrix() for part in self.synthesis.parts()]

    def measure(self) -> dict[str, Tensor]:
        """Return means since the last call, if it ran in training: the style `w_mean`, each layer's `magnitude/l0`
        ..."""
        means = {f"magnitude/{name}": layer.seen.take() for name, layer in self.synthesis.modulated_layers()}
        return self.mapping.measure() | {name: mean for name, mean in means.items() if mean is not None}

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Move the mean style of truncation, and the layers' mean squares, towards the step's."""
        if "w_mean" in stats:
            self.mapping.follow(stats["w_mean"])
        for name, layer in self.synthesis.modulated_layers():
            if (key := f"magnitude/{name}") in stats:
                layer.follow(stats[key], stats["images"], self.half_life)


class StyleGAN3Synthesis(nn.Module):
    """Maps style codes to images: Fourier features, filtered layer by layer."""

    def __init__(self, config: StyleGAN3GeneratorConfig, spec: ImageSpec):
        super().__init__()
        levels = pyramid_of(spec.height, spec.width)
        layers, w_dim = plan(config, levels), config.w_dim
        self.margins = config.margin, config.margin if config.margin_width is None else config.margin_width
        sizes = [self.outer(*levels.size(rung.level)) for rung in layers]
        how = FilterSettings(config.taps, config.config == "R", config.clamp)
        self.num_ws = config.layers + 2
        self.input = FourierFeatures(layers[0].channels, w_dim, layers[0].band, sizes[0])
        for index, (before, after, size) in enumerate(zip([layers[0], *layers], layers, sizes, strict=False)):
            self.add_module(f"l{index}", StyleGAN3Layer(before, after, size, how, w_dim))
        self.toimage = StyleGAN3ToImage(layers[-1].channels, spec.channels, w_dim, config.output_scale, config.clamp)
        self.last = {levels.resolutions[rung.level]: index for index, rung in enumerate(layers)}
        """resolution -> the last layer that hands on maps of it"""
        self.feature_channels = {resolution: layers[index].channels for resolution, index in self.last.items()}

    def forward(self, ws: Tensor, resolutions: tuple[int, ...] = ()) -> tuple[Tensor, dict[int, Tensor]]:
        """Map ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1] and maps of `resolutions` without margins, float32.

        UserError if a resolution is not one of the network's.
        """
        if strange := sorted(set(resolutions) - set(self.last)):
            raise ValueError(f"no feature maps of resolution {strange}; this generator has {sorted(self.last)}.")
        first, *codes, final = ws.unbind(dim=1)
        wanted, found = {self.last[resolution]: resolution for resolution in resolutions}, {}
        x = self.input(first)
        for index, code in enumerate(codes):
            x = self.get_submodule(f"l{index}")(x, code)
            if index in wanted:
                found[wanted[index]] = self.inner(x).float()
        return self.toimage(self.inner(x), final), found

    def outer(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of maps with their margins."""
        return height + 2 * self.margins[0], width + 2 * self.margins[1]

    def inner(self, x: Tensor) -> Tensor:
        """Return the maps without their margins."""
        top, left = self.margins
        return x[:, :, top : x.shape[2] - top, left : x.shape[3] - left]

    def layers(self) -> list[tuple[int, list[str]]]:
        """Return each resolution with the names of its layers, the smallest first."""
        ends = sorted(self.last.items(), key=lambda pair: pair[1])
        starts = [0, *(last + 1 for _, last in ends)]
        found = [
            (resolution, [f"l{n}" for n in range(start, last + 1)])
            for start, (resolution, last) in zip(starts, ends, strict=False)
        ]
        found[0][1].insert(0, "input")
        found[-1][1].append("toimage")
        return found

    def parts(self) -> list[FourierFeatures | ModulatedLayer]:
        """Return the modules that the style codes enter, in order."""
        return [part for part in self.modules() if isinstance(part, FourierFeatures | ModulatedLayer)]

    def modulated_layers(self) -> list[tuple[str, ModulatedLayer]]:
        """Return the layers that track the mean square of their input, with their names."""
        return [(name, part) for name, part in self.named_modules() if isinstance(part, ModulatedLayer)]
