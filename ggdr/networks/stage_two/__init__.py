"""Stage II of StackGAN: settings of a generator that makes the images of another larger (1612.03242, sec. 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.changes import MayChange
from ggdr.documents import check_model_place
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.networks.base import GeneratorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.registry import Capability, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@generators.register("stage_two", paper="1612.03242")
@dataclass(frozen=True, kw_only=True)
class StageTwoGeneratorConfig(GeneratorConfig):
    """Another generator's image and its text again to a larger image, by residual blocks (Zhang et al. 2017, sec. 3.4).

    The other, stage I, is trained before, learns nothing here, and is a part of the model: a latent code is its own and
    a draw about the label, as `conditioning_augmentation` makes one. Stage I's image is halved twice, the code joins it
    at every place, and doublings follow. Regularizer `kl` keeps codes so that they can be drawn.
    """

    stage_one: MayChange[str] = ""
    """the run, or a model, whose generator is stage I: a folder, or a Hub repository; its labels are the data's"""
    generator: GeneratorConfig = DCGANGeneratorConfig()
    """stage I's settings; of `stage_one`, once that is read, its own"""
    factor: int = 2
    """times that stage I's images are smaller: 2, 4, 8, ...; of `stage_one`, once that is read, as its images are"""
    width: int = 128
    """numbers of the code that is drawn about a label"""
    channels: int = 128
    """channels at stage I's size: twice as many after each of the two halvings, and half as many after each doubling"""
    blocks: int = 4
    """residual blocks between"""
    provides: ClassVar = frozenset({Capability.POSTERIOR, Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "width", "channels")
        not_negative(self, "blocks")
        if self.factor < 2 or self.factor & (self.factor - 1):
            raise UserError(f"factor is {self.factor}; stage II doubles images: give 2, 4, 8 or another power of two.")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if there is no stage I, by names alone."""
        if not self.stage_one:
            raise UserError(
                f"generator {self.name!r} makes larger images of those of a stage I, and is given none: train one, such"
                " as recipe openmoji_stackgan, and name its run by --generator.stage-one RUN."
            )
        check_model_place(self.stage_one)

    @classmethod
    def tiny(cls) -> Self:
        """Three numbers, four channels, one block, on a tiny DCGAN."""
        return cls(generator=DCGANGeneratorConfig.tiny(), width=3, channels=4, blocks=1)

    def described(self) -> Self:
        """Return these settings, which name no run, with those of stage I as they are described."""
        return replace(self, stage_one="", generator=self.generator.described())
