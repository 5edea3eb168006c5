"""The generators of BigGAN and BigGAN-deep: z and class enter every block (arXiv 1809.11096, app. B)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.attention import nearest_resolution
from ggdr.layers.norm import ConditionalBatchNorm2d
from ggdr.layers.projection import require_labels
from ggdr.layers.residual import UpBlock
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.biggan import BigGANDeepGeneratorConfig, BigGANGeneratorBaseConfig, BigGANGeneratorConfig
from ggdr.networks.biggan.bottleneck import UpStage
from ggdr.networks.biggan.init import orthogonal
from ggdr.networks.sngan.generator import ResidualGenerator
from ggdr.ops.precision import without_autocast


class BigGANBaseGenerator(ResidualGenerator):
    """Residual generator with a style code for the linear layer and for each block: a part of z beside the class."""

    config: BigGANGeneratorBaseConfig

    def __init__(self, config: BigGANGeneratorBaseConfig, spec: ImageSpec, share: int, whole: bool):
        """Build the network; `share`: width of z's part in a style code. `whole`: the class enters the linear layer,
        too."""
        width = share + (config.embedding if spec.labels else 0)
        super().__init__(config, spec, (config.channels, config.channel_max), width if whole else share, width)
        self.places, self.w_dim = len(self.feature_channels), width
        self.embed = nn.Linear(spec.labels, config.embedding, bias=False) if spec.labels else None
        orthogonal(self)
        apply_spectral_norm(self, exclude=[] if self.embed is None else [self.embed])

    def forward(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        resolutions: tuple[int, ...] = (),
        psi: float | Tensor = 1.0,
        cutoff: int | None = None,
    ) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, style codes, and the maps of `resolutions`.

        psi: factor of z, 1 for the full variety. cutoff: number of style codes that psi scales (None: all). UserError
        if a resolution is not one of the network's, or a label is missing.
        """
        ws = self.styles(z, labels, psi=psi, cutoff=cutoff)
        image, features = self.synthesize_styles(ws, resolutions)
        return GeneratorOutput(image, ws, features)

    def styles(
        self, z: Tensor, labels: Tensor | None = None, *, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Return style codes [N, L, D] of z [N, z_dim] and labels, truncated."""
        # Unlike the paper: z is scaled, not drawn again where it lies beyond a threshold, so that an image follows psi.
        shares = self.split_latent(z.float())
        end = self.places if cutoff is None else cutoff
        shares = torch.cat([shares[:, :end] * psi, shares[:, end:]], dim=1)
        if self.embed is None:
            return shares
        with without_autocast(z):
            embedded = self.embed(require_labels(labels, self.spec.labels).float())
        return torch.cat([shares, embedded.unsqueeze(1).expand(-1, self.places, -1)], dim=2)

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return images [N, C, H, W] of style codes ws [N, L, D]; there is no noise."""
        return self.synthesize_styles(ws, ())[0]

    def synthesize_styles(self, ws: Tensor, resolutions: tuple[int, ...]) -> tuple[Tensor, dict[int, Tensor]]:
        """Return images of style codes, and the maps of `resolutions`, float32."""
        first, *others = ws.unbind(dim=1)
        return self.synthesize_codes([first[:, : self.fc.in_features], *others], resolutions)

    def input_matrices(self) -> list[Tensor]:
        """Return the weights [K, D] that each style code is multiplied by: the linear layer's, then each block's."""
        stages = [self.get_submodule(f"b{resolution}").modules() for resolution in list(self.feature_channels)[1:]]
        layers = [[layer for layer in stage if isinstance(layer, ConditionalBatchNorm2d)] for stage in stages]
        steered = [torch.cat([matrix for layer in stage for matrix in layer.input_matrices()]) for stage in layers]
        return [F.pad(self.fc.weight, (0, steered[0].shape[1] - self.fc.in_features)), *steered]

    def attends(self, resolution: int) -> bool:
        """Whether the maps of this resolution attend to themselves."""
        return resolution == nearest_resolution(self.config.attention, list(self.feature_channels)[1:])

    def split_latent(self, z: Tensor) -> Tensor:
        """Return the part of z [N, z_dim] in each style code: [N, L, share]."""
        raise NotImplementedError


class BigGANGenerator(BigGANBaseGenerator):
    """BigGAN's generator: each style code has its own part of z."""

    def __init__(self, config: BigGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec, config.z_part, whole=False)
        self.z_dim = config.z_part * self.places

    def stage(self, resolution: int, in_channels: int, out_channels: int, code: int) -> nn.Module:
        """Return one residual block."""
        return UpBlock(in_channels, out_channels, code, self.attends(resolution))

    def split_latent(self, z: Tensor) -> Tensor:
        """Split z into parts, one for each style code."""
        return z.unflatten(1, (self.places, -1))


class BigGANDeepGenerator(BigGANBaseGenerator):
    """BigGAN-deep's generator: each style code has all of z."""

    def __init__(self, config: BigGANDeepGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec, config.z_dim, whole=True)
        self.z_dim = config.z_dim

    def stage(self, resolution: int, in_channels: int, out_channels: int, code: int) -> nn.Module:
        """Return two bottleneck blocks."""
        return UpStage(in_channels, out_channels, code, self.attends(resolution))

    def split_latent(self, z: Tensor) -> Tensor:
        """Repeat all of z for each style code."""
        return z.unsqueeze(1).expand(-1, self.places, -1)
