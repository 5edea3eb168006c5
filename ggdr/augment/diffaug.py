"""DiffAugment: light augmentation of all that the discriminator sees, always on (Zhao et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from ggdr.augment.base import Augmentation
from ggdr.augment.chance import Chance
from ggdr.augment.corruption import cut
from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.ops.warp import translate
from ggdr.registry import augmentations

MAX_SHIFT = 1 / 8
CUTOUT_SIZE = 1 / 2
COLOUR = ((-0.5, 0.5), (0.0, 2.0), (0.5, 1.5))  # brightness to add; factors of saturation and contrast
NEUTRAL = (0.0, 1.0, 1.0)
"""brightness, saturation and contrast that change nothing"""
Policy = Literal["colour", "translation", "cutout"]


class Draws(NamedTuple):
    """What was drawn for N images, in the order in which it is applied; None: switched off."""

    colour: Tensor | None = None
    """[N, 3] brightness to add, factors of saturation and contrast"""
    translation: Tensor | None = None
    """[N, 2] right and down, in widths and heights: whole pixels of the image"""
    cutout: Tensor | None = None
    """[N, 4] width and height of the window and its centre's x and y, in widths and heights: whole pixels"""
    mirror: Tensor | None = None
    """[N] bool, which images are mirrored"""


@augmentations.register("diffaug", paper="2006.10738")
@dataclass(frozen=True, kw_only=True)
class DiffAugment(Augmentation):
    """DiffAugment: colour, translation and cutout of every image, whatever D's overfitting (sec. 3)."""

    policy: tuple[Policy, ...] = ("colour", "translation", "cutout")
    """what is done to each image"""
    colour_share: float = 1.0
    """share of images whose colours change, 0 to 1; GAT's program: 0.5"""
    mirror_share: float = 0.0
    """share of images that are mirrored left to right, 0 to 1; GAT's program: 0.4"""

    def __post_init__(self) -> None:
        if unknown := set(self.policy) - set(get_args(Policy)):
            raise UserError(f"diffaug has no {sorted(unknown)}; its policy takes {', '.join(get_args(Policy))}.")
        if not 0 <= self.colour_share <= 1 or not 0 <= self.mirror_share <= 1:
            raise UserError(
                f"colour_share is {self.colour_share}, mirror_share {self.mirror_share}: give shares from 0 to 1."
            )

    @property
    def acts(self) -> bool:
        return bool(self.policy) or self.turns

    @property
    def moves(self) -> bool:
        return "translation" in self.policy or self.turns

    @property
    def turns(self) -> bool:
        return self.mirror_share > 0

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        draws = draw(image, self.policy, self.colour_share)
        if self.mirror_share:
            chance = Chance(image, torch.ones_like(image[0, 0, 0, 0]))
            draws = draws._replace(mirror=chance.uniform(low=0) < self.mirror_share)
        return apply(image, maps, draws)


def draw(image: Tensor, policy: tuple[Policy, ...], colour_share: float = 1.0) -> Draws:
    """Draw for image [N, C, H, W] what `policy` names; colours stay but for a share of the images."""
    chance = Chance(image, torch.ones_like(image[0, 0, 0, 0]))
    draws = {
        "colour": lambda: torch.stack(colours(chance, colour_share), dim=1),
        "translation": lambda: torch.stack([whole_pixels(chance, size) for size in image.shape[:1:-1]], dim=1),
        "cutout": lambda: torch.stack(windows(chance, *image.shape[:1:-1]), dim=1),
    }
    return Draws(**{name: drawn() for name, drawn in draws.items() if name in policy})


def colours(chance: Chance, share: float) -> list[Tensor]:
    """Brightness to add, and factors of saturation and contrast, each [N], that change colours of a share of images."""
    drawn = [chance.uniform(low=low, high=high) for low, high in COLOUR]
    if share == 1:
        return drawn
    fires = (chance.uniform(low=0) < share).to(drawn[0].dtype)
    return [still + fires * (value - still) for still, value in zip(NEUTRAL, drawn, strict=True)]


def whole_pixels(chance: Chance, size: int) -> Tensor:
    """Shifts [N] by a whole number of pixels, as fractions of `size`."""
    most = half_up(size * MAX_SHIFT)
    return (chance.whole(2 * most + 1) - most) / size


def windows(chance: Chance, width: int, height: int) -> list[Tensor]:
    """Width, height and centre's x and y, each [N], of windows of whole pixels whose middle lies in the image."""
    sides, centres = [], []
    for size in (width, height):
        side = half_up(size * CUTOUT_SIZE)
        first = chance.whole(size + 1 - side % 2) - side // 2
        sides.append(torch.full_like(first, side / size))
        centres.append((first + side / 2) / size)
    return [*sides, *centres]


def half_up(number: float) -> int:
    """The nearest whole number; of two the larger, as published, where Python's `round` takes the even one."""
    return math.floor(number + 0.5)


def apply(image: Tensor, maps: dict[int, Tensor], draws: Draws) -> tuple[Tensor, dict[int, Tensor]]:
    """Do to image [N, C, H, W] what was drawn, and move maps (r -> [N, K, r, r * W / H]) as it was moved."""
    if draws.mirror is not None:
        image = mirrored(image, draws.mirror)
        maps = {r: mirrored(old, draws.mirror) for r, old in maps.items()}
    if draws.colour is not None:
        image = recolour(image, draws.colour)
    if draws.translation is not None:
        shift = draws.translation
        image, maps = translate(image, shift), {r: translate(old, shift.to(old)) for r, old in maps.items()}
    if draws.cutout is not None:
        image = cut(image, *draws.cutout.split(2, dim=1))
    return image, maps


def mirrored(image: Tensor, which: Tensor) -> Tensor:
    """Mirror those of image [N, C, H, W], left to right, of which `which` [N] is true."""
    return torch.where(which[:, None, None, None], image.flip(3), image)


def recolour(image: Tensor, change: Tensor) -> Tensor:
    """Brightness, saturation, contrast [N, 3] of image [N, C, H, W]; of four channels the last, opacity, stays."""
    if image.shape[1] == 4:
        return torch.cat([recolour(image[:, :3], change), image[:, 3:]], dim=1)
    brightness, saturation, contrast = change[:, :, None, None, None].unbind(1)
    image = image + brightness
    image = image.mean(1, keepdim=True).lerp(image, saturation)
    return image.mean((1, 2, 3), keepdim=True).lerp(image, contrast)
