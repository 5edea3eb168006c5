"""ADA: augment all that the discriminator sees, as often as its overfitting asks for (Karras et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, get_args

from ggdr.augment import colour, corruption, geometry, overfitting
from ggdr.augment.base import Augmentation
from ggdr.augment.chance import Chance
from ggdr.augment.colour import Colour
from ggdr.augment.corruption import Corruption
from ggdr.augment.geometry import Geometry
from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.ops.host_copy import HostCopy
from ggdr.ops.precision import without_autocast
from ggdr.play.term import State
from ggdr.registry import augmentations
from ggdr.schedules.base import Schedule, Scheduled, reached, value_at

if TYPE_CHECKING:
    from ggdr.recipe import Recipe

GROUPS = {
    "blit": ("x_flip", "quarter_turns", "integer_shift"),
    "geometry": ("scale", "rotation", "stretch", "shift"),
    "colour": Colour._fields,
}
Transform = Literal[
    "blit", "geometry", "colour", "filter", "noise", "cutout",
    "x_flip", "quarter_turns", "integer_shift", "scale", "rotation", "stretch", "shift",
    "brightness", "contrast", "luma_flip", "hue", "saturation",
]  # fmt: skip


class Draws(NamedTuple):
    """All that was drawn for one batch."""

    geometry: Geometry = Geometry()
    colour: Colour = Colour()
    corruption: Corruption = Corruption()


def apart(transforms: Sequence[str], strengths: Sequence[float] = (1.0,)) -> dict[str, float]:
    """Single transform -> its strength, for names of transforms and groups; what a later entry says of one holds."""
    each = [*strengths] * len(transforms) if len(strengths) == 1 else strengths
    pairs = zip(transforms, each, strict=True)
    return {name: strength for entry, strength in pairs for name in GROUPS.get(entry, (entry,))}


def draw(image: Tensor, p: Tensor, transforms: Sequence[str], strengths: Sequence[float] = (1.0,)) -> Draws:
    """Draw for image [N, C, H, W] each transform, given by name or group, with probability p, a scalar tensor.

    `strengths`: factor of p of each entry of `transforms`; one number: the same for all.
    """
    chances = {strength: Chance(image, p * strength) for strength in {*strengths}}
    on = {name: chances[strength] for name, strength in apart(transforms, strengths).items()}
    return Draws(geometry.draw(on), colour.draw(on), corruption.draw(on))


def apply(image: Tensor, maps: dict[int, Tensor], draws: Draws) -> tuple[Tensor, dict[int, Tensor]]:
    """Do to image [N, C, H, W] what was drawn, and move maps (side r -> [N, K, r, r * W / H]) as it moved."""
    with without_autocast(image):  # coordinates, above all, need every bit
        image, maps = geometry.apply(image, maps, draws.geometry)
        image = colour.apply(image, draws.colour)
        return corruption.apply(image, draws.corruption), maps


@augmentations.register("ada", paper="2006.06676")
@dataclass(frozen=True, kw_only=True)
class ADA(Augmentation):
    """Adaptive augmentation: every transform fires with a probability p that follows D's overfitting (sec. 3)."""

    also: ClassVar = {"regularizer": "it changes the images that D sees and adds no term to a loss"}
    pipeline: tuple[Transform, ...] = ("blit", "geometry", "colour")
    """what may fire: groups, or single transforms of them; the default is what the paper calls bgc"""
    strengths: tuple[float, ...] = (1.0,)
    """factor of p, 0 to 1, of each entry of `pipeline`; one number: the same for all. R3GAN has 0.5 for `colour`"""
    target: float = 0.6
    """mean sign r_t of D's logits on augmented reals to steer for, in [-1, 1]"""
    speed_kimg: float = 500.0
    """thousands of reals in which p can climb from 0 to 1"""
    interval: int = 4
    """steps between two adjustments of p"""
    p_max: float = 1.0
    """upper bound of p; the paper finds that augmentations may leak into the fakes above 0.8"""
    fixed_p: Scheduled | None = None
    """p in [0, 1] that D does not move, a number or a schedule; None: adaptive, from 0"""
    switch: ClassVar[Switch]
    """state of a run, which `start` makes"""

    def __post_init__(self) -> None:
        if unknown := set(self.pipeline) - set(get_args(Transform)):
            raise UserError(f"ada has no {sorted(unknown)}; its pipeline takes {', '.join(get_args(Transform))}.")
        if len(self.strengths) not in (1, len(self.pipeline)) or not all(0 <= each <= 1 for each in self.strengths):
            raise UserError(
                f"strengths are {self.strengths}; give 1 number from 0 to 1, or {len(self.pipeline)}: one for each of"
                f" {', '.join(self.pipeline)}."
            )
        if not 0 <= self.p_max <= 1 or not all(0 <= p <= 1 for p in reached(self.fixed_p)):
            raise UserError(f"p is a probability: set p_max ({self.p_max}), fixed_p ({self.fixed_p}) from 0 to 1.")
        if self.interval < 1 or self.speed_kimg <= 0:
            raise UserError(f"interval ({self.interval}) must be 1 or more, speed_kimg ({self.speed_kimg}) above 0.")

    @property
    def firing(self) -> frozenset[str]:
        """Single transforms that fire wherever p is above 0."""
        return frozenset(name for name, strength in apart(self.pipeline, self.strengths).items() if strength)

    @property
    def acts(self) -> bool:
        fires = self.fixed_p is None or any(reached(self.fixed_p))
        return bool(self.firing) and fires and self.p_max != 0

    @property
    def moves(self) -> bool:
        return self.acts and bool(self.firing & {*GROUPS["blit"], *GROUPS["geometry"]})

    @property
    def turns(self) -> bool:
        return self.acts and bool(self.firing & {"x_flip", "quarter_turns", "rotation"})

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if p is to follow signs that say nothing."""
        super().check_recipe(recipe)
        if self.fixed_p is None:
            self.check_signs(recipe, "set a p that stays, --augment.fixed-p 0.2, or take --augment diffaug")

    def start(self, device: torch.device) -> State:
        """Begin with p = 0 (or as fixed) and nothing seen."""
        p = value_at(self.fixed_p or 0.0, 0.0)
        object.__setattr__(self, "switch", Switch(p > 0))
        scalars = {"p": torch.tensor(p, device=device), "r_t": torch.zeros((), device=device)}
        return scalars | overfitting.start(device)

    @property
    def active(self) -> bool:
        """Whether anything can fire: p is above 0, as it was when it last changed."""
        return self.switch.read()

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        if not self.active:
            return image, maps
        return apply(image, maps, draw(image, self.state["p"], self.pipeline, self.strengths))

    def before_step(self, kimg: float) -> None:
        """Set a p that has a schedule, on the device: nothing waits for it."""
        if isinstance(self.fixed_p, Schedule):
            p = self.fixed_p.at(kimg)
            self.switch.on, self.state["p"] = p > 0, torch.full_like(self.state["p"], p)

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        """Every `interval` steps, raise p where r_t exceeds the target, else lower it (sec. 3)."""
        if "signs/real" not in stats:  # D had no turn
            return {}
        seen = overfitting.watch(self.state, stats, self.interval)
        if not seen.due:
            return seen.state
        p = self.state["p"]
        if self.fixed_p is None:
            p = (p + seen.step(self.target, self.speed_kimg)).clamp(0, self.p_max)
            self.switch.coming = HostCopy(p)
        return {**seen.state, "r_t": seen.mean, "p": p}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` gave; a fixed p is a setting and stays."""
        super().load_state_dict(state)
        if isinstance(self.fixed_p, float | int):
            self.state["p"] = torch.full_like(self.state["p"], self.fixed_p)
        elif self.fixed_p is None:
            self.switch.coming = HostCopy(self.state["p"])


@dataclass
class Switch:
    """Whether p is above 0, known on the host without a wait for the device."""

    on: bool
    coming: HostCopy | None = None
    """p on its way to the host, once it has changed"""

    def read(self) -> bool:
        """Whether p is above 0, as it was when it last changed."""
        if self.coming is not None:
            self.on, self.coming = self.coming.read() > 0, None
        return self.on
