"""The discriminator of PA-GAN: random bits join the image, and their parity flips the logit (arXiv 1901.10422)."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.wrappers import discriminator as around


class PAGANDiscriminator(around.WrapperDiscriminator):
    """Maps images to logits, by an encoder that sees random bits beside them; in evaluation all bits are 0."""

    config: PAGANDiscriminatorConfig
    level: Tensor
    """bits that are drawn, a scalar; a share of one comes now and then"""

    def __init__(self, config: PAGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, spec._replace(channels=spec.channels + config.levels))
        self.levels = config.levels
        self.register_buffer("level", torch.zeros([]))

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits, with the sign that odd parity flips
        restored."""
        bits = self.draw_bits(image)
        output = self.encoder(append_bits(image, bits), labels, resolutions=resolutions)
        turned = {
            name: parity(bits, logits) * logits
            for name in ("logits", "pixel_logits", "direction_logits")
            if (logits := output._asdict()[name]) is not None
        }
        more = tuple(parity(bits, logits) * logits for logits in output.more_logits)
        return output._replace(**turned, more_logits=more)

    def draw_bits(self, image: Tensor) -> Tensor:
        """Draw bits [N, levels]: at level 1.5 the first is fair, and the second 1 with probability 1/4."""
        place = torch.arange(self.levels, device=image.device)
        chance = (self.level - place).clamp(0, 1) / 2 * self.training
        return (torch.rand(len(image), self.levels, device=image.device) < chance).to(image.dtype)

    def set_kimg(self, kimg: float) -> None:
        """Draw as many bits from here on as the settings say for this time; `levels` of them at most."""
        self.level.fill_(min(self.config.bits(kimg), self.levels))


def append_bits(image: Tensor, bits: Tensor) -> Tensor:
    """Append bits [N, B] as channels to image [N, C, H, W]: [N, C + B, H, W]."""
    return torch.cat([image, bits[:, :, None, None].expand(-1, -1, *image.shape[2:])], dim=1)


def parity(bits: Tensor, logits: Tensor) -> Tensor:
    """Return 1 where the sum of bits [N, B] is even, -1 where it is odd, with as many dimensions as the logits."""
    sign = 1 - 2 * bits.sum(dim=1).remainder(2)
    return sign.view(-1, *[1] * (logits.dim() - 1)).to(logits.dtype)
