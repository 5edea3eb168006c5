"""A generator whose codes are drawn from a prior (arXiv 1606.03657, 1511.05644)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator, Network
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.priors.base import Prior


class FromPriorGenerator(Generator):
    """Maps noise to codes of the prior, and these to images."""

    config: FromPriorGeneratorConfig

    def __init__(self, config: FromPriorGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        chosen = config.labels == "prior"
        self.generator = config.generator.build(spec.unlabelled() if chosen else spec)
        self.z_dim, self.feature_channels = self.generator.z_dim, self.generator.feature_channels
        config.prior.check(self.z_dim, spec.labels if chosen else 0)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map noise z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, and the maps of `resolutions`."""
        return self.decode(self.codes(z, labels), labels, resolutions=resolutions)

    def codes(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the codes [N, z_dim] that the prior has for noise z [N, z_dim]."""
        return self.config.prior.codes(z, labels if self.config.labels == "prior" else None)

    def prior(self) -> Prior:
        """Return the prior of the settings."""
        return self.config.prior

    def variations(self, z: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Return images of these codes, of which each category and uniform number takes one value after the other."""
        others = self.config.prior.variations(self.codes(z, labels))
        return {name: self.decode(codes, labels).image for name, codes in others.items()}

    def decode(
        self, codes: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Return what the generator within makes of codes [N, z_dim], drawn or found."""
        shown = labels if self.config.labels == "generator" else None
        made = self.generator(codes, shown, resolutions=resolutions)
        return made._replace(ws=None, scales={}, intermediates=())

    def measure(self) -> dict[str, Tensor]:
        """Return what the generator within saw."""
        return self.generator.measure()

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Let the generator within take in the step's means."""
        self.generator.after_step(stats)

    def set_kimg(self, kimg: float) -> None:
        """Tell the generator within how far the run is."""
        self.generator.set_kimg(kimg)

    def resting(self, kimg: float) -> list[nn.Parameter]:
        """Return the weights within that learn nothing at this time."""
        return self.generator.resting(kimg)

    def unwrap(self) -> Network:
        """Return the generator within."""
        return self.generator.unwrap()
