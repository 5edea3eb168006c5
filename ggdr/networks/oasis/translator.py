"""OASIS's generator: SPADE's, whose condition has a code at each place beside the label map (arXiv 2012.04781)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.networks.oasis import OASISTranslatorConfig
from ggdr.networks.spade.translator import SPADETranslator


class OASISTranslator(SPADETranslator):
    """Maps label maps, and a code of each image or of each place, to images."""

    config: OASISTranslatorConfig

    @property
    def conditions(self) -> int:
        return self.z_dim + super().conditions

    def first_layer(self) -> nn.Module:
        self.size_divisor = 1 << self.doublings
        return nn.Conv2d(self.conditions, self.first_width, 3, padding=1)

    def first_maps(self, condition: Tensor, z: Tensor | None) -> Tensor:
        return self.first(condition)

    def condition(self, shown: Tensor, z: Tensor | None) -> Tensor:
        """Return codes and label map one behind the other [N, z_dim + C, H, W]; z [N, z_dim], or [N, z_dim, H, W]."""
        if z is None:
            raise ValueError(f"this translator takes codes beside images: pass z [N, {self.z_dim}].")
        places = z if z.dim() == 4 else z[:, :, None, None].expand(-1, -1, *shown.shape[2:])
        return torch.cat([places.to(shown.dtype), shown], dim=1)
