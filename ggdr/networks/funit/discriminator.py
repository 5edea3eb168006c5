"""FUNIT's discriminator: residual blocks, and a map of logits of each class (arXiv 1905.01723, app. A)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import require_labels
from ggdr.layers.residual import DownBlock
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.funit import FUNITDiscriminatorConfig
from ggdr.networks.size import check_halvings
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast

WIDEST = 16
"""Widest maps, times the settings' channels."""


class FUNITDiscriminator(Discriminator):
    """Maps images to logits of their patches, under their own class."""

    def __init__(self, config: FUNITDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        check_halvings((spec.height, spec.width), 1, config.name)
        width = config.channels
        self.enter = nn.Conv2d(spec.channels, width, 3, padding=1)
        self.levels, self.map_channels = nn.ModuleList(), dict[int, int]()
        level = 0
        # Unlike the paper: ReLU, where it has the leaky one.
        while level < config.halvings and (spec.height >> level) % 2 == (spec.width >> level) % 2 == 0:
            narrow, width = width, config.channels * min(2 << level, WIDEST)
            level += 1
            self.levels.append(nn.Sequential(
                DownBlock(narrow, width, norm="none", down=False), DownBlock(width, width, norm="none")
            ))  # fmt: skip
            self.map_channels[spec.height >> level] = width
        self.map_channels = dict(sorted(self.map_channels.items()))
        self.last = nn.Sequential(*(DownBlock(width, width, norm="none", down=False) for _ in range(2)))
        self.out = nn.Conv2d(width, max(spec.labels, 1), 1)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, P] float32 of P patches, and the halved maps, of which the smallest are the last ones."""
        x, maps = self.enter(channels_last(image)), dict[int, Tensor]()
        for level in self.levels:
            x = level(x)
            maps[x.shape[2]] = x
        maps[x.shape[2]] = x = self.last(x)
        with without_autocast(x):
            logits = self.out(F.relu(at_least_float32(x)))
            if self.spec.labels:
                shares = require_labels(labels, self.spec.labels).to(logits.dtype)
                logits = (logits * shares[:, :, None, None]).sum(1)
        return logits.flatten(1), maps

    def stages(self) -> list[nn.Module]:
        """Return the layers from the image inwards."""
        return [self.enter, *self.levels, self.last, self.out]
