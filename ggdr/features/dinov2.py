"""Features of DINOv2, closer to what people find like than Inception's (arXiv 2306.04675)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from ggdr.features.base import Embedder, Extractor, PatchEmbedder
from ggdr.features.timm import TimmEmbedder, TimmModel, TimmPatches, model
from ggdr.lazy import F, Tensor, torch
from ggdr.registry import Capability, extractors

SIDE_PX, PATCH_PX = 224, 14
SIZES = {"s": "small", "b": "base", "l": "large", "g": "giant"}
WIDTHS = {"s": 384, "b": 768, "l": 1024, "g": 1536}
OFFSET = 0.1
"""patches that the published network adds to height and width before it resizes its position codes"""


@extractors.register("dinov2", paper="2304.07193")
@dataclass(frozen=True, kw_only=True)
class DINOv2(Extractor):
    """DINOv2 vision transformer, trained without labels (Oquab et al. 2023): its class token, 1,024 features for ViT-L.

    Images at 224 px, bicubic, as in Stein et al. 2023; the network is timm's, without registers.
    """

    size: Literal["s", "b", "l", "g"] = "l"
    """ViT-S, B, L or g, with 384, 768, 1,024 or 1,536 features"""
    weights: str | None = None
    """file of the weights, timm's or Meta's; None: from the cache of the Hub, fetched (L: 1.2 GB) if not there"""
    provides: ClassVar = frozenset({Capability.SMOOTH, Capability.PATCHES})

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if its weights are not at hand."""
        return TimmEmbedder(self.built(), device, filter="bicubic")

    def patch_width(self) -> int:
        """The width of a token."""
        return WIDTHS[self.size]

    def load_patches(self, device: torch.device) -> PatchEmbedder:
        """The network, whose tokens are of 16 x 16 parts; UserError if its weights are not at hand."""
        return TimmPatches(self.built(), device, filter="bicubic")

    def built(self) -> TimmModel:
        """The network at SIDE_PX with its weights; UserError if they are not at hand."""
        name = f"vit_{SIZES[self.size]}_patch14_dinov2.lvd142m"
        return model(name, self.weights, resolution=SIDE_PX, adapt=resize_position_codes)


def resize_position_codes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Resize position codes to SIDE_PX, bicubic as the published network does, not as timm does; other weights stay."""
    if (codes := state.get("pos_embed")) is None:
        return dict(state)
    resolution, patches = round((codes.shape[1] - 1) ** 0.5), SIDE_PX // PATCH_PX
    grid = codes[:, 1:].float().unflatten(1, (resolution, resolution)).permute(0, 3, 1, 2)
    scale = (patches + OFFSET) / resolution
    grid = grid if resolution == patches else F.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
    return {**state, "pos_embed": torch.cat([codes[:, :1].float(), grid.flatten(2).transpose(1, 2)], dim=1)}
