"""The discriminator of Diffusion-GAN: the timestep joins the labels (arXiv 2206.02262, sec. 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.timestep import TimestepDiscriminatorConfig
from ggdr.networks.wrappers import discriminator as around

LONGEST = 10_000.0
"""steps, times 2 pi, of the slowest wave"""


class TimestepDiscriminator(around.WrapperDiscriminator):
    """A wrapper that takes the last column of the labels for a number of steps, and shows its encoder waves of it."""

    config: TimestepDiscriminatorConfig

    def __init__(self, config: TimestepDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        labels = spec.labels + 2 * config.frequencies
        super().__init__(config, spec, extra, spec._replace(labels=labels, label_names=(), label_ranges=()))

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Return the encoder's output for image [N, C, H, W] in [-1, 1] and labels [N, L + 1], or [N, L] of clean
        ones."""
        return self.encoder(image, self.encoder_labels(image, labels), resolutions=resolutions)

    def encoder_labels(self, image: Tensor, labels: Tensor | None) -> Tensor:
        """Return the encoder's labels [N, L + 2 F]: those given, and waves of the steps."""
        given = image.new_zeros(len(image), 0) if labels is None else labels.to(torch.float32)
        told = given.shape[1] > self.spec.labels
        steps = given[:, -1] if told else image.new_zeros(len(image))
        places = torch.arange(self.config.frequencies, device=image.device) / self.config.frequencies
        angles = steps.float()[:, None] * LONGEST**-places
        return torch.cat([given[:, : self.spec.labels].float(), angles.sin(), angles.cos()], dim=1)
