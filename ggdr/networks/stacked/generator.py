"""A stack of generators: label to features to image (arXiv 1612.04357, fig. 1c)."""

from __future__ import annotations

from torch import Tensor

from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.stacked import StackedGeneratorConfig
from ggdr.networks.wrappers.generator import NestedGenerator


class StackedGenerator(NestedGenerator):
    """Makes features of noise and labels, and images of further noise and the features."""

    def __init__(self, config: StackedGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        width = config.width
        self.features = config.features.build(spec._replace(height=1, width=1, channels=width, classes=0))
        self.image = config.image.build(spec._replace(labels=width, label_names=(), label_ranges=()))
        self.z_dim = self.features.z_dim + self.image.z_dim
        self.feature_channels = self.image.feature_channels

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1), of both generators, and labels [N, L] to images [N, C, H, W].

        Maps of `resolutions` are those of the generator of images.
        """
        above, below = z.split([self.features.z_dim, self.image.z_dim], dim=1)
        features = self.features(above, labels).image.flatten(1)
        made = self.image(below, features, resolutions=resolutions)
        return GeneratorOutput(made.image, None, made.features)

    def parts(self) -> dict[str, Generator]:
        """Return the generator of features and that of images, by these names."""
        return {"features": self.features, "image": self.image}
