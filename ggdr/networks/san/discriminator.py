"""The discriminator of a slicing adversarial network: the last layer is a direction, taught apart (2301.12811)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.san import SANDiscriminatorConfig
from ggdr.networks.wrappers import discriminator as around
from ggdr.ops.precision import without_autocast


class SANDiscriminator(around.WrapperDiscriminator):
    """Splits an encoder's logit in two: one that teaches what the last layer reads, one that teaches its direction."""

    def __init__(self, config: SANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, spec)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N], direction_logits [N], and all else that
        the encoder says; it draws no `resolutions`."""
        (code, direction, bias), maps = self.encoder.factors(image, labels)
        with without_autocast(code):
            direction = F.normalize(direction, dim=-1)
            logits = LogitFactors(code, direction.detach(), bias).logits
            direction_logits = LogitFactors(code.detach(), direction, 0.0).logits
        return self.encoder.output(logits, maps, labels)._replace(direction_logits=direction_logits)
