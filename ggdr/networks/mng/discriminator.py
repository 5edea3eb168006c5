"""The discriminator of MNG: images of all heads, with nested noise, are one image of many channels (2509.24935)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.wrappers import discriminator as around
from ggdr.ops.nested_noise import nested_noise


class MNGDiscriminator(around.WrapperDiscriminator):
    """Noises the images of all heads, and lets its encoder judge them together."""

    config: MNGDiscriminatorConfig

    def __init__(self, config: MNGDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, spec._replace(channels=spec.channels * len(config.levels)))

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map images of all heads [N, K * C, H, W], or one [N, C, H, W], and labels [N, L] to the encoder's output."""
        return self.encoder(self.noised(image), labels, resolutions=resolutions)

    def noised(self, image: Tensor, draws: Sequence[Tensor] | None = None) -> Tensor:
        """Return images [N, K * C, H, W], or one [N, C, H, W] K times, each at its level of noise.

        `draws`: standard normal noise [N, C, H, W] for each level, the least first; None: drawn, in training alone.
        """
        levels = self.config.levels
        if image.shape[1] == self.spec.channels:
            image = image.repeat(1, len(levels), 1, 1)
        images = image.chunk(len(levels), dim=1)
        shown = [(1 - level) * each for level, each in zip(levels, images, strict=True)]
        if draws is None and self.training:
            draws = [torch.randn_like(each) for each in images]
        if draws is not None:
            noise = nested_noise(draws, levels[::-1])[::-1]
            shown = [each + added for each, added in zip(shown, noise, strict=True)]
        return torch.cat(shown, dim=1)
