"""FastGAN's self-supervision of the discriminator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import UserError
from ggdr.features.base import Embedder, Extractor
from ggdr.features.plain import Pixels
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer, State
from ggdr.registry import Capability, regularizers


@regularizers.register("fastgan_reconstruction", paper="2101.04775")
@dataclass(frozen=True, kw_only=True)
class FastGANReconstruction(Regularizer):
    """D's decoders draw the reals it judged again, whole and a random quarter (Liu et al. 2021, sec. 3.2).

    The paper measures the distance by LPIPS, whose weights are a download: `extractor` lpips. By default it is plain,
    the mean squared difference of pixels from 0 to 1 at several scales.
    """

    extractor: Extractor = Pixels()
    """makes the features whose squared distances are to be small; one that provides `smooth`: pixels, lpips, vgg16"""
    network: ClassVar[Embedder]
    requires: ClassVar = frozenset({Capability.PYRAMID, Capability.RECONSTRUCTION})

    def __post_init__(self) -> None:
        if Capability.SMOOTH not in self.extractor.provides:
            raise UserError(
                f"fastgan_reconstruction compares images before they are rounded, which feature extractor"
                f" {self.extractor.name!r} cannot; take pixels or lpips."
            )

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if feature extractors see no such images."""
        if spec.channels not in (1, 3, 4):
            raise UserError(
                f"fastgan_reconstruction compares images by features, of 1, 3 or 4 channels, and these have"
                f" {spec.channels}: drop it: --regularizers.fastgan_reconstruction none."
            )
        return self, ""

    def start(self, device: torch.device) -> State:
        object.__setattr__(self, "network", self.extractor.load(device))  # now, so that missing weights are told now
        return {}

    def d_loss(self, duel: Duel) -> Tensor:
        whole, part = (duel.reconstructions[name] for name in ("whole", "part"))
        return self.distance(whole.drawn, whole.true) + self.distance(part.drawn, part.true)

    def distance(self, drawn: Tensor, true: Tensor) -> Tensor:
        """The mean over a batch of squared distances between the features of images [N, C, h, w] in [-1, 1]."""
        rows, wanted = (self.network((x + 1) * 127.5).rows for x in (drawn, true.detach()))
        return (rows - wanted).square().sum(dim=1).mean()
