"""The duel of CUT: a translation one way, of which places are compared with the same places of its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import GeneratorOutput
from ggdr.play.translation import TranslationDuel
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.networks.base.module import Projector


class PatchFeatures(NamedTuple):
    """Codes of the same places of two images, from one map of the translator's encoder; all have length 1."""

    queries: Tensor
    """[N, P, K], of what was made"""
    keys: Tensor
    """[N, P, K], of what it was made of; nothing learns by them"""


@dataclass
class OneWayDuel(TranslationDuel):
    """A translation without pairs or a way back: the encoder of G itself says what the images have in common."""

    projector: Projector = field(kw_only=True)
    """what makes codes of the features of places"""
    mirrors: bool = field(default=False, kw_only=True)
    """G is shown half of the sources mirrored, and what its encoder says of the fakes is mirrored back"""
    provides: ClassVar = TranslationDuel.provides | {Capability.PATCH_FEATURES, Capability.IDENTITY}

    @cached_property
    def mirrored(self) -> Tensor | None:
        """Which sources G is shown mirrored, bool [N, 1, 1, 1]; None: none of them."""
        return torch.rand(len(self.source), 1, 1, 1, device=self.source.device) < 0.5 if self.mirrors else None

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of G over the first sources, some of them mirrored, with latent codes z [n, z_dim]."""
        return self.translate(mirror(self.source, self.mirrored)[: len(z)], z)

    def patch_features(self, patches: int) -> list[PatchFeatures]:
        """What G's encoder says at `patches` places of each map, at most: of the fakes, and of their sources."""
        return self.compared(self.fake.image, self.source, patches, self.mirrored)

    def identity_features(self, patches: int) -> list[PatchFeatures]:
        """What G's encoder says at `patches` places of each map, at most: of reals, and of what becomes of them."""
        return self.compared(self.on_target.image, self.real, patches)

    def compared(
        self, made: Tensor, source: Tensor, patches: int, mirrored: Tensor | None = None
    ) -> list[PatchFeatures]:
        """Codes of places of two images [N, C, H, W], map by map; the places are drawn, and those of both are the same.

        `mirrored`: bool [N, 1, 1, 1], which of the images made are mirrored; None: none of them.
        """
        with torch.no_grad():
            maps = self.encoder_maps(source)
            places = [torch.randperm(each[0, 0].numel(), device=each.device)[:patches] for each in maps]
            keys = self.codes_at(places, maps)
        queries = self.codes_at(places, [mirror(each, mirrored) for each in self.encoder_maps(made)])
        return list(map(PatchFeatures, queries, keys))

    def encoder_maps(self, images: Tensor) -> list[Tensor]:
        """A further pass of G's encoder over images [N, C, H, W]."""
        with self.context.autocast():
            return self.G.encoder_maps(images, self.labels_of(len(images)))

    def codes_at(self, places: list[Tensor], maps: list[Tensor]) -> list[Tensor]:
        """What the projector makes of places [P] of each map [N, K, H, W]: codes [N, P, codes]."""
        with self.context.autocast():
            return self.projector(list(map(features_at, maps, places)))


def mirror(images: Tensor, which: Tensor | None) -> Tensor:
    """Images, or maps, [N, C, H, W], those mirrored that `which`, bool [N, 1, 1, 1], names; None: none of them."""
    return images if which is None else torch.where(which, images.flip(3), images)


def features_at(maps: Tensor, places: Tensor) -> Tensor:
    """What maps [N, K, H, W] say at places [P], in reading order: [N, P, K]."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)[:, places]
