"""R3GAN: settings of its generator and discriminator (Huang et al. 2024, arXiv 2501.05441)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import UserError, above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators


def check_stages(widths: tuple[int, ...], blocks: tuple[int, ...]) -> None:
    """UserError unless each stage has a width and a number of blocks above 0."""
    if not blocks or min((*widths, *blocks)) < 1:
        raise UserError(f"widths {widths} and blocks {blocks}: give whole numbers from 1, and blocks at least one.")


@generators.register("r3gan", paper="2501.05441")
@dataclass(frozen=True, kw_only=True)
class R3GANGeneratorConfig(GeneratorConfig):
    """Modern residual blocks without normalization or styles (Huang et al. 2024, sec. 4); labels join the latent code.

    To be trained by the relativistic pairing loss with R1 and R2 at every step (losses `relativistic`, regularizers
    `r1` and `r2` with `every` 1).
    """

    z_dim: int = 64
    """width of the latent code"""
    widths: tuple[int, ...] = ()
    """channels of each stage outside of its bottlenecks, smallest maps first, as in the paper's table 7; empty: by
    `channel_base` and `channel_max`"""
    channel_base: int = 32768
    """channels x resolution of the wide stages, where no `widths` are given; the rule and this default are ours"""
    channel_max: int = 512
    """most channels of a stage, where no `widths` are given"""
    blocks: tuple[int, ...] = (2,)
    """residual blocks of each stage, smallest maps first; one number: the same for all"""
    expansion: int = 2
    """channels inside of a bottleneck to those outside"""
    group_size: int = 16
    """channels that a 3x3 convolution mixes; their largest divisor not above it"""
    label_dim: int = 64
    """width of the labels' embedding, which joins the latent code"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES, Capability.STAGES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channel_base", "channel_max", "expansion", "group_size", "label_dim")
        check_stages(self.widths, self.blocks)

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels and one block a resolution."""
        return cls(z_dim=8, channel_base=64, channel_max=8, blocks=(1,), group_size=4, label_dim=8)


@discriminators.register("r3gan", paper="2501.05441")
@dataclass(frozen=True, kw_only=True)
class R3GANDiscriminatorConfig(DiscriminatorConfig):
    """The generator's mirror image, with one logit at its end (Huang et al. 2024, sec. 4).

    With labels the logit is the inner product of the image's last vector and the label's embedding, and nothing else:
    the projection of arXiv 1802.05637 without its unconditional term, as in the published program.
    """

    widths: tuple[int, ...] = ()
    """channels of each stage outside of its bottlenecks, smallest maps first, as in the paper's table 7; empty: by
    `channel_base` and `channel_max`"""
    channel_base: int = 32768
    """channels x resolution of the wide stages, where no `widths` are given; the rule and this default are ours"""
    channel_max: int = 512
    """most channels of a stage, where no `widths` are given"""
    blocks: tuple[int, ...] = (2,)
    """residual blocks of each stage, smallest maps first; one number: the same for all"""
    expansion: int = 2
    """channels inside of a bottleneck to those outside"""
    group_size: int = 16
    """channels that a 3x3 convolution mixes; their largest divisor not above it"""
    label_dim: int | None = None
    """width of what images and labels are compared in; None: that of the smallest maps"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS, Capability.STAGES})

    def __post_init__(self) -> None:
        above_zero(self, "channel_base", "channel_max", "expansion", "group_size", "label_dim")
        check_stages(self.widths, self.blocks)

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels and one block a resolution."""
        return cls(channel_base=64, channel_max=8, blocks=(1,), group_size=4)
