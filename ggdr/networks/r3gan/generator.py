"""The R3GAN generator: a learned basis weighted by the code, upsampled stage by stage (arXiv 2501.05441, sec. 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.projection import require_labels
from ggdr.layers.stages import Staged
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.r3gan import R3GANGeneratorConfig
from ggdr.networks.r3gan.blocks import R3GANTransition, initialise, stage, stages_of
from ggdr.networks.size import pyramid_of
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import compute_dtype


class R3GANGenerator(Staged, Generator):
    """Maps latent codes, with an embedding of labels beside them, to images."""

    def __init__(self, config: R3GANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        resolutions, widths, blocks = stages_of(config, spec)
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(resolutions, widths, strict=True))
        self.embed = nn.Linear(spec.labels, config.label_dim, bias=False) if spec.labels else None
        if self.embed is not None:
            initialise(self.embed, slope=1.0)
        self.enter = nn.Linear(config.z_dim + (config.label_dim if spec.labels else 0), widths[0], bias=False)
        initialise(self.enter, slope=1.0)
        self.basis = nn.Parameter(torch.randn(widths[0], *pyramid_of(spec.height, spec.width).size(0)))
        for level, (resolution, width) in enumerate(self.feature_channels.items()):
            if level:
                self.add_module(f"up{resolution}", R3GANTransition(widths[level - 1], width, up=2))
            self.add_module(f"b{resolution}", stage(width, blocks[level], config, sum(blocks)))
        self.toimage = nn.Conv2d(widths[-1], spec.channels, 1, bias=False)
        initialise(self.toimage, slope=1.0)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        self.check_resolutions(resolutions)
        features: dict[int, Tensor] = {}
        with self.stage_precision(min(self.feature_channels)):
            x = self.concatenate_input(z, labels)
        for level, resolution in enumerate(self.feature_channels):
            x = self.run_stage(resolution, self.get_submodule(f"up{resolution}"), x) if level else x
            x = self.run_stage(resolution, self.get_submodule(f"b{resolution}"), x)
            if resolution in resolutions:
                features[resolution] = x.float()
        return GeneratorOutput(self.toimage(x).float(), None, features)

    def concatenate_input(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Return the basis [N, C, h, w], each channel weighted by code and label."""
        if self.embed is not None:
            given = require_labels(labels, self.spec.labels).to(z.dtype)
            z = torch.cat([z, self.embed(given).to(z.dtype)], dim=1)
        x = self.basis * self.enter(z)[:, :, None, None]
        return channels_last(x.to(compute_dtype(x)))

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [channels, z_dim]."""
        return [self.enter.weight[:, : self.z_dim]]
