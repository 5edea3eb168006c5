"""Features of VGG-16, which precision and recall were published with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.vgg import VGG
from ggdr.registry import extractors

MODEL = "vgg16.tv_in1k"


@extractors.register("vgg16", paper="1409.1556")
@dataclass(frozen=True, kw_only=True)
class VGG16(VGG):
    """VGG-16 of torchvision, trained on ImageNet (Simonyan & Zisserman 2015): 4,096 features and 1,000 classes.

    Features are those of the second fully connected layer, after its ReLU. Its layers are conv1_1, relu1_1 to pool5.
    """

    model: ClassVar = MODEL
    convolutions: ClassVar = (2, 2, 3, 3, 3)
