"""Conditioning augmentation: labels to distributions of codes, and these to images (arXiv 1612.03242, sec. 3.2)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.projection import require_labels
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.conditioning_augmentation import ConditioningAugmentationGeneratorConfig
from ggdr.networks.wrappers.generator import NestedGenerator
from ggdr.ops.precision import at_least_float32, without_autocast


class ConditioningAugmentationGenerator(NestedGenerator):
    """Draws a code about each label, and has another generator make an image of it; of images without labels none."""

    def __init__(self, config: ConditioningAugmentationGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        self.width = config.width if spec.labels else 0
        self.generator = config.generator.build(spec.unlabelled()._replace(labels=self.width))
        self.z_dim = self.width + self.generator.z_dim
        self.feature_channels = self.generator.feature_channels
        # Unlike the paper: no ReLU follows, which would keep means and log variances from being below 0.
        self.distribution = nn.Linear(spec.labels, 2 * self.width) if self.width else None

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W] and the maps of `resolutions`.

        The head "condition" [N, 2 * width] holds means and log variances of the codes.
        """
        if self.distribution is None:
            return self.generator(z, None, resolutions=resolutions)
        draw, below = z.split([self.width, self.generator.z_dim], dim=1)
        with without_autocast(z):
            told = self.distribution(at_least_float32(require_labels(labels, self.spec.labels)))
            mean, log_variance = told.chunk(2, dim=1)
            code = mean + (log_variance / 2).exp() * draw
        made = self.generator(below, code, resolutions=resolutions)
        return GeneratorOutput(made.image, None, made.features, head_outputs={"condition": told})

    def parts(self) -> dict[str, Generator]:
        """Return the generator of images."""
        return {"generator": self.generator}
