"""AutoGAN: settings of the generator that a search found for CIFAR-10 (Gong et al. 2019, arXiv 1908.03835)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import GeneratorConfig
from ggdr.registry import Capability, generators


@generators.register("autogan", paper="1908.03835")
@dataclass(frozen=True, kw_only=True)
class AutoGANGeneratorConfig(GeneratorConfig):
    """The generator that was found for CIFAR-10: cells joined by skip connections (Gong et al. 2019, sec. 4).

    What the paper fixes: three cells that double 4 px to 32 px, each with two convolutions, activated beforehand and
    not normalized, doubling by repetition or bilinearly, and connections from each cell to all later ones. As we
    remember its figure, and are not sure: the second cell doubles bilinearly, the third has no shortcut, what a cell
    passes on is what follows its first convolution, and the image layer is normalized. Larger images take further
    cells like the third, smaller ones fewer. The paper has no labels; here they join the latent code. Its
    discriminator is SNGAN's, a residual network with spectral normalization.
    """

    z_dim: int = 128
    """width of the latent code"""
    channels: int = 256
    """channels of all maps"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channels")

    @classmethod
    def tiny(cls) -> Self:
        """Return settings of a network of eight channels."""
        return cls(z_dim=8, channels=8)
