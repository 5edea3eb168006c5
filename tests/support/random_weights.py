"""Files of random weights, in the formats in which the published ones come."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import torch


def inception_in(folder: Path) -> Path:
    """Inception-v3 as torch-fidelity reads it."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Fresh(FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            """Keep what the layers were made with."""

    empty = BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    state = Fresh("fresh", ["2048"], empty).state_dict()
    for value in state.values():
        if value.ndim == 4:  # so that something of the image is left after 94 layers
            torch.nn.init.kaiming_normal_(value)
    torch.save(state, folder / "inception.pth")
    return folder / "inception.pth"


def dinov2_in(folder: Path) -> Path:
    """ViT-S at its own 518 px, under Meta's names as far as they differ from timm's."""
    import timm

    torch.manual_seed(0)
    state = timm.create_model("vit_small_patch14_dinov2", num_classes=0).state_dict()
    for name, value in state.items():  # blocks start as next to nothing
        state[name] = torch.randn_like(value) if name == "pos_embed" or "gamma" in name else value
    torch.save(state | {"mask_token": torch.zeros(1, 384)}, folder / "dinov2_vits14.pth")
    return folder / "dinov2_vits14.pth"


CPU = torch.device("cpu")


LITTLE = "test_vit2.r160_in1k"
"""a model of timm with 0.5 million weights"""
