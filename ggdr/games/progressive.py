"""The game of Progressive GAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.games.standard import StandardGame
from ggdr.lazy import torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.networks.size import Pyramid, pyramid_of
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.view import Reals
from ggdr.registry import Capability, games
from ggdr.schedules.intervals import ramp

if TYPE_CHECKING:
    from ggdr.networks.base.module import Network


@games.register("progressive", paper="1710.10196")
@dataclass(frozen=True, kw_only=True)
class Progressive(StandardGame):
    """Both networks grow together, from small images to whole ones, each new one faded in (Karras et al. 2018, sec. 2).

    A size is played for `stage_kimg`, then the next fades in over `fade_kimg`, until the images are whole. Images keep
    their full size between the players; reals lose the detail that the level does not show, as the paper has them
    fade. Terms that read feature maps work from the start: the generator makes maps of resolutions the level has not
    reached, though nothing else trains them yet, and the discriminator's maps of such resolutions are zeros, so that a
    decoder draws them from the maps below (`start_kimg` of `ggdr` lets them wait).
    """

    start_side: int = 4
    """height of the first images, pixels; the networks' smallest that is not below it"""
    stage_kimg: float = 800.0
    """how long each size is played before the next fades in, thousands of reals"""
    fade_kimg: float = 800.0
    """how long each size fades in, thousands of reals; 0: at once"""
    reset_optimizers: bool = True
    """both optimizers begin again when a size begins to fade in and when it is there, as in the published program"""

    def __post_init__(self) -> None:
        above_zero(self, "start_side", "stage_kimg")
        not_negative(self, "fade_kimg")

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """G and D at the first level; UserError if they do not grow, or no image is as large as the first."""
        networks = super().build_networks(generator, discriminator, domains, extra)
        for network in networks.named().values():
            check(network)
        *_, spec = domains.values()
        self.grow(networks, self.level(0.0, pyramid_of(spec.height, spec.width)))
        return networks

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """One duel, at the level of the step, which is left in the step's statistics."""
        from ggdr.ops.scales import reduce_detail

        *_, domain = batch
        reals, labels = batch[domain]
        levels = pyramid_of(*reals.shape[2:])
        level = self.level(context.kimg, levels)
        self.grow(networks, level)
        missing = int(levels.doublings - level)
        share = 1 - (levels.doublings - level - missing)
        shown = Reals(reduce_detail(reals, missing, share), labels)
        found = super().duels(networks, {**batch, domain: shown}, context)
        for duel in found:
            duel.notes["level"] = torch.full([], level, device=reals.device)
        return found

    def level(self, kimg: float, levels: Pyramid) -> float:
        """Doublings above the base, whole while a size is played, and a share of the next one while it fades in."""
        if self.start_side > levels.resolutions[-1]:
            raise UserError(f"start_side is {self.start_side}; images are {levels.resolutions[-1]} px high: give less.")
        first = next(level for level, resolution in enumerate(levels.resolutions) if resolution >= self.start_side)
        stages, inside = divmod(kimg, self.stage_kimg + self.fade_kimg)
        faded = ramp(inside, self.stage_kimg, self.fade_kimg) if self.fade_kimg else 0.0
        return min(first + stages + faded, float(levels.doublings))

    def restarts(self, before: float, kimg: float, spec: ImageSpec) -> bool:
        """Where other sizes come into play than at the step before."""
        levels = pyramid_of(spec.height, spec.width)
        then, now = self.level(before, levels), self.level(kimg, levels)
        return self.reset_optimizers and (floor(then), ceil(then)) != (floor(now), ceil(now))

    def grow(self, networks: Networks, level: float) -> None:
        """Bring every network to a level."""
        for network in networks.named().values():
            network.grow(level)


def check(network: Network) -> None:
    """UserError, naming networks that do, if a network does not grow."""
    if Capability.GROW not in network.config.provides:
        config = network.unwrap().config
        kind = config.registry.kind
        growing = sorted(name for name, part in config.registry.items() if Capability.GROW in part.provides)
        able = " or ".join(map(repr, growing))
        raise UserError(
            f"game 'progressive' grows its networks, which {kind} {config.name!r} cannot; take {kind} {able}, or"
            " --game standard."
        )
