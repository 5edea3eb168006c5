"""Features of VGG-19, whose layers perceptual distances and style transfer are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.vgg import VGG
from ggdr.registry import extractors


@extractors.register("vgg19", paper="1409.1556")
@dataclass(frozen=True, kw_only=True)
class VGG19(VGG):
    """VGG-19 of torchvision, trained on ImageNet (Simonyan & Zisserman 2015): 4,096 features and 1,000 classes.

    Features are those of the second fully connected layer, after its ReLU. Its layers are conv1_1, relu1_1 to pool5.
    """

    model: ClassVar = "vgg19.tv_in1k"
    convolutions: ClassVar = (2, 2, 4, 4, 4)
