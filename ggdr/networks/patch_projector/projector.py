"""CUT's projector: two linear layers with a ReLU between them for each map (arXiv 2007.15651, sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Projector
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.patch_projector import PatchProjectorConfig


class PatchProjector(Projector):
    """Maps features of patches to codes."""

    def __init__(self, config: PatchProjectorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        width = config.channels
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width)) for features in config.widths
        )
        initialise(self, "xavier")

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Map features of each map [N, P, K] to codes [N, P, channels] float32, of length 1."""
        return [F.normalize(layer(x).float(), dim=-1) for layer, x in zip(self.layers, features, strict=True)]
