"""Recipes of label maps, tiny: images of noise whose reals have maps, and OASIS's translation of maps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import several
import tiny
import torch

from ggdr.augment.ada import ADA
from ggdr.data.base import Batch, DataSet, Images
from ggdr.games.paired import PairedGame
from ggdr.losses.segmentation import Segmentation
from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.registry import datasets
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.labelmix import LabelMix
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.semantic import Semantic

CLASSES, IGNORED = 4, 255
PARTS = ("semantic", "oasis")


@datasets.register("mapped_noise")
@dataclass(frozen=True, kw_only=True)
class MappedNoise(DataSet):
    """Label maps of four classes, some pixels of which are ignored, and noise that is brighter by class, 16 px."""

    paired: bool = True
    """what lies at one place is a pair"""

    def open(self) -> MappedImages:
        images = MappedImages()
        images.paired = self.paired
        return images


class MappedImages(Images):
    spec = ImageSpec(16, 16, 3)
    domains: ClassVar = {"map": ImageSpec(16, 16, CLASSES, classes=CLASSES), "image": spec}  # type: ignore[assignment]

    def __len__(self) -> int:
        return 64

    def at(self, positions: list[int], seed: int) -> Batch:
        return self.domain_batches(positions, seed)["image"]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        maps, images = zip(*(self.pair(place + seed) for place in positions), strict=True)
        return {"map": Batch(torch.stack(maps)), "image": Batch(torch.stack(images))}

    def pair(self, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A map [1, 16, 16] and its image [3, 16, 16], uint8."""
        draws = torch.Generator().manual_seed(seed)
        label_map = torch.randint(0, CLASSES, (1, 4, 4), generator=draws, dtype=torch.uint8)
        label_map = label_map.repeat_interleave(4, 1).repeat_interleave(4, 2)
        image = (50 * label_map + torch.randint(0, 50, (3, 16, 16), generator=draws)).to(torch.uint8)
        label_map[:, :2, :2] = IGNORED
        return label_map, image


def recipe(name: str) -> Recipe:
    """8 steps: "semantic" is StyleGAN2 with GGDR beside, and ADA; "oasis" has its own discriminator."""
    if name == "semantic":
        terms = {"r1": R1(weight=0.1, every=4), "ggdr": GGDR(resolutions=(8,)), "semantic": Semantic(fakes=True)}
        return dataclasses.replace(tiny.recipe, data=MappedNoise(), regularizers=terms)
    return dataclasses.replace(
        several.recipe("paired"),
        data=MappedNoise(),
        discriminator=OASISDiscriminatorConfig.tiny(),
        game=PairedGame(conditional=False),
        loss=Segmentation(),
        regularizers={"labelmix": LabelMix()},
        augment=ADA(speed_kimg=0.1, target=-2.0, pipeline=("colour",)),
    )
