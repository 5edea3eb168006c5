"""Perceptual distance: images are alike where a frozen network's maps of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import UserError, at, setting
from ggdr.features.base import Embedder, Extractor, NamedLayers
from ggdr.features.vgg19 import VGG19
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import ImageSpec
from ggdr.play.term import Regularizer, State
from ggdr.play.translation import PairedDuel
from ggdr.registry import Capability, regularizers

NEEDS = {"truth": Capability.TRUTH, "source": Capability.SOURCE}


@regularizers.register("perceptual", paper="1603.08155")
@dataclass(frozen=True, kw_only=True)
class Perceptual(Regularizer):
    """Distance of a frozen network's maps of each fake from those of its truth (Johnson et al. 2016, eq. 2); for pairs.

    The sum over `layers` of the mean of absolute or squared differences of a map's entries. SRGAN: relu5_4 of vgg19,
    l2, weight 1/12.75^2 (it divides maps by 12.75). ESRGAN: conv5_4, before ReLU, l1. pix2pixHD: relu1_1, relu2_1,
    relu3_1, relu4_1, relu5_1, l1, weight 10. LPIPS: extractor lpips, no layers, l2.
    """

    extractor: Extractor = VGG19()
    """the frozen network; one that provides `layers`, or without `layers` below `smooth`"""
    layers: tuple[str, ...] = ("relu5_4",)
    """layers whose maps are compared; none: the features that metrics read, of which the sum of differences counts"""
    layer_weights: tuple[float, ...] = (1.0,)
    """factor of each layer; one number: of all"""
    distance: Literal["l1", "l2"] = "l2"
    """absolute differences, or squared ones"""
    against: Literal["truth", "source"] = "truth"
    """what fakes are to be like: their truth, of pairs, or the image that they are made of"""
    requires: ClassVar = frozenset({Capability.TRUTH})
    maps_of: ClassVar[NamedLayers]
    rows_of: ClassVar[Embedder]

    def __post_init__(self) -> None:
        object.__setattr__(self, "requires", frozenset({NEEDS[self.against]}))

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if the network sees no such images, or they are too small for a layer."""
        if spec.channels not in (1, 3, 4):
            raise UserError(
                f"perceptual compares images by features, of 1, 3 or 4 channels, and these have {spec.channels}: drop"
                " it: --regularizers.perceptual none."
            )
        self.check_settings()
        least = max((self.extractor.stack().until(name).reductions()[-1] for name in self.layers), default=1)
        if min(spec.height, spec.width) < least:
            raise UserError(
                f"{setting('layers')} are {', '.join(self.layers)}, whose maps are {least} times smaller than images,"
                f" and these are {spec.height} x {spec.width} px: take layers nearer to the image."
            )
        return self, ""

    def check_settings(self) -> None:
        """UserError if the network gives no such layers, or their weights are not as many."""
        self.extractor.check_provides(Capability.LAYERS if self.layers else Capability.SMOOTH)
        if self.layers:
            self.extractor.stack().check(self.layers)
        if len(self.layer_weights) not in (1, len(self.layers)) or not all(each >= 0 for each in self.layer_weights):
            raise UserError(
                f"{setting('layer_weights')} are {self.layer_weights}; give 1 number of 0 or more, or one for each of"
                f" {', '.join(self.layers) or 'no layers'}."
            )

    def start(self, device: torch.device) -> State:
        """Load the network now, so that missing weights are told now."""
        with at("extractor"):
            if self.layers:
                object.__setattr__(self, "maps_of", self.extractor.load_layers(device))
            else:
                object.__setattr__(self, "rows_of", self.extractor.load(device))
        return {}

    def g_loss(self, duel: PairedDuel) -> Tensor:  # type: ignore[override]
        fake, other = duel.fake.image, duel.truth if self.against == "truth" else duel.source
        if fake.shape != other.shape:
            raise UserError(
                f"perceptual compares fakes {list(fake.shape)} with images {list(other.shape)} of another shape: set"
                f" {setting('against')} to 'truth', or drop it."
            )
        return self.between(fake, other.detach())

    def e_loss(self, duel: PairedDuel) -> Tensor:  # type: ignore[override]
        return self.g_loss(duel)

    def between(self, images: Tensor, others: Tensor) -> Tensor:
        """Scalar: the mean distance of images [N, C, H, W] in [-1, 1] from others of this shape, without `weight`."""
        found, wanted = self.features(images), self.features(others)
        if not self.layers:
            rows = found[0] - wanted[0]
            return (rows.abs() if self.distance == "l1" else rows.square()).sum(1).mean()
        measure = F.l1_loss if self.distance == "l1" else F.mse_loss
        each = [measure(a, b) for a, b in zip(found, wanted, strict=True)]
        weights = self.layer_weights * (len(each) if len(self.layer_weights) == 1 else 1)
        return torch.stack([weight * value for weight, value in zip(weights, each, strict=True)]).sum()

    def features(self, images: Tensor) -> list[Tensor]:
        """Maps of the layers, or the features that metrics read, of images in [-1, 1]."""
        pixels = (images + 1) * 127.5
        if not self.layers:
            return [self.rows_of(pixels).rows]
        maps = self.maps_of(pixels, self.layers)
        return [maps[name] for name in self.layers]
