"""The game of MUNIT: one content, many styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ggdr.errors import UserError
from ggdr.games.unpaired import UnpairedGame
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.game import Networks
from ggdr.play.multimodal import MultimodalDuel
from ggdr.play.view import Way
from ggdr.registry import Capability, games


@games.register("multimodal", paper="1804.04732")
@dataclass(frozen=True, kw_only=True)
class MultimodalGame(UnpairedGame):
    """Two domains without pairs that share content and differ in style, which is drawn (MUNIT, Huang et al. 2018).

    The generator of each domain is its autoencoder: it parts an image into content and style, and decodes both. An
    image is translated by its own domain's content encoder and the other's decoder, under a style ~ N(0, 1), or that
    of an image. Regularizers `identity` (an image from its own codes), `content_reconstruction` and
    `style_reconstruction` belong to it; `cycle`, under the source's own style, is a choice.
    """

    pool: int = 0
    """fakes of each domain that are kept, of which D is shown one instead of a new one every other time; 0: none"""
    first: Literal["g", "d"] = "d"
    """whose turn comes first in a step; the paper does not say"""
    provides: ClassVar = MultimodalDuel.provides
    requires: ClassVar = frozenset({Capability.CONTENT_STYLE})
    duel: ClassVar = MultimodalDuel
    makers: ClassVar = ("generator_b", "generator_a")

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """An autoencoder and a discriminator of each domain; UserError if their contents cannot be exchanged."""
        translator = self.of_images(generator)
        self.check_provides(translator, "parts images into content and style")
        a, b = self.two(domains).values()
        if a[:2] != b[:2]:
            raise UserError(
                f"game {self.name!r} decodes the content of one domain's images as the other's, and they are"
                f" {a.height} x {a.width} and {b.height} x {b.width} px: give both domains one size, --data.size."
            )
        judges = {"discriminator_a": discriminator.build(a, extra), "discriminator_b": discriminator.build(b, extra)}
        return Networks(
            {"d": judges, "g": {"generator_a": translator.build(a, a), "generator_b": translator.build(b, b)}}
        )

    def check_networks(self, networks: Networks, requires: frozenset[Capability]) -> None:
        """Each generator is shown images of the domain it makes alone, so `identity` goes with any two."""

    def translators(self, networks: Mapping[str, Any]) -> tuple[Way, Way]:
        """How the content of one domain's images is given the other's styles, both ways."""
        a, b = networks["generator_a"], networks["generator_b"]
        return styled(a, b), styled(b, a)


def styled(encoder: Any, decoder: Any) -> Way:
    """How images of one autoencoder's domain become those of the other's."""

    def translate(images: Tensor, labels: Tensor | None, code: Tensor | None) -> Tensor:
        """Decode their content under a code [N, z_dim], or under one that is drawn."""
        content = encoder.encode_content(images)
        if code is None:
            code = torch.randn(len(images), decoder.z_dim, device=images.device)
        return decoder.decode(content, code, labels).image

    return Way(
        translate,
        encoder.source,
        decoder.spec,
        encoder.size_divisor,
        draws=decoder.z_dim,
        encode_style=decoder.encode_style,
        style_spec=decoder.spec,
    )
