"""StackGAN's two stages on digits, tiny: a saved stage I, and the recipes of both."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tiny
import torch

from ggdr.data.digits import Digits
from ggdr.networks.conditioning_augmentation import ConditioningAugmentationGeneratorConfig
from ggdr.networks.stage_two import StageTwoGeneratorConfig
from ggdr.recipe import Recipe
from ggdr.regularizers.kl import KLDivergence
from ggdr.regularizers.mismatched import Mismatched
from ggdr.saving.model import save_model

DIGITS = Digits(size=16, subset=64, labels=True)
FIRST = ConditioningAugmentationGeneratorConfig.tiny()


def one() -> Recipe:
    """Stage I, at 16 px."""
    return dataclasses.replace(
        tiny.dcgan(tiny.recipe),
        data=DIGITS,
        generator=FIRST,
        regularizers={"kl": KLDivergence(), "wrong": Mismatched()},
    )


def two(first: Path | str, **changes) -> Recipe:
    """Stage II at 32 px, of the stage I in a folder."""
    generator = dataclasses.replace(StageTwoGeneratorConfig.tiny(), stage_one=str(first))
    recipe = dataclasses.replace(one(), data=dataclasses.replace(DIGITS, size=32), generator=generator)
    return dataclasses.replace(recipe, **changes)


def save_first(folder: Path) -> Path:
    """A stage I of digits, with weights and statistics away from their start."""
    torch.manual_seed(1)
    save_model(tiny.moved(FIRST.build(DIGITS.open().spec)), folder)
    return folder
