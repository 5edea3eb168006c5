"""What every augmentation is: something done to whatever the discriminator sees, and to feature maps along with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.play.term import Adaptive
from ggdr.registry import Capability, augmentations

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Augmentation(Adaptive):
    """Differentiable, freshly drawn at each call from torch's global generator of the image's device."""

    registry = augmentations

    @property
    def acts(self) -> bool:
        """Whether it ever changes an image."""
        return True

    @property
    def moves(self) -> bool:
        """Whether it takes pixels to other places."""
        return self.acts

    @property
    def turns(self) -> bool:
        """Whether it turns or mirrors images."""
        return self.moves

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if D is also shown the fakes at smaller sizes, which stay as they are."""
        if self.acts and Capability.SCALES in recipe.generator.provides & recipe.discriminator.provides:
            raise UserError(
                f"discriminator {recipe.discriminator.name!r} judges the fakes at smaller sizes too, which augmentation"
                f" {self.name!r} leaves as they are: drop it, --augment none."
            )

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        """Augment image [N, C, H, W] in [-1, 1] and move maps (r -> [N, K, r, r * W / H]) exactly as it moved.

        Only geometry reaches the maps: colour, filtering, noise and cutout are the image's alone.
        """
        raise NotImplementedError

    def with_timestep(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor], Tensor | None]:
        """Augment, and tell how many steps of diffusion each image took, [N]; None of one that does not diffuse.

        A D that provides TIMESTEP is told.
        """
        return *self(image, maps), None
