"""pix2pixHD's generator: settings of a coarse-to-fine network (Wang et al. 2018, arXiv 1711.11585)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError, not_negative, setting
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.registry import Capability, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@generators.register("pix2pixhd", paper="1711.11585")
@dataclass(frozen=True, kw_only=True)
class Pix2PixHDTranslatorConfig(ResnetTranslatorConfig):
    """Image to image, coarse to fine: a global generator and local enhancers (Wang et al. 2018, sec. 3.2), 182.5 M.

    Each enhancer doubles the size. Train the global generator alone first, at the size that it sees later; then start a
    run with one enhancer more from it, by `--init-from`.
    """

    halvings: int = 4
    """times that the global generator halves its images"""
    enhancers: int = 0
    """local enhancers around the global generator, which sees the images halved as often; 0: it alone"""
    enhancer_blocks: int = 3
    """residual blocks of each enhancer, at half of the size that it makes"""
    freeze_global_kimg: float = 0.0
    """thousands of reals for which all but the last enhancer, and what makes its image, learns nothing"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "enhancers", "enhancer_blocks", "freeze_global_kimg")
        if self.freeze_global_kimg and not self.enhancers:
            raise UserError(
                f"{setting('freeze_global_kimg')} is {self.freeze_global_kimg:g}, and without enhancers nothing would"
                f" learn: give {setting('enhancers')} 1 or more, or leave it out."
            )

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if weights that nothing has trained are to rest."""
        if self.freeze_global_kimg and recipe.init_from is None:
            raise UserError(
                f"generator {self.name!r} lets its global generator rest for {self.freeze_global_kimg:g} kimg, and"
                f" nothing has trained it: add --init-from RUN, a run with {self.enhancers - 1} enhancers at half of"
                " the size, or --generator.freeze-global-kimg 0."
            )

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one block, one halving, one enhancer."""
        return cls(channels=4, blocks=1, halvings=1, enhancers=1, enhancer_blocks=1)
