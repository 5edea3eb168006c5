"""Runs of translators, tiny and short, and pictures for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import labelled
import numpy as np
import tiny
from PIL import Image

from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer

RECIPES: dict[str, dict] = {
    "unpaired": {"generator": ResnetTranslatorConfig.tiny()},
    "paired": {"generator": UNetTranslatorConfig.tiny()},
    "shared_encoder": {"generator": NICETranslatorConfig.tiny(), "discriminator": NICEDiscriminatorConfig.tiny()},
    "one_way": {"generator": ResnetTranslatorConfig.tiny()},
    "one_size": {},
    "multimodal": {},
    "few_shot": {},
    "relabelled": {"generator": ResnetTranslatorConfig.tiny()},
}


def trained(name: str, out: Path) -> Path:
    """The folder of a run of two steps, of the game `name`; "one_size" plays unpaired with translators of one size."""
    recipe = labelled.recipe_of("unpaired" if name == "one_size" else name)
    run = tiny.tiny_run(dataclasses.replace(recipe, total_kimg=0.016, **RECIPES[name]), out)
    with Trainer(run) as trainer:
        train_loop(trainer)
    return out


def photo(width: int = 40, height: int = 24, mode: str = "RGB") -> Image.Image:
    """A picture of noise."""
    values = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)
