"""Fréchet distance of DINOv2 features."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.features.dinov2 import DINOv2
from ggdr.metrics.fid import FID
from ggdr.registry import metrics


@metrics.register("fd_dinov2", paper="2306.04675")
@dataclass(frozen=True, kw_only=True)
class FDDINOv2(FID):
    """FID with DINOv2 in Inception's place, nearer to what people find real, lower is better (Stein et al. 2023)."""

    extractor: DINOv2 = DINOv2()
    """feature extractor that turns images into features"""
