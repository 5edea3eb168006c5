"""Diffusion-GAN: all that D sees takes steps of a diffusion, as many as D's overfitting asks for (Wang et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ggdr.augment import overfitting
from ggdr.augment.base import Augmentation
from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.play.term import State
from ggdr.registry import Capability, augmentations

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@augmentations.register("diffusion", paper="2206.02262")
@dataclass(frozen=True, kw_only=True)
class Diffusion(Augmentation):
    """Diffusion-GAN: images take t steps of a diffusion, t up to a T that follows D's overfitting (Wang et al. 2023).

    x_t = sqrt(abar_t) x + sqrt(1 - abar_t) sigma eps, abar_t the product of 1 - beta over t steps, beta rising in a
    straight line over T_max steps. A share of the images stays clean; for the others t is drawn from 1 to T.
    Discriminator `timestep` is told t, as the paper's is; any other one judges without.
    """

    also: ClassVar = {"regularizer": "it changes the images that D sees and adds no term to a loss"}
    t_min: int = 5
    """T to begin with, and its lower bound, steps"""
    t_max: int = 1000
    """T's upper bound, steps: those of the whole diffusion"""
    timesteps: Literal["priority", "uniform"] = "priority"
    """how t is drawn: t as likely as it is large, so that the newest steps are seen most, or all as likely"""
    clean: float = 0.5
    """share of images, 0 to 1, that take no step, on average"""
    beta_start: float = 0.0001
    """variance that the first step adds, above 0"""
    beta_end: float = 0.02
    """variance that the last step adds, below 1"""
    sigma: float = 0.05
    """standard deviation of the noise at full strength; pixels are in [-1, 1]"""
    target: float = 0.6
    """d_target, the mean sign of D's logits on diffused reals to steer for, in [-1, 1]"""
    speed_kimg: float = 100.0
    """thousands of reals in which T can climb by T_max; ours"""
    interval: int = 4
    """steps between two adjustments of T"""
    fixed_t: int | None = None
    """a T that D does not move, steps; None: adaptive, from t_min"""
    provides: ClassVar = frozenset({Capability.TIMESTEP})
    kept: ClassVar[Tensor]
    """[T_max + 1] on the run's device, how much of an image is left after t steps, abar_t; `start` makes it"""

    # Unlike the paper: t is drawn for each image from the mixture itself, not from a list of 64 values drawn from it.

    def __post_init__(self) -> None:
        if not 1 <= self.t_min <= self.t_max or not 1 <= (self.fixed_t or 1) <= self.t_max:
            raise UserError(
                f"steps: t_min is {self.t_min}, t_max {self.t_max}, fixed_t {self.fixed_t}; give whole numbers from 1,"
                " none above t_max."
            )
        if not 0 <= self.clean <= 1 or not 0 < self.beta_start <= self.beta_end < 1 or self.sigma < 0:
            raise UserError(
                f"clean is {self.clean}, beta_start {self.beta_start}, beta_end {self.beta_end}, sigma {self.sigma}:"
                " give a share from 0 to 1, betas that rise between 0 and 1, and no negative sigma."
            )
        if self.interval < 1 or self.speed_kimg <= 0:
            raise UserError(f"interval ({self.interval}) must be 1 or more, speed_kimg ({self.speed_kimg}) above 0.")

    @property
    def acts(self) -> bool:
        return self.clean < 1

    @property
    def moves(self) -> bool:
        return False

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if T is to follow signs that say nothing."""
        super().check_recipe(recipe)
        if self.fixed_t is None:
            self.check_signs(recipe, "set a T that stays, --augment.fixed-t 100, or take --augment diffaug")

    def start(self, device: torch.device) -> State:
        """Begin with T = T_min (or as fixed) and nothing seen."""
        beta = torch.linspace(self.beta_start, self.beta_end, self.t_max, dtype=torch.float64)
        kept = torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)]).float().to(device)
        object.__setattr__(self, "kept", kept)
        first = float(self.fixed_t or self.t_min)
        return {"T": torch.tensor(first, device=device), "r_d": torch.zeros((), device=device)} | overfitting.start(
            device
        )

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        return self.with_timestep(image, maps)[:2]

    def with_timestep(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor], Tensor]:
        t = self.draw(torch.rand(2, len(image), device=image.device))
        kept = self.kept[t].to(image.dtype)[:, None, None, None]
        noise = self.sigma * torch.randn_like(image)
        return kept.sqrt() * image + (1 - kept).sqrt() * noise, maps, t.to(image.dtype)

    def draw(self, uniform: Tensor) -> Tensor:
        """Steps [N], whole numbers from 0 to T, of numbers [2, N] drawn evenly from [0, 1)."""
        last, (place, other) = self.state["T"].floor(), uniform
        if self.timesteps == "uniform":
            t = (place * last).floor() + 1
        else:  # the first t for which the chances of 1 to t, t (t + 1) / (T (T + 1)), come to more than `place`
            t = ((1 + 4 * place * last * (last + 1)).sqrt() / 2 - 0.5).floor() + 1
        return torch.where(other < self.clean, torch.zeros_like(t), torch.minimum(t, last)).long()

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        """Every `interval` steps, raise T where r_d exceeds the target, else lower it (sec. 3.3)."""
        if "signs/real" not in stats:  # D had no turn
            return {}
        seen = overfitting.watch(self.state, stats, self.interval)
        if not seen.due:
            return seen.state
        last = self.state["T"]
        if self.fixed_t is None:
            last = (last + self.t_max * seen.step(self.target, self.speed_kimg)).clamp(self.t_min, self.t_max)
        return {**seen.state, "r_d": seen.mean, "T": last}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` gave; a fixed T is a setting and stays."""
        super().load_state_dict(state)
        if self.fixed_t is not None:
            self.state["T"] = torch.full_like(self.state["T"], self.fixed_t)
