"""PA-GAN: settings of a discriminator that is given random bits with the image (Zhang & Khoreva 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@discriminators.register("pa_gan", paper="1901.10422")
@dataclass(frozen=True, kw_only=True)
class PAGANDiscriminatorConfig(WrapperConfig):
    """Any discriminator, with random bits as further channels that change its task (Zhang & Khoreva 2019).

    Where the sum of the bits is odd, real and fake change places: the logit is multiplied by -1, which is the paper's
    exchanged target for every loss that asks of -logit for a fake what it asks of logit for a real, such as
    `non_saturating` and `hinge`. Each bit, once it sets in, is 1 with a probability that rises in a straight line from
    0 to 1/2.
    """

    encoder: DiscriminatorConfig = DCGANDiscriminatorConfig(norm="spectral")
    """the discriminator that judges; one that gives its pyramid"""
    levels: int = 5
    """bits at most, each a channel beside the image's"""
    start_kimg: float = 0.0
    """when the first bit sets in, kimg"""
    interval_kimg: float = 500.0
    """time from one bit to the next, kimg"""
    ramp_kimg: float = 250.0
    """time in which a bit's probability rises to 1/2, kimg, not above the interval"""
    provides: ClassVar = frozenset({Capability.PYRAMID})
    hides: ClassVar = WrapperConfig.hides | {
        Capability.RECONSTRUCTION,
        Capability.SCALES,
        Capability.ENERGY,
        Capability.ENCODE,
    }

    # Unlike the paper: a schedule, ours; there the next bit sets in when the kernel distance of fakes stops falling.

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "levels", "interval_kimg", "ramp_kimg")
        not_negative(self, "start_kimg")
        if self.ramp_kimg > self.interval_kimg:
            raise UserError(
                f"ramp_kimg is {self.ramp_kimg}, above interval_kimg, {self.interval_kimg}: a bit would set in before"
                " the last one is there; give a shorter ramp."
            )

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if a logit of the other sign is not the exchanged target under the loss."""
        super().check_recipe(recipe)
        if not recipe.loss.symmetric:
            raise UserError(
                f"discriminator {self.name!r} lets real and fake change places by turning the sign of its logit, which"
                f" loss {recipe.loss.name!r} does not take for that: take --loss non_saturating, or another"
                " discriminator."
            )

    def bits(self, kimg: float) -> float:
        """Bits after `kimg` thousand reals: the whole ones and a share of the one that is setting in."""
        gone = max(kimg - self.start_kimg, 0.0) / self.interval_kimg
        return gone // 1 + min(gone % 1 * self.interval_kimg / self.ramp_kimg, 1.0)

    @classmethod
    def tiny(cls) -> Self:
        """Over a tiny DCGAN discriminator."""
        return cls(encoder=DCGANDiscriminatorConfig.tiny(), levels=2)
