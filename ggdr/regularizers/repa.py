"""REPA: a transformer's tokens are aligned with what a frozen network says of the same image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError, above_zero, at
from ggdr.features.base import Extractor, PatchEmbedder
from ggdr.features.dinov2 import DINOv2
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer, State
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator

HEAD = "repa"


@regularizers.register("repa", paper="2410.06940")
@dataclass(frozen=True, kw_only=True)
class REPA(Regularizer):
    """Cosine distance of what a head says of D's tokens of reals from a frozen network's features (Yu et al. 2025).

    As GAT has it (arXiv 2509.24935): the class token against the whole image's features, plus the mean over places of
    the others' against its parts'; D alone learns from it, and only from reals. The frozen network sees them as the
    augmentation moved them, in their own colours. Its maps are resized to D's places.
    """

    extractor: Extractor = DINOv2(size="b")
    """the frozen network; one that provides `patches`"""
    hidden: int = 2048
    """width of the head's two layers between"""
    requires: ClassVar = frozenset({Capability.TOKENS, Capability.MOVED_REAL})
    network: ClassVar[PatchEmbedder]

    # Unlike the paper: as GAT's, it is D that is aligned; the paper aligns a diffusion model, in an early layer.

    def __post_init__(self) -> None:
        above_zero(self, "hidden")

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if the network sees no such images, or tells no parts of them."""
        if spec.channels not in (1, 3, 4) or spec.continuous:
            raise UserError(
                f"repa shows reals to a network of images of 1, 3 or 4 channels, and these have {spec.channels}: drop"
                " it: --regularizers.repa none."
            )
        self.extractor.check_provides(Capability.PATCHES)
        return self, ""

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        """A head of three layers on each token."""
        return {HEAD: Head(self.extractor.patch_width(), self.hidden, tokens=True)}

    def start(self, device: torch.device) -> State:
        """Load the network now, so that missing weights are told now."""
        with at("extractor"):
            object.__setattr__(self, "network", self.extractor.load_patches(device))
        return {}

    def d_loss(self, duel: Duel) -> Tensor:
        said, (height, width) = duel.on_real, duel.reals.shape[2:]
        told, tokens = said.head_outputs[HEAD][:, :1], said.head_outputs[HEAD][:, 1:]
        with torch.no_grad():
            whole, parts = self.network((said.target_features[height] + 1) * 127.5)
            rows = round((tokens.shape[1] * height / width) ** 0.5)
            parts = over_places(parts, rows, tokens.shape[1] // rows)
        return distance(told, whole[:, None]) + distance(tokens, parts.flatten(2).transpose(1, 2))


def over_places(maps: Tensor, height: int, width: int) -> Tensor:
    """Resize maps [N, K, h, w], averaging where they become smaller."""
    if maps.shape[2:] == (height, width):
        return maps
    return F.interpolate(maps, (height, width), mode="bilinear", antialias=True)


def distance(said: Tensor, true: Tensor) -> Tensor:
    """Return the mean of 1 - cosine of vectors [N, T, K]."""
    return 1 - F.cosine_similarity(said, true, dim=2).mean()
